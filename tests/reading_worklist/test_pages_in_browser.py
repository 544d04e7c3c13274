"""What people do at pages that no other test opens, in a real browser over a consortium at work."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeAlias

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from storage.objects import ObjectStore
from tests.support.peers import require_program
from tests.support.scene import BOTH, Places
from tests.support.screens import WEB, filled
from tests.support.seed import PASSWORD, Consortium
from tests.support.serving import served
from tests.support.viewer import FLAGS

Opening: TypeAlias = Callable[[str, str], Page]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(300),
    pytest.mark.skipif(not (WEB / "dist" / "index.html").is_file(), reason="pages are not built"),
]


@pytest.fixture
def opened(
    consortium: Consortium, objects: ObjectStore, tmp_path: Path
) -> Iterator[tuple[Opening, Places]]:
    """Opens a page as somebody who has just signed in, with the addresses of what is there."""
    chromium = require_program("chromium", package="chromium")
    app, places = filled(consortium, objects, tmp_path)
    with served(app) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=list(FLAGS))
        failures: list[str] = []

        def opening(login: str, path: str) -> Page:
            page = browser.new_context(base_url=address, locale="zh-CN").new_page()
            page.set_default_timeout(20_000)
            page.on("pageerror", lambda error: failures.append(str(error)))
            page.goto(path)
            page.get_by_label("用户名").fill(login)
            page.get_by_label("密码", exact=True).fill(PASSWORD)
            page.get_by_role("button", name="登录").click()
            return page

        yield opening, places
        browser.close()
    assert failures == []


def test_people_choose_change_correct_and_doubt(opened: tuple[Opening, Places]) -> None:
    opening, places = opened
    expect.set_options(timeout=20_000)

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
