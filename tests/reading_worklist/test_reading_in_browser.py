"""The reading page with its viewer: a prior beside the exam, and a window that follows."""

import os
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page, expect
from playwright.sync_api import TimeoutError as BrowserTimeout

from reading_worklist.app import create_app
from reading_worklist.services import WebConfig
from storage.database import Database
from storage.objects import ObjectStore
from tests.support.peers import REPOSITORY
from tests.support.scene import Scene
from tests.support.scenes import reading
from tests.support.seed import PASSWORD, Consortium
from tests.support.serving import served
from tests.support.viewer import (
    CHROMIUM,
    OHIF,
    SCREENSHOTS,
    NotShown,
    Traffic,
    chromium,
    signed_in,
)
from tests.support.web import Browser, give_keys

DIST = REPOSITORY / "reading_worklist" / "web" / "dist"
# Two studies, each in a viewport of its own with something to see.
TWO_IMAGES = """() => {
  const shown = [...document.querySelectorAll('.cornerstone-viewport-element canvas')];
  return shown.filter((canvas) => {
    if (!canvas.width || !canvas.height) return false;
    const copy = document.createElement('canvas');
    copy.width = canvas.width; copy.height = canvas.height;
    const context = copy.getContext('2d');
    context.drawImage(canvas, 0, 0);
    const data = context.getImageData(0, 0, copy.width, copy.height).data;
    const levels = new Set();
    for (let at = 0; at < data.length; at += 4 * 31) levels.add(data[at]);
    return levels.size > 15;
  }).length >= 2;
}"""


@dataclass(frozen=True, slots=True)
class Desk:
    """The application at an address, and what waits there."""

    address: str
    scene: Scene
    places: dict[str, str]


@pytest.fixture
def desk(database: Database, objects: ObjectStore, tmp_path: Path) -> Generator[Desk]:
    consortium = Consortium(database)
    give_keys(consortium, tmp_path)
    config = WebConfig(web_ui=DIST, ohif=OHIF, fonts=(), trust_anchors=())
    app = create_app(config, database, objects)
    scene = Scene(consortium, objects, app)
    places = dict(reading.fill(scene))
    consortium.queued_study(name="Zhou^Jie=周^洁", local_id="E7", accession_number="DH77")
    with served(app) as address:
        yield Desk(address, scene, places)


@pytest.mark.slow
@pytest.mark.timeout(420)
@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")
@pytest.mark.skipif(not (OHIF / "index.html").is_file(), reason="the viewer is not installed")
@pytest.mark.skipif(not (DIST / "index.html").is_file(), reason="the pages are not built")
def test_a_prior_of_another_site_beside_the_exam_and_a_window_that_follows(
    desk: Desk, tmp_path: Path
) -> None:
    pictures = Path(os.environ.get("RDC_TEST_PICTURES", tmp_path))
    with chromium() as browser:
        page = signed_in(browser, desk.address, {"login": "writer", "password": PASSWORD})
        page.set_viewport_size({"width": 1440, "height": 900})
        page.add_init_script("localStorage.setItem('rdc.language', 'zh-CN')")
        traffic = Traffic(page)
        page.goto(f"{desk.address}/exams/{desk.places['reading']}")
        expect(page.locator(".request-strip")).to_contain_text("除外恶性")
        root = beside(page, desk)
        page.screenshot(path=pictures / "compare.png")
        shown = page.locator(".viewer iframe").get_attribute("src") or ""
        _, prior = parse_qs(urlsplit(shown).query)["StudyInstanceUIDs"][0].split(",")
        theirs = [url for url in traffic.asked if f"{root}studies/{prior}/" in url]
        frames = [url for url in theirs if "/frames/" in url]
        assert traffic.failures == []
        stranger(desk, frames[0].removeprefix(desk.address))
        follows(page, pictures)


def beside(page: Page, desk: Desk) -> str:
    """Say why the other site's study is needed and open it; returns the root it is under."""
    page.keyboard.press("Alt+p")
    page.locator(".prior-reason [type=submit]").click()
    foreign = page.locator(".prior", has_text="WEST").or_(page.locator(".prior", has_text="西岭"))
    foreign.locator("button[aria-pressed=false]").click()
    expect(page.locator(".viewing-bar")).to_contain_text("西岭镇卫生院", timeout=60_000)
    two_images(page)
    return f"/dicom-web/readings/{desk.places['reading']}/"


def two_images(page: Page) -> None:
    """Wait until the viewer shows an image of each of two studies."""
    frame = page.locator(".viewer iframe").element_handle().content_frame()
    assert frame is not None
    traffic = Traffic(page)
    try:
        frame.wait_for_function(TWO_IMAGES, polling=500, timeout=90_000)
    except BrowserTimeout as error:
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=SCREENSHOTS / "no-two-images.png")
        raise NotShown(traffic.report()) from error


def stranger(desk: Desk, path: str) -> None:
    """Nobody else gets the images, by this root or by the site's own."""
    for login, expected in (("doctor-east", 403), ("writer2", 404), ("writer", 200)):
        assert Browser(desk.scene.app, login).get(path).status_code == expected, login
    page = f"/api/workitems/{desk.places['reading']}/priors"
    assert Browser(desk.scene.app, "doctor-west").get(page).status_code == 403


def follows(page: Page, pictures: Path) -> None:
    """The viewer's own window shows whose images it has, goes along, and comes back when closed."""
    with page.expect_popup() as opened:
        page.keyboard.press("Alt+v")
    window = opened.value
    head = window.locator(".viewing-head")
    expect(head).to_contain_text("高明远", timeout=60_000)
    expect(head).to_contain_text("西岭镇卫生院")
    expect(page.locator(".viewing-elsewhere")).to_be_visible(timeout=60_000)
    expect(page.locator(".viewer iframe")).to_have_count(0)
    two_images(window)
    window.screenshot(path=pictures / "window.png")
    page.screenshot(path=pictures / "beside-window.png")
    # The next exam, though this one is still held: asked once, and both windows go on.
    for waiting in (".reading-facts:has-text('XL000077')", ".reading-patient:has-text('周洁')"):
        page.keyboard.press("Alt+n")
        page.locator(".ant-modal-confirm-btns .ant-btn-primary").click()
        expect(page.locator(waiting)).to_be_visible(timeout=60_000)
    expect(head).to_contain_text("周洁", timeout=60_000)
    expect(head).not_to_contain_text("高明远")
    expect(page.locator(".viewing-warning")).to_have_count(0)
    window.close()
    expect(page.locator(".viewer iframe")).to_be_visible(timeout=60_000)
