"""The ECG reading view in Chromium: first trace from the address and from the worklist."""

import time
from typing import Final

from playwright.sync_api import Browser
from pydicom import dcmread
from pydicom.data import get_testdata_file
from pydicom.uid import generate_uid
from sqlalchemy import select

from reading_worklist.workitems.tables import Workitem
from storage.index.tables import Study
from tests.bench.data import Sender
from tests.bench.row import RDC, Goal, Measured, Row, RunFailed
from tests.bench.stage import Stage
from tests.support.seed import PASSWORD
from tests.support.viewer import CHROMIUM, chromium, new_page, sign_in

_QUEUED_SECONDS: Final = 120.0
_LOOK_SECONDS: Final = 0.1
# The frame in which the trace stands on the page, in milliseconds since the navigation began.
_FIRST_TRACE: Final = """() => new Promise((done) => {
  const look = () => {
    const trace = document.querySelector('.ecg-page path[data-part="trace"]');
    requestAnimationFrame(() => (trace ? done(performance.now()) : look()));
  };
  look();
})"""
_SENT: Final = """() => performance.getEntriesByType('resource')
  .filter((one) => one.name.includes('/opening')).map((one) => one.encodedBodySize)[0] ?? 0"""


def _prepare(stage: Stage) -> None:
    if CHROMIUM is None:
        raise RunFailed("Chromium is not installed (package chromium)")
    folder = stage.directory / "ecg"
    folder.mkdir()
    dataset = dcmread(str(get_testdata_file("waveform_ecg.dcm")))
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = generate_uid(), generate_uid()
    dataset.save_as(folder / "ecg.dcm")
    study = str(dataset.StudyInstanceUID)
    sender = Sender(folder, study, str(dataset.SeriesInstanceUID), [str(dataset.SOPInstanceUID)])
    stage.send(stage.rdc.dicom, [sender])
    stage.facts["exam"] = _queued(stage, study)
    browser = stage.enter(chromium())
    stage.facts["browser"] = browser
    page = new_page(browser)
    sign_in(page, stage.rdc.system.web, {"login": "writer", "password": PASSWORD})
    # The first visit fills the browser's cache with the pages' files: a reader has them all day.
    page.goto(f"{stage.rdc.system.web}/exams/{stage.facts['exam']}")
    page.evaluate(_FIRST_TRACE)
    stage.facts["context"] = page.context


def _queued(stage: Stage, study_instance_uid: str) -> str:
    deadline = time.monotonic() + _QUEUED_SECONDS
    query = (
        select(Workitem.id)
        .join(Study, Study.id == Workitem.study_id)
        .where(Study.study_instance_uid == study_instance_uid)
    )
    while time.monotonic() < deadline:
        with stage.rdc.database.transaction() as session:
            found = session.scalar(query)
        if found is not None:
            return str(found)
        time.sleep(_LOOK_SECONDS)
    raise RunFailed("the ECG was not queued")


def _first_trace(stage: Stage) -> Measured:
    browser: Browser = stage.facts["browser"]
    page = stage.facts["context"].new_page()
    try:
        page.goto(f"{stage.rdc.system.web}/exams/{stage.facts['exam']}", wait_until="commit")
        milliseconds = float(page.evaluate(_FIRST_TRACE))
        sent = float(page.evaluate(_SENT))
    finally:
        page.close()
    return Measured(milliseconds, {"opening_bytes": sent, "chromium": browser.version})


def _first_trace_from_worklist(stage: Stage) -> Measured:
    page = stage.facts["context"].new_page()
    try:
        page.goto(f"{stage.rdc.system.web}/worklist")
        link = page.locator(f"a[href='/exams/{stage.facts['exam']}']")
        link.first.wait_for()
        began = float(page.evaluate("() => performance.now()"))
        link.first.click()
        return Measured(float(page.evaluate(_FIRST_TRACE)) - began)
    finally:
        page.close()


ROWS: Final = (
    Row(
        "ecg-first-trace",
        "ECG reading view in Chromium: first trace, from the exam's address",
        "ms",
        Goal(below=500),
        {RDC: _first_trace},
        higher_is_better=False,
        prepare=_prepare,
        world="ecg-view",
    ),
    Row(
        "ecg-open",
        "ECG reading view in Chromium: first trace, from the click in the worklist",
        "ms",
        Goal(below=500),
        {RDC: _first_trace_from_worklist},
        higher_is_better=False,
        prepare=_prepare,
        world="ecg-view",
    ),
)
