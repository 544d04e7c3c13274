"""A device has back what its site has sent, byte for byte, and nothing else: C-GET, C-MOVE."""

import subprocess
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from datetime import date
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset
from pynetdicom import evt
from pynetdicom.ae import ApplicationEntity
from pynetdicom.dsutils import decode
from pynetdicom.presentation import build_role

from pacs_gateway.gateway import Gateway
from storage.database import Database
from storage.objects import ObjectStore
from storage.registry import Device
from tests.pacs_gateway.conftest import Site
from tests.pacs_gateway.peers import associated, dcmtk
from tests.reading_worklist.dicomweb.archive import Archive, Filed
from tests.reading_worklist.dicomweb.conftest import sample, series_of
from tests.support.identity import decide, take_back

GET = "1.2.840.10008.5.1.4.1.2.2.3"
MOVE = "1.2.840.10008.5.1.4.1.2.2.2"
PATIENT_GET = "1.2.840.10008.5.1.4.1.2.1.3"
EXPLICIT = "1.2.840.10008.1.2.1"
JPEG_2000 = "1.2.840.10008.1.2.4.90"
SOP_CLASSES = ("1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.5.1.4.1.1.4")


@pytest.fixture
def archive(database: Database, objects: ObjectStore) -> Archive:
    return Archive(database, objects)


def filed(archive: Archive, site: Site, files: Sequence[bytes]) -> list[Filed]:
    made = [archive.file(data, site) for data in files]  # pyright: ignore[reportArgumentType] -- a site by its id and code
    assert None not in made
    return [one for one in made if one is not None]


def identifier(level: str, **keys: object) -> Dataset:
    dataset = Dataset()
    dataset.QueryRetrieveLevel = level
    for keyword, value in keys.items():
        setattr(dataset, keyword, value)
    return dataset


class Receiver:
    """Takes what is stored at it; the dataset bytes as they came, by SOP Instance UID."""

    def __init__(self, status: int = 0x0000) -> None:
        self.received: dict[str, bytes] = {}
        self.syntaxes: set[str] = set()
        self.originators: set[str] = set()
        self._status = status

    def handle(self, event: evt.Event) -> int:
        request: Any = event.request
        self.received[request.AffectedSOPInstanceUID] = request.DataSet.getvalue()
        self.syntaxes.add(str(event.context.transfer_syntax))
        self.originators.add(str(request.MoveOriginatorApplicationEntityTitle))
        return self._status


def get(
    gateway: Gateway,
    asked: Dataset,
    *,
    calling: str = "CT1",
    model: str = GET,
    syntaxes: Sequence[str] = (EXPLICIT,),
    status: int = 0x0000,
) -> tuple[list[Dataset], Dataset | None, Receiver]:
    """Retrieve by C-GET; return the responses, the last identifier, and what came."""
    receiver = Receiver(status)
    entity = ApplicationEntity(calling)
    entity.add_requested_context(model)
    for sop_class in SOP_CLASSES:
        for syntax in syntaxes:
            entity.add_requested_context(sop_class, syntax)
    association = associated(
        entity,
        gateway.bound_port,
        roles=[build_role(sop_class, scp_role=True) for sop_class in SOP_CLASSES],
        handlers=[(evt.EVT_C_STORE, receiver.handle)],
    )
    assert association.is_established
    answers = list(association.send_c_get(asked, model))
    association.release()
    return [answer for answer, _ in answers], answers[-1][1], receiver


def test_a_study_comes_back_as_it_was_sent(gateway: Gateway, site: Site, archive: Archive) -> None:
    sent = filed(archive, site, series_of("CT_small.dcm", 3))
    study = sent[0].header.study_instance_uid
    answers, _, receiver = get(gateway, identifier("STUDY", StudyInstanceUID=study))
    assert receiver.received == {str(one.header.sop_instance_uid): one.dataset for one in sent}
    assert [answer.Status for answer in answers] == [0xFF00, 0xFF00, 0x0000]
    assert answers[0].NumberOfRemainingSuboperations == 2
    assert answers[-1].NumberOfCompletedSuboperations == 3
    one = sent[1].header
    _, _, receiver = get(
        gateway,
        identifier(
            "IMAGE",
            StudyInstanceUID=study,
            SeriesInstanceUID=one.series_instance_uid,
            SOPInstanceUID=[one.sop_instance_uid, sent[0].header.sop_instance_uid],
        ),
    )
    assert len(receiver.received) == 2
    by_patient = identifier("PATIENT", PatientID=one.patient_id)
    assert len(get(gateway, by_patient, model=PATIENT_GET)[2].received) == 3


