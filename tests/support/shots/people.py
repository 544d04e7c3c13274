"""People for their administrators, what a second factor looks like, and the end of a session."""

from datetime import timedelta

from playwright.sync_api import Page, Route

from storage.clock import utc_now
from tests.support.scene import Places
from tests.support.seed import PASSWORD
from tests.support.shots.shot import Act, Shot


def _with_providers(page: Page) -> None:
    listed = [{"name": "county", "label": "县统一认证", "label_en": "county account"}]
    page.route("**/api/session/providers", lambda route: route.fulfill(json=listed))
    page.goto(f"{page.url.split('?')[0]}?problem=outside-unknown")
    page.locator(".sign-in-provider").wait_for()


def _asked_for_a_code(page: Page) -> None:
    refusal = {"type": "urn:rdc:problem:second-factor-required", "title": "", "status": 401}
    page.route("**/api/session", lambda route: route.fulfill(status=401, json=refusal))
    page.locator("[name=login]").fill("writer")
    page.locator("[name=password]").fill(PASSWORD)
    page.locator("[type=submit]").click()
    page.locator("[name=code]").wait_for()


def _session(**changes: object) -> Act:
    """Let the server say something else of the session."""

    def act(page: Page) -> None:
        def changed(route: Route) -> None:
            answer = route.fetch()
            route.fulfill(response=answer, json={**answer.json(), **changes})

        page.route("**/api/session", changed)
        page.reload()
        page.locator(".account-outstanding form, .account-outstanding button").first.wait_for()

    return act


def _enrolling(page: Page) -> None:
    page.locator(".account-factor + .account-buttons button").click()
    page.locator(".ant-modal input").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.locator(".account-qr").wait_for()


def _ends(page: Page) -> None:
    end = (utc_now() + timedelta(seconds=95)).isoformat()

    def changed(route: Route) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, json={**answer.json(), "expires_at": end})

    page.route("**/api/session", changed)
    page.reload()
    page.locator("[role=timer]").wait_for(timeout=20_000)


def _approved(page: Page) -> None:
    def changed(route: Route) -> None:
        until = (utc_now() + timedelta(days=7)).isoformat()
        none = {"serial": None, "until": None, "approved_until": until}
        answer = route.fetch()
        route.fulfill(response=answer, json={**answer.json(), **none})

    page.route("**/api/account/signing-key", changed)
    page.reload()
    page.locator(".account-part form").first.wait_for()


def _adding(page: Page) -> None:
    page.locator(".page-head .ant-btn-primary").wait_for()
    page.keyboard.press("n")
    page.locator(".ant-modal input").first.wait_for()


def shots(places: Places) -> list[Shot]:
    """In the order in which they are taken."""
    person = f"/people/{places.more['person']}?show=all"
    return [
        Shot("people", "head", "/people?show=all"),
        Shot("people-one", "head", person),
        Shot("people-sign", "head", f"/people/{places.more['new-writer']}?show=all"),
        Shot("key-own", "writer", "/account", _approved),
        Shot("people-add", "head", "/people", _adding),
        Shot("factor-set-up", "writer", "/account", _enrolling),
        Shot("factor-asked", None, "/sign-in", _asked_for_a_code),
        Shot("sign-in-providers", None, "/sign-in", _with_providers),
        Shot("outstanding-code", "writer", "/", _session(outstanding="code")),
        Shot("outstanding-password", "writer", "/", _session(outstanding="password")),
        Shot("outstanding-enrol", "writer", "/", _session(outstanding="enrol")),
        Shot("session-ends", "writer", "/worklist", _ends),
    ]
