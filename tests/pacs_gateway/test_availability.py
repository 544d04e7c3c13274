"""Instance Availability Notification: told once for each completion, until it is heard."""

from collections.abc import Callable
from typing import Any

from pydicom.dataset import Dataset
from pynetdicom import AE, evt
from sqlalchemy import select

from pacs_gateway import availability
from pacs_gateway.config import ReturnsConfig
from pacs_gateway.gateway import Gateway
from storage.availability import AvailabilityNotification
from storage.database import Database
from storage.index.tables import Study, StudyState
from storage.messages import StudyReceived
from storage.registry import add_dicom_destination, organisation_by_code
from tests.pacs_gateway.conftest import Site
from tests.pacs_gateway.datasets import sample
from tests.pacs_gateway.test_store import drained, send
from tests.pacs_gateway.waiting import until

NOTIFICATION = "1.2.840.10008.5.1.4.33"
RETURNS = ReturnsConfig("RDC", first_retry_seconds=0.05, longest_retry_seconds=0.1)


class Listener:
    """A PACS that takes notifications on a port of its own."""

    def __init__(self, port: int = 0) -> None:
        self.told: list[tuple[str, Dataset]] = []
        self.statuses: list[int] = []
        entity: Any = AE("EASTPACS")
        entity.add_supported_context(NOTIFICATION)
        self.server = entity.start_server(
            ("127.0.0.1", port), block=False, evt_handlers=[(evt.EVT_N_CREATE, self._create)]
        )
        self.port: int = self.server.server_address[1]

    def _create(self, event: evt.Event) -> tuple[int, None]:
        request: Any = event.request
        self.told.append((str(request.AffectedSOPInstanceUID), event.attribute_list))
        return (self.statuses.pop(0) if self.statuses else 0x0000), None


def received(study: Study) -> StudyReceived:
    return StudyReceived(
        study_id=study.id,
        site_id=study.site_id,
        study_instance_uid=study.study_instance_uid,
        generation=study.generation,
        modalities=("CT",),
        instance_count=study.instance_count,
    )


def drive(database: Database) -> list[bool]:
    with database.transaction() as session:
        found = availability.due(session)
    return [availability.attempt(one, database, RETURNS) for one in found]


def test_a_complete_study_is_told_until_it_is_heard_and_once(
    start_gateway: Callable[..., Gateway], database: Database, site: Site, other_site: Site
) -> None:
    gateway = start_gateway(quiet_seconds_default=0.1)
    listener = Listener()
    with database.transaction() as session:
        for code, wanted in (("east", True), ("east", False), ("west", True)):
            add_dicom_destination(
                session,
                organisation_by_code(session, code),
                "EASTPACS",
                "127.0.0.1",
                listener.port,
                notify_availability=wanted,
            )
    items = [sample(), sample()]
    assert send(gateway, items) == [0, 0]
    drained(gateway)

    def complete() -> Study | None:
        with database.transaction() as session:
            return session.scalar(select(Study).where(Study.state == StudyState.COMPLETE))

    until(lambda: complete() is not None, "complete")
    study = complete()
    assert study is not None
    with database.transaction() as session:
        assert availability.create_notifications(session, received(study)) == 1
        assert availability.create_notifications(session, received(study)) == 0
    listener.statuses.append(0x0110)
    until(lambda: drive(database) == [False], "refused once")
    # It has it by now: the answer of the attempt before was lost.
    listener.statuses.append(0x0111)
    until(lambda: drive(database) == [True], "heard")
    assert drive(database) == []
    (first_uid, first), (second_uid, second) = listener.told
    assert (first_uid, first) == (second_uid, second)
    assert first.StudyInstanceUID == study.study_instance_uid
    (series,) = first.ReferencedSeriesSequence
    assert {
        (one.ReferencedSOPInstanceUID, one.InstanceAvailability, one.RetrieveAETitle)
        for one in series.ReferencedSOPSequence
    } == {(item.sop_instance_uid, "ONLINE", "RDC") for item in items}
    listener.server.shutdown()


def test_a_later_completion_replaces_what_was_not_told(
    database: Database, site: Site, start_gateway: Callable[..., Gateway]
) -> None:
    gateway = start_gateway(quiet_seconds_default=60.0)
    with database.transaction() as session:
        add_dicom_destination(
            session,
            organisation_by_code(session, "east"),
            "EASTPACS",
            "127.0.0.1",
            1,
            notify_availability=True,
        )
    assert send(gateway, [sample()]) == [0]
    drained(gateway)
    with database.transaction() as session:
        study = session.scalars(select(Study)).one()
        for generation in (1, 2):
            message = received(study).model_copy(update={"generation": generation})
            assert availability.create_notifications(session, message) == 1
    assert drive(database) == [False]
    with database.transaction() as session:
        rows = session.scalars(
            select(AvailabilityNotification).order_by(AvailabilityNotification.generation)
        ).all()
    assert [row.superseded for row in rows] == [True, False]
    assert rows[1].attempts == 1
    assert "no connection to EASTPACS at 127.0.0.1:1" in (rows[1].last_error or "")
