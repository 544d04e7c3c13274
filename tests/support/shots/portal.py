"""The site's pages: what waits, exams, orders, the own month."""

from datetime import UTC, datetime

from playwright.sync_api import Page

from tests.support.scene import Places
from tests.support.shots.shot import Shot, fails, first_button, hangs, pressed

CHEST_PAIN_ID = "110105198103123521"


def chest_pain(page: Page) -> None:
    """Fill a new order of an ECG for chest pain, as far as it goes from a scanned document."""
    page.keyboard.press("n")
    page.locator(".order-form .ant-select input").first.fill(CHEST_PAIN_ID)
    page.locator("#patient_name").fill("郭建军")
    page.locator("#modality").click()
    page.keyboard.type("ECG")
    page.keyboard.press("Enter")
    page.locator(".ant-segmented-item").filter(has_text="STAT").or_(
        page.locator(".ant-segmented-item").filter(has_text="急诊")
    ).last.click()
    page.locator("#priority_reason").click()
    page.keyboard.press("Enter")
    page.locator(".order-contact button").click(timeout=5_000)


def duplicate(page: Page) -> None:
    """Choose a known patient and what he has today already."""
    page.keyboard.press("n")
    page.locator(".order-form .ant-select input").first.fill("DH3003")
    page.locator(".ant-select-item-option").first.click(timeout=5_000)
    page.locator("#modality").click()
    page.keyboard.type("CT")
    page.keyboard.press("Enter")
    page.locator("#procedure_description").fill("HEAD")
    page.keyboard.press("Enter")
    page.locator(".order-duplicate").wait_for(timeout=5_000)


def behind(page: Page) -> None:
    """Ask for the exams of a figure."""
    page.locator(".portal-figure").first.click(timeout=5_000)


def shots(places: Places) -> list[Shot]:
    """In the order in which they are taken."""
    item, more = places.workitems, places.more
    month = f"{datetime.now(UTC):%Y-%m}"
    return [
        Shot("orders", "technician-east", "/orders?show=all"),
        Shot("orders-empty", "technician-east", "/orders?show=problem"),
        Shot("order-new", "technician-east", "/orders", pressed("n")),
        Shot("order-chest-pain", "technician-east", "/orders", chest_pain),
        Shot("order-duplicate", "technician-east", "/orders", duplicate),
        Shot("order-amend", "technician-east", "/orders", first_button(".order-amend")),
        Shot("order-cancel", "technician-east", "/orders", first_button(".order-cancel")),
        Shot("portal", "doctor-east", "/portal"),
        Shot("portal-quiet", "doctor-west", "/portal"),
        Shot("portal-failed", "doctor-east", "/portal", fails("**/api/portal/*")),
        Shot("portal-list", "doctor-east", "/site-exams"),
        Shot("portal-list-late", "doctor-east", "/site-exams?needs=late"),
        Shot("portal-list-empty", "doctor-east", "/site-exams?q=nobody"),
        Shot(
            "portal-list-loading",
            "doctor-east",
            "/site-exams",
            hangs("**/api/portal/exams?*"),
            loads=False,
        ),
        Shot("portal-exam", "doctor-east", f"/portal/{item['E1006']}"),
        Shot("portal-quality", "doctor-east", f"/portal/{item['DH20261121']}"),
        Shot("portal-coming", "doctor-east", f"/portal/{more['coming']}"),
        Shot("portal-chest-pain", "doctor-east", f"/portal/{more['chest-pain']}"),
        Shot("portal-recalled", "doctor-east", f"/portal/{more['amended']}"),
        Shot("portal-retaken", "doctor-east", f"/portal/{more['retaken']}"),
        Shot("portal-statistics", "doctor-east", f"/site-statistics?month={month}", behind),
        Shot("portal-statistics-empty", "doctor-east", "/site-statistics?month=2020-01"),
    ]
