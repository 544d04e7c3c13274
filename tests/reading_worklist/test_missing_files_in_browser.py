"""Files of a page that do not come: a lost line, or another build since it was opened."""

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from storage.database import Database
from storage.objects import open_object_store
from tests.support.peers import require_program
from tests.support.scene import Places
from tests.support.screens import WEB, filled
from tests.support.seed import PASSWORD, Consortium
from tests.support.serving import served
from tests.support.viewer import FLAGS

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(300),
    pytest.mark.skipif(not (WEB / "dist" / "index.html").is_file(), reason="pages are not built"),
]
TIMELINE = re.compile(r"/assets/TimelinePanel-[^/]+\.js$")
BOARD = re.compile(r"/assets/BoardPage-[^/]+\.js$")


@pytest.fixture(scope="module")
def house(
    new_database: Callable[[], AbstractContextManager[str]],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[Browser, str, Places]]:
    chromium = require_program("chromium", package="chromium")
    directory = tmp_path_factory.mktemp("house")
    expect.set_options(timeout=20_000)
    with new_database() as url:
        database = Database(url)
        objects = open_object_store(f"file://{directory / 'objects'}")
        app, places = filled(Consortium(database), objects, directory)
        with served(app) as address, sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium, args=list(FLAGS))
            yield browser, address, places
            browser.close()
        database.close()


@pytest.fixture
def page(house: tuple[Browser, str, Places]) -> Iterator[Page]:
    """A draft is being written."""
    browser, address, places = house
    context = browser.new_context(base_url=address, locale="zh-CN")
    context.set_default_timeout(20_000)
    credentials = {"login": "writer", "password": PASSWORD}
    assert context.request.post("/api/session", data=credentials).ok
    page = context.new_page()
    page.goto(f"/exams/{places.more['reading']}")
    findings = page.get_by_label("影像所见")
    findings.fill("双肺纹理清晰")
    yield page
    context.close()


def test_a_panel_that_does_not_come_leaves_the_report_and_comes_when_tried_again(
    page: Page,
) -> None:
    page.route(TIMELINE, lambda route: route.abort())
    page.keyboard.press("Alt+t")
    failed = page.locator(".side").get_by_role("alert")
    expect(failed).to_contain_text("这一部分未能显示")
    # The text is still there, and is written on.
    findings = page.get_by_label("影像所见")
    expect(findings).to_have_value("双肺纹理清晰")
    findings.press_sequentially("。")
    page.unroute(TIMELINE)
    failed.get_by_role("button", name="重试").click()
    expect(page.locator(".side")).to_contain_text("接收")
    expect(findings).to_have_value("双肺纹理清晰。")


def test_a_page_of_a_replaced_build_says_so_and_loads_the_new_one_with_the_draft(
    page: Page,
) -> None:
    def later(text: str) -> str:
        return re.sub(r"/assets/main-[^\"/]+\.js", "/assets/main-later.js", text)

    page.route(TIMELINE, lambda route: route.fulfill(status=404))
    page.route(
        re.compile(r"^https?://[^/]+/$"),
        lambda route: route.fulfill(body=later(route.fetch().text()), content_type="text/html"),
    )
    page.keyboard.press("Alt+t")
    failed = page.locator(".side").get_by_role("alert")
    expect(failed).to_contain_text("系统已更新")
    expect(failed.get_by_role("button", name="重试")).to_have_count(0)
    page.unroute_all()
    page.on("dialog", lambda dialog: dialog.accept())
    failed.get_by_role("button", name="载入新版本").click()
    expect(page.locator(".side")).to_contain_text("接收")
    expect(page.get_by_label("影像所见")).to_have_value("双肺纹理清晰")


def test_a_page_that_does_not_come_leaves_the_way_to_the_others(page: Page) -> None:
    page.route(BOARD, lambda route: route.abort())
    page.goto("/worklist")
    page.evaluate(
        "history.pushState(null, '', '/board'); dispatchEvent(new PopStateEvent('popstate'))"
    )
    expect(page.get_by_role("alert").filter(has_text="页面出错了")).to_be_visible()
    page.get_by_role("link", name="工作列表").first.click()
    expect(page.get_by_role("table").first).to_be_visible()
