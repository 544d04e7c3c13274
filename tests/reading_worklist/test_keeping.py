"""Retention, legal holds and purges by two people: through the API, with real objects."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from itertools import product
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from fastapi import FastAPI
from sqlalchemy import delete, select, text, update
from sqlalchemy.exc import DBAPIError

from reading_worklist.keeping.removal import continue_purge, remove_objects
from reading_worklist.keeping.retention import due_patients
from reading_worklist.keeping.states import (
    STATE_CHANGES,
    TRANSITIONS,
    PurgeAction,
    PurgeState,
    next_state,
)
from reading_worklist.keeping.tables import LegalHold, Purge, PurgeObject, PurgeStudy, StudyFate
from reading_worklist.workitems.service import queue_study
from storage import registry
from storage.audit import AuditRecord
from storage.database import Database
from storage.index.tables import Instance, Quarantine, Series, Study, StudyState
from storage.keeping import usage
from storage.messages import PurgeContinues
from storage.objects import ObjectKey, ObjectStore
from storage.orders.tables import Order, StudyOrder
from storage.outbox import OutboxMessage
from storage.registry import Role
from storage.report_objects.tables import ReportObject
from tests.pacs_gateway.datasets import sample
from tests.support.archive import Archive
from tests.support.report_objects import file_page
from tests.support.seed import Consortium, password_hash, received
from tests.support.web import Browser, application

OLD = datetime(1990, 5, 1, tzinfo=UTC)


@pytest.fixture
def app(consortium: Consortium, objects: ObjectStore, tmp_path: Path) -> FastAPI:
    with consortium.database.transaction() as session:
        for login, role in (
            ("admin", Role.CONSORTIUM_ADMIN),
            ("admin2", Role.CONSORTIUM_ADMIN),
        ):
            registry.add_person(
                session,
                login,
                login,
                password_hash(),
                organisation=consortium.root,
                roles=(role,),
            )
    return application(consortium, objects, tmp_path, signers=False)


class Old:
    """Studies of one patient, long ago; a finished study has no open reading."""

    def __init__(self, database: Database, objects: ObjectStore, consortium: Consortium) -> None:
        self.database = database
        self.objects = objects
        self.archive = Archive(
            database, objects, consortium.east.id, consortium.east_device.id, ae_title="EAST_CT"
        )

    def study(self, uid: str = "1.2.3.100", *, at: datetime = OLD, patient: str = "P1") -> UUID:
        for number in (1, 2):
            self.archive.file(
                sample(
                    StudyInstanceUID=uid,
                    SeriesInstanceUID=f"{uid}.1",
                    InstanceNumber=number,
                    PatientID=patient,
                    StudyDate=f"{at:%Y%m%d}",
                )
            )
        with self.database.transaction() as session:
            study = session.scalars(select(Study).where(Study.study_instance_uid == uid)).one()
            study.first_received_at = at
            study.state = StudyState.COMPLETE
            return study.id

    def order(self, study_id: UUID, visit_type: str) -> None:
        with self.database.transaction() as session:
            study = session.get_one(Study, study_id)
            order = Order(
                site_id=study.site_id,
                source="api",
                priority="ROUTINE",
                study_instance_uid=study.study_instance_uid,
                accession_number=f"A{study_id}",
                requested_procedure_id=f"R{study_id}",
                patient_local_id="P1",
                patient_name="X",
                visit_type=visit_type,
            )
            session.add(order)
            session.flush()
            session.add(
                StudyOrder(study_id=study_id, order_id=order.id, matched_by="accession_number")
            )


@pytest.fixture
def old(database: Database, objects: ObjectStore, consortium: Consortium) -> Old:
    return Old(database, objects, consortium)


def due_on(old: Old) -> date | None:
    found = due_patients([old.archive.origin.site_id], today=date(2500, 1, 1))
    with old.database.transaction() as session:
        return session.scalar(select(found.c.due_on))


def execute(database: Database, objects: ObjectStore, purge_id: UUID) -> int:
    """Handle the purge's messages as a worker does; return how many there were."""
    count = 0
    while True:
        with database.transaction() as session:
            row = session.scalar(
                select(OutboxMessage).where(
                    OutboxMessage.topic == "purge.continues", OutboxMessage.handled_at.is_(None)
                )
            )
            if row is None:
                return count
            row.handled_at = datetime.now(UTC)
            continue_purge(session, PurgeContinues(purge_id=purge_id))
        remove_objects(database, objects, purge_id)
        count += 1


