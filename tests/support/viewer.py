"""Chromium with the viewer in it, and what there is to know when an image does not appear."""

import shutil
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from playwright.sync_api import (
    Browser,
    ConsoleMessage,
    Page,
    Request,
    Response,
    expect,
    sync_playwright,
)
from playwright.sync_api import Error as BrowserError
from playwright.sync_api import TimeoutError as BrowserTimeout

from tests.support.peers import REQUIRED

REPOSITORY: Final = Path(__file__).parents[2]
OHIF: Final = REPOSITORY / "reading_worklist" / "web" / "node_modules" / "@ohif" / "app" / "dist"
DIST: Final = REPOSITORY / "reading_worklist" / "web" / "dist"
CHROMIUM: Final = shutil.which("chromium") or shutil.which("google-chrome")
if REQUIRED and not (CHROMIUM and all((one / "index.html").is_file() for one in (OHIF, DIST))):
    # Tests that skip for want of one of them would be skipped silently.
    raise RuntimeError("Chromium, the viewer and the built pages are required here: `make setup`")
SCREENSHOTS: Final = REPOSITORY / "var" / "screenshots"
# Software rendering, and none of Chromium's own calls to the outside.
FLAGS: Final = (
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
# Looked at so often: reading canvases back is work that a busy machine lacks for drawing them.
_LOOK_MILLISECONDS: Final = 200
_LOAD_MILLISECONDS: Final = 120_000
_SCREENSHOT_MILLISECONDS: Final = 10_000
# What a page is expected to show may take so long: Playwright's 5 s are those of a quiet machine.
_SHOW_MILLISECONDS: Final = 30_000
_LINES: Final = 40
# How many grey levels the most varied canvas of the viewports shows.
GREY_LEVELS: Final = """() => {
  let most = 0;
  for (const canvas of document.querySelectorAll('.cornerstone-viewport-element canvas')) {
    if (!canvas.width || !canvas.height) continue;
    const copy = document.createElement('canvas');
    copy.width = canvas.width;
    copy.height = canvas.height;
    const context = copy.getContext('2d');
    context.drawImage(canvas, 0, 0);
    const data = context.getImageData(0, 0, copy.width, copy.height).data;
    const levels = new Set();
    for (let at = 0; at < data.length; at += 4 * 31) levels.add(data[at]);
    most = Math.max(most, levels.size);
  }
  return most;
}"""


class NotShown(AssertionError):
    """No image appeared; the text says what the page waited for and what it said."""


@dataclass(eq=False)  # no slots: Playwright notes things on the objects that listen
class Traffic:
    """What a page asked for, what became of it, and what the page said."""

    page: Page
    pending: dict[Request, float] = field(default_factory=dict[Request, float])
    asked: list[str] = field(default_factory=list[str])
    failures: list[str] = field(default_factory=list[str])
    said: list[str] = field(default_factory=list[str])

    def __post_init__(self) -> None:
        """Begin to listen."""
        self.page.on("request", self._begun)
        self.page.on("requestfinished", self._ended)
        self.page.on("requestfailed", self._failed)
        self.page.on("response", self._answered)
        self.page.on("console", self._spoke)
        self.page.on("pageerror", lambda error: self.failures.append(str(error)))
        self.page.on("crash", lambda _page: self.failures.append("the page's process crashed"))

    def _begun(self, request: Request) -> None:
        self.asked.append(request.url)
        self.pending[request] = time.monotonic()

    def _ended(self, request: Request) -> None:
        self.pending.pop(request, None)

    def _failed(self, request: Request) -> None:
        self.pending.pop(request, None)
        # A page that is left gives up what it was loading.
        self.said.append(f"request given up: {request.url}: {request.failure}")

    def _answered(self, response: Response) -> None:
        if not response.ok and response.status not in (303, 304):
            self.failures.append(f"{response.status} {response.url}")

    def _spoke(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.said.append(f"console {message.type}: {message.text[:300]}")

    def report(self) -> str:
        """Say what is open, what failed and what the page said last."""
        now = time.monotonic()
        waiting = [f"  {now - since:6.1f} s  {one.url}" for one, since in self.pending.items()]
        return "\n".join(
            (
                f"{len(self.asked)} requests, still open:",
                *waiting[-_LINES:],
                "failed:",
                *(f"  {one}" for one in self.failures[-_LINES:]),
                "said:",
                *(f"  {one}" for one in self.said[-_LINES:]),
                "last asked for:",
                *(f"  {url}" for url in self.asked[-_LINES // 4 :]),
            )
        )


@contextmanager
def chromium() -> Generator[Browser]:
    """Yield a Chromium that is closed at the end."""
    expect.set_options(timeout=_SHOW_MILLISECONDS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        yield browser
        browser.close()


def new_page(browser: Browser) -> Page:
    """Return a page with a cache and cookies of its own; closing its context ends them."""
    context = browser.new_context(viewport={"width": 1200, "height": 800})
    # The first page has the viewer's files packed, which a busy machine takes long for.
    context.set_default_navigation_timeout(_LOAD_MILLISECONDS)
    return context.new_page()


def sign_in(page: Page, address: str, login: Mapping[str, str]) -> None:
    """Sign somebody in at `address`."""
    answer = page.context.request.post(f"{address}/api/session", data=dict(login))
    assert answer.ok, answer.text()


def signed_in(browser: Browser, address: str, login: Mapping[str, str]) -> Page:
    """Return a new page of somebody who is signed in."""
    page = new_page(browser)
    sign_in(page, address, login)
    return page


def wait_for_image(
    page: Page,
    traffic: Traffic,
    *,
    levels: int = 20,
    seconds: float = 120,
    look_milliseconds: int = _LOOK_MILLISECONDS,
) -> None:
    """Wait until a viewport shows more than so many grey levels.

    Raises NotShown with all that is known; a picture of the page is kept in `SCREENSHOTS`.
    """
    try:
        page.wait_for_function(
            f"({GREY_LEVELS})() > {levels}", polling=look_milliseconds, timeout=seconds * 1000
        )
    except BrowserTimeout as error:
        raise NotShown(
            f"no image after {seconds:.0f} s at {page.url}\n"
            f"picture of the page: {_picture(page)}\n{traffic.report()}"
        ) from error


def _picture(page: Page) -> str:
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    path = SCREENSHOTS / "viewer-without-image.png"
    try:
        page.screenshot(path=path, timeout=_SCREENSHOT_MILLISECONDS)
    except BrowserError as error:
        return f"none, {error}"
    return str(path)
