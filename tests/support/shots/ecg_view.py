"""The ECG reading view in its states."""

from playwright.sync_api import Page

from tests.support.scene import Places
from tests.support.shots.reading import arranged
from tests.support.shots.shot import Act, Shot


def keys(*names: str) -> Act:
    """Press keys on an ECG that is there, and wait for the page that they ask for."""

    def act(page: Page) -> None:
        arranged()(page)
        page.locator(".ecg-page svg").first.wait_for()
        page.locator(".ecg-ours td").first.wait_for()
        for name in names:
            page.keyboard.press(name)
        page.locator(".ecg-sheet .ecg-scroll:not(.ecg-old)").first.wait_for()

    return act


def compared(*names: str) -> Act:
    """Open the earlier ECG beside this one, then press keys."""

    def act(page: Page) -> None:
        arranged("Alt+p")(page)
        page.locator(".prior [aria-pressed=false]").first.click()
        page.locator(".ecg-compare").wait_for()
        page.keyboard.press("Alt+p")
        page.locator(".ecg-change td").first.wait_for()
        for name in names:
            page.keyboard.press(name)
        page.locator(".ecg-page svg").first.wait_for()

    return act


def shots(places: Places) -> list[Shot]:
    """In the order in which they are taken."""
    path = f"/exams/{places.more['ecg-view']}"
    noisy = f"/exams/{places.more['ecg-noisy']}"
    caliper = ("k", "Enter", "m", *("Shift+ArrowRight",) * 6)
    return [
        Shot("ecg-trace", "writer", path, keys()),
        Shot("ecg-cabrera", "writer", path, keys("2", "c")),
        Shot("ecg-rows", "writer", path, keys("3")),
        Shot("ecg-median", "writer", path, keys("b")),
        Shot("ecg-caliper", "writer", path, keys(*caliper)),
        Shot("ecg-correct", "writer", path, keys("e")),
        Shot("ecg-points", "writer", path, keys("b", "e")),
        Shot("ecg-beside", "writer", path, compared()),
        Shot("ecg-over", "writer", path, compared("p")),
        Shot("ecg-noisy", "writer", noisy, keys()),
        Shot("ecg-keys", "writer", path, keys("?")),
    ]
