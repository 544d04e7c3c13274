"""Signing in, the public page of verification, and places that are nowhere."""

from playwright.sync_api import Page

from tests.support.scene import BOTH, Places
from tests.support.shots.shot import Shot, refused


def _file_that_is_none(page: Page) -> None:
    """Choose a file that is no report."""
    page.locator("[type=file]").set_input_files(
        {"name": "scan.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.7"}
    )
    page.locator(".verdict").wait_for()


def shots(places: Places) -> list[Shot]:
    """In the order in which they are taken."""
    return [
        Shot("sign-in", None, "/sign-in"),
        Shot("sign-in-refused", None, "/sign-in", refused),
        Shot("organisation", BOTH, "/organisation"),
        Shot("account", "writer", "/account"),
        Shot("verify", None, "/verify"),
        Shot("verify-valid", None, f"/verify/{places.verification_code}"),
        Shot("verify-file", None, "/verify", _file_that_is_none),
        Shot("verify-unknown", None, "/verify/AAAAAAAAAAAA"),
        Shot("no-page", "auditor", "/"),
        Shot("not-found", "writer", "/nowhere"),
    ]
