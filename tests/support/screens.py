"""Pictures of every page in both languages, both appearances and both widths, to be looked at.

    python -m tests.support.screens OUT [--only NAME …] [--crossed] [--viewer]

It starts the application in this process over a database of its own that holds something in every
state, signs in as whoever the page is for, and writes `OUT/<page>-<language>-<width>-<look>.png`.
Beside the pictures it says what stands out of a page, what a script reported, and what breaks a
rule of accessibility: nothing, if all is well.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager
from itertools import product
from pathlib import Path

from fastapi import FastAPI
from playwright.sync_api import BrowserContext, Page, expect, sync_playwright
from playwright.sync_api import Error as BrowserError

from deploy.embedded.postgres import EmbeddedPostgres
from reading_worklist.app import create_app
from reading_worklist.services import WebConfig
from reading_worklist.signing.authority import open_authority
from reading_worklist.signing.long_term import LongTerm
from reading_worklist.signing.service_keys import make_service_keys
from storage.database import Database, migrate
from storage.objects import ObjectStore, open_object_store
from tests.support.accessibility import violations
from tests.support.peers import REPOSITORY, find_program
from tests.support.scene import Places, Scene
from tests.support.seed import PASSWORD, Consortium
from tests.support.serving import served
from tests.support.shots import all_shots
from tests.support.shots.shot import Shot
from tests.support.viewer import FLAGS
from tests.support.web import give_keys

WEB = REPOSITORY / "reading_worklist" / "web"
LANGUAGES = ("zh-CN", "en")
NARROW = 1024
SIZES = ((NARROW, 768), (1440, 900))
LOOKS = ("light", "dark")
# What `design/Failed.tsx` shows; a script's error that React has caught is no error of the page.
CRASHED = ".failed"
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
        long_term=LongTerm(make_service_keys(directory / "authority", authority)),
    )
    app = create_app(config, consortium.database, objects)
    (directory / "phantom").mkdir()
    return app, Scene(consortium, objects, app, authority).fill(directory / "phantom")


def take(context: BrowserContext, shot: Shot, language: str, look: str, out: Path) -> bool:
    """Take the pictures of one page, narrow and wide; returns whether nothing is wrong with it."""
    script: list[str] = []
    page = context.new_page()
    page.on("pageerror", lambda error: script.append(f"script: {error}"))
    preferences = {"rdc.language": language, "rdc.appearance": look}
    # Each picture is of a page as it is for somebody who arranged nothing yet.
    page.add_init_script(
        "if (self === top) {"
        f" for (const [key, value] of Object.entries({json.dumps(preferences)}))"
        " localStorage.setItem(key, value);"
        " localStorage.removeItem('rdc.reading-layout'); }"
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
        if page.locator(CRASHED).count():
            wrong.append("the page or a part of it has failed")
        # The image viewer is a package that is taken as it is.
        if width == NARROW and "/viewer/" not in page.url:
            wrong += violations(page)
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


def walk(
    address: str, places: Places, out: Path, only: list[str], pairs: Sequence[tuple[str, str]]
) -> bool:
    """Take all pictures in one Chromium; returns whether nothing was wrong.

    pairs: languages and looks.
    """
    fine = True
    wanted = [
        one
        for one in all_shots(places)
        if not only or any(one.name.startswith(name) for name in only)
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
                for language, look in pairs:
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
    parser.add_argument(
        "--crossed",
        action="store_true",
        help="half of the pictures: each language in one look, the first in the first of --looks",
    )
    parser.add_argument("--viewer", action="store_true", help="with the image viewer, slow")
    arguments = parser.parse_args()
    pairs: Iterable[tuple[str, str]] = (
        zip(LANGUAGES, arguments.looks, strict=False)
        if arguments.crossed
        else product(LANGUAGES, arguments.looks)
    )
    arguments.out.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as directory,
        seeded(Path(directory), viewer=arguments.viewer) as (app, places),
        served(app) as address,
    ):
        fine = walk(address, places, arguments.out, arguments.only, list(pairs))
    return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(main())
