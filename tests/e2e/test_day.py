"""A whole day of a county's doctors in their browsers, with DCMTK as the modality between them.

Each waits for what a person would see: a word, a row, a document. The words come from the
catalogue of the UI, so that the day is lived in both languages.
"""

import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import psutil
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.e2e.people import (
    SLOW,
    Person,
    demonstration,
    open_chromium,
    open_exam,
    row_of,
    sign_ins,
    signatures,
    takes_the_offered,
)
from tests.e2e.scanner import Scanner
from tests.e2e.system import RunningSystem
from tests.support.secrecy import leaked, logs_of

MODALITY = "DONGHE_MOD"
CRITICAL = "急性肺栓塞"
DIAGNOSIS = "突发胸闷气促"
NODULE = "右肺上叶见实性结节，直径约6 mm"

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSystem]:
    running = demonstration(tmp_path_factory.mktemp("day"))
    yield running
    running.stop()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with open_chromium() as browser:
        yield browser


@pytest.mark.parametrize(
    ("languages", "patient"),
    [
        (("zh-CN", "en"), ("郑秀英", "110105196203084129")),
        (("en", "zh-CN"), ("冯国强", "110105195507211233")),
    ],
    ids=["site-chinese", "site-english"],
)
def test_a_whole_day(
    system: RunningSystem,
    chromium: Browser,
    tmp_path: Path,
    languages: tuple[str, str],
    patient: tuple[str, str],
) -> None:
    at_the_site, at_the_centre = languages
    people = sign_ins(system)

    def arrives(login: str, language: str) -> Person:
        # What the viewer draws is looked at elsewhere.
        return Person(chromium, system, people[login], language=language, draws=False)

    name, resident_id = patient
    technician = arrives("wu.ji", at_the_site)
    accession = orders_an_exam(technician, name, resident_id)
    scanner = Scanner(system, tmp_path, MODALITY)
    step = scanner.scheduled(accession)
    scanner.sends(step, accession)
    sees_it_queued(technician, name)
    technician.leave()

    writer, reviewer = arrives("li.shu", at_the_centre), arrives("wang.shen", at_the_centre)
    takes_the_next(writer, name)
    writes_with_a_template(writer)
    signs(writer, "action.submit", "action.done.submit")
    opens(reviewer.page, name)
    returns_it(reviewer, "请补充测量值。")
    writes_again(writer, NODULE)
    signs(writer, "action.submit", "action.done.submit")
    reviews(reviewer)
    signs(reviewer, "action.finalise", "action.done.finalise")

    raises_a_critical_value(writer)
    confirms_it(reviewer)
    doctor = arrives("sun.dong", at_the_site)
    acknowledges_with_read_back(doctor, name, resident_id)
    first = opens_the_report(doctor, name)
    assert signatures(first) == 2

    the_expert_has_a_licence(arrives("ma.guan", at_the_centre), people["he.zhuan"]["display_name"])
    asks_an_expert(reviewer, people["he.zhuan"]["display_name"])
    expert = arrives("he.zhuan", at_the_centre)
    gives_an_opinion(expert, "同意肺栓塞诊断，建议立即抗凝。")
    expert.leave()

    amends(reviewer, writer, name)
    second = knows_of_the_new_version(doctor)
    assert signatures(second) == 2
    assert second != first
    doctor.sees(f"day-{at_the_site}-end")
    for person in (writer, reviewer, doctor):
        person.leave()
    of_the_patient = (name, resident_id, accession, DIAGNOSIS, CRITICAL, NODULE)
    assert leaked(of_the_patient, said_of_itself(system)) == {}


def said_of_itself(system: RunningSystem) -> dict[str, bytes]:
    """What the system shows to who looks after it: logs, metrics and command lines."""
    said = logs_of(system.data_dir / "log")
    assert len(said) > 5, "every process of ours says something"
    said["console"] = system.log.read_bytes()
    said["metrics"] = httpx.get(f"{system.web}/metrics").raise_for_status().content
    for process in system.children():
        with suppress(psutil.NoSuchProcess):
            said[f"process {process.pid}"] = " ".join(process.cmdline()).encode()
    return said


