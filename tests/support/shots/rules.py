"""Rules of routing, groups, due times, calendar, roster and agreements."""

from playwright.sync_api import Page

from tests.support.scene import Places
from tests.support.shots.shot import Act, Shot, fails, first_button, hangs, pressed


def tried(page: Page) -> None:
    """Draw up another rule, and try the rules on the past."""
    # This browser keeps what was drawn up for the picture before.
    page.evaluate("() => localStorage.removeItem('rdc.rules.draft.county')")
    page.reload()
    page.locator(".rules-add").click()
    dialog = page.get_by_role("dialog")
    dialog.locator("input").first.fill("CT 一律加急")
    dialog.get_by_role("combobox").nth(1).press_sequentially("CT", delay=50)
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    chosen(page, -2, 2)
    dialog.locator(".ant-modal-footer .ant-btn-primary").click()
    page.locator(".rule-row").last.wait_for()
    for _ in range(3):
        page.locator(".rule-row").filter(has_text="CT 一律加急").focus()
        page.keyboard.press("Alt+ArrowUp")
    page.locator(".rules-try").click()
    page.locator(".trial-sum").wait_for()


def chosen(page: Page, field: int, option: int) -> None:
    """Choose one option of a select of the dialog by keyboard."""
    page.get_by_role("dialog").get_by_role("combobox").nth(field).focus()
    page.keyboard.press("ArrowDown")
    for _ in range(option - 1):
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")


def publishing(page: Page) -> None:
    """Begin to publish what was drawn up."""
    tried(page)
    page.locator(".rules-publish").click()
    page.get_by_role("dialog").wait_for()


def versions(page: Page) -> None:
    """Look at the versions."""
    page.locator(".rules-side .ant-segmented-item").nth(1).click()


def cell(key: str) -> Act:
    """Press a key in the first cell of the roster."""

    def act(page: Page) -> None:
        page.locator('[data-cell="1 2"]').focus()
        page.keyboard.press(key)
        page.get_by_role("dialog").wait_for()

    return act


def day(page: Page) -> None:
    """Change a day of the calendar by keyboard."""
    page.locator('.calendar-day[tabindex="0"]').focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    page.get_by_role("dialog").wait_for()


def branch(page: Page) -> None:
    """Say that a site's device stands in a branch, where it was not said yet."""
    if page.locator(".branches-buttons").count():
        return
    first_button(".agreements-add")(page)
    dialog = page.get_by_role("dialog")
    # A list opens at its first choice.
    for chooser in (0, 1):
        dialog.locator(".ant-select").nth(chooser).click()
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
    dialog.get_by_role("textbox").nth(0).fill("东山分院")
    dialog.get_by_role("textbox").nth(1).fill("Dongshan")
    page.keyboard.press("Control+Enter")
    page.locator(".branches-buttons").first.wait_for()


def shots(_places: Places) -> list[Shot]:
    """In the order in which they are taken."""
    return [
        Shot("rules", "admin", "/rules"),
        Shot("rules-tried", "admin", "/rules", tried),
        Shot("rules-publish", "admin", "/rules", publishing),
        Shot("rules-edit", "admin", "/rules", first_button(".rule-acts .ant-btn:nth-of-type(4)")),
        Shot("rules-versions", "admin", "/rules", versions),
        Shot("rules-keys", "admin", "/rules", pressed("?")),
        Shot("rules-failed", "admin", "/rules", fails("**/api/routing/rulesets"), loads=False),
        Shot("groups", "admin", "/groups"),
        Shot("groups-edit", "admin", "/groups", first_button(".group-edit")),
        Shot("procedures", "admin", "/procedures"),
        Shot("procedures-edit", "admin", "/procedures", first_button("tbody .ant-btn")),
        Shot("clocks", "admin", "/clocks"),
        Shot("clocks-site", "admin", "/clocks?site=EAST"),
        Shot("clocks-edit", "admin", "/clocks", first_button(".clock-cell")),
        Shot("calendar", "admin", "/calendar"),
        Shot("calendar-day", "admin", "/calendar", day),
        Shot("calendar-hours", "admin", "/calendar", first_button(".calendar-hours")),
        Shot("roster", "dispatcher", "/roster"),
        Shot("roster-add", "dispatcher", "/roster", cell("Enter")),
        Shot("roster-loading", "dispatcher", "/roster", hangs("**/api/roster*"), loads=False),
        Shot("agreements", "admin", "/agreements"),
        Shot("agreements-add", "admin", "/agreements", first_button(".agreements-add")),
        Shot("marks", "admin", "/agreements?tab=marks"),
        Shot("marks-add", "admin", "/agreements?tab=marks", first_button(".agreements-add")),
        Shot("marks-end", "admin", "/agreements?tab=marks", first_button(".mark-end")),
        Shot("branches-none", "admin", "/agreements?tab=branches"),
        Shot("branches-add", "admin", "/agreements?tab=branches", first_button(".agreements-add")),
        Shot("branches", "admin", "/agreements?tab=branches", branch),
        Shot("single-off", "admin", "/agreements?tab=single"),
        Shot("single-add", "admin", "/agreements?tab=single", first_button(".agreements-add")),
    ]
