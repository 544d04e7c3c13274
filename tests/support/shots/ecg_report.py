"""Writing the report of an ECG: its statements, and its values."""

from playwright.sync_api import Page

from tests.support.scene import Places
from tests.support.shots.shot import Shot


def _picked(page: Page, *typed: str) -> None:
    page.locator(".statement-button:not([disabled])").wait_for()
    page.keyboard.press("Alt+y")
    search = page.get_by_role("dialog").get_by_role("combobox")
    search.wait_for()
    for words in typed:
        search.fill(words)
        search.press("Enter")


def choosing(page: Page) -> None:
    """Two statements are in the report, the next is looked for."""
    _picked(page, "dx", "f1")
    page.get_by_role("dialog").get_by_role("combobox").fill("zhi")


def every(page: Page) -> None:
    """The whole library in its groups."""
    _picked(page)
    page.locator(".statements-found li").nth(20).wait_for()


def values(page: Page) -> None:
    """Two statements picked, one value set otherwise, the rest confirmed."""
    _picked(page, "dx", "wy")
    page.keyboard.press("Escape")
    pr = page.locator(".report-values tbody tr", has_text="PR").locator("input")
    pr.fill("168")
    pr.press("Enter")
    rest = page.locator(".report-values h2 button")
    # An earlier picture of the same draft has confirmed them.
    if rest.is_enabled():
        rest.click()
    page.locator(".report-values").scroll_into_view_if_needed()


def shots(places: Places) -> list[Shot]:
    """In the order in which they are taken."""
    path = f"/exams/{places.more['ecg-view']}"
    return [
        Shot("statements-all", "writer", path, every),
        Shot("statements-typed", "writer", path, choosing),
        Shot("report-values", "writer", path, values),
    ]