def test_a_patient_corrected_at_the_desk_leaves_corrected(
    gateway: Gateway, site: Site, archive: Archive
) -> None:
    (sent,) = filed(archive, site, [sample("MR_small_jp2klossless.dcm").data])
    study = str(sent.header.study_instance_uid)
    before = decide(archive.database, study, "P777", "Li^Na=李^娜", born=date(1985, 4, 1))
    asked = identifier("STUDY", StudyInstanceUID=study)
    # As stored, and decompressed.
    for syntax in (JPEG_2000, EXPLICIT):
        _, _, receiver = get(gateway, asked, syntaxes=(syntax,))
        (given,) = receiver.received.values()
        dataset = decode(BytesIO(given), is_implicit_vr=False, is_little_endian=True)
        assert (dataset.PatientID, str(dataset.PatientName)) == ("P777", "Li^Na=李^娜")
        (item,) = dataset.OriginalAttributesSequence
        assert item.ModifiedAttributesSequence[0].PatientID == sent.header.patient_id
    by_patient = identifier("PATIENT", PatientID="P777")
    found = get(gateway, by_patient, model=PATIENT_GET, syntaxes=(JPEG_2000,))[2]
    assert len(found.received) == 1

    take_back(archive.database, study, before)
    _, _, receiver = get(gateway, asked, syntaxes=(JPEG_2000,))
    assert list(receiver.received.values()) == [sent.dataset]


def test_nothing_of_another_site(
    gateway: Gateway, site: Site, other_site: Site, archive: Archive
) -> None:
    (sent,) = filed(archive, site, series_of("CT_small.dcm", 1))
    asked = identifier("STUDY", StudyInstanceUID=sent.header.study_instance_uid)
    answers, _, receiver = get(gateway, asked, calling=other_site.ae_title)
    assert receiver.received == {}
    assert [answer.Status for answer in answers] == [0x0000]


def test_what_a_peer_cannot_read_is_decompressed(
    gateway: Gateway, site: Site, archive: Archive
) -> None:
    data = sample("MR_small_jp2klossless.dcm").data
    (sent,) = filed(archive, site, [data])
    asked = identifier("STUDY", StudyInstanceUID=sent.header.study_instance_uid)
    _, _, as_stored = get(gateway, asked, syntaxes=(JPEG_2000, EXPLICIT))
    assert as_stored.syntaxes == {JPEG_2000}
    assert list(as_stored.received.values()) == [sent.dataset]
    _, _, converted = get(gateway, asked, syntaxes=(EXPLICIT,))
    assert converted.syntaxes == {EXPLICIT}
    original = sample("MR_small_jp2klossless.dcm").read()
    (dataset,) = converted.received.values()
    assert np.ascontiguousarray(original.pixel_array).tobytes() in dataset


def test_what_cannot_be_sent_is_named(gateway: Gateway, site: Site, archive: Archive) -> None:
    ecg = sample("waveform_ecg.dcm").read()
    filed(archive, site, [sample("waveform_ecg.dcm").data])
    asked = identifier("STUDY", StudyInstanceUID=ecg.StudyInstanceUID)
    answers, failed, _ = get(gateway, asked)
    assert answers[-1].Status == 0xA702
    assert failed is not None
    assert failed.FailedSOPInstanceUIDList == ecg.SOPInstanceUID
    sent = filed(archive, site, series_of("CT_small.dcm", 2))
    study = identifier("STUDY", StudyInstanceUID=sent[0].header.study_instance_uid)
    refused, failed, _ = get(gateway, study, status=0xA700)
    assert refused[-1].Status == 0xA702
    assert failed is not None
    assert len(failed.FailedSOPInstanceUIDList) == 2
    warned, _, _ = get(gateway, study, status=0xB000)
    assert warned[-1].Status == 0xB000
    assert warned[-1].NumberOfWarningSuboperations == 2


