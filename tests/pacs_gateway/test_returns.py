"""Reports on their way back: every destination gets each version once, however often tried."""

import hashlib
import io
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from uuid import UUID, uuid4

import pytest
from pydicom.dataset import FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian
from sqlalchemy import select

from deploy.embedded.processes import tied
from pacs_gateway.config import ReturnsConfig
from pacs_gateway.gateway import Gateway
from pacs_gateway.returns import create_deliveries, due, serve
from pacs_gateway.tasks import HANDLERS
from storage.clock import utc_now
from storage.database import Database
from storage.deliveries import Delivery, DeliveryAttempt, DeliveryState
from storage.dicom_header import read_header
from storage.index.ingest import ingest
from storage.index.putting import put_instance
from storage.index.tables import Study
from storage.messages import ReportIssued
from storage.objects import ObjectKey, ObjectStore
from storage.outbox import OutboxMessage
from storage.receptions import Origin
from storage.registry import Destination, Organisation, add_dicom_destination
from storage.report_objects.names import ReportObjectKind, sop_instance_uid
from tests.pacs_gateway.conftest import Site
from tests.pacs_gateway.datasets import ct, sample
from tests.pacs_gateway.peers import EXPLICIT, IMPLICIT
from tests.pacs_gateway.receiver import Receiver
from tests.pacs_gateway.test_store import drained, send
from tests.pacs_gateway.waiting import until
from tests.support.identity import decide
from tests.support.ports import dead_port, free_port

_PDF = b"%PDF-1.7\n%a page\n%%EOF\n"
_CONFIG = ReturnsConfig(
    "RDC",
    first_retry_seconds=0.05,
    longest_retry_seconds=0.2,
    connect_timeout_seconds=2,
    acse_timeout_seconds=2,
    dimse_timeout_seconds=5,
)


def _destination(database: Database, site_id: UUID, port: int, ae_title: str = "EASTPACS") -> UUID:
    with database.transaction() as session:
        organisation = session.get_one(Organisation, site_id)
        return add_dicom_destination(session, organisation, ae_title, "127.0.0.1", port).id


@pytest.fixture
def study_id(gateway: Gateway, database: Database, site: Site) -> UUID:
    """A study of the site, received."""
    assert site
    assert send(gateway, [sample(PatientName="Zhang^San")]) == [0]
    drained(gateway)
    with database.transaction() as session:
        return session.scalars(select(Study.id)).one()


@pytest.fixture
def issued(study_id: UUID, database: Database, objects: ObjectStore, site: Site) -> ReportIssued:
    """A report version of that study, its PDF stored."""
    workitem_id = uuid4()
    key = f"reports/{workitem_id}/{uuid4()}.pdf"
    objects.put(ObjectKey(key), _PDF)
    return ReportIssued(
        report_version_id=uuid4(),
        workitem_id=workitem_id,
        study_id=study_id,
        site_id=site.id,
        study_instance_uid="1.2.3.100",
        version_number=1,
        pdf_object_key=key,
        pdf_sha256=hashlib.sha256(_PDF).hexdigest(),
        title="CT report",
        issued_at=utc_now(),
    )


def _issue(database: Database, issued: ReportIssued) -> None:
    with database.transaction() as session:
        HANDLERS[ReportIssued](session, issued)


def _due(database: Database) -> Sequence[UUID]:
    with database.transaction() as session:
        return due(session, 10)


def _rows(database: Database) -> Sequence[Delivery]:
    with database.transaction() as session:
        return session.scalars(select(Delivery).order_by(Delivery.version_number)).all()


def _only(database: Database) -> Delivery:
    (row,) = _rows(database)
    return row


def _attempts(database: Database) -> Sequence[DeliveryAttempt]:
    with database.transaction() as session:
        return session.scalars(select(DeliveryAttempt).order_by(DeliveryAttempt.number)).all()


def _told(database: Database) -> list[str]:
    with database.transaction() as session:
        return list(
            session.scalars(
                select(OutboxMessage.topic).where(OutboxMessage.topic == "report.delivered")
            )
        )


def _set_due(database: Database) -> None:
    with database.transaction() as session:
        for row in session.scalars(select(Delivery)):
            row.next_attempt_at = utc_now() - timedelta(seconds=1)


