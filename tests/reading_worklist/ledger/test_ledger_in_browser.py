"""A stuck delivery is found, understood and sent; a recall is acknowledged: in real browsers.

The gateway's own engine delivers to a receiver of messages that is away at first.
"""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser as Chromium
from playwright.sync_api import Page, expect, sync_playwright
from sqlalchemy import select, update

from pacs_gateway import tasks as gateway_tasks
from pacs_gateway.config import ReturnsConfig
from pacs_gateway.returns import serve
from reading_worklist import tasks as worklist_tasks
from storage import outbox, registry
from storage.clock import utc_now
from storage.deliveries import Delivery
from storage.messages import PACS_GATEWAY
from storage.objects import ObjectStore
from storage.registry import DestinationKind
from tests.pacs_gateway.returns.mllp_peer import ack, peer
from tests.support.accessibility import violations
from tests.support.desk import Desk
from tests.support.peers import require_program
from tests.support.ports import free_port
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
_CONFIG = ReturnsConfig(calling_ae_title="RDC", connect_timeout_seconds=2.0)


@pytest.fixture
def chromium() -> Iterator[Chromium]:
    program = require_program("chromium", package="chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=list(FLAGS))
        yield browser
        browser.close()


def settle(desk: Desk) -> None:
    """Handle what rooms tell each other until nothing waits."""
    while True:
        with desk.database.transaction() as session:
            due = outbox.lease_due(session)
        if not due:
            return
        for one in due:
            of_gateway = one.consumer == PACS_GATEWAY
            handlers = gateway_tasks.HANDLERS if of_gateway else worklist_tasks.HANDLERS
            assert outbox.handle(desk.database, one.id, one.lease_token, handlers)


def find_it(page: Page) -> None:
    """Among what is stuck, with its reason, who mends it, and what to do."""
    row = page.get_by_role("row").filter(has_text="唐小燕")
    expect(row).to_contain_text("报告未送达")
    expect(row).to_contain_text("连接不上接收端")
    row.get_by_role("link", name="唐小燕").click()
    expect(page.locator(".ledger-stuck")).to_contain_text("请机构确认接收设备已开机")
    page.get_by_role("link", name="查看该次发送").click()
    expect(page.get_by_role("dialog")).to_contain_text("第 1 次")


def send_it_again(page: Page) -> None:
    """The receiver is back: send again, with a reason."""
    page.get_by_role("dialog").get_by_role("button", name="重新发送").click()
    asked = page.get_by_role("dialog", name="重新发送")
    asked.get_by_role("button", name="重新发送").click()
    expect(asked.get_by_role("alert")).not_to_be_empty()
    asked.get_by_label("理由").fill("信息科确认 HIS 已恢复")
    asked.get_by_role("button", name="重新发送").click()
    expect(asked).to_have_count(0)


def see_it_arrived(page: Page) -> None:
    """It is seen to arrive without a reload, and nothing is stuck any more."""
    panel = page.get_by_role("dialog")
    expect(panel.locator(".chip").first).to_have_text("已送达")
    expect(panel).to_contain_text("信息科确认 HIS 已恢复")
    assert violations(page) == []
    page.goto("/ledger?show=stuck")
    expect(page.get_by_text("全部正常流转")).to_be_visible()


def acknowledge(site: Page, page: Page, desk: Desk) -> None:
    """The site has opened it; what is amended is recalled and acknowledged, by name and role."""
    expect(site.locator("iframe")).to_be_visible()
    desk.do("reviewer", "amend", reason="左右写反")
    revision = desk.draft("reviewer", "左肺结节。")
    desk.do("reviewer", "submit", revision=revision, signing_pin=PIN)
    desk.finalise("reviewer2")
    recall = site.locator(".portal-recalls")
    expect(recall).to_contain_text("左右写反")
    recall.get_by_role("button", name="我已知晓").click()
    expect(recall).to_have_count(0)
    page.goto(f"/ledger/{desk.id}")
    holders = page.get_by_role("region", name="失效版本的持有者")
    expect(holders).to_contain_text("孙医师（基层医师）")
    assert violations(page) == []


def test_a_stuck_delivery_is_sent_and_a_recall_acknowledged(
    consortium: Consortium, objects: ObjectStore, tmp_path: Path, chromium: Chromium
) -> None:
    expect.set_options(timeout=20_000)
    port = free_port()
    with consortium.database.transaction() as session:
        his = registry.add_destination(
            session,
            session.merge(consortium.east, load=False),
            DestinationKind.HL7,
            {"host": "127.0.0.1", "port": port},
            name="东河 HIS",
        ).id
    app = application(consortium, objects, tmp_path, web_ui=WEB / "dist")
    desk = Desk(app, consortium, consortium.queued_study(name="Tang^XiaoYan=唐^小燕").workitem_id)
    desk.write()
    desk.finalise()
    settle(desk)
    assert serve(his, consortium.database, objects, _CONFIG) == 0
    with consortium.database.transaction() as session:
        session.execute(update(Delivery).values(issued_at=utc_now() - timedelta(minutes=40)))
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

        page = opened("dispatcher", "/ledger?show=stuck")
        find_it(page)
        with peer(lambda message: [ack("AA", message)], port=port) as receiver:
            send_it_again(page)
            assert serve(his, consortium.database, objects, _CONFIG) == 1
            settle(desk)
            assert len(receiver.messages) == 1
        see_it_arrived(page)
        acknowledge(opened("doctor-east", f"/portal/{desk.id}"), page, desk)
    with consortium.database.transaction() as session:
        states = session.scalars(select(Delivery.state).order_by(Delivery.version_number)).all()
    assert states[0] == "DELIVERED"
    assert failures == []