def test_identifiers_that_do_not_fit_are_refused(gateway: Gateway, site: Site) -> None:
    for asked in (
        identifier("PATIENT", PatientID="P1"),
        identifier("STUDY"),
        identifier("STUDY", StudyInstanceUID="1.2.*"),
        identifier("SERIES", SeriesInstanceUID="1.2.3"),
        identifier("SERIES", StudyInstanceUID=["1.2", "1.3"], SeriesInstanceUID="1.2.3"),
    ):
        answers, _, _ = get(gateway, asked, calling=site.ae_title)
        assert [answer.Status for answer in answers] == [0xA900], asked


@contextmanager
def listening(
    database: Database, site: Site, receiver: Receiver, syntaxes: Sequence[str]
) -> Generator[None]:
    """The site's own device listens, and is registered to do so."""
    entity = ApplicationEntity(site.ae_title)
    for sop_class in SOP_CLASSES:
        entity.add_supported_context(sop_class, list(syntaxes))
    server = entity.start_server(
        ("127.0.0.1", 0), block=False, evt_handlers=[(evt.EVT_C_STORE, receiver.handle)]
    )
    assert server is not None
    with database.transaction() as session:
        device = session.get_one(Device, site.device_id)
        device.listen_host, device.listen_port = "127.0.0.1", server.server_address[1]
    yield
    server.shutdown()


def move(gateway: Gateway, asked: Dataset, destination: str, calling: str = "CT1") -> list[Dataset]:
    entity = ApplicationEntity(calling)
    entity.add_requested_context(MOVE)
    association = associated(entity, gateway.bound_port)
    assert association.is_established
    answers = [answer for answer, _ in association.send_c_move(asked, destination, MOVE)]
    association.release()
    return answers


def test_a_study_is_moved_to_a_machine_of_its_site(
    gateway: Gateway, database: Database, site: Site, other_site: Site, archive: Archive
) -> None:
    sent = filed(archive, site, series_of("CT_small.dcm", 3))
    asked = identifier("STUDY", StudyInstanceUID=sent[0].header.study_instance_uid)
    assert move(gateway, asked, "NOBODY")[-1].Status == 0xA801
    receiver = Receiver()
    with listening(database, site, receiver, (EXPLICIT,)):
        answers = move(gateway, asked, site.ae_title)
        # A machine of another site is no destination, and has nothing to move there.
        assert move(gateway, asked, site.ae_title, other_site.ae_title)[-1].Status == 0xA801
    assert [answer.Status for answer in answers] == [0xFF00, 0xFF00, 0x0000]
    assert answers[-1].NumberOfCompletedSuboperations == 3
    assert receiver.received == {str(one.header.sop_instance_uid): one.dataset for one in sent}
    assert receiver.originators == {site.ae_title}
    unreachable = move(gateway, asked, site.ae_title)
    assert unreachable[-1].Status == 0xA702


def test_dcmtk_retrieves(gateway: Gateway, site: Site, archive: Archive, tmp_path: Path) -> None:
    sent = filed(archive, site, series_of("CT_small.dcm", 3))
    study = sent[0].header.study_instance_uid
    folder = tmp_path / "retrieved"
    folder.mkdir()
    done = dcmtk(
        "getscu",
        *("-S", "-aet", site.ae_title, "-aec", "RDC", "-od", str(folder)),
        *("-k", "QueryRetrieveLevel=STUDY", "-k", f"StudyInstanceUID={study}"),
        "127.0.0.1",
        str(gateway.bound_port),
    )
    assert isinstance(done, subprocess.CompletedProcess)
    assert done.returncode == 0
    came = {dcmread(path).SOPInstanceUID for path in folder.iterdir()}
    assert came == {one.header.sop_instance_uid for one in sent}


def test_a_peer_may_stop_a_retrieval(
    gateway: Gateway, database: Database, site: Site, archive: Archive
) -> None:
    sent = filed(archive, site, series_of("CT_small.dcm", 30))
    asked = identifier("STUDY", StudyInstanceUID=sent[0].header.study_instance_uid)
    receiver = Receiver()
    entity = ApplicationEntity("CT1")
    entity.add_requested_context(MOVE)
    with listening(database, site, receiver, (EXPLICIT,)):
        association = associated(entity, gateway.bound_port)
        answers: list[Dataset] = []
        for answer, _ in association.send_c_move(asked, site.ae_title, MOVE, msg_id=7):
            if not answers:
                association.send_c_cancel(7, query_model=MOVE)
            answers.append(answer)
        association.release()
    assert answers[-1].Status == 0xFE00
    assert answers[-1].NumberOfRemainingSuboperations > 0
    assert len(receiver.received) < 30
