"""Signing in, the public page of verification, and places that are nowhere."""

from tests.support.scene import BOTH, Places
from tests.support.shots.shot import Shot, refused


def shots(places: Places) -> list[Shot]:
    """In the order in which they are taken."""
    return [
        Shot("sign-in", None, "/sign-in"),
        Shot("sign-in-refused", None, "/sign-in", refused),
        Shot("organisation", BOTH, "/organisation"),
        Shot("verify", None, "/verify"),
        Shot("verify-valid", None, f"/verify/{places.verification_code}"),
        Shot("verify-unknown", None, "/verify/AAAAAAAAAAAA"),
        Shot("no-page", "auditor", "/"),
        Shot("not-found", "writer", "/nowhere"),
    ]
