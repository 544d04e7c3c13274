"""Writing a report, and what becomes of one that was issued."""

from playwright.sync_api import Page

from tests.support.scene import Places
from tests.support.shots.shot import Act, Shot


def key(name: str, then: str) -> Act:
    """Press a key once the editor stands, and wait for what comes."""

    def act(page: Page) -> None:
        page.locator(".field textarea").first.wait_for()
        page.keyboard.press(name)
        page.locator(then).first.wait_for()

    return act


def filling(page: Page) -> None:
    """Choose the second template that fits."""
    key("Alt+a", ".templates-found li")(page)
    page.locator(".templates-found li").nth(1).click()
    page.locator(".template-form input").first.wait_for()


def snippets(page: Page) -> None:
    """Type the beginning of a shortcut."""
    area = page.locator(".field-findings textarea")
    area.fill("双肺 ")
    area.press_sequentially(";f")
    page.locator(".snippet-hints").wait_for()


def tab(number: int) -> Act:
    """Open a tab of an issued report."""

    def act(page: Page) -> None:
        page.locator(".final [role=tab]").nth(number).click()
        page.locator(".changes, .version").first.wait_for()

    return act


def dialog(selector: str) -> Act:
    """Press a button that opens a dialog."""

    def act(page: Page) -> None:
        page.locator(selector).first.click()
        page.locator("[role=dialog]").first.wait_for()

    return act


def addendum(page: Page) -> None:
    """Ask to add to a report."""
    dialog(".report-actions button:last-of-type")(page)
    page.get_by_role("dialog").locator(".ant-segmented-item").nth(1).click()


def template(page: Page) -> None:
    """Open the first template of the list."""
    page.locator(".templates-list li button").first.click()
    page.locator(".template-preview .report-view").wait_for()


def shots(places: Places) -> list[Shot]:
    """In the order in which they are taken."""
    exam = {name: f"/exams/{item}" for name, item in places.more.items() if "writing-" in name}
    return [
        Shot("writing-checks", "writer", exam["writing-found"]),
        Shot(
            "writing-templates",
            "writer",
            exam["writing-empty"],
            key("Alt+a", ".templates-found li"),
        ),
        Shot("writing-filling", "writer", exam["writing-empty"], filling),
        Shot("writing-snippets", "writer", exam["writing-empty"], snippets),
        Shot("writing-preliminary", "writer", exam["writing-prelim"]),
        Shot(
            "writing-sign", "writer", exam["writing-prelim"], key("Control+Enter", "[role=dialog]")
        ),
        Shot("writing-review", "reviewer", exam["writing-resubmitted"]),
        Shot("writing-compare", "reviewer", exam["writing-amended"], tab(2)),
        Shot("writing-versions", "reviewer", exam["writing-amended"], tab(1)),
        Shot(
            "writing-amend",
            "reviewer",
            exam["writing-amended"],
            dialog(".report-actions button:last-of-type"),
        ),
        Shot("writing-addendum", "reviewer", exam["writing-amended"], addendum),
        Shot("writing-revoking", "head", exam["writing-revoking"]),
        Shot("templates", "reviewer", "/templates", template),
        Shot("snippets", "reviewer", "/templates?tab=snippets"),
    ]
