"""Key images and measurements beside the report."""

from tests.support.scene import Places
from tests.support.shots.reading import arranged
from tests.support.shots.shot import Shot


def shots(places: Places) -> list[Shot]:
    """In the order in which they are taken."""
    path = f"/exams/{places.more['reading']}"
    return [
        Shot("key-images", "writer", path, arranged("Alt+i")),
        Shot(
            "key-images-none",
            "writer",
            f"/exams/{places.workitems['DH20261121']}",
            arranged("Alt+i"),
        ),
    ]
