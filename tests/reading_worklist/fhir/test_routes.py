"""The FHIR interface as a site's software uses it: read, search, poll, versions, and strangers."""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from storage.audit import AuditRecord
from storage.database import Database
from storage.objects import ObjectStore, open_object_store
from storage.registry import MachineScope, revoke_token
from storage.registry.tokens import tokens_of_site
from storage.report_pulls import ReportPull
from tests.support.fhir import check
from tests.support.issued import amended, issued_ecg, issued_report, revoked
from tests.support.machines import Desk, Machine
from tests.support.seed import Consortium
from tests.support.web import application


@pytest.fixture
def desk(consortium: Consortium, objects: ObjectStore, tmp_path: Path) -> Desk:
    return Desk(consortium, objects, application(consortium, objects, tmp_path, signers=False))


@pytest.fixture(scope="module")
def filled(
    new_database: Callable[[], AbstractContextManager[str]],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Desk]:
    """A report and an ECG of EAST, for tests that issue nothing more."""
    directory = tmp_path_factory.mktemp("fhir")
    with new_database() as url:
        database = Database(url)
        consortium = Consortium(database)
        objects = open_object_store(f"file://{directory / 'objects'}")
        made = Desk(consortium, objects, application(consortium, objects, directory, signers=False))
        made.issue(issued_report())
        made.issue(issued_ecg())
        yield made
        database.close()


def test_what_it_can_do_is_told_to_everybody(filled: Desk) -> None:
    answer = filled.client.get("/fhir/metadata")
    assert answer.status_code == 200
    check(answer.json())
    told = {one["type"] for one in answer.json()["rest"][0]["resource"]}
    assert {"DiagnosticReport", "ImagingStudy", "Observation", "Patient", "Binary"} <= told


def test_a_report_with_all_that_belongs_to_it(desk: Desk) -> None:
    report = desk.issue(issued_report())
    his = desk.machine()
    bundle = his.read("DiagnosticReport?patient.identifier=DH00012345&_include=*")
    assert bundle["total"] == 1
    by_type = {one["resource"]["resourceType"]: one for one in bundle["entry"]}
    assert by_type["DiagnosticReport"]["search"] == {"mode": "match"}
    assert {
        "Patient",
        "Practitioner",
        "Organization",
        "ImagingStudy",
        "ServiceRequest",
        "Observation",
    } <= by_type.keys()
    told = by_type["DiagnosticReport"]["resource"]
    for name in ("subject", "basedOn", "imagingStudy", "resultsInterpreter", "result"):
        for one in told[name] if isinstance(told[name], list) else [told[name]]:
            his.read(one["reference"])
    pdf = his.get(told["presentedForm"][0]["url"])
    assert pdf.headers["content-type"] == "application/pdf"
    assert hashlib.sha256(pdf.content).hexdigest() == report.document.sha256
    wrapped = his.get(told["presentedForm"][0]["url"], accept="application/fhir+json")
    check(wrapped.json())
    with desk.consortium.database.transaction() as session:
        pulled = session.scalars(select(ReportPull)).all()
        acts = session.scalars(select(AuditRecord.action)).all()
    assert [(one.report_version_id, one.machine) for one in pulled] == [
        (report.report_version_id, "HIS")
    ]
    assert "report:fetch" in acts


FOUND_BY = (
    ("identifier=DH260314CT0007", 1),
    ("based-on.identifier=HIS-889900", 1),
    ("patient:identifier=DH00012345", 2),
    ("patient.identifier=NOBODY", 0),
    ("status=final", 2),
    ("status=amended,final", 2),
    ("status=http://hl7.org/fhir/diagnostic-report-status|final", 2),
    ("status=preliminary", 0),
    ("category=EC", 1),
    ("category=http://terminology.hl7.org/CodeSystem/v2-0074|RAD", 1),
    ("code=http://loinc.org|11524-6", 1),
    ("code=11524-6&category=RAD", 0),
    ("date=2026-03-14", 2),
    ("date=2026-03", 2),
    ("date=gt2026-03-14", 0),
    ("date=ge2026-03-14T08:15:26.123%2B08:00&date=le2026-03-14T00:15:27Z", 2),
    ("issued=ne2026-03-14", 0),
    ("imaging-study.identifier=urn:dicom:uid|urn:oid:1.2.826.0.1.3680043.8.498.123456789", 1),
)


def test_reports_are_found(filled: Desk) -> None:
    his = filled.machine()
    for asked, count in FOUND_BY:
        bundle = his.get(f"DiagnosticReport?{asked}").json()
        assert (bundle["total"], len(bundle.get("entry", ()))) == (count, count), asked
    assert his.read("DiagnosticReport?code=11524-6&_summary=count")["total"] == 1


