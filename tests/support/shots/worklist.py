"""The worklist and the wall board in their states."""

from playwright.sync_api import Page

from tests.support.scene import Places
from tests.support.shots.shot import Shot, fails, hangs, pressed

NARROW = "/worklist?lane=imaging&priority=STAT,ROUTINE&modality=CT,MR&part=chest&days=7&whose=all"


def shots(_places: Places) -> list[Shot]:
    """In the order in which they are taken."""
    return [
        Shot("worklist", "writer", "/worklist"),
        Shot("worklist-narrow", "reviewer", NARROW),
        Shot("worklist-filters", "reviewer", NARROW, pressed("f")),
        Shot("worklist-view", "reviewer", NARROW, pressed("v")),
        Shot("worklist-dispatcher", "dispatcher", "/worklist", marked),
        Shot("worklist-assign", "dispatcher", "/worklist", assigning),
        Shot("worklist-empty", "writer", "/worklist?q=nobody"),
        Shot("worklist-help", "writer", "/worklist", pressed("?")),
        Shot("worklist-offline", "writer", "/worklist", offline=True),
        Shot("worklist-failed", "writer", "/worklist", fails("**/api/workitems?*")),
        Shot("worklist-loading", "writer", "/worklist", hangs("**/api/workitems?*"), loads=False),
        Shot("board", "regulator", "/board"),
        Shot("board-centre", "dispatcher", "/board"),
        Shot("board-stale", "dispatcher", "/board", stale, loads=False),
        Shot("navigation", "dispatcher", "/worklist", menu, loads=False),
    ]


def marked(page: Page) -> None:
    """Mark two rows by keyboard."""
    for key in ("j", "j", "x", "x"):
        page.keyboard.press(key)


def assigning(page: Page) -> None:
    """Mark two rows and ask to whom they may go."""
    marked(page)
    page.keyboard.press("a")
    page.locator(".assign-person").first.wait_for()


def stale(page: Page) -> None:
    """The server does not answer any more."""
    page.route("**/api/worklist/board", lambda route: route.abort())
    page.locator(".board-stale").wait_for(timeout=30_000)


def menu(page: Page) -> None:
    """Open a menu of the navigation by keyboard."""
    page.locator(".nav-menu-button").first.press("ArrowDown")
    page.locator(".nav-menu-pages a").first.wait_for()
