"""Links for a doctor outside: made at an exam, and where they lead."""

from playwright.sync_api import Page

from tests.support.scene import Places
from tests.support.shots.shot import Shot
from tests.support.viewer import GREY_LEVELS


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


def _lacking(page: Page) -> None:
    page.keyboard.press("Alt+o")
    page.locator(".shares button").last.click()
    page.locator(".ant-modal .ant-btn-primary").click()
    page.locator(".reason-message, [role=alert]").last.wait_for()


def _ended(page: Page) -> None:
    _made(page)
    url = page.locator(".ant-modal textarea").input_value()
    page.locator(".ant-modal .ant-btn-primary").click()
    page.locator(".share button").first.click()
    page.locator(".ant-modal textarea").fill("发错了人，重新发送")
    page.locator(".ant-modal .ant-btn-primary").click()
    page.locator(".ant-modal").wait_for(state="hidden")
    page.goto("/verify")
    page.goto("/share#" + url.partition("#")[2])
    page.locator("[type=submit]").click()
    page.locator(".verdict").wait_for()


def _listing_ended(page: Page) -> None:
    page.keyboard.press("Alt+o")
    page.locator(".share-ended").first.wait_for()
    page.locator(".share-ended").first.scroll_into_view_if_needed()


def _images(page: Page) -> None:
    """What a guest sees of the images, where the viewer is there."""
    _opened(page)
    page.locator(".share-ways a").first.click()
    page.wait_for_url("**/viewer**")
    if page.locator("#root").count():
        page.wait_for_function(f"({GREY_LEVELS})() > 20", timeout=90_000)


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
        Shot("share-images", "writer", exam, _images, loads=False),
        Shot("share-ended", "writer", exam, _ended),
        Shot("share-listed-ended", "writer", exam, _listing_ended),
        Shot("share-lacking", "writer", exam, _lacking),
        Shot("share-without", None, "/share"),
    ]
