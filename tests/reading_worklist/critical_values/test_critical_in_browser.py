"""A critical value over both sides in real browsers, each told of what the other does by events."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI
from playwright.sync_api import Browser as Chromium
from playwright.sync_api import Page, expect, sync_playwright

from reading_worklist.app import create_app
from reading_worklist.services import WebConfig
from storage.objects import ObjectStore
from tests.support.peers import require_program
from tests.support.screens import WEB
from tests.support.seed import PASSWORD, Consortium
from tests.support.serving import served
from tests.support.viewer import FLAGS
from tests.support.web import Browser

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(240),
    pytest.mark.skipif(not (WEB / "dist" / "index.html").is_file(), reason="pages are not built"),
]
FINDING = "右侧大量气胸"
# A browser without a sound card and without a desktop, which says what it would have done.
RECORDER = """
  window.told = { tones: 0, notes: [] };
  const node = () => ({
    connect() {}, gain: {}, frequency: {}, start() { told.tones += 1; }, stop() {},
  });
  window.AudioContext = class {
    state = 'running'; currentTime = 0; destination = {};
    createGain() { return node(); }
    createOscillator() { return node(); }
  };
  window.Notification = class {
    static permission = 'default';
    static async requestPermission() { return (this.permission = 'granted'); }
    constructor(title, { body }) { told.notes.push(`${title} / ${body}`); }
    close() {}
  };
  Object.defineProperty(document, 'hidden', { get: () => window.behind === true });
"""


@pytest.fixture
def app(consortium: Consortium, objects: ObjectStore, tmp_path: Path) -> FastAPI:
    config = WebConfig(web_ui=WEB / "dist", ohif=tmp_path / "ohif", fonts=(), trust_anchors=())
    return create_app(config, consortium.database, objects)


@pytest.fixture
def chromium() -> Iterator[Chromium]:
    program = require_program("chromium", package="chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=list(FLAGS))
        yield browser
        browser.close()


def test_from_the_reading_to_the_site_and_back(
    app: FastAPI, consortium: Consortium, chromium: Chromium
) -> None:
    expect.set_options(timeout=20_000)
    item = consortium.queued_study(name="Peng^DaHai=彭^大海").workitem_id
    failures: list[str] = []
    with served(app) as address:

        def opened(login: str, path: str) -> Page:
            context = chromium.new_context(base_url=address, locale="zh-CN")
            page = context.new_page()
            page.set_default_timeout(20_000)
            page.on("pageerror", lambda error: failures.append(str(error)))
            signed = context.request.post(
                "/api/session", data={"login": login, "password": PASSWORD}
            )
            assert signed.ok, signed.text()
            page.goto(path)
            return page

        # The site looks at something else, in a tab behind others as far as its title goes.
        site = opened("doctor-east", "/orders")
        expect(site.get_by_role("heading", level=1)).to_be_visible()
        reviewer = opened("reviewer", "/critical")

        # One key at the reading page; an item of the national list; words of one's own.
        writer = opened("writer", f"/exams/{item}")
        expect(writer.get_by_role("heading", level=1)).to_be_visible()
        writer.keyboard.press("Alt+c")
        writer.get_by_role("radio", name="大量液气血胸").check()
        writer.get_by_label("告知内容").fill(FINDING)
        writer.get_by_role("button", name="上报危急值").click()
        expect(writer.get_by_role("article")).to_contain_text("待确认")

        # The second doctor is called at once; the site is told by his confirmation and not before.
        banner = reviewer.locator(".alert")
        expect(banner).to_contain_text("危急值待确认")
        expect(reviewer).to_have_title(re.compile(r"\(1\)"))
        assert site.locator(".alert").count() == 0
        banner.get_by_role("button", name="本班静音").click()
        expect(banner).to_be_visible()
        banner.get_by_role("link", name="立即处理").click()
        reviewer.get_by_role("button", name="确认并立即通知").click()
        expect(reviewer.get_by_role("article")).to_contain_text("通知中")

        # A read-back that is none is refused with what it has to contain.
        expect(site.locator(".alert")).to_contain_text("请立即回读")
        site.locator(".alert").get_by_role("link", name="立即处理").click()
        site.get_by_label("回读内容").fill("知道了")
        site.get_by_role("button", name="确认收到").click()
        expect(site.get_by_role("alert").last).to_contain_text("回读内容与危急值不符")
        site.get_by_label("回读内容").fill("")
        site.get_by_role("button", name=FINDING, exact=True).click()
        site.get_by_role("button", name="确认收到").click()
        expect(site.locator(".alert")).to_have_count(0)

        # The centre sees it without a reload, then what was done, and closes.
        expect(reviewer.get_by_role("article")).to_contain_text("孙医师（基层医师）回读确认")
        site.get_by_label("采取的措施").fill("胸腔闭式引流，联系转诊")
        site.get_by_role("button", name="登记处置").click()
        expect(writer.get_by_role("article")).to_contain_text("胸腔闭式引流")
        reviewer.get_by_role("button", name="关闭").click()
        expect(reviewer.get_by_role("article")).to_contain_text("已关闭")
        expect(site.get_by_role("article")).to_contain_text("已关闭")
    assert failures == []


def test_a_critical_value_sounds_and_is_told_on_the_desktop_without_a_name(
    app: FastAPI, consortium: Consortium, chromium: Chromium
) -> None:
    expect.set_options(timeout=20_000)
    items = [consortium.queued_study(name="Peng^DaHai=彭^大海").workitem_id for _ in range(3)]
    writer = Browser(app, "writer")

    def suspect(place: int) -> None:
        answer = writer.post(f"/api/workitems/{items[place]}/critical-values", finding=FINDING)
        assert answer.status_code < 300, answer.text

    with served(app) as address:
        # The pages' policy forbids what waiting for a condition is made of.
        context = chromium.new_context(base_url=address, locale="zh-CN", bypass_csp=True)
        context.add_init_script(RECORDER)
        page = context.new_page()
        signed = context.request.post(
            "/api/session", data={"login": "reviewer", "password": PASSWORD}
        )
        assert signed.ok, signed.text()
        page.goto("/worklist")
        expect(page.locator(".live-live")).to_be_attached()
        banner = page.locator(".alert")

        # Before one's eyes: three pairs of tones, nothing on the desktop.
        suspect(0)
        expect(banner).to_contain_text("危急值待确认")
        page.wait_for_function("told.tones === 6")
        banner.get_by_role("button", name="允许桌面通知").click()
        expect(banner.get_by_role("button", name="允许桌面通知")).to_have_count(0)

        # Behind other windows: told there too, by what was found and not of whom.
        page.evaluate("window.behind = true")
        suspect(1)
        page.wait_for_function("told.tones === 12 && told.notes.length === 1")
        assert page.evaluate("told.notes") == [f"危急值待确认 / {FINDING}"]

        # Silenced for the shift: no sound, but the banner and the desktop still tell.
        banner.get_by_role("button", name="本班静音").click()
        suspect(2)
        page.wait_for_function("told.notes.length === 2")
        assert page.evaluate("told.tones") == 12
        expect(page).to_have_title(re.compile(r"\(3\)"))