def test_each_pair_of_state_and_action_is_decided_and_the_database_agrees(
    database: Database,
) -> None:
    assert set(TRANSITIONS) == set(product(PurgeState, PurgeAction))
    ended = {PurgeState.DONE, PurgeState.REJECTED, PurgeState.WITHDRAWN}
    assert all(next_state(state, action) is None for state in ended for action in PurgeAction)
    with database.transaction() as session:
        pairs = session.execute(text("SELECT from_state, to_state FROM purge_transition")).all()
    assert {(PurgeState(a), PurgeState(b)) for a, b in pairs} == STATE_CHANGES


@pytest.mark.parametrize(
    ("visit_type", "years"), [("outpatient", 15), ("emergency", 15), ("inpatient", 30), (None, 30)]
)
def test_what_is_kept_how_long(old: Old, visit_type: str | None, years: int) -> None:
    study = old.study()
    if visit_type:
        old.order(study, visit_type)
    assert due_on(old) == date(1990 + years, 5, 1)


def test_a_later_visit_keeps_everything_of_the_patient(old: Old) -> None:
    old.order(old.study("1.2.3.1"), "outpatient")
    assert due_on(old) == date(2005, 5, 1)
    old.order(old.study("1.2.3.2", at=datetime(1995, 2, 28, tzinfo=UTC)), "outpatient")
    assert due_on(old) == date(2010, 2, 28)
    old.order(old.study("1.2.3.3", at=datetime(1985, 1, 1, tzinfo=UTC)), "inpatient")
    assert due_on(old) == date(2015, 1, 1)


def test_a_site_may_keep_longer_and_never_shorter(
    old: Old, app: FastAPI, consortium: Consortium
) -> None:
    old.order(old.study(), "outpatient")
    admin = Browser(app, "admin")
    body = {"site_id": str(consortium.east.id), "visit_kind": "outpatient"}
    assert admin.put("/api/keeping/rules", **body, years=40).status_code == 200
    assert due_on(old) == date(2030, 5, 1)
    body["visit_kind"] = "inpatient"
    refused = admin.put("/api/keeping/rules", **body, years=20)
    assert refused.status_code == 422
    assert refused.json()["type"].endswith("below-minimum")
    with pytest.raises(DBAPIError), old.database.transaction() as session:
        session.execute(text("UPDATE retention_rule SET years = 1"))


def test_two_people_purge_what_is_due_and_nothing_else(
    old: Old, app: FastAPI, database: Database, objects: ObjectStore
) -> None:
    study = old.study()
    other = old.study("1.2.3.9", at=datetime.now(UTC), patient="P9")
    with database.transaction() as session:
        series = session.scalars(select(Series.id).where(Series.study_id == study)).one()
    reading = uuid4()
    for number in (1, 2):
        file_page(database, objects, study, reading, number)
    derived = ObjectKey(f"derived/series-metadata/{series}/2-1.json")
    objects.put(derived, b"{}")
    admin, second = Browser(app, "admin"), Browser(app, "admin2")
    (patient,) = admin.get("/api/keeping/due").json()["items"]
    assert [one["obstacles"] for one in patient["studies"]] == [[]]
    proposed = admin.post("/api/keeping/purges", study_ids=[str(study)], reason="30 years over")
    assert proposed.status_code == 201, proposed.text
    purge = proposed.json()["id"]
    assert proposed.json()["actions"] == ["withdraw"]
    own = admin.post(f"/api/keeping/purges/{purge}/approve")
    assert (own.status_code, own.json()["type"]) == (403, "urn:rdc:problem:own-proposal")
    again = second.post("/api/keeping/purges", study_ids=[str(study)], reason="once more")
    assert "proposed_already" in again.json()["found"]
    not_due = second.post("/api/keeping/purges", study_ids=[str(other)], reason="too early")
    assert (not_due.status_code, not_due.json()["found"]) == (409, "not_due")
    approved = second.post(f"/api/keeping/purges/{purge}/approve", comment="yes")
    assert approved.json()["state"] == "APPROVED"
    assert execute(database, objects, UUID(purge)) == 2
    done = admin.get(f"/api/keeping/purges/{purge}").json()
    assert (done["state"], done["purged"], done["actions"]) == ("DONE", 1, [])
    with database.transaction() as session:
        gone = session.get_one(Study, study)
        assert gone.purged_at is not None
        assert (gone.instance_count, gone.series_count, gone.byte_count) == (0, 0, 0)
        kept = session.scalars(select(Instance.study_id)).all()
        assert set(kept) == {other}
        assert [key.key for key in objects.list("instances/")] == sorted(
            session.scalars(select(Instance.object_key))
        )
        assert objects.stat(derived) is None
        assert session.scalars(select(ReportObject)).all() == []
        acts = session.scalars(
            select(AuditRecord.action)
            .where(AuditRecord.subject_kind.in_(["purge", "study"]))
            .order_by(AuditRecord.id)
        ).all()
        acts = [act for act in acts if act != "purge:see"]
    assert acts == ["purge:propose", "purge:approve", "study:purge", "purge:finish"]


