"""The worklist in its states."""

from tests.support.scene import Places
from tests.support.shots.shot import Shot, fails, hangs, pressed


def shots(_places: Places) -> list[Shot]:
    """In the order in which they are taken."""
    return [
        Shot("worklist", "writer", "/worklist"),
        Shot("worklist-empty", "writer", "/worklist?q=nobody"),
        Shot("worklist-help", "writer", "/worklist", pressed("?")),
        Shot("worklist-offline", "writer", "/worklist", offline=True),
        Shot("worklist-failed", "writer", "/worklist", fails("**/api/workitems?*")),
        Shot("worklist-loading", "writer", "/worklist", hangs("**/api/workitems?*"), loads=False),
    ]