def orders_an_exam(technician: Person, name: str, resident_id: str) -> str:
    """The technician orders a CT by keyboard; returns the accession number that is shown."""
    page = technician.page
    expect(technician.button("orders.new").first).to_be_visible(timeout=SLOW)
    page.keyboard.press("n")
    # A scanned document fills birth date and sex.
    technician.label("orders.form.search").fill(resident_id)
    expect(technician.label("orders.form.documentNumber", exact=True)).to_have_value(resident_id)
    expect(technician.label("orders.form.birthDate", exact=True)).not_to_have_value("")
    page.keyboard.press("Tab")
    technician.label("orders.form.name", exact=True).fill(name)
    chooses(page, technician.label("orders.form.modality", exact=True), "CT")
    procedure = technician.label("orders.form.procedure", exact=True)
    procedure.fill("CT-CHEST")
    takes_the_offered(page)
    expect(technician.label("orders.form.bodyPart", exact=True)).to_have_value("CHEST")
    page.get_by_role("dialog").get_by_text(technician.word("priority.STAT"), exact=True).click()
    chooses(
        page,
        technician.label("orders.form.priorityReason", exact=True),
        technician.word("orders.why.breathing"),
    )
    technician.label("orders.form.diagnosis", exact=True).fill(DIAGNOSIS)
    technician.sees(f"day-{technician.language}-order")
    page.keyboard.press("Control+Enter")
    placed = technician.reads("orders.placed").inner_text()
    number = re.search(r"R\d{9}", placed)
    assert number is not None, placed
    return number.group()


def chooses(page: Page, field: Locator, text: str) -> None:
    """Choose from a list as people do who type: a few letters, then Enter."""
    field.click()
    page.keyboard.type(text)
    takes_the_offered(page)


def sees_it_queued(technician: Person, name: str) -> None:
    """The technician sees his exam arrive at the centre, without asking again."""
    technician.page.goto("/site-exams")
    row = row_of(technician.page, name)
    expect(row).to_be_visible(timeout=SLOW)
    expect(row.get_by_text(technician.word("road.step.queued"))).to_be_visible(timeout=60_000)
    row.get_by_role("link").first.click()
    technician.reads("kept.stored")
    technician.sees(f"day-{technician.language}-kept")


def takes_the_next(writer: Person, name: str) -> None:
    """STAT comes first: the next exam of the queue is the one that was sent."""
    page = writer.page
    expect(row_of(page, name)).to_be_visible(timeout=SLOW)
    page.keyboard.press("n")
    page.wait_for_url("**/exams/**", timeout=SLOW)
    expect(page.get_by_text(name).first).to_be_visible()


def writes_with_a_template(writer: Person) -> None:
    page = writer.page
    expect(writer.label("report.findings.imaging")).to_be_editable(timeout=SLOW)
    page.keyboard.press("Alt+a")
    dialog = page.get_by_role("dialog")
    dialog.get_by_placeholder(writer.word("template.search")).fill("胸部CT")
    dialog.get_by_role("option").filter(has_text="胸部CT平扫").first.click()
    dialog.get_by_role("button", name=writer.word("template.insert"), exact=True).click()
    expect(writer.label("report.findings.imaging")).to_have_value(re.compile("气管"))
    writer.sees(f"day-{writer.language}-writing")


def writes_again(writer: Person, more: str) -> None:
    """The writer takes what was returned to him and adds to it."""
    writer.reads("action.claimAgain")
    writer.press("action.claimAgain")
    findings = writer.label("report.findings.imaging")
    expect(findings).to_be_editable(timeout=SLOW)
    findings.fill(f"{findings.input_value()}\n{more}。")
    writer.label("report.impression.imaging").fill("右肺上叶实性结节，建议随访。")


def signs(person: Person, action: str, done: str) -> None:
    person.press(action)
    person.sign()
    person.reads(done)


def opens(page: Page, name: str) -> None:
    open_exam(page, name)


def reviews(reviewer: Person) -> None:
    """What was submitted again is on the reviewer's open page; he takes it."""
    reviewer.press("action.review")
    expect(reviewer.button("action.finalise").first).to_be_visible(timeout=SLOW)


def returns_it(reviewer: Person, comment: str) -> None:
    reviews(reviewer)
    reviewer.press("action.return")
    reviewer.label("return.comment").fill(comment)
    reviewer.page.get_by_role("dialog").get_by_role(
        "button", name=reviewer.word("return.confirm"), exact=True
    ).click()
    reviewer.reads("action.done.return")


def raises_a_critical_value(writer: Person) -> None:
    page = writer.page
    page.keyboard.press("Alt+c")
    first = page.get_by_role("radiogroup").get_by_role("radio").first
    expect(first).to_be_attached(timeout=SLOW)
    first.check(force=True)
    writer.label("critical.raise.finding").fill(CRITICAL)
    writer.press("critical.raise.send")
    writer.reads("critical.done.raise")


def confirms_it(reviewer: Person) -> None:
    """The second person confirms on the page of critical values, and the site is told at once."""
    reviewer.page.keyboard.press("Alt+c")
    expect(reviewer.button("critical.act.confirm").first).to_be_visible(timeout=SLOW)
    reviewer.press("critical.act.confirm")
    reviewer.reads("critical.done.confirm")
    reviewer.page.keyboard.press("Alt+c")


