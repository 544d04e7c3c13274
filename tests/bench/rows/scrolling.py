"""The worklist's page over 100,000 open readings: how long a frame takes while somebody scrolls."""

from typing import Final

from playwright.sync_api import Browser, Page

from tests.bench.row import RDC, Goal, Measured, Row, RunFailed
from tests.bench.rows.worklist import prepare_worklist
from tests.bench.stage import Stage
from tests.bench.worklist_world import WorklistWorld
from tests.support.screens import WEB
from tests.support.seed import PASSWORD
from tests.support.serving import served
from tests.support.viewer import CHROMIUM, chromium

_FRAMES: Final = 600
_GOAL_MS: Final = 16
_STEP_PIXELS: Final = 51
"""A row and a half with each frame, 3,000 pixels in a second: as fast as a wheel is turned."""

SCROLL: Final = """([frames, step]) => new Promise((done) => {
  const scroller = document.querySelector('.worklist-scroll');
  const work = [], gaps = [];
  let began = 0, last = 0;
  const channel = new MessageChannel();
  // Of one frame the browser runs listeners of scrolling first, then those of the frame, then it
  // lays out and paints; what was posted in it comes right after.
  channel.port1.onmessage = () => { work.push(performance.now() - began); began = 0; };
  addEventListener('scroll', () => { began ||= performance.now(); }, { capture: true });
  const frame = (at) => {
    began ||= performance.now();
    if (last) gaps.push(at - last);
    last = at;
    if (work.length >= frames) return done({ work, gaps });
    scroller.scrollTop += step;
    channel.port2.postMessage(0);
    requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
})"""


def scrolled(page: Page, step: int) -> tuple[list[float], list[float]]:
    """Scroll through the list; return the work of each frame and the time from one to the next."""
    page.locator(".row-patient").first.wait_for()
    measured = page.evaluate(SCROLL, [_FRAMES, step])
    return sorted(measured["work"]), sorted(measured["gaps"])


def _prepare(stage: Stage) -> None:
    if CHROMIUM is None:
        raise RunFailed("Chromium is not installed (package chromium)")
    if not (WEB / "dist" / "index.html").is_file():
        raise RunFailed("the pages are not built (make setup)")
    prepare_worklist(stage)
    world: WorklistWorld = stage.facts["worklist"]
    stage.facts["pages"] = stage.enter(served(world.app))
    stage.facts["browser"] = stage.enter(chromium())


def _scroll(stage: Stage) -> Measured:
    browser: Browser = stage.facts["browser"]
    context = browser.new_context(
        base_url=stage.facts["pages"], viewport={"width": 1440, "height": 900}
    )
    try:
        credentials = {"login": "writer", "password": PASSWORD}
        context.request.post("/api/session", data=credentials)
        page = context.new_page()
        page.goto("/worklist")
        work, gaps = scrolled(page, _STEP_PIXELS)
    finally:
        context.close()
    late = sum(gap > 2 * _GOAL_MS for gap in gaps) / len(gaps)
    return Measured(
        work[int(len(work) * 0.99)],
        {"median ms": work[len(work) // 2], "longest ms": work[-1], "frames left out": late},
    )


ROWS: Final = (
    Row(
        name="worklist-scroll",
        title="worklist page over 100,000 open, scrolling: work of a frame, p99",
        unit="ms",
        goal=Goal(below=_GOAL_MS),
        runs={RDC: _scroll},
        higher_is_better=False,
        prepare=_prepare,
        operations=_FRAMES,
        repeats=3,
    ),
)