def test_what_is_sent_again_after_a_purge_is_kept_again(
    old: Old, app: FastAPI, database: Database, objects: ObjectStore
) -> None:
    item = sample(StudyDate="19900501")
    _, filed = old.archive.file(item)
    with database.transaction() as session:
        session.execute(update(Study).values(first_received_at=OLD, state=StudyState.COMPLETE))
        study = session.scalars(select(Study.id)).one()
    admin, second = Browser(app, "admin"), Browser(app, "admin2")
    purge = admin.post("/api/keeping/purges", study_ids=[str(study)], reason="due").json()["id"]
    second.post(f"/api/keeping/purges/{purge}/approve")
    message = PurgeContinues(purge_id=UUID(purge))
    with database.transaction() as session:
        continue_purge(session, message)
    # Its rows are gone and its object not yet, when the site sends it once more.
    old.archive.index(item, ObjectKey(filed.object_key))
    execute(database, objects, UUID(purge))
    assert objects.stat(ObjectKey(filed.object_key)) is not None
    with database.transaction() as session:
        assert session.scalars(select(PurgeObject.still_named)).one()
        again = session.get_one(Study, study)
        assert (again.purged_at, again.instance_count) == (None, 1)


def hold_patient(old: Old, app: FastAPI, study: UUID) -> None:
    with old.database.transaction() as session:
        patient = session.get_one(Study, study).patient_id
    answer = Browser(app, "dispatcher").post(
        "/api/keeping/holds", patient_id=str(patient), reason="a lawsuit"
    )
    assert answer.status_code == 201, answer.text


def hold_study(old: Old, app: FastAPI, study: UUID) -> None:
    assert (
        Browser(app, "dispatcher")
        .post("/api/keeping/holds", study_id=str(study), reason="a lawsuit")
        .status_code
        == 201
    )


def begin_reading(old: Old, _app: FastAPI, study: UUID) -> None:
    with old.database.transaction() as session:
        queue_study(session, received(session.get_one(Study, study)))


def send_late(old: Old, _app: FastAPI, study: UUID) -> None:
    with old.database.transaction() as session:
        session.execute(update(Study).where(Study.id == study).values(state=StudyState.RECEIVING))


def conflict(old: Old, _app: FastAPI, study: UUID) -> None:
    with old.database.transaction() as session:
        instance = session.scalars(
            select(Instance).where(Instance.study_id == study).limit(1)
        ).one()
        session.add(
            Quarantine(
                id=uuid4(),
                site_id=instance.site_id,
                calling_ae_title="CT",
                peer_address="",
                reason="uid_conflict",
                instance_id=instance.id,
                object_key="instances/x/aa/x.dcm",
                object_size=1,
                dataset_sha256="",
                received_at=OLD,
            )
        )


@pytest.mark.parametrize(
    ("obstacle", "word"),
    [
        (hold_patient, "legal_hold"),
        (hold_study, "legal_hold"),
        (begin_reading, "unfinished_reading"),
        (send_late, "receiving"),
        (conflict, "open_quarantine"),
    ],
)
def test_what_stands_against_it_keeps_a_study_even_after_approval(
    old: Old,
    app: FastAPI,
    objects: ObjectStore,
    obstacle: Callable[[Old, FastAPI, UUID], None],
    word: str,
) -> None:
    study = old.study()
    admin, second = Browser(app, "admin"), Browser(app, "admin2")
    purge = admin.post("/api/keeping/purges", study_ids=[str(study)], reason="due").json()["id"]
    second.post(f"/api/keeping/purges/{purge}/approve")
    obstacle(old, app, study)
    database = old.database
    execute(database, objects, UUID(purge))
    with database.transaction() as session:
        one = session.scalars(select(PurgeStudy)).one()
        assert (one.fate, one.kept_because) == (StudyFate.KEPT, word)
        assert len(session.scalars(select(Instance)).all()) == 2
    refused = admin.post("/api/keeping/purges", study_ids=[str(study)], reason="again")
    assert (refused.status_code, refused.json()["found"]) == (409, word)


