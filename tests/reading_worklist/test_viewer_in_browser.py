"""The viewer in a real browser: images of a CT and an MR series appear, drawn from our DICOMweb."""

import shutil
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvicorn
from playwright.sync_api import Page, sync_playwright
from pydicom.uid import generate_uid

from reading_worklist.app import create_app
from reading_worklist.services import WebConfig
from storage.database import Database
from storage.objects import ObjectStore
from tests.reading_worklist.dicomweb.archive import Archive, Filed
from tests.reading_worklist.dicomweb.conftest import copy_of
from tests.support.seed import PASSWORD, Consortium

REPOSITORY = Path(__file__).parents[2]
VIEWER = REPOSITORY / "reading_worklist" / "web" / "node_modules" / "@ohif" / "app" / "dist"
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
FLAGS = (
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
# How many grey levels the largest canvas of the viewports shows.
GREY_LEVELS = """() => {
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


@pytest.fixture
def server(
    database: Database, objects: ObjectStore, tmp_path: Path
) -> Iterator[tuple[str, Archive, Consortium]]:
    """The application on a port of its own."""
    consortium = Consortium(database)
    config = WebConfig(web_ui=tmp_path / "web", ohif=VIEWER, fonts=(), trust_anchors=())
    app = create_app(config, database, objects)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        web = uvicorn.Server(uvicorn.Config(app, log_level="warning"))
        thread = threading.Thread(target=web.run, kwargs={"sockets": [listener]})
        thread.start()
        yield (
            f"http://127.0.0.1:{listener.getsockname()[1]}",
            Archive(database, objects),
            consortium,
        )
        web.should_exit = True
        thread.join()


def file_series(archive: Archive, consortium: Consortium, name: str) -> Filed:
    """File a short series of slices, one above the other, of a Chinese patient."""
    study, series = str(generate_uid()), str(generate_uid())
    filed = [
        archive.file(
            copy_of(
                name,
                StudyInstanceUID=study,
                SeriesInstanceUID=series,
                SOPInstanceUID=str(generate_uid()),
                FrameOfReferenceUID="1.2.3",
                InstanceNumber=number,
                ImagePositionPatient=[0, 0, number],
                ImageOrientationPatient=[1, 0, 0, 0, 1, 0],
                SpecificCharacterSet="GB18030",
                PatientName="Zhang^Wei=张^伟",
                PatientID=name,
            ),
            consortium.east,
        )
        for number in range(1, 5)
    ]
    assert filed[0] is not None
    return filed[0]


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")
@pytest.mark.skipif(not (VIEWER / "index.html").is_file(), reason="the viewer is not installed")
def test_ct_and_mr_are_shown(server: tuple[str, Archive, Consortium], tmp_path: Path) -> None:
    address, archive, consortium = server
    studies = [file_series(archive, consortium, name) for name in ("CT_small.dcm", "MR_small.dcm")]
    archive.complete()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        context = browser.new_context(viewport={"width": 1200, "height": 800})
        credentials = {"login": "reviewer", "password": PASSWORD}
        signed_in = context.request.post(f"{address}/api/session", data=credentials)
        assert signed_in.ok
        page = context.new_page()
        elsewhere: list[str] = []
        failures: list[str] = []
        page.on("request", lambda request: elsewhere.append(request.url))
        page.on(
            "response",
            lambda answer: failures.append(answer.url) if answer.status >= 400 else None,
        )
        page.on("pageerror", lambda error: failures.append(str(error)))
        for filed in studies:
            show(page, address, filed)
            page.screenshot(path=tmp_path / f"{filed.header.modality}.png")
        browser.close()
    assert failures == []
    foreign = [url for url in elsewhere if not url.startswith((address, "blob:", "data:"))]
    assert foreign == []


def show(page: Page, address: str, filed: Filed) -> None:
    """Open a study and wait until its image is there."""
    uid = filed.header.study_instance_uid
    page.goto(f"{address}/viewer/viewer?StudyInstanceUIDs={uid}&site={filed.site_code}")
    page.wait_for_function(f"({GREY_LEVELS})() > 20", timeout=120_000)
    # In Chinese, without the tour and the notice that it is not for clinical use.
    assert page.get_by_text("检查").count() > 0
    assert page.get_by_text("INVESTIGATIONAL").count() == 0
    assert page.locator(".shepherd-element").count() == 0
