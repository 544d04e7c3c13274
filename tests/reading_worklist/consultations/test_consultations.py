"""A question to an expert, from application to rating, and everything that is refused."""

from datetime import date, timedelta
from itertools import product
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from reading_worklist.consultations import service
from reading_worklist.consultations.states import (
    STATE_CHANGES,
    TRANSITIONS,
    ConsultationAction,
    ConsultationState,
    next_state,
)
from reading_worklist.consultations.tables import Consultation, ConsultationTransition
from reading_worklist.dicomweb import series_views
from reading_worklist.signing.authority import open_authority
from reading_worklist.signing.credentials import issue_credential
from reading_worklist.signing.statements import statement_holds
from reading_worklist.workitems.service import queue_study
from reading_worklist.workitems.tables import Workitem
from storage import registry
from storage.audit import AuditRecord
from storage.database import Database
from storage.index.tables import Study
from storage.objects import ObjectStore
from storage.registry import OrganisationKind, Role
from tests.reading_worklist.dicomweb.archive import Archive
from tests.reading_worklist.dicomweb.conftest import copy_of
from tests.support.seed import Consortium, password_hash, received
from tests.support.web import CHEAP, PIN, Browser, application

TABLE = {
    ConsultationState.APPLIED: "accept→ACCEPTED decline→DECLINED",
    ConsultationState.ACCEPTED: "schedule→SCHEDULED",
    ConsultationState.DECLINED: "",
    ConsultationState.SCHEDULED: "schedule→SCHEDULED sign_opinion→OPINION_SIGNED",
    ConsultationState.OPINION_SIGNED: "archive→ARCHIVED",
    ConsultationState.ARCHIVED: "rate→RATED",
    ConsultationState.RATED: "",
}
LICENCE = {
    "title": "主任医师",
    "specialty": "胸部影像",
    "licence_number": "110-2",
    "practising_since": "2010-01-01",
}


@pytest.fixture
def app(consortium: Consortium, objects: ObjectStore, tmp_path: Path) -> FastAPI:
    made = application(consortium, objects, tmp_path, signers=False)
    authority = open_authority(tmp_path / "authority", organisation="青山县医共体", name="测试 CA")
    with consortium.database.transaction() as session:
        consortium.people["expert"] = registry.add_person(
            session,
            "expert",
            "马专家",
            password_hash(),
            organisation=consortium.root,
            roles=(Role.EXPERT,),
        )
        issue_credential(
            session,
            authority,
            person_id=consortium.people["expert"].id,
            display_name="马专家",
            organisation="省立医院",
            pin=PIN,
            cost=CHEAP,
        )
    return made


@pytest.fixture
def item(consortium: Consortium) -> UUID:
    return consortium.queued_study().workitem_id


@pytest.fixture
def expert(app: FastAPI, consortium: Consortium) -> Browser:
    """The expert, with a licence on record."""
    path = f"/api/experts/{consortium.people['expert'].id}"
    assert Browser(app, "dispatcher").put(path, **LICENCE).status_code == 403
    (known,) = Browser(app, "head").put(path, **LICENCE).json()
    assert known["person"]["display_name"] == "马专家"
    return Browser(app, "expert")


def question(consortium: Consortium, **changes: object) -> dict[str, Any]:
    return {
        "invitee_id": str(consortium.people["expert"].id),
        "urgency": "routine",
        "reason": "疑难",
        "purpose": "右上肺结节性质",
        "summary": "男，66 岁，咳嗽两周",
        "specialty": "胸部影像",
        "consent_basis": "consent",
        "consent_note": "患者本人书面同意",
        **changes,
    }


def apply(
    app: FastAPI, consortium: Consortium, item: UUID, login: str = "doctor-east", **changes: object
) -> str:
    answer = Browser(app, login).post(
        f"/api/workitems/{item}/consultations", **question(consortium, **changes)
    )
    assert answer.status_code == 201, answer.text
    return f"/api/consultations/{answer.json()['id']}"


def ok(answer: httpx.Response) -> dict[str, Any]:
    assert answer.status_code == 200, answer.text
    return answer.json()


