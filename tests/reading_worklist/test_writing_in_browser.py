"""Writing in a real browser: a crash, a second window, a lost claim, a long text, a signature."""

import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect, sync_playwright
from playwright.sync_api import Error as BrowserError
from sqlalchemy import update

from reading_worklist.app import create_app
from reading_worklist.reports.tables import ReportDraft
from reading_worklist.services import WebConfig
from reading_worklist.signing.authority import open_authority
from reading_worklist.templates.starter import take_over
from reading_worklist.workitems.tables import Workitem
from storage.index.tables import Study
from storage.objects import ObjectStore
from tests.support.peers import REPOSITORY, require_program
from tests.support.seed import PASSWORD, Consortium
from tests.support.serving import served
from tests.support.viewer import FLAGS
from tests.support.web import PIN, give_keys

WEB = REPOSITORY / "reading_worklist" / "web"
SCRIPT = "<script>window.hurt=1</script><img src=x onerror=window.hurt=1>"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(180),
    pytest.mark.skipif(not (WEB / "dist" / "index.html").is_file(), reason="pages are not built"),
]


@pytest.fixture
def exam(consortium: Consortium) -> str:
    item_id = consortium.queued_study().workitem_id
    with consortium.database.transaction() as session:
        take_over(session, consortium.root.id)
        session.execute(update(Study).values(study_description="胸部CT平扫"))
    return f"/exams/{item_id}"


@pytest.fixture
def context(
    consortium: Consortium, objects: ObjectStore, tmp_path: Path
) -> Iterator[BrowserContext]:
    """A browser in which the writer is signed in."""
    chromium = require_program("chromium", package="chromium")
    give_keys(consortium, tmp_path)
    authority = open_authority(tmp_path / "authority", organisation="青山县医共体", name="测试 CA")
    config = WebConfig(
        web_ui=WEB / "dist",
        ohif=tmp_path / "ohif",
        fonts=(),
        trust_anchors=(authority.certificate_pem,),
    )
    app = create_app(config, consortium.database, objects)
    expect.set_options(timeout=20_000)
    with served(app) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=list(FLAGS))
        made = browser.new_context(base_url=address, locale="zh-CN")
        made.set_default_timeout(20_000)
        page = made.new_page()
        page.goto("/")
        page.get_by_label("用户名").fill("writer")
        page.get_by_label("密码", exact=True).fill(PASSWORD)
        page.get_by_role("button", name="登录").click()
        page.wait_for_url("**/worklist")
        yield made
        browser.close()


def editing(context: BrowserContext, exam: str, *, claim: bool = False) -> Page:
    page = context.new_page()
    page.goto(exam)
    if claim:
        page.get_by_role("button", name="领取并书写").click()
    expect(page.get_by_label("影像所见")).to_be_visible()
    return page


def saved(page: Page) -> None:
    expect(page.locator(".draft-saved")).to_be_visible()


def test_no_word_is_lost_in_a_crash_a_second_window_or_a_lost_claim(
    context: BrowserContext, exam: str, consortium: Consortium
) -> None:
    page = editing(context, exam, claim=True)
    page.get_by_label("影像所见").fill("双肺清晰。")
    saved(page)

    # The page dies while the server does not answer: what was typed is offered again.
    page.route("**/draft", lambda route: route.abort())
    page.get_by_label("影像所见").fill(f"双肺清晰。右肺结节。{SCRIPT}")
    expect(page.locator(".draft-failed")).to_be_visible()
    with page.expect_event("crash"), suppress(BrowserError):
        page.goto("chrome://crash", timeout=5_000)
    page.close()
    page = editing(context, exam)
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("右肺结节")
    dialog.get_by_role("button", name="恢复留存的内容").click()
    saved(page)
    expect(page.get_by_label("影像所见")).to_have_value(f"双肺清晰。右肺结节。{SCRIPT}")
    assert page.evaluate("window.hurt") is None

    # A second window reads along, and takes over with what the first one had not saved yet.
    second = editing(context, exam)
    expect(second.get_by_text("正在另一个窗口书写")).to_be_visible()
    expect(second.get_by_label("影像所见")).not_to_be_editable()
    page.get_by_label("影像诊断").fill("右肺结节。")
    second.get_by_role("button", name="在此继续书写").click()
    expect(second.get_by_label("影像诊断")).to_have_value("右肺结节。")
    expect(second.get_by_label("影像诊断")).to_be_editable()
    expect(page.get_by_label("影像诊断")).not_to_be_editable()
    page.close()

    # Another computer saves in between: both texts are shown, and one is chosen.
    with consortium.database.transaction() as session:
        session.execute(update(ReportDraft).values(advice="别处写的", revision=99))
    second.get_by_label("建议").fill("这里写的")
    conflict = second.get_by_role("dialog")
    expect(conflict).to_contain_text("别处写的")
    expect(conflict).to_contain_text("这里写的")
    conflict.get_by_role("button", name="保留本窗口的").click()
    saved(second)

    # The claim is lost: nothing typed since goes away.
    with consortium.database.transaction() as session:
        session.execute(update(Workitem).values(state="QUEUED", holder_id=None, lease_until=None))
    second.get_by_label("建议").fill("领取失效后写的")
    expect(second.get_by_role("button", name="领取并书写")).to_be_visible()
    second.get_by_role("button", name="领取并书写").click()
    second.get_by_role("button", name="恢复留存的内容").click()
    expect(second.get_by_label("建议")).to_have_value("领取失效后写的")


