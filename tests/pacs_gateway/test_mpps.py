"""Performed procedure steps over real associations, and what they make complete."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from pydicom.dataset import Dataset
from pydicom.uid import UID, generate_uid
from pynetdicom import AE
from pynetdicom.association import Association
from pynetdicom.sop_class import (
    CTImageStorage,  # pyright: ignore[reportAttributeAccessIssue]
    ModalityPerformedProcedureStep,  # pyright: ignore[reportAttributeAccessIssue]
)
from sqlalchemy import select

from pacs_gateway.gateway import Gateway
from storage import audit
from storage.database import Database
from storage.index.tables import Study, StudyState
from storage.messages import READING_WORKLIST
from storage.orders import service
from storage.orders.request import OrderRequest, StepRequest
from storage.orders.states import ExamState, PerformedState
from storage.orders.tables import Order, PerformedStep
from storage.orders.words import OrderSource, StepStatus
from storage.outbox import OutboxMessage
from tests.pacs_gateway.conftest import Site
from tests.pacs_gateway.datasets import ct
from tests.pacs_gateway.peers import associated
from tests.pacs_gateway.waiting import until

STUDY = "1.2.3.100"


@pytest.fixture
def order(database: Database, site: Site) -> Order:
    """An order whose study the modality will make under `STUDY`."""
    request = OrderRequest(
        site_id=site.id,
        source=OrderSource.API,
        patient_local_id="P1",
        patient_name="张三",
        patient_birth_date=date(1960, 5, 17),
        steps=[StepRequest("CT")],
        study_instance_uid=STUDY,
        accession_number="A1",
    )
    with database.transaction() as session:
        made = service.place(session, audit.system_actor("test"), request)
        session.refresh(made, ["steps"])
    return made


@pytest.fixture
def device(gateway: Gateway) -> Callable[..., Association]:
    """Opens associations of a modality."""

    def associate(title: str = "CT1") -> Association:
        ae = AE(ae_title=title)
        ae.add_requested_context(ModalityPerformedProcedureStep)
        ae.add_requested_context(CTImageStorage, "1.2.840.10008.1.2.1")
        association = associated(ae, gateway.bound_port)
        assert association.is_established
        return association

    return associate


def begun(order: Order | None = None, **values: Any) -> Dataset:  # noqa: ANN401 -- any attribute
    """What an N-CREATE tells."""
    dataset, item = Dataset(), Dataset()
    item.StudyInstanceUID = STUDY
    item.AccessionNumber = "A1"
    item.ScheduledProcedureStepID = order.steps[0].step_id if order else ""
    dataset.ScheduledStepAttributesSequence = [item]
    dataset.PerformedProcedureStepID = "PPS1"
    dataset.PerformedStationAETitle = "CT1"
    dataset.PerformedProcedureStepStartDate = "20260304"
    dataset.PerformedProcedureStepStartTime = "091500"
    dataset.PerformedProcedureStepStatus = "IN PROGRESS"
    dataset.Modality = "CT"
    dataset.PerformedSeriesSequence = []
    for keyword, value in values.items():
        if value is None:
            delattr(dataset, keyword)
        else:
            setattr(dataset, keyword, value)
    return dataset


def ended(*instances: str, status: str = "COMPLETED") -> Dataset:
    """What the last N-SET tells."""
    dataset, series = Dataset(), Dataset()
    series.SeriesInstanceUID = f"{STUDY}.1"
    series.ReferencedImageSequence = []
    for uid in instances:
        item = Dataset()
        item.ReferencedSOPClassUID = CTImageStorage
        item.ReferencedSOPInstanceUID = uid
        series.ReferencedImageSequence.append(item)
    dataset.PerformedProcedureStepStatus = status
    dataset.PerformedSeriesSequence = [series]
    return dataset


def create(association: Association, dataset: Dataset, uid: str | None) -> Dataset:
    return association.send_n_create(dataset, ModalityPerformedProcedureStep, uid)[0]


def set_(association: Association, dataset: Dataset, uid: str) -> Dataset:
    return association.send_n_set(dataset, ModalityPerformedProcedureStep, uid)[0]


def order_now(database: Database, order: Order) -> tuple[ExamState, StepStatus]:
    with database.transaction() as session:
        now = session.get_one(Order, order.id)
        return now.state, now.steps[0].status


def send(association: Association, *instances: str) -> None:
    for number, uid in enumerate(instances, start=1):
        status = association.send_c_store(_instance(uid, number))
        assert status.Status == 0x0000


def _instance(uid: str, number: int) -> Dataset:
    dataset = ct(SOPInstanceUID=uid, InstanceNumber=number)
    dataset.ensure_file_meta()
    dataset.file_meta.TransferSyntaxUID = UID("1.2.840.10008.1.2.1")
    return dataset


def received(database: Database) -> list[dict[str, Any]]:
    with database.transaction() as session:
        rows = session.scalars(
            select(OutboxMessage)
            .where(
                OutboxMessage.topic == "study.received",
                OutboxMessage.consumer == READING_WORKLIST,
            )
            .order_by(OutboxMessage.created_at)
        )
        return [row.payload for row in rows]


def test_a_step_begins_and_ends_and_then_stays_as_it_is(
    device: Callable[..., Association], database: Database, order: Order
) -> None:
    association, uid = device(), str(generate_uid())
    assert create(association, begun(order), uid).Status == 0x0000
    assert order_now(database, order) == (ExamState.CHECKED_IN, StepStatus.STARTED)
    assert create(association, begun(order), uid).Status == 0x0111
    update = Dataset()
    update.PerformedProcedureStepDescription = "Thorax"
    assert set_(association, update, uid).Status == 0x0000
    assert set_(association, ended("1.2.3.1"), uid).Status == 0x0000
    assert order_now(database, order) == (ExamState.ACQUIRED, StepStatus.COMPLETED)
    for late in (update, ended("1.2.3.1"), ended(status="DISCONTINUED")):
        refused = set_(association, late, uid)
        assert (refused.Status, refused.ErrorID) == (0x0110, 0xA710)
    association.release()
    with database.transaction() as session:
        step = session.scalars(select(PerformedStep)).one()
        assert (step.state, step.instance_uids) == (PerformedState.COMPLETED, ["1.2.3.1"])
        assert step.order_id == order.id


def test_a_step_without_a_uid_is_given_one(
    device: Callable[..., Association], database: Database, order: Order
) -> None:
    association = device()
    answer = create(association, begun(order), None)
    association.release()
    with database.transaction() as session:
        given = session.scalars(select(PerformedStep.sop_instance_uid)).one()
    assert answer.Status == 0x0000
    assert given.startswith("2.25.")


def test_what_no_step_can_begin_with_is_refused(
    device: Callable[..., Association], site: Site
) -> None:
    association = device()
    refused: list[tuple[dict[str, Any], int]] = [
        ({"PerformedProcedureStepStatus": "COMPLETED"}, 0x0106),
        ({"PerformedProcedureStepStatus": "DONE"}, 0x0106),
        ({"PerformedProcedureStepStatus": None}, 0x0120),
        ({"ScheduledStepAttributesSequence": None}, 0x0120),
        ({"Modality": None}, 0x0120),
    ]
    for changes, status in refused:
        answer = create(association, begun(**changes), str(generate_uid()))
        assert answer.Status == status, changes
    association.release()


def test_a_step_that_was_not_created_is_unknown_and_so_is_another_sites(
    device: Callable[..., Association], order: Order, other_site: Site
) -> None:
    association, uid = device(), str(generate_uid())
    assert set_(association, ended(), uid).Status == 0x0112
    assert create(association, begun(order), uid).Status == 0x0000
    association.release()
    stranger = device(other_site.ae_title)
    assert set_(stranger, ended(), uid).Status == 0x0112
    stranger.release()


def test_a_study_whose_listed_instances_are_all_here_is_complete_at_once(
    start_gateway: Callable[..., Gateway], database: Database, order: Order
) -> None:
    # The quiet time would take longer than the test may.
    gateway = start_gateway(quiet_seconds_default=3600.0)
    ae = AE(ae_title="CT1")
    ae.add_requested_context(ModalityPerformedProcedureStep)
    ae.add_requested_context(CTImageStorage, "1.2.840.10008.1.2.1")
    association = associated(ae, gateway.bound_port)
    instances = [str(generate_uid()) for _ in range(3)]
    uid = str(generate_uid())
    assert create(association, begun(order), uid).Status == 0x0000
    send(association, *instances[:2])
    assert set_(association, ended(*instances), uid).Status == 0x0000
    send(association, instances[2])
    association.release()
    until(lambda: len(received(database)) == 1, "the study is complete")
    message = received(database)[0]
    assert (message["instance_count"], message["missing_instances"]) == (3, 0)


def test_missing_instances_are_told_after_the_quiet_time_and_late_ones_reopen(
    device: Callable[..., Association], database: Database, order: Order
) -> None:
    association, uid = device(), str(generate_uid())
    instances = [str(generate_uid()) for _ in range(3)]
    assert create(association, begun(order), uid).Status == 0x0000
    assert set_(association, ended(*instances), uid).Status == 0x0000
    send(association, *instances[:2])
    until(lambda: len(received(database)) == 1, "the quiet time has passed")
    assert received(database)[0]["missing_instances"] == 1
    send(association, instances[2])
    association.release()
    until(lambda: len(received(database)) == 2, "the study is complete again")
    again = received(database)[1]
    assert (again["generation"], again["missing_instances"]) == (2, 0)
    with database.transaction() as session:
        assert session.scalars(select(Study.state)).one() is StudyState.COMPLETE
