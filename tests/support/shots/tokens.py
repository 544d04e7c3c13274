"""Tokens of machines for who looks after them."""

from playwright.sync_api import Page

from tests.support.scene import Places
from tests.support.shots.shot import Shot


def _making(page: Page) -> None:
    page.locator(".page-head .ant-btn-primary").wait_for()
    page.keyboard.press("n")
    page.locator(".ant-modal input").first.wait_for()


def _rotated(page: Page) -> None:
    page.locator(".tokens-buttons button").first.click()
    page.locator(".ant-modal .ant-btn-primary").click()
    page.locator(".tokens-secret").wait_for()


def shots(_places: Places) -> list[Shot]:
    """In the order in which they are taken: the last makes a token."""
    return [
        Shot("tokens", "machinist", "/tokens?show=all"),
        Shot("tokens-make", "machinist", "/tokens", _making),
        Shot("tokens-secret", "machinist", "/tokens?q=HIS", _rotated),
    ]
