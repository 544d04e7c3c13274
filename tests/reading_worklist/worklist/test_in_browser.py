"""The worklist and the wall board in a real browser: by keyboard alone, and while others work."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import pytest
from playwright.sync_api import Page, expect, sync_playwright
from sqlalchemy import select

from reading_worklist.app import create_app
from reading_worklist.services import WebConfig
from reading_worklist.workitems.service import queue_study
from reading_worklist.workitems.tables import Workitem
from storage.objects import ObjectStore
from storage.orders.words import Priority
from tests.support.peers import require_program
from tests.support.screens import WEB
from tests.support.seed import PASSWORD, Consortium, received
from tests.support.serving import served
from tests.support.viewer import FLAGS
from tests.support.web import Browser

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(240),
    pytest.mark.skipif(not (WEB / "dist" / "index.html").is_file(), reason="pages are not built"),
]

MANY = 60
PLACE = "(row) => row.getBoundingClientRect().top"


@dataclass(frozen=True, slots=True)
class Centre:
    """The application with its pages, and somebody who opens them."""

    consortium: Consortium
    colleague: Browser
    open: Callable[[str, str], Page]

    def arrives(self, name: str, priority: Priority, modality: str = "CT") -> UUID:
        """Queue a study of a patient as if it had just come."""
        study = self.consortium.complete_study(name=name, local_id=name, modalities=(modality,))
        with self.consortium.database.transaction() as session:
            queue_study(session, received(study), priority)
            return session.scalars(select(Workitem.id).where(Workitem.study_id == study.id)).one()


@pytest.fixture
def centre(consortium: Consortium, objects: ObjectStore, tmp_path: Path) -> Iterator[Centre]:
    chromium = require_program("chromium", package="chromium")
    config = WebConfig(web_ui=WEB / "dist", ohif=tmp_path / "none", fonts=(), trust_anchors=())
    app = create_app(config, consortium.database, objects)
    with served(app) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=list(FLAGS))
        failures: list[str] = []

        def opened(login: str, path: str) -> Page:
            context = browser.new_context(
                base_url=address, locale="zh-CN", viewport={"width": 1024, "height": 768}
            )
            context.set_default_timeout(20_000)
            answer = context.request.post(
                "/api/session", data={"login": login, "password": PASSWORD}
            )
            assert answer.ok, answer.text()
            page = context.new_page()
            page.on("pageerror", lambda error: failures.append(str(error)))
            page.goto(path)
            page.locator("h1").first.wait_for(state="attached")
            return page

        expect.set_options(timeout=20_000)
        yield Centre(consortium, Browser(app, "writer2"), opened)
        browser.close()
    assert failures == []


def numbered(place: int) -> str:
    """A given name of two characters."""
    return "".join("零壹贰叁肆伍陆柒捌玖"[int(one)] for one in f"{place:02}")


def rows(page: Page) -> list[str]:
    return page.locator(".row-patient > a").all_inner_texts()


def test_a_doctor_works_by_keyboard_alone(centre: Centre) -> None:
    for name in ("Zhang^Wei=张^伟", "Wang^Fang=王^芳"):
        centre.arrives(name, Priority.ROUTINE)
    centre.arrives("Li^Na=李^娜", Priority.STAT, "ECG")
    page = centre.open("writer", "/worklist")
    keys = page.keyboard
    patients = page.locator(".row-patient > a")
    expect(patients).to_have_text(["李娜", "张伟", "王芳"])

    # Search, and keep what was asked as a view.
    keys.press("/")
    keys.type("lina")
    keys.press("Enter")
    expect(patients).to_have_text(["李娜"])
    keys.press("v")
    expect(page.get_by_label("视图名称")).to_be_focused()
    keys.type("李娜")
    keys.press("Enter")
    view = page.get_by_role("group", name="我的视图").get_by_role("button", name="李娜").first
    expect(view).to_have_attribute("aria-pressed", "true")
    expect(view).to_contain_text("1")

    # Take the search away: the view has changed; its digit brings it back.
    page.get_by_role("button", name="去掉“搜索：lina”").press("Enter")
    expect(patients).to_have_text(["李娜", "张伟", "王芳"])
    page.get_by_role("radio", name="影像").press("Space")
    expect(patients).to_have_text(["张伟", "王芳"])
    keys.press("1")
    expect(patients).to_have_text(["李娜"])
    assert "q=lina" in page.url

    # Claim and stay, give it back, take the most urgent one.
    keys.press("j")
    keys.press("C")
    line = page.get_by_role("row").filter(has_text="李娜")
    expect(line).to_contain_text("书写中")
    keys.press("u")
    expect(line).to_contain_text("待书写")
    keys.press("n")
    page.wait_for_url("**/exams/*")
    expect(page.get_by_text("李娜").first).to_be_visible()
    page.go_back()
    expect(page.get_by_role("row").filter(has_text="李娜")).to_contain_text("书写中")

    # A view that the list begins with.
    page.get_by_role("button", name="视图“李娜”的操作").press("Enter")
    page.get_by_role("menuitem", name="设为默认视图").click()
    expect(page.get_by_label("默认视图")).to_be_visible()
    page.goto("/worklist")
    expect(patients).to_have_text(["李娜"])
    keys.press("?")
    expect(page.get_by_role("dialog")).to_contain_text("退回队列")
    keys.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()


def test_what_others_do_changes_rows_in_place_and_moves_none(centre: Centre) -> None:
    items = [
        centre.arrives(f"Bing^A=病^{numbered(place)}", Priority.ROUTINE) for place in range(MANY)
    ]
    page = centre.open("writer", "/worklist")
    expect(page.get_by_role("row").filter(has_text=numbered(0))).to_be_visible()
    page.keyboard.press("End")
    last = page.get_by_role("row").filter(has_text=numbered(MANY - 1))
    expect(last).to_have_attribute("aria-selected", "true")
    # Only the rows that are seen are in the page, the others count.
    assert len(rows(page)) < MANY
    expect(page.get_by_role("table")).to_have_attribute("aria-rowcount", str(MANY + 1))
    for _ in range(5):
        page.keyboard.press("k")
    chosen = page.locator("[role=row][aria-selected=true]")
    expect(chosen).to_contain_text(numbered(MANY - 6))
    before = chosen.evaluate(PLACE)

    # A colleague claims a row that is seen: it says so in its place.
    taken = centre.colleague.post(f"/api/workitems/{items[MANY - 4]}/claim")
    assert taken.status_code == 200, taken.text
    line = page.get_by_role("row").filter(has_text=numbered(MANY - 4))
    expect(line).to_contain_text("书写中")
    assert chosen.evaluate(PLACE) == before

    # Something more urgent comes above: nothing moves, and it is told.
    centre.arrives("Ji^Zhen=急^诊", Priority.STAT)
    above = page.get_by_role("button", name="上方新增 1 项")
    expect(above).to_be_visible()
    assert chosen.evaluate(PLACE) == before
    above.click()
    expect(page.locator(".row-stat")).to_contain_text("急诊")
    expect(above).to_be_hidden()


def test_nothing_looks_alive_without_a_connection(centre: Centre) -> None:
    centre.arrives("Zhang^Wei=张^伟", Priority.STAT)
    page = centre.open("writer", "/worklist")
    board = centre.open("writer", "/board")
    expect(page.locator(".live-live")).to_be_attached()
    expect(board.locator(".board-clock")).to_be_visible()
    expect(board.locator(".board-stat strong").first).to_have_text("1")
    for one in (page, board):
        one.context.set_offline(offline=True)
    expect(page.locator(".live-lost")).to_be_attached()
    expect(page.get_by_role("status").filter(has_text="网络已断开")).to_be_visible()
    expect(board.get_by_role("alert")).to_contain_text("连接中断")
    expect(board.locator(".board-clock")).to_be_hidden()
    centre.arrives("Li^Na=李^娜", Priority.STAT)
    for one in (page, board):
        one.context.set_offline(offline=False)
    expect(page.locator(".live-live")).to_be_attached()
    expect(page.locator(".row-patient > a")).to_have_text(["张伟", "李娜"])
    expect(board.get_by_role("alert")).to_be_hidden()
    expect(board.locator(".board-stat strong").first).to_have_text("2")
