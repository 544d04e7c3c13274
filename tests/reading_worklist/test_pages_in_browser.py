"""What people do at pages that no other test opens, in a real browser over a consortium at work."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright
from sqlalchemy import select

from reading_worklist.tasks import HANDLERS
from reading_worklist.workitems.tables import Workitem
from storage.database import Database
from storage.messages import StudyReceived
from storage.objects import open_object_store
from tests.support.accessibility import violations
from tests.support.peers import require_program
from tests.support.scene import BOTH, Places
from tests.support.screens import WEB, filled, quiet
from tests.support.seed import PASSWORD, Consortium, received
from tests.support.serving import served
from tests.support.viewer import FLAGS

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(300),
    pytest.mark.skipif(not (WEB / "dist" / "index.html").is_file(), reason="pages are not built"),
]


@dataclass(frozen=True, slots=True)
class House:
    """The pages over a consortium at work: each test takes exams and weeks of its own."""

    browser: Browser
    address: str
    places: Places
    consortium: Consortium
    failures: list[str] = field(default_factory=list[str])

    def opening(self, login: str, path: str, *, look: str = "light") -> Page:
        """Open a page as somebody who has just signed in."""

        def spoke(message: ConsoleMessage) -> None:
            # Nothing of ours may need what the content security policy of our pages forbids.
            if "Content Security Policy" in message.text:
                self.failures.append(message.text)

        page = self.browser.new_context(base_url=self.address, locale="zh-CN").new_page()
        page.set_default_timeout(20_000)
        page.on("pageerror", lambda error: self.failures.append(str(error)))
        page.on("console", spoke)
        page.add_init_script(f"if (self === top) localStorage.setItem('rdc.appearance', '{look}')")
        page.goto(path)
        page.get_by_label("用户名").fill(login)
        page.get_by_label("密码", exact=True).fill(PASSWORD)
        page.get_by_role("button", name="登录").click()
        return page


@pytest.fixture(scope="module")
def house(
    new_database: Callable[[], AbstractContextManager[str]],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[House]:
    chromium = require_program("chromium", package="chromium")
    directory = tmp_path_factory.mktemp("house")
    expect.set_options(timeout=20_000)
    with new_database() as url:
        database = Database(url)
        consortium = Consortium(database)
        objects = open_object_store(f"file://{directory / 'objects'}")
        app, places = filled(consortium, objects, directory)
        with served(app) as address, sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium, args=list(FLAGS))
            made = House(browser, address, places, consortium)
            yield made
            browser.close()
        database.close()
    assert made.failures == []


def test_people_choose_change_correct_and_doubt(house: House) -> None:
    opening, places = house.opening, house.places

    # Somebody of two organisations chooses after the password, and changes at the top of the page.
    page = opening(BOTH, "/")
    page.get_by_role("button", name="东河镇卫生院").click()
    page.wait_for_url("**/portal")
    page.get_by_role("button", name="切换执业机构").click()
    page.get_by_role("menuitem", name="青山县人民医院诊断中心").click()
    page.wait_for_url("**/worklist")
    expect(page.get_by_role("row").filter(has_text="欧阳建国")).to_contain_text("OuYang JianGuo")

    # Who belongs to one place goes straight on. A technician changes what was ordered.
    page = opening("technician-east", "/orders")
    row = page.get_by_role("row").filter(has_text="赵小敏")
    row.get_by_role("button", name="修改").click()
    page.get_by_label("检查项目").fill("上腹部超声")
    page.get_by_role("dialog").get_by_role("button", name="保存").click()
    expect(row).to_contain_text("上腹部超声")

    # An administrator lets a site keep longer; less than the national minimum is not taken.
    page = opening("admin", "/keeping?tab=rules")
    page.get_by_role("button", name="修改保存期限：东河镇卫生院，门诊").click()
    years = page.get_by_label("保存年数")
    years.fill("10")
    expect(page.get_by_role("dialog").get_by_role("button", name="保存")).to_be_disabled()
    years.fill("20")
    page.get_by_role("dialog").get_by_role("button", name="保存").click()
    expect(page.get_by_role("row").filter(has_text="东河镇卫生院")).to_contain_text("20 年")

    # A reader is told of a correction, and sends another exam to the identity desk.
    page = opening("writer", f"/exams/{places.workitems['E1007']}")
    expect(page.get_by_role("note")).to_contain_text("图像 钱丰，现为 钱丰收")
    page.goto(f"/exams/{places.workitems['E1003']}")
    page.get_by_role("button", name="质疑患者身份").click()
    page.get_by_label("理由").fill("图像为儿童膝关节")
    page.get_by_role("button", name="转身份核对").click()
    expect(page.get_by_role("alert").filter(has_text="身份待核")).to_be_visible()


def test_a_retake_is_asked_for_answered_and_taken_back(house: House) -> None:
    exam = f"/exams/{house.places.workitems['W2003']}"
    centre = house.opening("writer", exam)
    centre.locator(".rail").wait_for()
    centre.keyboard.press("Alt+r")
    panel = centre.locator(".panel-retake")
    send = panel.get_by_role("button", name="退回机构")
    expect(send).to_be_disabled()
    panel.get_by_role("radio", name="扫描范围不全").check()
    panel.get_by_label("补充说明").fill("请包括盆腔")
    send.click()
    expect(panel.get_by_text("待机构答复")).to_be_visible()

    site = house.opening("doctor-west", "/retakes")
    site.get_by_role("link").filter(has_text="Smith John").click()
    expect(site.get_by_role("heading", name="扫描范围不全")).to_contain_text("请包括盆腔")
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    site.get_by_label("预约时间").fill(f"{tomorrow:%Y-%m-%d}T09:30")
    site.get_by_label("答复（可不填）").fill("患者明早来")
    site.get_by_role("button", name="答复并安排").click()

    # The centre's page learns of it by itself.
    expect(panel.get_by_text("机构已答复")).to_be_visible()
    expect(panel).to_contain_text("患者明早来")
    panel.get_by_role("button", name="取消重照").click()
    expect(panel.get_by_text("已取消", exact=True)).to_be_visible()
    expect(site.locator(".desk-case").get_by_text("已取消", exact=True)).to_be_visible()
    expect(centre.get_by_role("button", name="领取并书写")).to_be_visible()


def test_a_rule_is_tried_and_switched_on(house: House) -> None:
    page = house.opening("admin", "/rules")
    expect(page.get_by_text("第 2 版正在使用")).to_be_visible()
    page.keyboard.press("n")
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="保存").click()
    expect(dialog.get_by_role("alert")).to_contain_text("请填写规则名称")
    dialog.get_by_label("规则名称").fill("磁共振一律加急")
    dialog.get_by_label("检查类型").press_sequentially("MR")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    # The list opens at its first choice.
    for key in ("ArrowDown", "ArrowDown", "Enter"):
        dialog.get_by_label("优先级", exact=True).press(key)
    expect(dialog.locator(".rule-preview")).to_contain_text("MR")
    expect(dialog.locator(".rule-preview")).to_contain_text("按加急")
    dialog.get_by_role("button", name="保存").click()

    # Nothing is routed by it before it is published, and its trial says what it would have done.
    page.get_by_role("button", name="试算", exact=True).click()
    moved = page.get_by_role("table", name="去向不同的检查")
    expect(moved).to_contain_text("规则：磁共振一律加急")
    assert _priority(house, "before") == "ROUTINE"
    page.get_by_role("button", name="发布", exact=True).click()
    expect(dialog).to_contain_text("磁共振一律加急")
    dialog.get_by_label("理由").fill("县医院磁共振排队过长")
    dialog.get_by_label("理由").press("Control+Enter")
    expect(page.get_by_text("第 3 版正在使用")).to_be_visible()
    assert _priority(house, "after") == "URGENT"


def _priority(house: House, local_id: str) -> str:
    """The priority of an MR study that comes now."""
    made = house.consortium.complete_study(
        modalities=("MR",), local_id=local_id, accession_number=local_id
    )
    with house.consortium.database.transaction() as session:
        HANDLERS[StudyReceived](session, received(made))
        return session.scalars(select(Workitem.priority).where(Workitem.study_id == made.id)).one()


def test_somebody_is_put_on_duty_and_taken_off_by_keyboard(house: House) -> None:
    page = house.opening("dispatcher", "/roster")
    page.get_by_role("grid").wait_for()
    page.keyboard.press("n")
    expect(page.get_by_role("button", name="本周")).to_be_enabled()
    cell = page.locator('[data-cell="0 2"]')
    expect(cell).to_contain_text("全天无人")
    cell.focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    doctor = dialog.get_by_label("医师")
    doctor.press("Control+Enter")
    expect(dialog.get_by_role("alert")).to_contain_text("请选择医师")
    doctor.press_sequentially("李书写")
    page.locator(".ant-select-item-option-active", has_text="李书写").wait_for()
    page.keyboard.press("Enter")
    page.keyboard.press("Control+Enter")
    expect(dialog).to_be_hidden()
    expect(cell).to_contain_text("李书写")
    expect(cell).to_contain_text("08:00–17:30")
    expect(cell).to_contain_text("17:30–24:00 无人")
    cell.focus()
    page.keyboard.press("Delete")
    expect(dialog.get_by_role("button", name="李书写")).to_be_focused()
    page.keyboard.press("Enter")
    expect(cell).to_contain_text("全天无人")


def test_a_report_is_amended_kept_and_declared_void_by_two(house: House) -> None:
    exam = f"/exams/{house.places.workitems['E1006']}"
    page = house.opening("reviewer", exam)
    page.get_by_role("button", name="修订", exact=True).click()
    dialog = page.get_by_role("dialog")
    reason = dialog.get_by_label("理由")
    reason.press("Control+Enter")
    expect(dialog.get_by_role("alert")).to_contain_text("请填写理由")
    reason.fill("补充与上次对照")
    reason.press("Control+Enter")
    expect(page.get_by_text("正在修订已签发的报告")).to_be_visible()
    page.get_by_role("button", name="放弃修订").click()
    page.get_by_role("tooltip").get_by_role("button", name="放弃修订").click()

    # An addendum leaves the report as it is: nothing of it can be typed over.
    page.get_by_role("button", name="修订", exact=True).click()
    dialog.get_by_text("补充（原结论不变）").click()
    reason.fill("补充与外院旧片的对照")
    reason.press("Control+Enter")
    expect(page.get_by_text("正在为已签发的报告写补充")).to_be_visible()
    expect(page.locator("textarea")).to_have_count(1)
    expect(page.get_by_label("补充报告")).to_be_visible()
    page.get_by_role("button", name="放弃补充").click()
    page.get_by_role("tooltip").get_by_role("button", name="放弃补充").click()
    page.get_by_role("button", name="提议作废").click()
    reason.fill("患者身份录错")
    reason.press("Control+Enter")
    notice = page.locator(".revocation")
    expect(notice).to_contain_text("患者身份录错")
    # Who proposed it cannot confirm it.
    expect(notice.get_by_role("button", name="撤回提议")).to_be_visible()
    expect(page.get_by_role("button", name="确认作废")).to_have_count(0)

    head = house.opening("head", exam)
    head.get_by_role("button", name="确认作废").click()
    head.get_by_role("tooltip").get_by_role("button", name="确认作废").click()
    expect(head.locator(".revocation")).to_contain_text("已作废（")
    expect(notice).to_contain_text("已作废（")
    head.goto(f"/verify/{house.places.verification_code}")
    expect(head.get_by_text("该报告已作废")).to_be_visible()


def test_a_guest_comes_by_a_link_until_it_is_taken_back(house: House) -> None:
    page = house.opening("writer", f"/exams/{house.places.more['reading-before']}")
    page.locator(".rail").wait_for()
    page.keyboard.press("Alt+o")
    links = page.get_by_role("region", name="外院查阅链接")
    links.get_by_role("button", name="给外院医生发查阅链接").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("发给谁（医院、姓名）").fill("省人民医院 陈主任")
    dialog.get_by_role("button", name="生成链接").click()
    expect(dialog.get_by_role("alert")).to_contain_text("请填写发给谁和依据")
    dialog.get_by_label("依据（如患者书面同意）").fill("患者书面同意")
    dialog.get_by_role("button", name="生成链接").click()
    token = dialog.get_by_label("链接", exact=True).input_value().partition("#")[2]
    code = dialog.locator(".share-code").inner_text()
    # It cannot be shown again: no slip of the finger closes it.
    page.keyboard.press("Escape")
    dialog.get_by_role("button", name="完成").click()

    guest = house.browser.new_context(base_url=house.address, locale="zh-CN").new_page()
    guest.goto(f"/share#{token}")
    guest.get_by_role("textbox").fill(code)
    guest.get_by_role("button", name="打开").click()
    expect(guest.get_by_text("高明远")).to_be_visible()
    expect(guest.get_by_role("link", name="查看报告（PDF）")).to_be_visible()
    # Who comes back is not asked again, and the link is in no history.
    assert guest.evaluate("location.hash") == ""
    guest.reload()
    expect(guest.get_by_text("高明远")).to_be_visible()

    links.get_by_role("button", name="收回").click()
    dialog.get_by_label("理由").fill("发错了人")
    dialog.get_by_label("理由").press("Control+Enter")
    expect(links).to_contain_text("收回理由：发错了人")
    guest.reload()
    expect(guest.get_by_role("alert")).to_contain_text("请用收到的完整链接打开")
    expect(guest.get_by_text("高明远")).to_have_count(0)


def test_an_auditor_judges_what_was_opened_in_an_emergency(house: House) -> None:
    page = house.opening("auditor", "/audit")
    opened = page.get_by_role("region", name="紧急调阅复核")
    expect(opened).to_contain_text("待复核 1 例")
    opened.get_by_role("link", name="查看所阅检查").first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("高明远")
    page.go_back()
    opened.get_by_role("button", name="理由不成立").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("家属来电")
    dialog.get_by_label("理由").fill("会诊记录中无此急诊")
    dialog.get_by_label("理由").press("Control+Enter")
    expect(dialog).to_be_hidden()
    expect(opened.get_by_role("button")).to_have_count(0)
    expect(opened.get_by_role("heading")).to_be_focused()
    opened.get_by_text("已复核 2 例").click()
    expect(opened.get_by_text("会诊记录中无此急诊")).to_be_visible()


PAGES = {
    "writer": ("/worklist", "/critical", "/consultations", "/exams/{E1003}", "/exams/{ecg}"),
    "dispatcher": ("/identity", "/quarantine", "/deliveries", "/roster", "/phone", "/board"),
    "doctor-east": ("/portal", "/site-exams", "/site-statistics"),
    "technician-east": ("/orders",),
    "admin": (
        "/rules",
        "/calendar",
        "/clocks",
        "/groups",
        "/procedures",
        "/keeping",
        "/agreements",
        "/account",
    ),
    "auditor": ("/audit",),
}


@pytest.mark.parametrize("look", ["light", "dark"])
def test_every_main_page_keeps_the_rules_of_accessibility(house: House, look: str) -> None:
    wrong: list[str] = []
    for login, paths in PAGES.items():
        page = house.opening(login, "/", look=look)
        page.locator(".header").wait_for()
        for path in paths:
            page.goto(path.format_map(house.places.workitems))
            quiet(page)
            wrong += [f"{path}: {one}" for one in violations(page)]
        page.context.close()
    assert wrong == []