def test_other_types_are_found(filled: Desk) -> None:
    his = filled.machine()
    rates = his.found("Observation?code=8867-4")
    assert sorted((one["valueQuantity"]["value"], one["status"]) for one in rates) == [
        (71, "final"),
        (72, "preliminary"),
    ]
    assert len(his.found("Observation?code=8867-4&status=final")) == 1
    (patient,) = his.found("Patient?identifier=DH00012345")
    assert len(his.found(f"Observation?patient={patient['id']}")) == 12
    assert len(his.found(f"DiagnosticReport?subject=Patient/{patient['id']}")) == 2
    assert len(his.found("Practitioner")) == 2
    signer = issued_ecg().writer
    assert signer is not None
    assert len(his.found(f"Practitioner?identifier=urn:uuid:{signer.person_id}")) == 1
    assert len(his.found("ImagingStudy?modality=CT")) == 1
    assert len(his.found("Organization")) == 2
    (order,) = his.found("ServiceRequest?identifier=HIS-889900")
    assert len(his.found(f"DiagnosticReport?based-on=ServiceRequest/{order['id']}")) == 1
    assert len(his.found("DocumentReference?date=2026")) == 2
    assert len(his.found("Provenance")) == 2


def test_pages_follow_each_other_while_reports_come(desk: Desk) -> None:
    made = [desk.another() for _ in range(5)]
    his = desk.machine()
    seen: list[str] = []
    path: str | None = "DiagnosticReport?_count=2"
    while path is not None:
        bundle = his.read(path)
        seen += [one["resource"]["id"] for one in bundle["entry"]]
        if len(seen) == 2:
            # What was on the page before is amended, and something new comes.
            desk.issue(amended(made[0]))
            desk.issue(amended(made[3]))
            made.append(desk.another())
        path = next((o["url"] for o in bundle["link"] if o["relation"] == "next"), None)
    assert len(set(seen)) == 6
    assert len(seen) == 7
    newest = his.found("DiagnosticReport?_sort=-_lastUpdated&_count=1")
    assert newest[0]["id"] == seen[-1]


def test_who_polls_gets_everything_once(desk: Desk) -> None:
    first = desk.issue(issued_report())
    his = desk.machine()
    bundle = his.read("DiagnosticReport/_history?_after=0&_count=1")
    links = {one["relation"]: one["url"] for one in bundle["link"]}
    assert "next" not in links
    assert [one["resource"]["status"] for one in bundle["entry"]] == ["final"]
    last_updated = bundle["entry"][0]["resource"]["meta"]["lastUpdated"]
    assert "entry" not in his.read(links["poll"])
    assert his.found(f"DiagnosticReport?_lastUpdated=gt{last_updated}") == []
    second = desk.issue(amended(first))
    desk.issue(revoked(second))
    told = his.read(links["poll"].replace("_count=1", "_count=9"))["entry"]
    assert [one["resource"]["status"] for one in told] == ["amended", "entered-in-error"]
    assert len({one["resource"]["id"] for one in told}) == 1
    (changed,) = his.found(f"DiagnosticReport?_lastUpdated=gt{last_updated}")
    assert changed["status"] == "entered-in-error"
    assert "conclusion" not in changed
    newest = his.read(f"DiagnosticReport/_history?_since={last_updated}&_count=2")
    assert [one["resource"]["meta"]["versionId"] for one in newest["entry"]] == ["2-void", "2"]


def test_what_does_not_stand_says_so(desk: Desk) -> None:
    first = desk.issue(issued_report())
    his = desk.machine()
    (before,) = his.found("DiagnosticReport")
    advice = his.found("Observation?code=18783-1")[0]["id"]
    desk.issue(amended(first))
    (after,) = his.found("DiagnosticReport")
    assert after["id"] == before["id"]
    assert (before["status"], after["status"]) == ("final", "amended")
    versions = his.read(f"DiagnosticReport/{after['id']}/_history")["entry"]
    assert [one["resource"]["meta"]["versionId"] for one in versions] == ["2", "1"]
    old = his.read(f"DiagnosticReport/{after['id']}/_history/1")
    assert old["meta"]["tag"][0]["code"] == "superseded"
    assert "不得使用" in old["text"]["div"]
    assert "presentedForm" not in old
    his.refused(before["presentedForm"][0]["url"], 410, "deleted")
    # The second version gives no advice any more: nobody may keep reading the first one's.
    his.refused(f"Observation/{advice}", 410, "deleted")
    assert his.found("Observation?code=18783-1") == []
    (paper,) = his.found("DocumentReference")
    assert paper["relatesTo"][0]["code"] == "replaces"
    superseded = his.read(paper["relatesTo"][0]["target"]["reference"])
    assert superseded["status"] == "superseded"
    assert (
        his.get(f"DiagnosticReport/{after['id']}", **{"if-none-match": 'W/"2"'}).status_code == 304
    )


