"""Whether sites are connected."""

from tests.support.scene import Places
from tests.support.shots.shot import Shot


def shots(_places: Places) -> list[Shot]:
    """In the order in which they are taken."""
    return [
        Shot("site-tests", "admin", "/site-tests"),
        Shot("site-tests-one", "admin", "/site-tests/EAST"),
    ]
