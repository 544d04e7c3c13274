"""Pictures of every page in both languages, both appearances and both widths, to be looked at.

    python -m tests.support.screens OUT [--only NAME …] [--viewer]

It starts the application in this process over a database of its own that holds something in every
state, signs in as whoever the page is for, and writes `OUT/<page>-<language>-<width>-<look>.png`.
Beside the pictures it says what stands out of a page and what a script reported: nothing, if all
is well.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import product
from pathlib import Path

from fastapi import FastAPI
from playwright.sync_api import BrowserContext, Page, expect, sync_playwright
from playwright.sync_api import Error as BrowserError

from deploy.embedded.postgres import EmbeddedPostgres
from reading_worklist.app import create_app
from reading_worklist.services import WebConfig
from reading_worklist.signing.authority import open_authority
from storage.database import Database, migrate
from storage.objects import ObjectStore, open_object_store
from tests.support.peers import REPOSITORY, find_program
from tests.support.scene import BOTH, Places, Scene
from tests.support.seed import PASSWORD, Consortium
from tests.support.serving import served
from tests.support.viewer import FLAGS
from tests.support.web import give_keys

WEB = REPOSITORY / "reading_worklist" / "web"
LANGUAGES = ("zh-CN", "en")
SIZES = ((1024, 768), (1440, 900))
LOOKS = ("light", "dark")
LOADING = "[aria-busy=true], .ant-skeleton, .plain-loading"
# What stands out of the window sideways, and texts that are cut without a title.
OVERFLOW = """() => {
  const found = [];
  if (document.documentElement.scrollWidth > innerWidth) {
    found.push(`page is ${document.documentElement.scrollWidth} wide`);
  }
  for (const one of document.querySelectorAll(
    'button, a, h1, h2, th, td, label, .chip, .ant-segmented-item')) {
    const box = one.getBoundingClientRect();
    if (!box.width || !box.height || one.closest('.visually-hidden')) continue;
    if (box.right > innerWidth + 1) found.push(`outside: ${one.textContent.trim().slice(0, 40)}`);
    else if (one.scrollWidth > one.clientWidth + 1 && getComputedStyle(one).overflow === 'hidden'
        && !one.title) {
      found.push(`cut: ${one.textContent.trim().slice(0, 40)}`);
    }
  }
  return found;
}"""

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


def shots(places: Places) -> list[Shot]:
    """Every page and the states of it that are worth a look."""
    item = places.workitems
    return [
        Shot("sign-in", None, "/sign-in"),
        Shot("sign-in-refused", None, "/sign-in", refused),
        Shot("organisation", BOTH, "/organisation"),
        Shot("verify", None, "/verify"),
        Shot("verify-valid", None, f"/verify/{places.verification_code}"),
        Shot("verify-unknown", None, "/verify/AAAAAAAAAAAA"),
        Shot("worklist", "writer", "/worklist"),
        Shot("worklist-empty", "writer", "/worklist?q=nobody"),
        Shot("worklist-help", "writer", "/worklist", pressed("?")),
        Shot("worklist-offline", "writer", "/worklist", offline=True),
        Shot("worklist-failed", "writer", "/worklist", fails("**/api/workitems?*")),
        Shot("worklist-loading", "writer", "/worklist", hangs("**/api/workitems?*"), loads=False),
        Shot("reading-write", "writer", f"/exams/{item['DH20261121']}"),
        Shot("reading-status", "writer", f"/exams/{item['E1003']}"),
        Shot("reading-review", "reviewer", f"/exams/{item['W2001']}"),
        Shot("reading-returned", "writer", f"/exams/{item['W2002']}"),
        Shot("reading-signed", "reviewer", f"/exams/{item['E1006']}"),
        Shot("reading-corrected", "writer", f"/exams/{item['E1007']}"),
        Shot("reading-held", "dispatcher", f"/exams/{item['E1002']}"),
        Shot("reading-doubt", "dispatcher", f"/exams/{item['E1003']}", doubt),
        Shot("reading-ecg", "writer", f"/exams/{item['ecg']}"),
        Shot("reading-missing", "writer", "/exams/00000000-0000-4000-8000-000000000000"),
        Shot("identity", "dispatcher", "/identity"),
        Shot("identity-case", "dispatcher", f"/identity/{places.case}"),
        Shot("identity-decided", "dispatcher", f"/identity/{places.decided_case}"),
        Shot("quarantine", "dispatcher", "/quarantine"),
        Shot("quarantine-compare", "dispatcher", f"/quarantine/{places.conflict}"),
        Shot("quarantine-stranger", "dispatcher", f"/quarantine/{places.stranger}"),
        Shot("deliveries", "dispatcher", "/deliveries"),
        Shot("keeping-usage", "admin", "/keeping?tab=usage"),
        Shot("keeping-rules", "admin", "/keeping?tab=rules"),
        Shot("keeping-rule-edit", "admin", "/keeping?tab=rules", first_button(".rule-change")),
        Shot("keeping-due", "admin", "/keeping?tab=due"),
        Shot("keeping-purges", "admin2", "/keeping?tab=purges"),
        Shot("keeping-holds", "admin", "/keeping?tab=holds"),
        Shot("keeping-hold-release", "admin", "/keeping?tab=holds", first_button("td button")),
        Shot("orders", "technician-east", "/orders?tab=all"),
        Shot("orders-empty", "technician-east", "/orders?tab=problem"),
        Shot("order-new", "technician-east", "/orders", pressed("n")),
        Shot("order-amend", "technician-east", "/orders", first_button(".order-amend")),
        Shot("order-cancel", "technician-east", "/orders", first_button(".order-cancel")),
        Shot("portal", "doctor-east", "/portal"),
        Shot("portal-exam", "doctor-east", f"/portal/{item['E1006']}"),
        Shot("portal-quality", "doctor-east", f"/portal/{item['DH20261121']}"),
        Shot("no-page", "regulator", "/"),
        Shot("not-found", "writer", "/nowhere"),
    ]


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


@contextmanager
def seeded(directory: Path, *, viewer: bool) -> Generator[tuple[FastAPI, Places]]:
    """The application over a database of its own in which something stands in every state."""
    with EmbeddedPostgres(directory / "postgres", durable=False) as server:
        migrate(server.url)
        database = Database(server.url)
        objects = open_object_store(f"file://{directory / 'objects'}")
        yield filled(Consortium(database), objects, directory, viewer=viewer)
        database.close()


def filled(
    consortium: Consortium, objects: ObjectStore, directory: Path, *, viewer: bool = False
) -> tuple[FastAPI, Places]:
    """The application with the built pages over a consortium at work."""
    give_keys(consortium, directory)
    authority = open_authority(directory / "authority", organisation="青山县医共体", name="测试 CA")
    config = WebConfig(
        web_ui=WEB / "dist",
        ohif=WEB / "node_modules" / "@ohif" / "app" / "dist" if viewer else directory / "none",
        fonts=(),
        trust_anchors=(authority.certificate_pem,),
    )
    app = create_app(config, consortium.database, objects)
    (directory / "phantom").mkdir()
    return app, Scene(consortium, objects, app).fill(directory / "phantom")


def take(context: BrowserContext, shot: Shot, language: str, look: str, out: Path) -> bool:
    """Take the pictures of one page, narrow and wide; returns whether nothing is wrong with it."""
    script: list[str] = []
    page = context.new_page()
    page.on("pageerror", lambda error: script.append(f"script: {error}"))
    preferences = {"rdc.language": language, "rdc.appearance": look}
    page.add_init_script(
        "if (self === top)"
        f" for (const [key, value] of Object.entries({json.dumps(preferences)}))"
        " localStorage.setItem(key, value);"
    )
    fine = True
    for width, height in SIZES:
        page.set_viewport_size({"width": width, "height": height})
        if page.url == "about:blank" or shot.path.startswith("/exams/"):
            script.extend(opened(page, shot))
        if shot.offline:
            context.set_offline(offline=True)
            page.locator(".offline").wait_for(timeout=10_000)
        name = f"{shot.name}-{language}-{width}-{look}"
        page.screenshot(path=out / f"{name}.png", animations="disabled")
        wrong = [*script, *page.evaluate(OVERFLOW)]
        sys.stdout.write(f"{name}: {'; '.join(wrong) or 'ok'}\n")
        fine = fine and not wrong
    context.set_offline(offline=False)
    page.close()
    return fine


def opened(page: Page, shot: Shot) -> list[str]:
    """Open the page of a picture and do what is done there; returns what did not work."""
    try:
        page.goto(shot.path)
        quiet(page)
        if shot.act is not None:
            shot.act(page)
            if shot.loads:
                quiet(page)
    except (BrowserError, AssertionError) as error:
        # One page must not keep the others from being seen.
        return [f"not as expected: {str(error).splitlines()[0]}"]
    return []


def quiet(page: Page) -> None:
    """Wait until nothing is being loaded, so far as a page with live events can be quiet."""
    page.wait_for_load_state("load")
    page.locator("h1").first.wait_for(timeout=15_000)
    expect(page.locator(LOADING)).to_have_count(0, timeout=15_000)
    page.evaluate("() => new Promise((seen) => requestAnimationFrame(() => setTimeout(seen, 150)))")


def walk(address: str, places: Places, out: Path, only: list[str], looks: list[str]) -> bool:
    """Take all pictures in one Chromium; returns whether nothing was wrong."""
    fine = True
    wanted = [
        one for one in shots(places) if not only or any(one.name.startswith(name) for name in only)
    ]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=find_program("chromium"), args=list(FLAGS)
        )
        for login in dict.fromkeys(one.login for one in wanted):
            context = browser.new_context(base_url=address, locale="zh-CN")
            context.set_default_timeout(15_000)
            if login is not None:
                credentials = {"login": login, "password": PASSWORD}
                answer = context.request.post("/api/session", data=credentials)
                assert answer.ok, answer.text()
            for shot in (one for one in wanted if one.login == login):
                for language, look in product(LANGUAGES, looks):
                    fine = take(context, shot, language, look, out) and fine
            context.close()
        browser.close()
    return fine


def main() -> int:
    """Take the pictures; the exit status says whether a page overflows or fails."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--only", nargs="*", default=[], help="beginnings of names of pictures")
    parser.add_argument("--looks", nargs="*", default=list(LOOKS), choices=LOOKS)
    parser.add_argument("--viewer", action="store_true", help="with the image viewer, slow")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as directory,
        seeded(Path(directory), viewer=arguments.viewer) as (app, places),
        served(app) as address,
    ):
        fine = walk(address, places, arguments.out, arguments.only, arguments.looks)
    return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(main())