def acknowledges_with_read_back(doctor: Person, name: str, patient_fact: str) -> None:
    """The first thing the site's doctor sees is the critical value; he reads it back."""
    page = doctor.page
    expect(page.get_by_text(CRITICAL).first).to_be_visible(timeout=SLOW)
    doctor.sees(f"day-{doctor.language}-critical")
    doctor.label("critical.ack.readBack").first.fill(f"{name} {CRITICAL}")
    doctor.press("critical.ack.send")
    doctor.reads("critical.done.acknowledge")
    doctor.label("critical.actionForm.what").first.fill("已吸氧，转县医院。")
    doctor.press("critical.actionForm.send")
    doctor.reads("critical.done.action")
    assert patient_fact not in page.content()


def opens_the_report(doctor: Person, name: str) -> bytes:
    page = doctor.page
    with page.expect_response(re.compile(r"/api/portal/exams/[^/]+/report$"), timeout=SLOW) as told:
        page.get_by_role("link", name=name).first.click()
    assert told.value.ok
    expect(page.get_by_text(doctor.word("road.step.opened")).first).to_be_visible(timeout=SLOW)
    return page.request.get(told.value.url).body()


def the_expert_has_a_licence(admin: Person, expert: str) -> None:
    """An administrator has entered the expert's licence: set-up, so by the API."""
    request = admin.page.request
    token = request.get("/api/session").json()["csrf_token"]
    experts = request.get("/api/experts").json()
    (found,) = (one for one in experts if one["person"]["display_name"] == expert)
    answer = request.put(
        f"/api/experts/{found['person']['id']}",
        data={
            "title": "主任医师",
            "specialty": "胸部影像",
            "licence_number": "110000000000001",
            "practising_since": "2001-07-01",
        },
        headers={"X-CSRF-Token": token},
    )
    assert answer.ok, answer.text()
    admin.leave()


def asks_an_expert(reviewer: Person, expert: str) -> None:
    page = reviewer.page
    page.keyboard.press("Alt+o")
    reviewer.press("consult.panel.ask")
    chooses(page, reviewer.label("consult.expert"), expert)
    for field, text in (
        ("consult.purpose", "明确肺栓塞范围"),
        ("consult.reason", "基层无血管成像经验"),
        ("consult.summary", "突发胸闷气促两小时"),
        ("consult.consentNote.consent", "患者本人口头同意"),
    ):
        page.get_by_role("textbox", name=reviewer.word(field), exact=True).fill(text)
    reviewer.press("consult.act.apply")
    reviewer.reads("consult.done.apply")
    page.keyboard.press("Alt+o")


def gives_an_opinion(expert: Person, opinion: str) -> None:
    page = expert.page
    page.get_by_text("明确肺栓塞范围").first.click()
    expert.press("consult.act.accept", exact=True)
    expert.press("consult.act.now", exact=True)
    page.get_by_role("textbox", name=expert.word("consult.opinion")).fill(opinion)
    expert.press("consult.act.sign")
    expert.sign()
    expert.reads("consult.done.sign")
    expert.sees(f"day-{expert.language}-opinion")


def amends(reviewer: Person, writer: Person, name: str) -> None:
    """The report is replaced: the reviewer begins, another writes, both sign again."""
    reviewer.press("amend.start")
    dialog = reviewer.page.get_by_role("dialog")
    dialog.get_by_label(reviewer.word("reason.label")).fill("补充肺栓塞")
    dialog.get_by_role("button", name=reviewer.word("amend.confirm"), exact=True).click()
    reviewer.reads("amend.done")
    reviewer.press("action.release")
    reviewer.page.get_by_role("tooltip").get_by_role(
        "button", name=reviewer.word("action.release")
    ).click()
    reviewer.reads("action.done.release")
    writer.press("action.claim")
    impression = writer.label("report.impression.imaging")
    expect(impression).to_be_editable(timeout=SLOW)
    impression.fill("急性肺栓塞。右肺上叶实性结节，建议随访。")
    signs(writer, "action.submit", "action.done.submit")
    if "/exams/" not in reviewer.page.url:
        opens(reviewer.page, name)
    reviews(reviewer)
    signs(reviewer, "action.finalise", "action.done.finalise")


def knows_of_the_new_version(doctor: Person) -> bytes:
    """The recall reaches the doctor's open page; he opens the new version and knows."""
    page = doctor.page
    doctor.reads("portal.recall.superseded")
    pdf = page.request.get(f"/api/portal/exams/{page.url.rsplit('/', 1)[-1]}/report")
    assert pdf.ok
    doctor.press("portal.recall.acknowledge")
    doctor.reads("portal.recall.known")
    expect(page.get_by_text(doctor.word("portal.status.amended"), exact=True).first).to_be_visible()
    return pdf.body()
