"""Where exams of a site are on their road, what they want, and when images may be deleted."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from sqlalchemy import select, update

from reading_worklist.identity import arrival
from reading_worklist.portal.road import (
    Attention,
    ExamStep,
    KeptFacts,
    Obstacle,
    Verdict,
    attention_of,
    judge,
)
from storage.clock import utc_now
from storage.database import Database
from storage.index.tables import Instance, Quarantine, QuarantineReason, Study
from storage.objects import ObjectKey, ObjectStore
from storage.orders import performed
from storage.orders.performed import NewPerformedStep
from storage.orders.states import ExamState, PerformedState
from storage.orders.tables import Order
from tests.reading_worklist.dicomweb.archive import Archive
from tests.reading_worklist.dicomweb.conftest import series_of
from tests.support.orders import ACTOR
from tests.support.seed import Consortium, received
from tests.support.web import PIN, Browser, application

KEPT = KeptFacts(received=3, expected=3, lost=0)
PATIENT = {
    "SpecificCharacterSet": "ISO_IR 192",
    "PatientID": "P001",
    "PatientName": "张^伟",
    "PatientSex": "M",
}


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (KEPT, (Verdict.SAFE, None)),
        (replace(KEPT, received=4), (Verdict.SAFE, None)),
        (replace(KEPT, expected=None, committed=True), (Verdict.SAFE, None)),
        (replace(KEPT, lost=None), (Verdict.STORED, None)),
        (replace(KEPT, expected=None), (Verdict.STORED, None)),
        (replace(KEPT, received=0), (Verdict.NOT_YET, Obstacle.NOT_RECEIVED)),
        (replace(KEPT, receiving=True), (Verdict.NOT_YET, Obstacle.RECEIVING)),
        (replace(KEPT, performing=True), (Verdict.NOT_YET, Obstacle.PERFORMING)),
        (replace(KEPT, missing=1), (Verdict.NOT_YET, Obstacle.MISSING)),
        (replace(KEPT, quarantined=1), (Verdict.NOT_YET, Obstacle.QUARANTINED)),
        (
            replace(KEPT, attention=Attention.IDENTITY),
            (Verdict.NOT_YET, Obstacle.IDENTITY),
        ),
        (replace(KEPT, attention=Attention.RETAKE), (Verdict.NOT_YET, Obstacle.RETAKE)),
        (replace(KEPT, attention=Attention.REJECTED), (Verdict.NOT_YET, Obstacle.RETAKE)),
        (replace(KEPT, lost=1), (Verdict.NOT_YET, Obstacle.LOST)),
        (replace(KEPT, purged=True, received=0), (Verdict.NOT_YET, Obstacle.PURGED)),
    ],
)
def test_images_may_be_deleted_when_nothing_speaks_against_it(
    facts: KeptFacts, expected: tuple[Verdict, Obstacle | None]
) -> None:
    assert judge(facts) == expected


def test_what_wants_attention() -> None:
    wanting = {state: attention_of(state, 0) for state in ExamState}
    assert {state: why for state, why in wanting.items() if why} == {
        ExamState.IDENTITY_HOLD: Attention.IDENTITY,
        ExamState.RETAKE: Attention.RETAKE,
        ExamState.REJECTED_QUALITY: Attention.REJECTED,
    }
    assert attention_of(ExamState.QUEUED, 2) is Attention.INCOMPLETE
    assert attention_of(None, 0) is None


class Site:
    """The eastern site: what it orders, sends and sees."""

    def __init__(self, consortium: Consortium, objects: ObjectStore, directory: Path) -> None:
        self.app: FastAPI = application(consortium, objects, directory)
        self.consortium = consortium
        self.database: Database = consortium.database
        self.archive = Archive(consortium.database, objects)
        self.doctor = Browser(self.app, "doctor-east")

    def order(self, **values: object) -> dict[str, Any]:
        body = {"patient_local_id": "P001", "patient_name": "张伟", "steps": [{"modality": "CT"}]}
        answer = self.doctor.post("/api/orders", **{**body, **values})
        assert answer.status_code == 201, answer.text
        return answer.json()

    def send(self, order: dict[str, Any], count: int = 2) -> list[str]:
        """Instances of the order's study come; returns their UIDs."""
        sent = [
            self.archive.file(data, self.consortium.east)
            for data in series_of(
                "CT_small.dcm",
                count,
                **PATIENT | {"PatientID": order.get("patient_local_id", "P001")},
                StudyInstanceUID=order["study_instance_uid"],
                AccessionNumber=order["accession_number"],
            )
        ]
        return [str(one.header.sop_instance_uid) for one in sent if one is not None]

    def perform(self, order: dict[str, Any], instance_uids: list[str] | None) -> None:
        """The device begins, and ends with so many instances; None: it has not ended."""
        with self.database.transaction() as session:
            performed.begin(
                session,
                ACTOR,
                NewPerformedStep(
                    site_id=self.consortium.east.id,
                    device_id=self.consortium.east_device.id,
                    sop_instance_uid="1.2.3",
                    study_instance_uid=order["study_instance_uid"],
                    accession_number=order["accession_number"],
                    requested_procedure_id=None,
                    step_ids=[],
                    modality="CT",
                    station_ae_title="EAST_CT",
                    dataset=b"",
                    transfer_syntax_uid="1.2",
                ),
            )
        if instance_uids is None:
            return
        with self.database.transaction() as session:
            performed.update(
                session,
                ACTOR,
                site_id=self.consortium.east.id,
                sop_instance_uid="1.2.3",
                state=PerformedState.COMPLETED,
                instance_uids=instance_uids,
                dataset=b"",
                transfer_syntax_uid="1.2",
            )

    def complete(self) -> None:
        """Every study is quiet, and taken over by the worklist."""
        self.archive.complete()
        with self.database.transaction() as session:
            for study in session.scalars(select(Study)):
                arrival.study_received(session, received(study))

    def exam(self, exam_id: str) -> dict[str, Any]:
        answer = self.doctor.get(f"/api/portal/exams/{exam_id}")
        assert answer.status_code == 200, answer.text
        return answer.json()

    def kept(self, exam_id: str) -> tuple[str, str | None]:
        answer = self.doctor.get(f"/api/portal/exams/{exam_id}/kept")
        assert answer.status_code == 200, answer.text
        return answer.json()["verdict"], answer.json()["obstacle"]

    def listed(self, **wanted: str) -> list[str]:
        answer = self.doctor.client.get("/api/portal/exams", params=wanted).json()
        assert answer["total"] == len(answer["items"])
        return [one["step"] for one in answer["items"]]