def test_a_report_goes_back_under_the_patient_that_was_decided(
    database: Database, objects: ObjectStore, issued: ReportIssued
) -> None:
    """And not under the one whose name the device has sent."""
    with database.transaction() as session:
        uid = session.get_one(Study, issued.study_id).study_instance_uid
    decide(database, uid, "P777", "Li^Na=李^娜", born=date(1985, 4, 1))
    with Receiver() as receiver:
        _destination(database, issued.site_id, receiver.port)
        _issue(database, issued)
        (destination_id,) = _due(database)
        assert serve(destination_id, database, objects, _CONFIG)
    (stored,) = receiver.received
    assert (stored.PatientID, str(stored.PatientName)) == ("P777", "Li^Na=李^娜")
    assert (stored.PatientBirthDate, stored.PatientSex) == ("19850401", "F")


def test_a_report_reaches_its_site_and_says_so(
    database: Database, objects: ObjectStore, issued: ReportIssued
) -> None:
    with Receiver() as receiver:
        _destination(database, issued.site_id, receiver.port)
        _issue(database, issued)
        (destination_id,) = _due(database)
        assert serve(destination_id, database, objects, _CONFIG)
    (found,) = receiver.received
    assert found.SOPInstanceUID == sop_instance_uid(ReportObjectKind.PDF, issued.report_version_id)
    assert (found.StudyInstanceUID, found.PatientID) == ("1.2.3.100", "P1")
    assert found.EncapsulatedDocument[: found.EncapsulatedDocumentLength] == _PDF
    row = _only(database)
    assert row.state == DeliveryState.DELIVERED
    assert row.delivered_at is not None
    assert _told(database) == ["report.delivered"]
    (made,) = _attempts(database)
    assert (made.succeeded, made.answer) == (True, "C-STORE status 0000H")


_ENHANCED_SR = "1.2.840.10008.5.1.4.1.1.88.22"


def _structured(issued: ReportIssued, database: Database, objects: ObjectStore) -> None:
    """A structured report of the version, filed in its study as the web application files it."""
    dataset = ct(
        SOPClassUID=_ENHANCED_SR,
        SOPInstanceUID=sop_instance_uid(ReportObjectKind.STRUCTURED, issued.report_version_id),
        SeriesInstanceUID="1.2.3.100.9901",
        Modality="SR",
        PatientName="Zhang^San",
    )
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    file = io.BytesIO()
    dataset.save_as(file, enforce_file_format=True)
    file.seek(0)
    origin = Origin(issued.site_id, None, "RDC", "RDC", "")
    received = put_instance(objects, origin, read_header(file), file, quiet=timedelta())
    with database.transaction() as session:
        ingest(session, [replace(received, evidence=True)])


def test_the_structured_report_goes_back_beside_the_page(
    database: Database, objects: ObjectStore, issued: ReportIssued
) -> None:
    _structured(issued, database, objects)
    with Receiver(also=_ENHANCED_SR) as receiver:
        _destination(database, issued.site_id, receiver.port)
        _issue(database, issued)
        assert serve(_due(database)[0], database, objects, _CONFIG)
    page, tree = receiver.received
    assert page.EncapsulatedDocument[: page.EncapsulatedDocumentLength] == _PDF
    assert tree.SOPInstanceUID == sop_instance_uid(
        ReportObjectKind.STRUCTURED, issued.report_version_id
    )
    (made,) = _attempts(database)
    assert made.answer == "C-STORE status 0000H; Enhanced SR Storage: C-STORE status 0000H"


def test_a_receiver_without_structured_reports_gets_the_page_and_that_is_said(
    database: Database, objects: ObjectStore, issued: ReportIssued
) -> None:
    _structured(issued, database, objects)
    with Receiver() as receiver:
        _destination(database, issued.site_id, receiver.port)
        _issue(database, issued)
        assert serve(_due(database)[0], database, objects, _CONFIG)
    assert len(receiver.received) == 1
    assert _attempts(database)[0].answer == (
        "C-STORE status 0000H; Enhanced SR Storage: "
        f"EASTPACS at 127.0.0.1:{receiver.port} does not accept Enhanced SR Storage"
    )