REFUSED = (
    ("DiagnosticReport?patientt=1", 400, "invalid"),
    ("DiagnosticReport?date=yesterday", 400, "invalid"),
    ("DiagnosticReport?date=2026-13-01", 400, "invalid"),
    ("DiagnosticReport?_count=-1", 400, "invalid"),
    ("DiagnosticReport?_cursor=x", 400, "invalid"),
    ("DiagnosticReport?_include=Patient:x", 400, "invalid"),
    ("DiagnosticReport/_history?_after=x", 400, "invalid"),
    ("DiagnosticReport/_history?_since=gt2026", 400, "invalid"),
    ("DiagnosticReport?_format=xml", 406, "not-supported"),
    ("DiagnosticReport/1", 404, "not-found"),
    ("Medication", 404, "not-found"),
    ("Medication/1", 404, "not-found"),
    ("a/b/c/d/e", 404, "not-found"),
)


def test_what_is_not_understood_is_refused(filled: Desk) -> None:
    his = filled.machine()
    for path, status, code in REFUSED:
        his.refused(path, status, code)


def test_nothing_is_changed_through_it(filled: Desk) -> None:
    his = filled.machine()
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        answer = filled.client.request(
            method, f"/fhir/Patient/{uuid4()}", headers={"Authorization": f"Bearer {his.token}"}
        )
        assert answer.status_code == 405
        check(answer.json())


def test_a_form_asks_the_same(filled: Desk) -> None:
    answer = filled.client.post(
        "/fhir/DiagnosticReport/_search",
        data={"patient.identifier": "DH00012345"},
        headers={"Authorization": f"Bearer {filled.machine().token}"},
    )
    assert answer.status_code == 200
    assert answer.json()["total"] == 2


def test_only_a_token_for_it_is_taken(desk: Desk) -> None:
    desk.issue(issued_report())
    his = desk.machine()
    for token in ("", "rdc_wrong", desk.machine(scope=MachineScope.ECG_FILES).token):
        wrong = Machine(desk.client, token)
        for path in ("DiagnosticReport", f"Patient/{uuid4()}", "Medication"):
            wrong.refused(path, 401, "login")
        assert wrong.get("DiagnosticReport").headers["www-authenticate"] == "Bearer"
    with desk.consortium.database.transaction() as session:
        for row in tokens_of_site(session, desk.consortium.east.id):
            revoke_token(session, row.id)
    his.refused("DiagnosticReport", 401, "login")


def test_a_stranger_meets_nothing_of_the_other_site(desk: Desk) -> None:
    """Every address of ours answers another site's token as one that leads nowhere does."""
    first = desk.issue(issued_report())
    desk.issue(amended(first))
    ours, theirs = desk.machine(), desk.machine(desk.consortium.west)
    everything = ours.read("DiagnosticReport?_include=*")["entry"]
    names = [f"{o['resource']['resourceType']}/{o['resource']['id']}" for o in everything]
    report = next(one for one in names if one.startswith("DiagnosticReport"))
    paper = everything[0]["resource"]["presentedForm"][0]["url"].rsplit("/", 2)[-2:]
    names += [f"{report}/_history", f"{report}/_history/1", "/".join(paper)]
    for kind in ("DocumentReference", "Provenance", "PractitionerRole"):
        names += [f"{kind}/{one['id']}" for one in ours.found(kind)]
    for name in names:
        assert ours.get(name).status_code == 200, name
        kind, known, *rest = name.split("/")
        unknown = "/".join((kind, str(uuid4()), *rest))
        met, nothing = theirs.get(name), theirs.get(unknown)
        assert (met.status_code, met.text) == (404, nothing.text), name
        assert known not in met.text
    for kind in (
        "DiagnosticReport",
        "Patient",
        "Observation",
        "ImagingStudy",
        "ServiceRequest",
        "Practitioner",
        "PractitionerRole",
        "Organization",
        "DocumentReference",
        "Provenance",
    ):
        assert theirs.read(kind).get("total") == 0
    for asked in (
        f"_id={report.split('/')[1]}",
        "patient.identifier=DH00012345",
        f"patient={next(o for o in names if o.startswith('Patient')).split('/')[1]}",
        "identifier=DH260314CT0007",
        "_include=*",
    ):
        assert theirs.read(f"DiagnosticReport?{asked}")["total"] == 0
    assert "entry" not in theirs.read("DiagnosticReport/_history?_after=0")
    assert "entry" not in theirs.read("DiagnosticReport/_history")
    # One patient number at two sites is two patients.
    own = desk.issue(
        issued_report(report_version_id=uuid4(), workitem_id=uuid4()), desk.consortium.west
    )
    (patient,) = theirs.found("Patient?identifier=DH00012345")
    assert f"Patient/{patient['id']}" not in names
    assert UUID(theirs.found("DiagnosticReport")[0]["identifier"][0]["value"]) == own.workitem_id
