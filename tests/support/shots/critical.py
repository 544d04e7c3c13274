"""Critical values, the telephone list, retakes, consultations and preliminary reports."""

import json

from playwright.sync_api import Page, Route

from tests.support.scene import Places
from tests.support.shots.shot import Act, Shot, fails, hangs, pressed


def escalated(page: Page) -> None:
    """Show the banner of the centre as if nobody had answered."""

    def answer(route: Route) -> None:
        body = route.fetch().json()
        for one in body["items"]:
            if one["state"] == "NOTIFYING":
                one |= {"state": "ESCALATED", "level": 2}
        route.fulfill(body=json.dumps(body), content_type="application/json")

    page.route("**/api/critical-values?*page_size=200*", answer)
    page.reload()
    page.locator(".alert").first.wait_for(timeout=15_000)


def panel(key: str, wanted: str) -> Act:
    """Open a panel beside the report by its key."""

    def act(page: Page) -> None:
        # Which panel is open is remembered, and the key would close it.
        if page.locator(wanted).count() == 0:
            page.keyboard.press(f"Alt+{key}")
        page.locator(wanted).first.wait_for(timeout=10_000)

    return act


def raising(page: Page) -> None:
    """Choose an item of the list."""
    panel("c", ".panel-critical")(page)
    page.locator(".panel-critical .critical-rules input").nth(5).check()


def calling(page: Page) -> None:
    """Note a call."""
    page.locator(".phone-task footer button").first.click(timeout=10_000)
    page.locator(".phone-form").wait_for()


def signing(page: Page) -> None:
    """Write an opinion and begin to sign it."""
    page.locator(".consultation textarea").fill("考虑高血压性脑出血；建议 CTA 排除血管畸形。")
    page.locator(".critical-form button[type=submit]").click()
    page.locator("input[name=signing-pin]").wait_for()


def asking(page: Page) -> None:
    """Open the form for a consultation, with the experts."""
    panel("o", ".panel-consultation")(page)
    page.locator(".panel-consultation > button").click()
    page.locator(".critical-form .ant-select").first.click()
    page.locator(".ant-select-item-option").first.wait_for(timeout=10_000)


def shots(places: Places) -> list[Shot]:
    """In the order in which they are taken."""
    more, item = places.more, places.workitems
    told = f"/critical/{more['critical-told']}"
    south = "doctor-south"
    return [
        Shot("critical", "reviewer", "/critical"),
        Shot("critical-told", "reviewer", told),
        Shot("critical-closed", "reviewer", f"/critical/{more['critical-closed']}"),
        Shot("critical-alert", "reviewer", told, escalated),
        Shot("critical-empty", "doctor-west", "/critical"),
        Shot("critical-failed", "reviewer", "/critical", fails("**/api/critical-values*")),
        Shot("critical-loading", "reviewer", "/critical", hangs("**/api/crit*"), loads=False),
        Shot("critical-raise", "writer", f"/exams/{item['E1002']}", raising),
        Shot(
            "critical-panel",
            "writer",
            f"/exams/{more['south-exam']}",
            panel("c", ".panel-critical"),
        ),
        Shot("critical-site", south, told),
        Shot("critical-site-acked", south, f"/critical/{more['critical-acked']}"),
        Shot("critical-portal", south, "/portal"),
        Shot("critical-portal-exam", south, f"/portal/{more['south-exam']}"),
        Shot("phone", "dispatcher", "/phone"),
        Shot("phone-call", "dispatcher", "/phone", calling),
        Shot("phone-contacts", south, "/phone"),
        Shot("phone-clocks", "admin", "/phone?tab=clocks"),
        Shot("retakes", "dispatcher", f"/retakes/{more['retake-waiting']}"),
        Shot("retakes-site", south, f"/retakes/{more['retake-waiting']}"),
        Shot("retakes-booked", south, f"/retakes/{more['retake-booked']}"),
        Shot("retake-panel", "writer", f"/exams/{item['E1003']}", panel("r", ".panel-retake")),
        Shot("consultations", "reviewer", f"/consultations/{more['consult-answered']}"),
        Shot("consult-ask", "writer", f"/exams/{item['E1002']}", asking),
        Shot("consult-expert", "expert", f"/consultations/{more['consult-scheduled']}"),
        Shot("consult-expert-ecg", "expert", f"/consultations/{more['consult-waiting']}"),
        Shot("consult-sign", "expert", f"/consultations/{more['consult-scheduled']}", signing),
        Shot("consult-experts", "admin", "/consultations?tab=experts"),
        Shot("preliminary", "reviewer", "/preliminary"),
        Shot("critical-help", "writer", f"/exams/{item['E1002']}", pressed("?")),
    ]
