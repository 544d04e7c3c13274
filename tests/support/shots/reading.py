"""The reading page in every state of a reading."""

from playwright.sync_api import Page

from tests.support.scene import Places
from tests.support.shots.shot import Act, Shot, doubt
from tests.support.viewer import GREY_LEVELS


def arranged(*keys: str) -> Act:
    """Press keys on the page."""

    def act(page: Page) -> None:
        page.locator(".rail").wait_for()
        for key in keys:
            page.keyboard.press(key)

    return act


def priors(page: Page) -> None:
    """Say why priors of other sites are needed, where it was not said yet, and read a report."""
    arranged("Alt+p")(page)
    page.locator(".priors").wait_for(state="attached")
    why = page.locator(".prior-reason [type=submit]")
    if why.count():
        why.click()
    page.locator(".prior").nth(1).wait_for()
    page.locator(".prior [aria-expanded=false]").first.click()
    page.locator(".prior-report .report-body").first.wait_for()


def compared(page: Page) -> None:
    """Open a prior beside the exam, with the viewer or without."""
    priors(page)
    page.locator(".prior [aria-pressed=false]").first.click()
    page.locator(".viewing-bar").wait_for()
    images(page)


def in_window(page: Page) -> None:
    """Give the viewer a window of its own; the picture is of the page beside it."""
    arranged()(page)
    if not page.locator(".viewing-elsewhere").count():
        page.keyboard.press("Alt+v")
    page.locator(".viewing-elsewhere").wait_for()


def images(page: Page) -> None:
    """Wait for the viewer's images, if the pictures are taken with the viewer."""
    frame = page.locator(".viewer iframe").element_handle().content_frame()
    if frame is not None and frame.locator("#root").count():
        frame.wait_for_function(f"({GREY_LEVELS})() > 20", polling=500, timeout=90_000)


def shots(places: Places) -> list[Shot]:
    """In the order in which they are taken."""
    item = places.workitems
    reading = f"/exams/{places.more['reading']}"
    return [
        Shot("reading-write", "writer", f"/exams/{item['DH20261121']}"),
        Shot("reading-status", "writer", f"/exams/{item['E1003']}"),
        Shot("reading-review", "reviewer", f"/exams/{item['W2001']}"),
        Shot("reading-returned", "writer", f"/exams/{item['W2002']}"),
        Shot("reading-signed", "reviewer", f"/exams/{item['E1006']}"),
        Shot("reading-corrected", "writer", f"/exams/{item['E1007']}"),
        Shot("reading-held", "dispatcher", f"/exams/{item['E1002']}"),
        Shot("reading-doubt", "dispatcher", f"/exams/{item['E1003']}", doubt),
        Shot("reading-ecg", "writer", f"/exams/{item['ecg']}"),
        Shot("reading-request", "writer", reading, arranged("Alt+b")),
        Shot("reading-priors-reason", "writer2", reading, arranged("Alt+p")),
        Shot("reading-priors", "writer", reading, priors),
        Shot("reading-notes", "writer", reading, arranged("Alt+m")),
        Shot("reading-quality", "writer", f"/exams/{item['DH20261121']}", arranged("Alt+q")),
        Shot("reading-timeline", "reviewer", f"/exams/{item['E1006']}", arranged("Alt+t")),
        Shot("reading-folded", "writer", reading, arranged("Alt+z")),
        Shot("reading-keys", "writer", reading, arranged("?")),
        Shot("reading-compare", "writer", reading, compared),
        Shot("reading-window", "writer", reading, in_window),
        Shot("reading-missing", "writer", "/exams/00000000-0000-4000-8000-000000000000"),
    ]