def refused(answer: httpx.Response, status: int, code: str) -> None:
    assert (answer.status_code, answer.json()["type"]) == (status, f"urn:rdc:problem:{code}")


@pytest.mark.parametrize("state", ConsultationState)
def test_every_pair_is_as_written(state: ConsultationState) -> None:
    assert set(TRANSITIONS) == set(product(ConsultationState, ConsultationAction))
    found = {
        f"{action.value}→{after}"
        for action in ConsultationAction
        if (after := next_state(state, action)) is not None
    }
    assert found == set(TABLE[state].split())


@pytest.mark.parametrize(
    ("day", "before"),
    [(date(2026, 11, 22), date(2023, 11, 22)), (date(2028, 2, 29), date(2025, 2, 28))],
)
def test_three_years_before(day: date, before: date) -> None:
    assert service.years_before(day, 3) == before


def test_from_application_to_rating(
    app: FastAPI, consortium: Consortium, item: UUID, expert: Browser, database: Database
) -> None:
    path = apply(app, consortium, item)
    site = Browser(app, "doctor-east")
    shown = ok(expert.get(path))
    assert (shown["actions"], shown["summary"]) == (["accept", "decline"], "男，66 岁，咳嗽两周")
    refused(expert.get("/api/workitems"), 403, "forbidden")
    refused(site.post(f"{path}/accept"), 404, "not-found")
    assert ok(expert.post(f"{path}/accept"))["state"] == "ACCEPTED"
    at = "2026-11-23T01:00:00Z"
    assert ok(expert.post(f"{path}/schedule", scheduled_for=at))["state"] == "SCHEDULED"
    body = {"opinion": "考虑炎性结节，三个月后复查。", "signing_pin": PIN}
    refused(expert.post(f"{path}/opinion", **{**body, "signing_pin": "000000"}), 403, "wrong-pin")
    signed = ok(expert.post(f"{path}/opinion", **body))
    assert (signed["state"], signed["signature_holds"]) == ("OPINION_SIGNED", True)
    refused(site.post(f"{path}/rate", rating=5), 409, "wrong-state")
    assert ok(site.post(f"{path}/archive"))["state"] == "ARCHIVED"
    refused(Browser(app, "writer").post(f"{path}/rate", rating=1), 403, "not-applicant")
    assert ok(site.post(f"{path}/rate", rating=5, comment="及时"))["state"] == "RATED"
    with database.transaction() as session:
        row = session.scalars(select(Consultation)).one()
        acts = session.scalars(
            select(AuditRecord.action)
            .where(
                AuditRecord.subject_kind == "consultation", AuditRecord.action != "consultation:see"
            )
            .order_by(AuditRecord.id)
        ).all()
    assert [act.removeprefix("consultation:") for act in acts] == [
        "apply",
        "accept",
        "schedule",
        "sign_opinion",
        "archive",
        "rate",
    ]
    content, signature = (row.opinion_content or "").encode(), row.signature or b""
    anchors = app.state.services.config.trust_anchors
    assert statement_holds(content, signature, anchors)
    assert not statement_holds(
        content.replace("炎性".encode(), "恶性".encode()), signature, anchors
    )
    assert not statement_holds(content, signature, ())
    assert not statement_holds(content, b"nonsense", anchors)
    for change in (
        "UPDATE consultation SET opinion = 'x'",
        "UPDATE consultation SET state = 'APPLIED'",
        "DELETE FROM consultation",
    ):
        with pytest.raises(DBAPIError), database.transaction() as session:
            session.execute(text(change))


