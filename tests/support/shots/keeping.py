"""Retention and purges."""

from playwright.sync_api import Page

from tests.support.scene import Places
from tests.support.shots.shot import Shot, first_button


def _looked_up(page: Page) -> None:
    """Look up the patient of the first legal hold by site and number."""
    held = page.request.get("/api/keeping/holds?active=false").json()["items"][0]
    english = page.locator("html").get_attribute("lang") == "en"
    page.locator(".copy-form .ant-select").click()
    page.keyboard.type(held["site_name_en" if english else "site_name"])
    page.keyboard.press("Enter")
    page.locator(".copy-form input[autocomplete=off]").last.fill(held["local_id"])
    page.locator(".copy-form [type=submit]").click()
    page.locator(".copy-found").wait_for(timeout=15_000)


def _nobody(page: Page) -> None:
    """Look up a number that nobody has."""
    page.locator(".copy-form .ant-select").click()
    page.keyboard.press("Enter")
    page.locator(".copy-form input[autocomplete=off]").last.fill("0000")
    page.locator(".copy-form [type=submit]").click()
    page.locator(".copy [role=alert]").wait_for(timeout=15_000)


def shots(_places: Places) -> list[Shot]:
    """In the order in which they are taken."""
    return [
        Shot("keeping-usage", "admin", "/keeping?tab=usage"),
        Shot("keeping-rules", "admin", "/keeping?tab=rules"),
        Shot("keeping-rule-edit", "admin", "/keeping?tab=rules", first_button(".rule-change")),
        Shot("keeping-due", "admin", "/keeping?tab=due"),
        Shot("keeping-purges", "admin2", "/keeping?tab=purges"),
        Shot("keeping-holds", "admin", "/keeping?tab=holds"),
        Shot("keeping-copy", "admin", "/keeping?tab=copy"),
        Shot("keeping-copy-whose", "admin", "/keeping?tab=copy", _looked_up),
        Shot("keeping-copy-nobody", "admin", "/keeping?tab=copy", _nobody),
        Shot("keeping-hold-release", "admin", "/keeping?tab=holds", first_button("td button")),
    ]
