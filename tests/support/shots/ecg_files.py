"""The page on which a site's people send ECG files."""

from playwright.sync_api import Page

from tests.support.ecg_files import scp
from tests.support.scene import Places
from tests.support.shots.shot import Shot, fails, hangs


def sending(page: Page) -> None:
    """Send a file that nobody can read, with nobody there to look at it yet."""
    broken = {"name": "I0001.scp", "mimeType": "application/octet-stream", "buffer": scp()[:900]}
    page.get_by_test_id("ecg-file-input").set_input_files([broken])  # pyright: ignore[reportArgumentType]
    page.locator(".ecg-sent").wait_for(timeout=10_000)


def asking(page: Page) -> None:
    """Say whose a file is."""
    page.locator(".ecg-files-result button").first.click(timeout=10_000)
    page.locator(".ecg-whose input").last.check()
    page.locator(".ecg-whose-form").wait_for()


def shots(places: Places) -> list[Shot]:
    """In the order in which they are taken."""
    del places
    address = "/ecg-files"
    return [
        Shot("ecg-files", "doctor-east", address),
        Shot("ecg-files-whose", "doctor-east", address, asking),
        Shot("ecg-files-empty", "doctor-west", address),
        Shot("ecg-files-loading", "doctor-east", address, hangs("**/api/ecg-files?*"), loads=False),
        Shot("ecg-files-failed", "doctor-east", address, fails("**/api/ecg-files?*")),
        Shot("ecg-files-sending", "doctor-east", address, sending, loads=False),
    ]
