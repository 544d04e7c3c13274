"""Links for a doctor outside: made at an exam, and where they lead."""

from playwright.sync_api import Page

from tests.support.scene import Places
from tests.support.shots.shot import Shot


def _dialog(page: Page) -> None:
    page.keyboard.press("Alt+o")
    page.locator(".shares button").last.click()
    page.locator(".ant-modal input").first.fill("省人民医院 放射科 陈主任")
    page.locator(".ant-modal input").nth(1).fill("患者书面同意（2026-11-22）")


def _made(page: Page) -> None:
    _dialog(page)
    page.locator(".ant-modal .ant-btn-primary").click()
    page.locator(".share-code").wait_for()


def _listed(page: Page) -> None:
    _made(page)
    page.locator(".ant-modal .ant-btn-primary").click()
    page.locator(".share").first.wait_for()


def _opened(page: Page) -> None:
    _made(page)
    url = page.locator(".ant-modal textarea").input_value()
    code = page.locator(".share-code").inner_text()
    # Another page first: a change behind the number sign alone loads nothing.
    page.goto("/verify")
    page.goto("/share#" + url.partition("#")[2])
    page.locator("[name=code]").fill(code)
    page.locator("[type=submit]").click()
    page.locator(".share-ways").wait_for()


def shots(places: Places) -> list[Shot]:
    """In the order in which they are taken."""
    exam = f"/exams/{places.workitems['E1003']}"
    return [
        Shot("share-dialog", "writer", exam, _dialog),
        Shot("share-made", "writer", exam, _made),
        Shot("share-listed", "writer", exam, _listed),
        Shot("share-opened", "writer", exam, _opened),
        Shot("share-without", None, "/share"),
    ]
