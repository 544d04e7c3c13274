"""Reports fetched from inside of a site: nothing skipped, nobody else's, and known to be there."""

import hashlib
import threading
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import select, text

from reading_worklist.workitems.tables import Workitem
from storage import issued_reports
from storage.objects import ObjectStore
from storage.registry import MachineScope
from storage.report_pulls import ReportPull
from tests.support.fhir import check
from tests.support.issued import amended, issued_ecg, issued_report, revoked
from tests.support.machines import Desk, Machine
from tests.support.seed import Consortium
from tests.support.web import PIN, Browser, application

REPORTS = "/api/machine/reports"


@pytest.fixture
def desk(consortium: Consortium, objects: ObjectStore, tmp_path: Path) -> Desk:
    return Desk(consortium, objects, application(consortium, objects, tmp_path))


def new(machine: Machine, since: int = 0, **asked: int) -> dict[str, Any]:
    more = "".join(f"&{name}={value}" for name, value in asked.items())
    answer = machine.get(f"{REPORTS}?since={since}{more}")
    assert answer.status_code == 200, answer.text
    return answer.json()


def acknowledge(machine: Machine, version: object) -> httpx.Response:
    return machine.client.post(
        f"{REPORTS}/{version}/acknowledge", headers={"Authorization": f"Bearer {machine.token}"}
    )


def test_from_position_to_position_nothing_is_skipped(desk: Desk) -> None:
    first = desk.issue(issued_report())
    desk.issue(issued_ecg())
    his = desk.machine(scope=MachineScope.REPORTS)
    page = new(his, count=1)
    assert page["more"]
    assert [one["standing"] for one in page["items"]] == [True]
    second = desk.issue(amended(first))
    void = desk.issue(revoked(second))
    rest = new(his, page["position"])
    assert [one["kind"] for one in rest["items"]] == ["report", "amendment", "revocation_notice"]
    assert [one["standing"] for one in rest["items"]] == [True, False, True]
    assert rest["items"][2]["replaces"] == str(second.report_version_id)
    assert new(his, rest["position"]) == {"items": [], "position": 4, "more": False}
    # Looked at again from the beginning, what does not stand says so.
    assert not new(his)["items"][0]["standing"]
    fetched = his.get(f"{REPORTS}/{void.report_version_id}").json()
    assert fetched["report"]["sections"][0]["text"] == "患者有误"
    assert "object_key" not in fetched["report"]["document"]
    pdf = his.get(f"{REPORTS}/{void.report_version_id}/pdf")
    assert hashlib.sha256(pdf.content).hexdigest() == void.document.sha256
    old = his.get(f"{REPORTS}/{first.report_version_id}/pdf")
    assert (old.status_code, old.json()["type"]) == (410, "urn:rdc:problem:superseded")


def test_a_stranger_meets_nothing(desk: Desk) -> None:
    report = desk.issue(issued_report())
    theirs = desk.machine(desk.consortium.west, MachineScope.REPORTS)
    assert new(theirs)["items"] == []
    for path in ("", "/pdf"):
        met = theirs.get(f"{REPORTS}/{report.report_version_id}{path}")
        nothing = theirs.get(f"{REPORTS}/{uuid4()}{path}")
        assert (met.status_code, met.text) == (404, nothing.text)
    met, nothing = (acknowledge(theirs, one) for one in (report.report_version_id, uuid4()))
    assert (met.status_code, met.text) == (404, nothing.text)
    with desk.consortium.database.transaction() as session:
        assert session.scalars(select(ReportPull)).all() == []
    for token in ("", desk.machine(scope=MachineScope.ECG_FILES).token):
        assert Machine(desk.client, token).get(REPORTS).status_code == 401
    # A token for FHIR lets its holder fetch them here as well, and not the other way round.
    assert len(new(desk.machine())["items"]) == 1
    assert desk.machine(scope=MachineScope.REPORTS).get("DiagnosticReport").status_code == 401


def signed(desk: Desk, item: str) -> None:
    """Two doctors write and sign."""
    writer = Browser(desk.client.app, "writer")  # pyright: ignore[reportArgumentType] -- FastAPI
    assert writer.post(f"{item}/claim").status_code == 200
    text = {"findings": "双肺纹理清晰。", "impression": "未见明显异常。", "advice": "随诊。"}
    assert writer.put(f"{item}/draft", revision=0, **text).status_code == 200
    assert writer.post(f"{item}/submit", revision=1, signing_pin=PIN).status_code == 200
    reviewer = Browser(desk.client.app, "reviewer")  # pyright: ignore[reportArgumentType]
    assert reviewer.post(f"{item}/review").status_code == 200
    assert reviewer.post(f"{item}/finalise", signing_pin=PIN).status_code == 200


@pytest.mark.parametrize("way", ["fhir", "rest"])
def test_what_doctors_have_signed_is_known_to_be_at_the_site(desk: Desk, way: str) -> None:
    queued = desk.consortium.queued_study()
    signed(desk, f"/api/workitems/{queued.workitem_id}")
    his = desk.machine(scope=MachineScope.FHIR if way == "fhir" else MachineScope.REPORTS)
    (item,) = new(his)["items"]
    with desk.consortium.database.transaction() as session:
        assert session.get_one(Workitem, queued.workitem_id).delivered_at is None
    if way == "fhir":
        (told,) = his.found("DiagnosticReport?identifier=A001")
        check(told)
        assert told["conclusion"] == "未见明显异常。"
        pdf = his.get(told["presentedForm"][0]["url"])
    else:
        assert acknowledge(his, item["id"]).json()["standing"]
        assert acknowledge(his, item["id"]).status_code == 200
        pdf = his.get(f"{REPORTS}/{item['id']}/pdf")
    assert hashlib.sha256(pdf.content).hexdigest() == item["pdf_sha256"]
    with desk.consortium.database.transaction() as session:
        row = session.get_one(Workitem, queued.workitem_id)
        assert row.state == "DELIVERED"
        assert row.delivered_at is not None
        (pulled,) = session.scalars(select(ReportPull)).all()
    assert (pulled.channel, pulled.machine) == (way, "HIS")


def test_a_report_that_is_amended_at_this_moment_is_not_given_out(desk: Desk) -> None:
    """Who amends looks for whoever has the old version: nobody gets it behind his back."""
    database = desk.consortium.database
    item = desk.consortium.queued_study().workitem_id
    first = desk.issue(issued_report(workitem_id=item))
    his = desk.machine()
    got: list[httpx.Response] = []
    waits = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
    with database.transaction() as amending:
        amending.execute(select(Workitem.id).where(Workitem.id == item).with_for_update())
        pulls = amending.scalars(select(ReportPull)).all()
        asking = threading.Thread(target=lambda: got.append(his.get("DiagnosticReport")))
        asking.start()
        with database.reading() as looking:
            while not looking.scalar(waits):
                assert asking.is_alive()
        issued_reports.write(amending, amended(first))
    asking.join(10)
    assert pulls == []
    assert got[0].status_code == 503
    with database.transaction() as session:
        assert session.scalars(select(ReportPull)).all() == []
    (told,) = his.found("DiagnosticReport")
    assert told["status"] == "amended"