@pytest.fixture
def site(consortium: Consortium, objects: ObjectStore, tmp_path: Path) -> Site:
    return Site(consortium, objects, tmp_path)


def test_one_exam_from_its_order_to_the_opened_report(site: Site) -> None:
    order = site.order(procedure_description="胸部CT")
    path = f"/api/orders/{order['id']}"
    assert site.exam(order["id"])["step"] == ExamStep.ORDERED
    site.doctor.client.patch(path, json={"state": "CHECKED_IN"})
    assert site.exam(order["id"])["step"] == ExamStep.CHECKED_IN
    site.perform(order, None)
    uids = site.send(order)
    coming = site.exam(order["id"])
    assert (coming["step"], coming["study"]["instance_count"]) == (ExamStep.RECEIVING, 2)
    assert coming["study"]["expected_count"] is None
    assert site.kept(order["id"]) == (Verdict.NOT_YET, Obstacle.RECEIVING)
    with site.database.transaction() as session:
        study_id = str(session.scalars(select(Study.id)).one())
    site.complete()
    # The device has not said that it is done.
    assert site.kept(order["id"]) == (Verdict.NOT_YET, Obstacle.PERFORMING)
    with site.database.transaction() as session:
        performed.update(
            session,
            ACTOR,
            site_id=site.consortium.east.id,
            sop_instance_uid="1.2.3",
            state=PerformedState.COMPLETED,
            instance_uids=uids,
            dataset=b"",
            transfer_syntax_uid="1.2",
        )
    queued = site.exam(order["id"])
    assert (queued["step"], queued["study"]["expected_count"]) == (ExamStep.QUEUED, 2)
    assert queued["steps"]["checked_in_at"]
    assert {site.exam(one)["id"] for one in (study_id, queued["workitem_id"])} == {queued["id"]}
    assert site.kept(queued["id"]) == (Verdict.SAFE, None)
    assert site.listed() == [ExamStep.QUEUED]

    item = f"/api/workitems/{queued['workitem_id']}"
    writer, reviewer = Browser(site.app, "writer"), Browser(site.app, "reviewer")
    writer.post(f"{item}/claim")
    assert site.listed(step="reading") == [ExamStep.READING]
    writer.put(
        f"{item}/draft", revision=0, findings="双肺清晰。", impression="未见异常。", advice=""
    )
    assert writer.post(f"{item}/submit", revision=1, signing_pin=PIN).status_code == 200
    assert site.listed(step="reading") == [ExamStep.READING]
    reviewer.post(f"{item}/review")
    assert reviewer.post(f"{item}/finalise", signing_pin=PIN).status_code == 200
    assert site.listed(needs="unopened") == site.listed(step="signed") == [ExamStep.SIGNED]
    assert site.doctor.get("/api/portal/home").json()["unopened"]["total"] == 1
    assert site.doctor.get(f"/api/portal/exams/{queued['id']}/report").status_code == 200
    assert site.listed(needs="unopened") == []
    assert site.listed(step="opened") == [ExamStep.OPENED]
    assert site.exam(order["id"])["report_status"] == "final"


