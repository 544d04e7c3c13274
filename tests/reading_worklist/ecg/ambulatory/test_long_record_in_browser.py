"""A record of hours in a real browser: how one walks through it."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI
from playwright.sync_api import Browser as Chromium
from playwright.sync_api import expect, sync_playwright

from reading_worklist.ecg.ambulatory import service
from storage.database import Database
from storage.objects import ObjectStore
from tests.reading_worklist.ecg.test_routes import Filing
from tests.support.long_ecg import AMBULATORY, write_long_ecg
from tests.support.peers import require_program
from tests.support.screens import WEB
from tests.support.seed import PASSWORD, Consortium
from tests.support.serving import served
from tests.support.viewer import FLAGS
from tests.support.web import application

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(240),
    pytest.mark.skipif(not (WEB / "dist" / "index.html").is_file(), reason="pages are not built"),
]
# Three leads; the whole day is measured by the bench.
SECONDS = 2 * 3600.0


@pytest.fixture
def app(consortium: Consortium, objects: ObjectStore, tmp_path: Path) -> FastAPI:
    return application(consortium, objects, tmp_path, signers=False, web_ui=WEB / "dist")


@pytest.fixture
def chromium() -> Iterator[Chromium]:
    program = require_program("chromium", package="chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=list(FLAGS))
        yield browser
        browser.close()


def test_it_is_walked_through_by_overview_marks_lines_and_clock(  # noqa: PLR0917 -- fixtures
    app: FastAPI,
    consortium: Consortium,
    database: Database,
    objects: ObjectStore,
    chromium: Chromium,
    tmp_path: Path,
) -> None:
    expect.set_options(timeout=20_000)
    made = write_long_ecg(tmp_path / "long.dcm", seconds=SECONDS)
    exam = consortium.queued_study(modalities=("ECG",))
    Filing(database, objects).add(exam, made.path.read_bytes(), sop_class_uid=AMBULATORY)
    service.prepare(database, objects, exam.study.id)
    failures: list[str] = []
    with served(app) as address:
        context = chromium.new_context(base_url=address, locale="zh-CN")
        page = context.new_page()
        page.set_default_timeout(20_000)
        page.on("pageerror", lambda error: failures.append(str(error)))
        signed = context.request.post(
            "/api/session", data={"login": "writer", "password": PASSWORD}
        )
        assert signed.ok, signed.text()
        page.goto(f"/exams/{exam.workitem_id}")

        overview = page.get_by_role("slider", name="全程概览")
        expect(overview).to_be_visible()
        expect(page.locator(".ecg-page svg")).to_have_attribute("data-start-seconds", "0")

        # The longest RR is a click away, and in sight a third into the page.
        page.get_by_role("button", name=re.compile(r"3\.40 秒")).click()
        shown = page.locator(".ecg-page svg")
        expect(shown).to_have_attribute("data-start-seconds", re.compile(r"^43\d\d\."))
        start = float(shown.get_attribute("data-start-seconds") or "0")
        assert start < made.pause[0] < start + 5

        # By the clock of the recorder.
        page.keyboard.press("j")
        page.get_by_label("跳转到时刻").fill("09:30")
        page.keyboard.press("Enter")
        expect(shown).to_have_attribute("data-start-seconds", re.compile(r"^3596\."))

        # Along the overview by keys: a minute on.
        overview.focus()
        page.keyboard.press("ArrowRight")
        expect(shown).to_have_attribute("data-start-seconds", re.compile(r"^3656\."))

        # Ten minutes of lines; a click on one is a calibrated page of that moment.
        overview.blur()
        page.keyboard.press("l")
        lines = page.locator(".long-lines svg")
        expect(lines).to_have_attribute("data-start-seconds", "3600")
        expect(lines).to_have_attribute("data-lines", "10")
        page.keyboard.press(".")
        expect(lines).to_have_attribute("data-start-seconds", "4200")
        box = lines.bounding_box()
        assert box is not None
        page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] * 0.2)
        expect(shown).to_have_attribute("data-start-seconds", re.compile(r"^42[6-9]\d|^43[0-4]\d"))
        assert failures == []
