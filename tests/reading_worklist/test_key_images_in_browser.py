"""The reading page with the viewer in it: key images and measurements go into the report."""

import re
from pathlib import Path
from typing import Final

import pytest
from fastapi import FastAPI
from playwright.sync_api import Page, expect

from storage.database import Database
from storage.objects import ObjectStore
from tests.reading_worklist.dicomweb.archive import Archive
from tests.reading_worklist.dicomweb.conftest import series_of
from tests.reading_worklist.test_key_images import desk_of, filed
from tests.support.screens import WEB
from tests.support.seed import PASSWORD, Consortium
from tests.support.serving import served
from tests.support.viewer import CHROMIUM, OHIF, Traffic, chromium, signed_in
from tests.support.web import application

PATIENCE: Final = 60_000
# The viewer has drawn an image, and tells which.
SHOWN: Final = """() => {
  const { services } = document.querySelector('.viewer iframe')?.contentWindow ?? {};
  try {
    const id = services.viewportGridService.getActiveViewportId();
    const viewport = services.cornerstoneViewportService.getCornerstoneViewport(id);
    return Boolean(viewport.getCurrentImageId() && viewport.getProperties().voiRange);
  } catch {
    return false;  // still loading
  }
}"""
LENGTH_TOOL: Final = """() => {
  const { commandsManager } = document.querySelector('.viewer iframe').contentWindow;
  commandsManager.runCommand('setToolActive', { toolName: 'Length', toolGroupId: 'default' });
}"""
MEASURED: Final = """() => {
  const { services } = document.querySelector('.viewer iframe').contentWindow;
  return services.measurementService.getMeasurements().length === 1;
}"""
# What the dialog of “Create report” does with what was chosen in it.
STORE: Final = """async () => {
  const { services, commandsManager, extensionManager } =
    document.querySelector('.viewer iframe').contentWindow;
  const [dataSource] = extensionManager.getActiveDataSource();
  await commandsManager.runCommand('storeMeasurements', {
    measurementData: services.measurementService.getMeasurements(),
    dataSource,
    additionalFindingTypes: ['ArrowAnnotate'],
    options: { SeriesDescription: 'Measurements', SeriesNumber: 3001 },
  }, 'CORNERSTONE_STRUCTURED_REPORT');
}"""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(300),
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine"),
    pytest.mark.skipif(not (OHIF / "index.html").is_file(), reason="the viewer is not installed"),
    pytest.mark.skipif(not (WEB / "dist" / "index.html").is_file(), reason="pages are not built"),
]


@pytest.fixture
def app(consortium: Consortium, objects: ObjectStore, tmp_path: Path) -> FastAPI:
    (tmp_path / "web").symlink_to(WEB / "dist")
    (tmp_path / "ohif").symlink_to(OHIF)
    return application(consortium, objects, tmp_path)


def test_the_shown_image_and_what_is_measured_go_into_the_report(
    app: FastAPI, consortium: Consortium, database: Database, objects: ObjectStore
) -> None:
    slices = filed(
        Archive(database, objects), consortium, series_of("CT_small.dcm", 3, SeriesNumber=4)
    )
    desk = desk_of(app, consortium, slices[0])
    desk.do("writer", "claim", "CLAIMED")
    with served(app) as address, chromium() as browser:
        page = signed_in(browser, address, {"login": "writer", "password": PASSWORD})
        page.set_default_timeout(PATIENCE)
        expect.set_options(timeout=PATIENCE)
        traffic = Traffic(page)
        page.goto(f"{address}/exams/{desk.id}")
        page.wait_for_function(SHOWN, polling=200)
        # Before a panel opens: it makes the images smaller, and the mouse would miss.
        measure(page)
        take_key_image(page)
        page.get_by_role("button", name="插入影像所见").click()
        expect(page.get_by_label("影像所见").first).to_have_value(
            re.compile(r"^长度 [0-9.]+ mm（序列 4 图像 [123]）。$")
        )
    (image,) = desk("writer").get(f"{desk.path}/key-images").json()
    assert image["window_width"] > 1
    assert image["series_number"] == 4
    assert image["instance_number"] in {1, 2, 3}
    assert not desk.item().late_instances
    assert traffic.failures == []


def take_key_image(page: Page) -> None:
    """By its key, with the images in focus, as while reading."""
    frame = page.frame_locator(".viewer iframe")
    frame.locator("body").press("Alt+s")
    expect(page.get_by_text("已加入报告的关键图像")).to_be_visible()
    page.keyboard.press("Alt+i")
    listed = page.get_by_role("list", name="关键图像").get_by_role("listitem")
    expect(listed).to_have_count(1)
    expect(listed).to_contain_text("序列 4 图像")


def measure(page: Page) -> None:
    """Draw a line with the mouse and store it, as “Create report” of the viewer does."""
    page.evaluate(LENGTH_TOOL)
    image = page.frame_locator(".viewer iframe").locator(".cornerstone-viewport-element").first
    box = image.bounding_box()
    assert box is not None
    middle = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.move(*middle)
    page.mouse.down()
    page.mouse.move(middle[0] + 40, middle[1] + 30, steps=5)
    page.mouse.up()
    page.wait_for_function(MEASURED, polling=200)
    page.evaluate(STORE)