def test_an_opinion_is_kept_while_it_is_written_for_its_expert_alone(
    app: FastAPI, consortium: Consortium, item: UUID, expert: Browser
) -> None:
    writer = Browser(app, "writer")
    asked = writer.post(f"/api/workitems/{item}/consultations", **question(consortium)).json()
    path = f"/api/consultations/{asked['id']}"
    refused = expert.put(f"{path}/opinion/draft", text="未接受", revision=0)
    assert refused.json()["type"] == "urn:rdc:problem:wrong-state"
    expert.post(f"{path}/accept")
    expert.post(f"{path}/schedule", scheduled_for="2030-01-01T08:00:00Z")
    kept = expert.put(f"{path}/opinion/draft", text="右上肺结节，", revision=0)
    assert kept.json() == {"text": "右上肺结节，", "revision": 1}
    stale = expert.put(f"{path}/opinion/draft", text="另一窗口", revision=0)
    assert (stale.status_code, stale.json()["type"]) == (409, "urn:rdc:problem:stale-draft")
    assert writer.put(f"{path}/opinion/draft", text="x", revision=1).status_code == 404
    assert expert.get(path).json()["draft"] == kept.json()
    assert writer.get(path).json()["draft"] is None
    signed = expert.post(f"{path}/opinion", opinion="右上肺结节，建议复查。", signing_pin=PIN)
    assert (signed.json()["opinion"], signed.json()["draft"]) == ("右上肺结节，建议复查。", None)
    with consortium.database.transaction() as session:
        assert session.get_one(Consultation, UUID(asked["id"])).opinion_draft == ""


def test_the_database_holds_the_same_changes(database: Database) -> None:
    with database.transaction() as session:
        rows = session.execute(
            select(ConsultationTransition.from_state, ConsultationTransition.to_state)
        ).all()
    assert set(rows) == {(before.value, after.value) for before, after in STATE_CHANGES}


def test_what_is_urgent_is_looked_at_at_once_and_due_in_ten_minutes(
    app: FastAPI, consortium: Consortium, item: UUID, expert: Browser, database: Database
) -> None:
    path = apply(app, consortium, item, urgency="urgent", consent_basis="emergency")
    assert ok(expert.post(f"{path}/accept"))["state"] == "SCHEDULED"
    with database.transaction() as session:
        row = session.scalars(select(Consultation)).one()
        assert row.due_at - row.applied_at == timedelta(minutes=10)
        assert service.run_clock(session, row.due_at - timedelta(seconds=1)) == 0
        assert service.run_clock(session, row.due_at) == 1
    with database.transaction() as session:
        assert service.run_clock(session, row.due_at + timedelta(hours=1)) == 0
    assert ok(expert.get(path))["overdue"] is True


def test_an_expert_declines_with_a_reason(
    app: FastAPI, consortium: Consortium, item: UUID, expert: Browser
) -> None:
    path = apply(app, consortium, item, "writer")
    refused(expert.post(f"{path}/decline", reason=" "), 422, "invalid-request")
    assert ok(expert.post(f"{path}/decline", reason="非本专业"))["state"] == "DECLINED"
    refused(expert.post(f"{path}/accept"), 409, "wrong-state")


def test_who_may_be_asked(
    app: FastAPI, consortium: Consortium, item: UUID, expert: Browser, database: Database
) -> None:
    site = Browser(app, "doctor-east")
    path = f"/api/workitems/{item}/consultations"
    someone = question(consortium, invitee_id=str(consortium.people["writer"].id))
    refused(site.post(path, **someone), 422, "unfit-expert")
    refused(site.post(path, **question(consortium, consent_note=" ")), 422, "invalid-request")
    young = {**LICENCE, "practising_since": date.today().isoformat()}  # noqa: DTZ011
    head = Browser(app, "head")
    (known,) = head.put(f"/api/experts/{consortium.people['expert'].id}", **young).json()
    assert known["may_be_asked"] is False
    refused(site.post(path, **question(consortium)), 422, "unfit-expert")
    assert expert.get("/api/consultations").json()["total"] == 0


def test_the_database_knows_the_three_years(
    app: FastAPI, consortium: Consortium, item: UUID, expert: Browser, database: Database
) -> None:
    apply(app, consortium, item)
    with pytest.raises(IntegrityError, match="practice"), database.transaction() as session:
        session.execute(text("UPDATE consultation SET invitee_practising_since = current_date"))