def test_what_was_refused_for_want_of_space_follows_without_the_page(
    database: Database, objects: ObjectStore, issued: ReportIssued
) -> None:
    _structured(issued, database, objects)
    with Receiver(also=_ENHANCED_SR) as receiver:
        receiver.statuses[_ENHANCED_SR] = 0xA700
        destination = _destination(database, issued.site_id, receiver.port)
        _issue(database, issued)
        assert not serve(_due(database)[0], database, objects, _CONFIG)
        assert _only(database).state == DeliveryState.PENDING
        receiver.statuses.clear()
        until(lambda: bool(_due(database)), "the next attempt is due")
        assert serve(destination, database, objects, _CONFIG)
    assert _only(database).state == DeliveryState.DELIVERED
    page, refused, taken = receiver.received
    assert page.SOPInstanceUID == _only(database).sop_instance_uid
    assert refused.SOPInstanceUID == taken.SOPInstanceUID
    assert _told(database) == ["report.delivered"]


def test_both_name_the_patient_that_was_decided(
    database: Database, objects: ObjectStore, issued: ReportIssued
) -> None:
    _structured(issued, database, objects)
    with database.transaction() as session:
        uid = session.get_one(Study, issued.study_id).study_instance_uid
    decide(database, uid, "P777", "Li^Na=李^娜", born=date(1985, 4, 1))
    with Receiver(also=_ENHANCED_SR) as receiver:
        _destination(database, issued.site_id, receiver.port)
        _issue(database, issued)
        assert serve(_due(database)[0], database, objects, _CONFIG)
    assert {(one.PatientID, str(one.PatientName)) for one in receiver.received} == {
        ("P777", "Li^Na=李^娜")
    }


def test_told_twice_or_tried_twice_nothing_happens_twice(
    database: Database, objects: ObjectStore, issued: ReportIssued
) -> None:
    with Receiver() as receiver:
        _destination(database, issued.site_id, receiver.port)
        _issue(database, issued)
        _issue(database, issued)
        (destination_id,) = _due(database)
        assert list(_due(database)) == []
        assert serve(destination_id, database, objects, _CONFIG)
        assert not serve(destination_id, database, objects, _CONFIG)
        assert not serve(uuid4(), database, objects, _CONFIG)
    assert len(receiver.received) == 1
    assert len(_attempts(database)) == 1
    assert _told(database) == ["report.delivered"]


@pytest.mark.parametrize("syntax", [EXPLICIT, IMPLICIT])
def test_a_receiver_with_one_transfer_syntax_is_served(
    database: Database, objects: ObjectStore, issued: ReportIssued, syntax: str
) -> None:
    with Receiver(syntaxes=(syntax,)) as receiver:
        _destination(database, issued.site_id, receiver.port)
        _issue(database, issued)
        assert serve(_due(database)[0], database, objects, _CONFIG)
    assert receiver.received[0].file_meta.TransferSyntaxUID == syntax


def test_a_dead_destination_is_tried_until_it_lives(
    database: Database, objects: ObjectStore, issued: ReportIssued
) -> None:
    port = free_port()
    _destination(database, issued.site_id, port)
    _issue(database, issued)
    for number in range(1, 5):
        until(lambda: bool(_due(database)), "the next attempt is due")
        assert not serve(_only(database).destination_id, database, objects, _CONFIG)
        row = _only(database)
        assert (row.state, row.attempts) == (DeliveryState.PENDING, number)
        assert row.last_error == f"no connection to EASTPACS at 127.0.0.1:{port}"
    with Receiver(port=port) as receiver:
        until(lambda: bool(_due(database)), "the next attempt is due")
        assert serve(_only(database).destination_id, database, objects, _CONFIG)
        assert len(receiver.received) == 1
    assert [made.succeeded for made in _attempts(database)] == [False] * 4 + [True]


@pytest.mark.parametrize(
    ("receiver_settings", "answer"),
    [
        ({"status": 0xA700}, "C-STORE status A700H"),
        ({"ae_title": "OTHER"}, "association rejected"),
        ({"abstract_syntax": "1.2.840.10008.5.1.4.1.1.2"}, "does not accept Encapsulated PDF"),
    ],
)
def test_what_the_receiver_said_can_be_read(
    database: Database,
    objects: ObjectStore,
    issued: ReportIssued,
    receiver_settings: dict[str, str],
    answer: str,
) -> None:
    with Receiver(**receiver_settings) as receiver:  # pyright: ignore[reportArgumentType]
        _destination(database, issued.site_id, receiver.port)
        _issue(database, issued)
        assert not serve(_due(database)[0], database, objects, _CONFIG)
    row = _only(database)
    assert row.state == DeliveryState.PENDING
    assert answer in (row.last_error or "")
    assert _told(database) == []


