"""What a picture of a page is, and what can be done on the page before it is taken."""

from collections.abc import Callable
from dataclasses import dataclass

from playwright.sync_api import Page

OUTAGE = {"type": "urn:rdc:problem:unavailable", "title": "Not available", "status": 503}

Act = Callable[[Page], None]


@dataclass(frozen=True, slots=True)
class Shot:
    """One picture: who opens which address, and what he does there before it is taken.

    offline: the network goes away. loads: the page comes to rest after `act`.
    """

    name: str
    login: str | None
    path: str
    act: Act | None = None
    offline: bool = False
    loads: bool = True


def pressed(key: str) -> Act:
    """Press a key of the page."""
    return lambda page: page.keyboard.press(key)


def first_button(selector: str) -> Act:
    """Click the first of these."""
    return lambda page: page.locator(selector).first.click(timeout=5_000)


def refused(page: Page) -> None:
    """Try a wrong password."""
    page.locator("[name=login]").fill("writer")
    page.locator("[name=password]").fill("wrong")
    page.locator("[type=submit]").click()
    page.locator("[role=alert] strong").wait_for()


def doubt(page: Page) -> None:
    """Begin to send the exam to the identity desk."""
    page.locator(".reading-doubt").click(timeout=5_000)


def fails(pattern: str) -> Act:
    """Let requests fail as a broken server does, and ask again."""

    def act(page: Page) -> None:
        page.route(pattern, lambda route: route.fulfill(status=503, json=OUTAGE))
        page.reload()
        page.locator("[role=alert]").first.wait_for(timeout=20_000)

    return act


def hangs(pattern: str) -> Act:
    """Let requests wait for ever."""

    def act(page: Page) -> None:
        page.route(pattern, lambda _route: None)
        page.reload()
        page.locator("[aria-busy=true]").first.wait_for(timeout=20_000)

    return act
