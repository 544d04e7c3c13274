"""The ledger of both sides, deliveries by destination, destinations, and recalls."""

from playwright.sync_api import Page

from tests.support.scene import Places
from tests.support.shots.shot import Shot, fails, first_button, hangs


def replay_all(page: Page) -> None:
    """Ask why all of a destination is sent again."""
    page.locator(".queue-acts button").nth(1).click(timeout=5_000)
    page.locator(".ant-dropdown-menu-item").nth(1).click(timeout=5_000)
    page.locator(".ant-modal textarea").wait_for(timeout=5_000)


def attempts(page: Page) -> None:
    """Unfold what was sent and answered."""
    page.locator(".attempt-text summary").nth(1).click(timeout=5_000)


def telephone(page: Page) -> None:
    """Take down that somebody knows."""
    page.locator(".ledger-list button").first.click(timeout=5_000)
    page.locator(".ant-modal .phone-person").wait_for(timeout=5_000)


def shots(places: Places) -> list[Shot]:
    """In the order in which they are taken."""
    more = places.more
    recalled = f"/ledger/{more['recalled-exam']}"
    return [
        Shot("ledger", "dispatcher", "/ledger"),
        Shot("ledger-stuck", "dispatcher", "/ledger?show=stuck"),
        Shot("ledger-rule", "dispatcher", "/ledger?rule=refused"),
        Shot("ledger-site", "doctor-east", "/ledger?show=stuck"),
        Shot("ledger-fine", "doctor-west", "/ledger?rule=missing"),
        Shot("ledger-failed", "dispatcher", "/ledger", fails("**/api/ledger**"), loads=False),
        Shot("ledger-loading", "dispatcher", "/ledger", hangs("**/api/ledger?*"), loads=False),
        Shot("ledger-exam", "dispatcher", recalled),
        Shot("ledger-exam-site", "doctor-east", recalled),
        Shot("ledger-telephone", "dispatcher", recalled, telephone),
        Shot("ledger-auditor", "auditor", recalled),
        Shot("queues", "dispatcher", "/deliveries"),
        Shot("queues-site", "doctor-east", "/deliveries?state=open"),
        Shot("queues-replay", "system", "/deliveries", replay_all),
        Shot(
            "delivery-refused",
            "dispatcher",
            f"/deliveries?open={more['refused-delivery']}",
            attempts,
        ),
        Shot("destinations", "system", "/destinations"),
        Shot("destination-new", "system", "/destinations", first_button(".page-head .ant-btn")),
    ]
