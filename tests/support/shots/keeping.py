"""Retention and purges."""

from tests.support.scene import Places
from tests.support.shots.shot import Shot, first_button


def shots(_places: Places) -> list[Shot]:
    """In the order in which they are taken."""
    return [
        Shot("keeping-usage", "admin", "/keeping?tab=usage"),
        Shot("keeping-rules", "admin", "/keeping?tab=rules"),
        Shot("keeping-rule-edit", "admin", "/keeping?tab=rules", first_button(".rule-change")),
        Shot("keeping-due", "admin", "/keeping?tab=due"),
        Shot("keeping-purges", "admin2", "/keeping?tab=purges"),
        Shot("keeping-holds", "admin", "/keeping?tab=holds"),
        Shot("keeping-hold-release", "admin", "/keeping?tab=holds", first_button("td button")),
    ]
