"""One file's way: taken in once, converted in a process of its own, filed, told about."""

import io
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import numpy as np
import pytest
from sqlalchemy import func, select

from pacs_gateway.config import EcgIntakeConfig
from pacs_gateway.ecg_intake.engine import attempt
from pacs_gateway.ecg_intake.workshop import Workshop
from storage.database import Database
from storage.ecg.dicom_reader import read_ecg
from storage.ecg.identification import EcgPatient
from storage.ecg.leads import Lead
from storage.ecg_files.formats import EcgFormat
from storage.ecg_files.service import Choice, Sender, receive
from storage.ecg_files.tables import EcgFile, EcgFileState, EcgFileWay
from storage.index.completion import complete_quiet_studies
from storage.index.tables import Instance, Patient, Study, StudyState
from storage.objects import ObjectKey, ObjectStore
from tests.support.ecg_files import aecg, scp
from tests.support.seed import Consortium


@pytest.fixture(scope="module")
def workshop() -> Iterator[Workshop]:
    with Workshop() as shop:
        yield shop


@pytest.fixture
def intake(
    database: Database,
    objects: ObjectStore,
    consortium: Consortium,
    workshop: Workshop,
    tmp_path: Path,
) -> "Intake":
    return Intake(database, objects, consortium, workshop, tmp_path)


NOBODY = Choice()


class Intake:
    def __init__(
        self,
        database: Database,
        objects: ObjectStore,
        consortium: Consortium,
        workshop: Workshop,
        scratch: Path,
    ) -> None:
        self.database = database
        self.objects = objects
        self.site_id = consortium.east.id
        self._workshop = workshop
        self._config = EcgIntakeConfig("RDC", scratch)

    def receive(self, content: bytes, *, choice: Choice = NOBODY) -> UUID:
        sender = Sender(self.site_id, EcgFileWay.MACHINE, "test")
        return receive(
            self.database,
            self.objects,
            sender,
            io.BytesIO(content),
            file_name="a file",
            choice=choice,
        )

    def attempt(self, file_id: UUID) -> EcgFileState | None:
        return attempt(file_id, self.database, self.objects, self._config, self._workshop)

    def row(self, file_id: UUID) -> EcgFile:
        with self.database.transaction() as session:
            row = session.get_one(EcgFile, file_id)
            session.expunge(row)
            return row


def test_a_file_becomes_an_ecg_that_is_complete_at_once(intake: Intake) -> None:
    content = scp(patient_id="E1", name="张伟")
    file_id = intake.receive(content)
    assert intake.attempt(file_id) is EcgFileState.FILED
    row = intake.row(file_id)
    assert row.format is EcgFormat.SCP
    with intake.objects.open(ObjectKey(row.object_key)) as kept:
        assert kept.read() == content
    with intake.database.transaction() as session:
        instance = session.scalars(select(Instance)).one()
        assert instance.sop_instance_uid == row.sop_instance_uid
        with intake.objects.open(ObjectKey(instance.object_key)) as kept:
            record = read_ecg(io.BytesIO(kept.read()))
        patient = session.scalars(select(Patient)).one()
        assert (patient.local_id, patient.name) == ("E1", "Zhang^Wei=张^伟")
        assert complete_quiet_studies(session, limit=10) == 1
        assert session.scalars(select(Study.state)).one() is StudyState.COMPLETE
    found = record.find(Lead.II)
    assert found is not None
    assert np.ptp(found[1].microvolts()) > 0


def test_the_same_file_twice_is_one_ecg(intake: Intake) -> None:
    content = aecg(patient_id="E2")
    first = intake.receive(content)
    intake.attempt(first)
    assert intake.receive(content) == first
    assert intake.attempt(first) is None
    with intake.database.transaction() as session:
        assert session.scalar(select(func.count()).select_from(Instance)) == 1


def test_a_file_of_nobody_asks_whose_it_is(intake: Intake) -> None:
    content = aecg(patient_id="0000")
    file_id = intake.receive(content)
    assert intake.attempt(file_id) is EcgFileState.NEEDS_PATIENT
    again = intake.receive(content, choice=Choice(patient=EcgPatient("E3", "李芳", None, "F")))
    assert again == file_id
    assert intake.attempt(file_id) is EcgFileState.FILED
    with intake.database.transaction() as session:
        assert session.scalars(select(Patient.local_id)).one() == "E3"


def test_a_broken_ecg_is_kept_and_told_about(intake: Intake) -> None:
    content = bytearray(scp(patient_id="E4"))
    content[-40] ^= 0xFF
    file_id = intake.receive(bytes(content))
    assert intake.attempt(file_id) is EcgFileState.UNREADABLE
    row = intake.row(file_id)
    assert row.problem is not None
    assert "checksum" in row.problem["what"]
    assert intake.objects.stat(ObjectKey(row.object_key)) is not None


def test_what_is_no_ecg_is_not_kept(intake: Intake) -> None:
    file_id = intake.receive(b"hello, this is a text")
    assert intake.attempt(file_id) is EcgFileState.REFUSED
    row = intake.row(file_id)
    assert intake.objects.stat(ObjectKey(row.object_key)) is None


def test_a_printed_ecg_is_a_document_of_its_patient(intake: Intake) -> None:
    content = b"%PDF-1.4\n" + bytes(200) + b"%%EOF"
    file_id = intake.receive(content, choice=Choice(patient=EcgPatient("E5", "王芳", None, "F")))
    assert intake.attempt(file_id) is EcgFileState.DOCUMENT
    with intake.database.transaction() as session:
        assert session.scalars(select(Study.modalities)).one() == ["ECG"]
