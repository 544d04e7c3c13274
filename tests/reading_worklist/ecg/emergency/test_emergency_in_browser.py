"""The alert of a STAT ECG in real browsers: banner and sound at the centre, then at the site."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI
from playwright.sync_api import Browser as Chromium
from playwright.sync_api import Page, expect, sync_playwright

from storage.objects import ObjectStore
from tests.support.emergency import chest_pain_ecg
from tests.support.peers import require_program
from tests.support.screens import WEB
from tests.support.seed import PASSWORD, Consortium
from tests.support.serving import served
from tests.support.viewer import FLAGS
from tests.support.web import PIN, application

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(240),
    pytest.mark.skipif(not (WEB / "dist" / "index.html").is_file(), reason="pages are not built"),
]
# Counts what the page sounds, as a machine without loudspeakers cannot be listened to.
COUNT_TONES = """
window.tones = 0;
const start = OscillatorNode.prototype.start;
OscillatorNode.prototype.start = function (...when) {
  window.tones += 1;
  return start.apply(this, when);
};
"""


@pytest.fixture
def app(consortium: Consortium, objects: ObjectStore, tmp_path: Path) -> FastAPI:
    return application(consortium, objects, tmp_path, web_ui=WEB / "dist")


@pytest.fixture
def chromium() -> Iterator[Chromium]:
    program = require_program("chromium", package="chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=program,
            args=[*FLAGS, "--autoplay-policy=no-user-gesture-required"],
        )
        yield browser
        browser.close()


def test_it_calls_the_centre_until_it_is_claimed_and_the_site_when_it_is_answered(
    app: FastAPI, consortium: Consortium, chromium: Chromium
) -> None:
    expect.set_options(timeout=20_000)
    failures: list[str] = []
    with served(app) as address:

        def opened(login: str, path: str) -> Page:
            context = chromium.new_context(base_url=address, locale="zh-CN")
            context.add_init_script(COUNT_TONES)
            page = context.new_page()
            page.set_default_timeout(20_000)
            page.on("pageerror", lambda error: failures.append(str(error)))
            signed = context.request.post(
                "/api/session", data={"login": login, "password": PASSWORD}
            )
            assert signed.ok, signed.text()
            page.goto(path)
            expect(page.get_by_role("heading", level=1)).to_be_visible()
            return page

        reviewer = opened("reviewer", "/preliminary")
        site = opened("doctor-east", "/orders")
        assert reviewer.locator(".emergency").count() == 0

        # The ECG of a patient with chest pain comes.
        desk = chest_pain_ecg(app, consortium, minutes_since_contact=4)
        banner = reviewer.locator(".emergency")
        expect(banner).to_contain_text("胸痛心电图待诊断")
        expect(banner).to_contain_text("东河镇卫生院")
        expect(banner).to_contain_text("王五")
        reviewer.wait_for_function("window.tones === 6")

        # Claimed by another, it is silent everywhere.
        desk.do("writer", "claim")
        expect(banner).to_have_count(0)
        assert site.locator(".emergency-back").count() == 0

        # Its preliminary report calls the site, until somebody there opens it.
        revision = desk.draft("writer", "窦性心律。", ecg_class="normal")
        desk.do("writer", "preliminary", "PRELIM_ISSUED", revision=revision, signing_pin=PIN)
        back = site.locator(".emergency-back")
        expect(back).to_contain_text("急诊心电图临时报告已回")
        site.wait_for_function("window.tones === 6")
        back.get_by_role("link", name="查看报告").click()
        times = site.locator(".emergency-times")
        expect(times.get_by_role("listitem")).to_have_count(6)
        expect(times).to_contain_text("首次医疗接触")
        expect(times).to_contain_text("申请时填写")
        expect(back).to_have_count(0)
        assert failures == []