def test_an_expert_sees_the_images_while_he_is_asked_and_of_no_other_study(
    app: FastAPI,
    consortium: Consortium,
    expert: Browser,
    objects: ObjectStore,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    archive = Archive(consortium.database, objects)
    shared = archive.file(copy_of("CT_small.dcm"), consortium.east)
    other = archive.file(
        copy_of("CT_small.dcm", StudyInstanceUID="1.2.3.4", SOPInstanceUID="1.2.3.5"),
        consortium.east,
    )
    assert shared is not None
    assert other is not None
    archive.complete()
    item = queued(consortium, shared.header.study_instance_uid)
    addresses = [
        f"/dicom-web/{root}{path}"
        for root in ("", "sites/EAST/")
        for path in (
            f"studies/{shared.header.study_instance_uid}",
            f"studies/{shared.header.study_instance_uid}/series",
            f"studies/{shared.header.study_instance_uid}/metadata",
            shared.path,
        )
    ]
    for address in addresses:
        refused(expert.get(address), 404, "not-found")
    path = apply(app, consortium, item)
    stranger = second_expert(app, consortium)
    for address in addresses:
        # Now the process has it in its memory, and still not for the other expert.
        assert expert.get(address).status_code == 200, address
        refused(stranger.get(address), 404, "not-found")
    for root in ("", "sites/EAST/"):
        found = expert.get(f"/dicom-web/{root}studies?PatientName=*").json()
        assert [one["0020000D"]["Value"] for one in found] == [[shared.header.study_instance_uid]]
    refused(expert.get(f"/dicom-web/{other.path}"), 404, "not-found")
    refused(expert.get(f"/api/workitems/{item}"), 403, "forbidden")
    refused(expert.get("/api/experts"), 403, "forbidden")
    refused(stranger.get(path), 404, "not-found")
    assert stranger.get("/dicom-web/studies").json() == []
    assert ok(expert.get(path))["viewer_url"] is not None
    assert ok(expert.get("/api/consultations"))["waiting"] == 1
    ok(expert.post(f"{path}/accept"))
    ok(expert.post(f"{path}/schedule", scheduled_for="2026-11-23T01:00:00Z"))
    ok(expert.post(f"{path}/opinion", opinion="考虑炎性结节。", signing_pin=PIN))
    assert expert.get(addresses[0]).status_code == 200
    site = Browser(app, "doctor-east")
    assert ok(site.get("/api/consultations"))["waiting"] == 1
    ok(site.post(f"{path}/archive"))
    # What a viewer's next frame needs is remembered for a second; let it pass.
    monkeypatch.setattr(series_views, "time", SimpleNamespace(monotonic=lambda: float("inf")))
    for address in addresses:
        refused(expert.get(address), 404, "not-found")
    assert ok(expert.get(path))["viewer_url"] is None
    assert ok(site.get(path))["viewer_url"] is not None


def queued(consortium: Consortium, study_instance_uid: str) -> UUID:
    """Put a study that was filed into the worklist."""
    with consortium.database.transaction() as session:
        study = session.scalars(
            select(Study).where(Study.study_instance_uid == study_instance_uid)
        ).one()
        queue_study(session, received(study))
        return session.scalars(select(Workitem.id).where(Workitem.study_id == study.id)).one()


def second_expert(app: FastAPI, consortium: Consortium) -> Browser:
    """Another expert, of an outside hospital, who is asked nothing."""
    with consortium.database.transaction() as session:
        outside = registry.add_organisation(
            session,
            kind=OrganisationKind.PARTNER,
            code="partner",
            name="省立医院",
            name_en="Provincial hospital",
            parent=consortium.root,
        )
        registry.add_person(
            session,
            "expert2",
            "胡专家",
            password_hash(),
            organisation=outside,
            roles=(Role.EXPERT,),
        )
    return Browser(app, "expert2")


def test_another_site_learns_nothing(
    app: FastAPI, consortium: Consortium, item: UUID, expert: Browser
) -> None:
    path = apply(app, consortium, item)
    stranger = Browser(app, "doctor-west")
    assert ok(stranger.get("/api/consultations"))["total"] == 0
    refused(stranger.get(path), 404, "not-found")
    refused(stranger.post(f"{path}/archive"), 404, "not-found")
    refused(
        stranger.post(f"/api/workitems/{item}/consultations", **question(consortium)),
        404,
        "not-found",
    )
