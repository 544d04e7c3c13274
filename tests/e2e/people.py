"""People at their browsers, each with a browser of his own, in the language of his choice."""

import io
import json
import re
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright
from pyhanko.pdf_utils.reader import PdfFileReader

from tests.e2e.system import RunningSystem
from tests.e2e.words import pattern, word
from tests.support.peers import require_program

SCREENSHOTS: Final = Path(__file__).parents[2] / "var" / "screenshots"
# Software rendering, and none of Chromium's own calls to the outside.
CHROMIUM: Final = (
    "--no-sandbox",
    "--use-gl=angle",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
SLOW: Final = 30_000
"""How long, in ms, what a person waits for may take on a busy machine."""


@contextmanager
def open_chromium() -> Generator[Browser]:
    """A headless Chromium."""
    path = require_program("chromium", package="chromium")
    expect.set_options(timeout=SLOW)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(CHROMIUM))
        yield browser
        browser.close()


def demonstration(directory: Path) -> RunningSystem:
    """`rdc demo` in a directory of its own, started and with its exams sent."""
    running = RunningSystem(directory, ("demo",))

    def sent() -> bool:
        return (running.data_dir / "demo-sent").exists()

    return running.start(ready=sent, timeout=240)


def sign_ins(system: RunningSystem) -> dict[str, dict[str, Any]]:
    """The people of the demonstration by their logins."""
    people = json.loads((system.data_dir / "demo-sign-ins.json").read_text())
    return {one["login"]: one for one in people}


class Person:
    """Somebody at a browser of his own, on a screen of the given width, signed in.

    draws: whether his browser has the image viewer; what it draws is costly.
    """

    def __init__(
        self,
        chromium: Browser,
        system: RunningSystem,
        person: dict[str, Any],
        width: int = 1440,
        *,
        language: str = "zh-CN",
        draws: bool = True,
    ) -> None:
        context = chromium.new_context(
            base_url=system.web, viewport={"width": width, "height": 900}, locale="zh-CN"
        )
        context.add_init_script(
            f"if (self === top) localStorage.setItem('rdc.language', {json.dumps(language)})"
        )
        self.language = language
        self.pin = str(person["pin"])
        self.name = str(person["display_name"])
        self.page: Page = context.new_page()
        self.page.set_default_timeout(SLOW)
        if not draws:
            # A page of our own address, which the page around it may look into.
            self.page.route(
                "**/viewer/**", lambda route: route.fulfill(content_type="text/html", body="")
            )
        self.failures: list[str] = []
        self.page.on("pageerror", lambda error: self.failures.append(str(error)))
        self.page.goto("/")
        self.page.get_by_label(self.word("session.login")).fill(person["login"])
        self.page.get_by_label(self.word("session.password"), exact=True).fill(person["password"])
        self.page.get_by_role("button", name=self.word("session.signIn")).click()
        expect(self.page.get_by_role("navigation").first).to_be_visible(timeout=SLOW)

    def word(self, key: str) -> str:
        """A text of the UI as this person reads it."""
        return word(self.language, key)

    def button(self, key: str, *, exact: bool = False) -> Locator:
        """The button that says `key`, its sign before and other words after, unless `exact`."""
        name = self.word(key) if exact else re.compile(rf"(^|\s){re.escape(self.word(key))}")
        return self.page.get_by_role("button", name=name, exact=exact)

    def press(self, key: str, *, exact: bool = False) -> None:
        """Press the first button that says `key`."""
        self.button(key, exact=exact).first.click()

    def label(self, key: str, *, exact: bool = False) -> Locator:
        """The field that is labelled `key`; unless `exact`, its label may say more."""
        return self.page.get_by_label(self.word(key), exact=exact)

    def reads(self, key: str) -> Locator:
        """See that the text of `key` appears; its parameters may be anything."""
        found = self.page.get_by_text(pattern(self.language, key)).first
        expect(found).to_be_visible(timeout=SLOW)
        return found

    def sees(self, name: str) -> None:
        """Keep what the person sees, for somebody to look at."""
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=SCREENSHOTS / f"{name}.png")

    def sign(self) -> None:
        """Type the signing PIN into the dialog that asks for it."""
        self.label("sign.pin").fill(self.pin)
        self.press("sign.confirm", exact=True)
        expect(self.label("sign.pin")).to_have_count(0, timeout=SLOW)

    def leave(self) -> None:
        """Close the browser; no page may have failed meanwhile."""
        self.page.context.close()
        assert not self.failures, self.failures


def row_of(page: Page, text: str) -> Locator:
    """The first row of a list with this text in it."""
    return page.get_by_role("row").filter(has_text=text).first


def open_exam(page: Page, patient: str) -> None:
    """Choose a patient's exam in the worklist and open it."""
    expect(row_of(page, patient)).to_be_visible(timeout=SLOW)
    row_of(page, patient).click()
    page.keyboard.press("Enter")
    page.wait_for_url("**/exams/**", timeout=SLOW)


def takes_the_offered(page: Page) -> None:
    """Press Enter as soon as the list shows what it would take."""
    offered = page.locator(".ant-select-dropdown:not(.ant-select-dropdown-hidden)")
    expect(offered.locator(".ant-select-item-option-active").last).to_be_visible(timeout=SLOW)
    page.keyboard.press("Enter")
    # While it folds up, the next field's would be taken for it.
    expect(offered).to_have_count(0, timeout=SLOW)


def signatures(pdf: bytes) -> int:
    """How many signatures a PDF carries."""
    return len(PdfFileReader(io.BytesIO(pdf)).embedded_regular_signatures)
