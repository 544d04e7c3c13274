"""The dispatcher's desk: identity, quarantine, deliveries."""

from tests.support.scene import Places
from tests.support.shots.shot import Shot


def shots(places: Places) -> list[Shot]:
    """In the order in which they are taken."""
    return [
        Shot("identity", "dispatcher", "/identity"),
        Shot("identity-case", "dispatcher", f"/identity/{places.case}"),
        Shot("identity-decided", "dispatcher", f"/identity/{places.decided_case}"),
        Shot("quarantine", "dispatcher", "/quarantine"),
        Shot("quarantine-compare", "dispatcher", f"/quarantine/{places.conflict}"),
        Shot("quarantine-stranger", "dispatcher", f"/quarantine/{places.stranger}"),
        Shot("deliveries", "dispatcher", "/deliveries"),
    ]