def test_a_released_hold_holds_no_more_and_stays_on_record(
    old: Old, app: FastAPI, database: Database
) -> None:
    study = old.study()
    hold_study(old, app, study)
    admin = Browser(app, "admin")
    (hold,) = admin.get("/api/keeping/holds").json()["items"]
    path = f"/api/keeping/holds/{hold['id']}/release"
    assert Browser(app, "dispatcher").post(path, reason="over").status_code == 403
    assert admin.post(path, reason="settled").json()["items"] == []
    assert admin.post(path, reason="settled").status_code == 409
    (kept,) = admin.get("/api/keeping/holds?active=false").json()["items"]
    assert (kept["reason"], kept["release_reason"]) == ("a lawsuit", "settled")
    assert (
        admin.post("/api/keeping/purges", study_ids=[str(study)], reason="due").status_code == 201
    )
    with pytest.raises(DBAPIError), database.transaction() as session:
        session.execute(update(LegalHold).values(reason="another"))


def test_the_database_refuses_what_the_program_must_not_do(
    old: Old, database: Database, consortium: Consortium
) -> None:
    study = old.study()
    writer = consortium.people["writer"].id
    with database.transaction() as session:
        session.add(Purge(site_id=consortium.east.id, reason="due", proposed_by=writer, id=uuid4()))
    for statement in (
        delete(Instance),
        update(Study).where(Study.id == study).values(purged_at=OLD),
        update(Purge).values(state=PurgeState.APPROVED, decided_by=writer),
        update(Purge).values(state=PurgeState.DONE),
        delete(Purge),
    ):
        with pytest.raises(DBAPIError), database.transaction() as session:
            session.execute(statement)


def test_strangers_and_other_roles_learn_nothing(old: Old, app: FastAPI) -> None:
    study = old.study()
    Browser(app, "admin").post("/api/keeping/purges", study_ids=[str(study)], reason="due")
    paths = ("usage", "verification", "rules", "due", "holds", "purges", f"purges/{uuid4()}")
    for login in ("doctor-east", "doctor-west", "writer", "reviewer"):
        browser = Browser(app, login)
        for path in paths:
            assert browser.get(f"/api/keeping/{path}").status_code == 403, (login, path)
        answer = browser.post("/api/keeping/purges", study_ids=[str(study)], reason="mine")
        assert answer.status_code == 403
    dispatcher = Browser(app, "dispatcher")
    assert dispatcher.get("/api/keeping/purges").json()["total"] == 1
    assert (
        dispatcher.post("/api/keeping/purges", study_ids=[str(study)], reason="mine").status_code
        == 403
    )


def test_storage_use_is_told_by_site_modality_and_month(
    old: Old, app: FastAPI, database: Database
) -> None:
    old.study()
    admin = Browser(app, "admin")
    assert admin.get("/api/keeping/usage").json()["refreshed_at"] is None
    with database.transaction() as session:
        assert usage.refresh(session)
        size = sum(session.scalars(select(Instance.object_size)))
    with database.transaction() as session:
        assert not usage.refresh(session), "it is fresh"
        assert usage.refresh(session, older_than=timedelta(0))
        assert usage.totals(session) == {old.archive.origin.site_id: (2, size)}
    sites = {one["site_code"]: one for one in admin.get("/api/keeping/usage").json()["sites"]}
    east = sites["EAST"]
    assert (east["studies"], east["instances"], east["bytes"]) == (1, 2, size)
    assert east["by_modality"] == [{"modality": "CT", "series": 1, "instances": 2, "bytes": size}]
    assert east["by_month"] == [{"month": "1990-05-01", "instances": 2, "bytes": size}]
    assert (east["by_kind"], east["counted_at"]) == ([], None)
    assert sites["WEST"]["bytes"] == 0
