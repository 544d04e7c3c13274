"""People at their browsers: from sign-in to the opened report, for images and for an ECG."""

import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813 -- the library's own abbreviation
from playwright.sync_api import Browser, Page, expect

from tests.e2e.people import (
    SCREENSHOTS,
    Person,
    demonstration,
    open_chromium,
    open_exam,
    row_of,
    sign_ins,
    signatures,
    takes_the_offered,
)
from tests.e2e.system import RunningSystem, wait_for

PATIENT = "欧阳建国"

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSystem]:
    running = demonstration(tmp_path_factory.mktemp("demo"))
    yield running
    running.stop()


@pytest.fixture(scope="module")
def people(system: RunningSystem) -> dict[str, dict[str, Any]]:
    return sign_ins(system)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with open_chromium() as browser:
        yield browser


def test_an_image_from_worklist_to_opened_report(
    system: RunningSystem, people: dict[str, dict[str, Any]], chromium: Browser
) -> None:
    writer = Person(chromium, system, people["li.shu"])
    expect(row_of(writer.page, PATIENT)).to_be_visible(timeout=30_000)
    writer.sees("worklist")
    open_exam(writer.page, PATIENT)
    writer.page.get_by_role("button", name=re.compile("^领取并书写")).click()
    writer.page.get_by_label("影像所见").fill("右肺上叶见一实性结节，直径约14 mm。")
    writer.page.get_by_label("影像诊断").fill("右肺上叶结节，建议随访。")
    writer.page.keyboard.press("Alt+q")
    expect(writer.page.get_by_text("层面核对未见异常")).to_be_visible(timeout=60_000)
    writer.page.keyboard.press("Alt+q")
    image_is_visible(writer.page)
    writer.sees("reading")
    writer.page.get_by_role("button", name=re.compile("^签名提交")).click()
    writer.sign()
    expect(writer.page.get_by_text("您已签名提交，需由另一位医师审核")).to_be_visible(
        timeout=30_000
    )

    reviewer = Person(chromium, system, people["wang.shen"], width=1024)
    open_exam(reviewer.page, PATIENT)
    reviewer.page.get_by_role("button", name=re.compile("^开始审核")).click()
    expect(reviewer.page.get_by_text("右肺上叶结节，建议随访。").first).to_be_visible()
    reviewer.sees("review-1024")
    reviewer.page.get_by_role("button", name=re.compile("^签名签发")).click()
    reviewer.sign()
    expect(reviewer.page.get_by_text("正式报告").first).to_be_visible(timeout=30_000)
    reviewer.sees("final-1024")
    reviewer.leave()
    writer.leave()
    the_site_opens(system, people["sun.dong"], chromium, PATIENT, "portal")


def test_an_ecg_from_worklist_to_opened_report(
    system: RunningSystem, people: dict[str, dict[str, Any]], chromium: Browser
) -> None:
    patient = "Anonymous"
    writer = Person(chromium, system, people["zhou.xin"])
    open_exam(writer.page, patient)
    writer.page.get_by_role("button", name=re.compile("^领取并书写")).click()
    trace = writer.page.locator("svg[data-mm-per-mv]").first
    expect(trace).to_be_visible(timeout=30_000)
    assert trace.get_attribute("data-mm-per-mv") == "10"
    assert trace.get_attribute("data-mm-per-second") == "25"
    assert len(trace.locator("[data-lead]").all()) >= 12
    # The device's own values, as the file has them.
    for value in ("161", "75", "368"):
        expect(writer.page.get_by_text(value, exact=False).first).to_be_visible()
    writer.page.get_by_label("心电图诊断").fill("窦性心律，正常心电图。")
    # A report of an ECG says of which class it is.
    writer.page.get_by_label(writer.word("code.ecg_class")).click()
    takes_the_offered(writer.page)
    writer.sees("ecg")
    writer.page.get_by_role("button", name=re.compile("^签名提交")).click()
    writer.sign()
    expect(writer.page.get_by_text("您已签名提交，需由另一位医师审核")).to_be_visible(
        timeout=30_000
    )
    writer.leave()
    reviewer = Person(chromium, system, people["wang.shen"])
    open_exam(reviewer.page, patient)
    reviewer.page.get_by_role("button", name=re.compile("^开始审核")).click()
    reviewer.page.get_by_role("button", name=re.compile("^签名签发")).click()
    reviewer.sign()
    expect(reviewer.page.get_by_text("正式报告").first).to_be_visible(timeout=30_000)
    reviewer.leave()
    the_site_opens(system, people["qian.xi"], chromium, patient, "portal-ecg")


def image_is_visible(page: Page) -> None:
    """Wait until a canvas of the viewer shows something else than one colour."""
    viewer = page.frame_locator("iframe").first
    canvas = viewer.locator("canvas").first
    expect(canvas).to_be_visible(timeout=90_000)

    def drawn() -> bool | None:
        shot = SCREENSHOTS / "canvas.png"
        canvas.screenshot(path=shot)
        pixels = sitk.GetArrayFromImage(sitk.ReadImage(str(shot)))
        return True if np.std(pixels[..., :3]) > 5 else None

    wait_for("an image in the viewer", drawn, timeout=90)


def the_site_opens(
    system: RunningSystem, person: dict[str, Any], chromium: Browser, patient: str, name: str
) -> None:
    site = Person(chromium, system, person)
    expect(row_of(site.page, patient)).to_be_visible(timeout=30_000)
    site.sees(f"{name}-exams")
    with site.page.expect_response(re.compile(r"/api/portal/exams/[^/]+/report$")) as answered:
        row_of(site.page, patient).click()
    assert answered.value.ok
    assert answered.value.headers["content-type"] == "application/pdf"
    site.sees(f"{name}-report")
    workitem = re.search(r"exams/([^/]+)/report", answered.value.url)
    assert workitem
    exam = f"/api/portal/exams/{workitem.group(1)}"
    opened = site.page.request.get(exam).json()
    assert opened["step"] == "opened"
    assert opened["reports"][0]["opened_at"]
    # Chromium's own viewer keeps the frame's bytes to itself, so they are fetched once more.
    pdf = site.page.request.get(f"{exam}/report").body()
    assert signatures(pdf) == 2
    site.leave()