def test_exams_are_found_by_what_a_technician_remembers(site: Site) -> None:
    order = site.order()
    other = site.order(
        patient_local_id="P002", patient_name="李娜", steps=[{"modality": "DX"}], body_part="CHEST"
    )
    cancelled = site.order(patient_local_id="P003")
    site.doctor.client.patch(
        f"/api/orders/{cancelled['id']}", json={"state": "CANCELLED", "reason": "改期"}
    )
    site.send(order)
    assert sorted(site.listed()) == [ExamStep.ORDERED, ExamStep.RECEIVING]
    assert site.listed(step="receiving") == [ExamStep.RECEIVING]
    site.complete()
    assert sorted(site.listed()) == [ExamStep.ORDERED, ExamStep.QUEUED]
    for text, step in (
        ("张", ExamStep.QUEUED),
        ("zw", ExamStep.QUEUED),
        ("zhangwei", ExamStep.QUEUED),
    ):
        assert site.listed(q=text) == [step], text
    assert site.listed(q="李") == site.listed(q="P002") == [ExamStep.ORDERED]
    assert site.listed(q=other["accession_number"]) == [ExamStep.ORDERED]
    assert site.listed(modality="DX") == [ExamStep.ORDERED]
    assert site.listed(q="P003") == []
    stranger = Browser(site.app, "doctor-west")
    assert stranger.get("/api/portal/exams").json()["total"] == 0
    for one in (order, other):
        assert stranger.get(f"/api/portal/exams/{one['id']}").status_code == 404
        assert stranger.get(f"/api/portal/exams/{one['id']}/kept").status_code == 404
    assert Browser(site.app, "writer").get("/api/portal/home").status_code == 403


def test_an_exam_whose_images_come_is_shown_once(site: Site) -> None:
    site.send(site.order(patient_local_id="P009"))
    site.complete()
    site.send(site.order())
    assert sorted(site.listed()) == [ExamStep.QUEUED, ExamStep.RECEIVING]


def test_a_study_without_an_order_is_shown_while_it_comes(site: Site) -> None:
    ordered = {"study_instance_uid": "1.2.3.4", "accession_number": "A9"}
    site.send(ordered)
    assert site.listed() == [ExamStep.RECEIVING]
    site.complete()
    assert site.listed() == [ExamStep.QUEUED]


def test_late_exams_are_told_of(site: Site) -> None:
    ages = {"checked_in": 61, "acquired": 11, "fresh": 5}
    orders = {name: site.order(patient_local_id=name) for name in (*ages, "missed", "tomorrow")}
    now = utc_now()
    with site.database.transaction() as session:
        for name, minutes in ages.items():
            state = ExamState.ACQUIRED if name == "acquired" else ExamState.CHECKED_IN
            at = now - timedelta(minutes=minutes)
            for value in dict.fromkeys((ExamState.CHECKED_IN, state)):
                session.execute(
                    update(Order)
                    .where(Order.id == orders[name]["id"])
                    .values(state=value, checked_in_at=at, acquired_at=at)
                )
        for name, hours in (("missed", -3), ("tomorrow", 20)):
            order = session.get_one(Order, orders[name]["id"])
            order.steps[0].scheduled_at = now + timedelta(hours=hours)
    late = site.doctor.get("/api/portal/exams?needs=late").json()["items"]
    assert sorted(one["patient"]["local_id"] for one in late) == [
        "acquired",
        "checked_in",
        "missed",
    ]
    site.send(orders["acquired"])
    assert site.doctor.get("/api/portal/home").json()["late"]["total"] == 2


def test_what_is_not_whole_or_not_in_the_store_stays_on_the_modality(
    site: Site, objects: ObjectStore
) -> None:
    order = site.order()
    site.perform(order, ["1.9.9", *site.send(order)])
    site.complete()
    assert site.kept(order["id"]) == (Verdict.NOT_YET, Obstacle.MISSING)
    with site.database.transaction() as session:
        session.execute(update(Order).values(missing_instances=1))
    assert site.doctor.get("/api/portal/home").json()["attention"]["items"][0]["attention"] == (
        Attention.INCOMPLETE
    )

    plain = site.order(patient_local_id="P002")
    site.send(plain)
    site.complete()
    assert site.kept(plain["id"]) == (Verdict.STORED, None)
    with site.database.transaction() as session:
        study = session.scalars(
            select(Study).where(Study.study_instance_uid == plain["study_instance_uid"])
        ).one()
        key = session.scalars(
            select(Instance.object_key).where(Instance.study_id == study.id).limit(1)
        ).one()
        entry = Quarantine(
            site_id=study.site_id,
            calling_ae_title="EAST_CT",
            peer_address="10.0.0.1",
            reason=QuarantineReason.UID_CONFLICT,
            object_key="quarantine/1",
            object_size=1,
            dataset_sha256="0",
            detail={"study_instance_uid": study.study_instance_uid},
            received_at=utc_now(),
        )
        session.add(entry)
    assert site.kept(plain["id"]) == (Verdict.NOT_YET, Obstacle.QUARANTINED)
    with site.database.transaction() as session:
        session.execute(update(Quarantine).values(resolved_at=utc_now()))
    objects.delete(ObjectKey.parse(key))
    assert site.kept(plain["id"]) == (Verdict.NOT_YET, Obstacle.LOST)
