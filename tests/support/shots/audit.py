"""What an auditor sees: the trail, its search, and what was opened in emergencies."""

from playwright.sync_api import Page

from tests.support.scene import Places
from tests.support.shots.shot import Shot, fails

_WAITING = ".emergency-acts button"


def _judging(page: Page) -> None:
    page.locator(_WAITING).last.click()
    page.locator(".ant-modal textarea").wait_for()


def _unfolded(page: Page) -> None:
    page.locator(".emergency-reviews summary").click()


def _of_object(page: Page) -> None:
    page.locator(".audit-id").first.click()


def shots(_places: Places) -> list[Shot]:
    """In the order in which they are taken."""
    return [
        Shot("audit", "auditor", "/audit"),
        Shot("audit-judging", "auditor", "/audit", _judging),
        Shot("audit-judged", "auditor", "/audit", _unfolded),
        Shot("audit-unread", "auditor", "/audit", fails("**/api/emergency-accesses")),
        Shot("audit-search", "auditor", "/audit?subject=session&login=nobody"),
        Shot("audit-period", "auditor", "/audit?subject=prior&since=2026-01-01&until=2099-12-31"),
        Shot("audit-object", "auditor", "/audit", _of_object),
    ]