def test_a_report_is_written_and_signed_with_the_keyboard(
    context: BrowserContext, exam: str
) -> None:
    page = editing(context, exam, claim=True)
    page.keyboard.press("Alt+a")
    page.get_by_role("combobox", name="按标题查找").fill("肺结节")
    chosen = page.get_by_role("option", selected=True)
    expect(chosen).to_contain_text("肺结节")
    page.keyboard.press("Enter")
    expect(page.get_by_role("combobox", name="侧", exact=True)).to_be_focused()
    page.get_by_label("长径").fill("140")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert").filter(has_text="长径")).to_contain_text("超出范围")
    page.get_by_label("长径").fill("14")
    page.keyboard.press("Enter")
    seen = page.get_by_label("影像所见")
    expect(seen).to_have_value(re.compile("^{侧}肺{肺叶}见一{密度}结节，大小约 14 mm×{短径 mm}"))
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text("有须改正的内容")).to_be_visible()
    page.wait_for_function("getSelection().toString() === '{侧}'")

    # A megabyte is refused with words, and what stood there stays.
    before = page.get_by_label("建议").input_value()
    page.get_by_label("建议").focus()
    page.evaluate(
        """() => {
          const data = new DataTransfer();
          data.setData('text', 'x'.repeat(1048576));
          document.activeElement.dispatchEvent(
            new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true }));
        }"""
    )
    expect(page.get_by_text("因此没有粘贴")).to_be_visible()
    expect(page.get_by_label("建议")).to_have_value(before)

    seen.fill("右肺上叶见结节，直径约 35 cm。")
    page.get_by_label("影像诊断").fill("右肺上叶结节。")
    page.get_by_label("建议").fill("")
    page.get_by_label("建议").press_sequentially(";fu3")
    page.keyboard.press("Space")
    expect(page.get_by_label("建议")).to_have_value("建议3个月后复查。")
    saved(page)
    page.keyboard.press("Control+Enter")
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("签名密码").fill(PIN)
    page.keyboard.press("Enter")
    expect(dialog).to_contain_text("请逐条写明理由")
    dialog.get_by_label("单位可能有误").fill("巨大肿块，已测量两次")
    dialog.get_by_label("签名密码").fill(PIN)
    page.keyboard.press("Enter")
    expect(page.get_by_text("已签名提交，等待审核")).to_be_visible()


def test_statements_of_an_ecg_are_picked_by_keys(
    consortium: Consortium, context: BrowserContext
) -> None:
    item_id = consortium.queued_study(modalities=("ECG",)).workitem_id
    page = context.new_page()
    page.goto(f"/exams/{item_id}")
    page.get_by_role("button", name="领取并书写").click()
    page.get_by_role("button", name="诊断语句").wait_for()
    page.keyboard.press("Alt+y")
    dialog = page.get_by_role("dialog", name="心电图诊断语句")
    search = dialog.get_by_role("combobox")
    # A short key; initials and the arrow to the second; a word in English.
    search.fill("dx")
    search.press("Enter")
    search.fill("xfcd")
    expect(dialog.get_by_role("option").first).to_contain_text("心房颤动")
    search.press("ArrowDown")
    search.press("Enter")
    expect(dialog.get_by_role("status")).to_contain_text("窦性心律 · 心房颤动伴快速心室率")
    search.fill("fibrillation")
    expect(dialog.get_by_role("option").first).to_contain_text("心房颤动")
    search.press("Escape")
    expect(dialog).to_be_hidden()
    impression = page.locator(".field-impression textarea")
    expect(impression).to_have_value("窦性心律\n心房颤动伴快速心室率")
    expect(impression).to_be_focused()
    expect(page.locator(".codes")).to_contain_text("不正常")
    # Both cannot be true; what is changed by hand is the doctor's own text.
    expect(page.locator(".checks")).to_contain_text("两条诊断不能同时成立")
    impression.fill("窦性心律\n不除外阵发性心房颤动")
    expect(page.locator(".checks")).not_to_contain_text("两条诊断不能同时成立")
    with consortium.database.transaction() as session:
        draft = session.get_one(ReportDraft, item_id)
        assert draft.ecg["statements"] == ["sinus_rhythm", "atrial_fibrillation_rapid"]
        assert draft.codes["ecg_class"] == "abnormal"