def test_one_dead_destination_does_not_hold_up_another(
    database: Database, objects: ObjectStore, issued: ReportIssued
) -> None:
    with Receiver() as receiver:
        _destination(database, issued.site_id, dead_port(), "DEAD")
        _destination(database, issued.site_id, receiver.port)
        _issue(database, issued)
        done = [serve(one, database, objects, _CONFIG) for one in _due(database)]
        assert sorted(done) == [0, 1]


def test_a_missing_or_changed_pdf_is_never_delivered(
    database: Database, objects: ObjectStore, issued: ReportIssued
) -> None:
    with Receiver() as receiver:
        _destination(database, issued.site_id, receiver.port)
        _issue(database, issued)
        objects.delete(ObjectKey(issued.pdf_object_key))
        destination_id = _due(database)[0]
        assert not serve(destination_id, database, objects, _CONFIG)
        objects.put(ObjectKey(issued.pdf_object_key), b"another page")
        _set_due(database)
        assert not serve(destination_id, database, objects, _CONFIG)
        assert receiver.received == []
    assert "not the one that was signed" in (_only(database).last_error or "")


def test_a_destination_switched_off_waits(
    database: Database, objects: ObjectStore, issued: ReportIssued
) -> None:
    with Receiver() as receiver:
        destination_id = _destination(database, issued.site_id, receiver.port)
        _issue(database, issued)
        with database.transaction() as session:
            session.get_one(Destination, destination_id).active = False
        assert list(_due(database)) == []
        assert not serve(destination_id, database, objects, _CONFIG)
        with database.transaction() as session:
            session.get_one(Destination, destination_id).active = True
        assert serve(_due(database)[0], database, objects, _CONFIG)


def test_a_newer_version_takes_the_place_of_one_that_has_not_left(
    database: Database, objects: ObjectStore, issued: ReportIssued
) -> None:
    with Receiver() as receiver:
        _destination(database, issued.site_id, receiver.port)
        _issue(database, issued)
        newer = issued.model_copy(update={"report_version_id": uuid4(), "version_number": 2})
        _issue(database, newer)
        for destination_id in _due(database):
            serve(destination_id, database, objects, _CONFIG)
        assert [int(found.InstanceNumber) for found in receiver.received] == [2]
    states = [row.state for row in _rows(database)]
    assert states == [DeliveryState.CANCELED, DeliveryState.DELIVERED]


def test_a_site_without_destination_needs_no_delivery(
    database: Database, issued: ReportIssued
) -> None:
    with database.transaction() as session:
        assert create_deliveries(session, issued) == 0


_ATTEMPT = """
import sys
from uuid import UUID
from pacs_gateway.config import ReturnsConfig
from pacs_gateway.returns import serve
from storage.database import Database
from storage.objects import open_object_store
serve(
    UUID(sys.argv[1]),
    Database(sys.argv[2]),
    open_object_store(sys.argv[3]),
    ReturnsConfig("RDC", lease_seconds=1.0),
)
"""


def test_killed_in_the_middle_it_is_sent_again_as_the_same_instance(
    database: Database,
    database_url: str,
    objects: ObjectStore,
    issued: ReportIssued,
    tmp_path: os.PathLike[str],
) -> None:
    worker: list[subprocess.Popen[bytes]] = []

    def kill() -> None:
        if len(receiver.received) == 1:
            # The instance has arrived, its acknowledgement has not left.
            worker[0].send_signal(signal.SIGKILL)
            worker[0].wait()

    with Receiver(before_answer=kill) as receiver:
        _destination(database, issued.site_id, receiver.port)
        _issue(database, issued)
        destination_id = _due(database)[0]
        arguments = [str(destination_id), database_url, f"file://{tmp_path}/objects"]
        worker.append(subprocess.Popen(tied([sys.executable, "-c", _ATTEMPT, *arguments])))
        assert receiver.arrived.wait(30)
        worker[0].wait(30)
        row = _only(database)
        assert row.state == DeliveryState.IN_PROGRESS
        until(lambda: list(_due(database)) == [destination_id], "the lease has run out")
        assert serve(destination_id, database, objects, _CONFIG)
    uids = [str(found.SOPInstanceUID) for found in receiver.received]
    assert uids == [sop_instance_uid(ReportObjectKind.PDF, issued.report_version_id)] * 2
    outcomes = [(made.succeeded, made.answer) for made in _attempts(database)]
    assert outcomes == [
        (False, "no result: the attempt was interrupted"),
        (True, "C-STORE status 0000H"),
    ]
    assert _told(database) == ["report.delivered"]
