"""kill -9 in the middle of receiving: what was acknowledged is kept once, and read once."""

import random
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid
from pynetdicom import AE
from pynetdicom.presentation import build_context
from sqlalchemy import func, select

from reading_worklist.workitems.tables import Workitem
from storage.database import Database
from storage.index.tables import Instance, Study, StudyState
from storage.objects import ObjectKey, open_object_store
from tests.e2e.system import RunningSystem, wait_for
from tests.support.seed import Consortium

ROUNDS = 10
STUDIES, PER_STUDY = 10, 50
PARTS = ("gateway", "worker-messages", "web", "relay", "gateway")


def instance(study: str, series: str, number: int) -> Dataset:
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.SOPClassUID = CTImageStorage
    dataset.SOPInstanceUID = generate_uid()
    dataset.StudyInstanceUID = study
    dataset.SeriesInstanceUID = series
    dataset.PatientID = f"P-{study[-8:]}"
    dataset.PatientName = "Crash^Test"
    dataset.Modality = "CT"
    dataset.InstanceNumber = number
    dataset.Rows = dataset.Columns = 64
    dataset.SamplesPerPixel = 1
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.BitsAllocated = dataset.BitsStored = 16
    dataset.HighBit = 15
    dataset.PixelRepresentation = 0
    dataset.PixelData = np.full((64, 64), number, "<u2").tobytes()
    return dataset


def one_round() -> list[Dataset]:
    """500 instances of 10 studies, mixed as when several scanners send at once."""
    studies = [(generate_uid(), generate_uid()) for _ in range(STUDIES)]
    return [
        instance(study, series, number)
        for number in range(1, PER_STUDY + 1)
        for study, series in studies
    ]


@dataclass
class Modality:
    """Sends until everything is acknowledged, again and again after a broken association."""

    port: int
    acknowledged: list[str] = field(default_factory=list)

    def send_all(self, datasets: list[Dataset]) -> None:
        waiting = list(datasets)
        entity: Any = AE(ae_title="EAST_CT")
        entity.acse_timeout = entity.dimse_timeout = entity.network_timeout = 15
        context = build_context(CTImageStorage, ExplicitVRLittleEndian)

        def attempt() -> bool | None:
            association = entity.associate("127.0.0.1", self.port, [context], ae_title="RDC")
            while association.is_established and waiting:
                try:
                    status = association.send_c_store(waiting[0])
                except (RuntimeError, ValueError):
                    break
                if status.get("Status") != 0x0000:
                    break
                self.acknowledged.append(str(waiting.pop(0).SOPInstanceUID))
            if association.is_established:
                association.release()
            return True if not waiting else None

        wait_for("the modality to send everything", attempt, timeout=180)


@pytest.fixture
def system(tmp_path: Path) -> Iterator[RunningSystem]:
    running = RunningSystem(tmp_path, ("up",), RDC_QUIET_SECONDS="1")
    running.start()
    yield running
    running.stop()


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_kill_9_loses_nothing_and_doubles_nothing(system: RunningSystem) -> None:
    database = Database(system.state()["database_url"])
    Consortium(database)
    chance = random.Random(11)
    sent: list[Dataset] = []
    acknowledged: list[str] = []
    for number in range(ROUNDS):
        datasets = one_round()
        sent.extend(datasets)
        modality = Modality(system.dicom_port)
        sender = threading.Thread(target=modality.send_all, args=(datasets,))
        sender.start()
        target = chance.randint(20, len(datasets) - 50)
        wait_for("the moment to kill", lambda: len(modality.acknowledged) >= target or None)  # noqa: B023 -- called at once
        system.process_of(PARTS[number % len(PARTS)]).kill()
        sender.join(200)
        assert not sender.is_alive()
        acknowledged.extend(modality.acknowledged)
    check_everything(system, database, sent, acknowledged)
    database.close()


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_power_cut_of_everything_loses_nothing(system: RunningSystem) -> None:
    database = Database(system.state()["database_url"])
    Consortium(database)
    database.close()
    datasets = one_round()
    modality = Modality(system.dicom_port)
    sender = threading.Thread(target=modality.send_all, args=(datasets,), daemon=True)
    sender.start()
    wait_for("half of it", lambda: len(modality.acknowledged) >= len(datasets) // 2 or None)
    system.kill_everything()
    before = list(modality.acknowledged)
    system.start()
    modality.port = system.dicom_port
    sender.join(200)
    assert not sender.is_alive()
    assert len(before) < len(datasets)
    database = Database(system.state()["database_url"])
    check_everything(system, database, datasets, modality.acknowledged)
    database.close()


def check_everything(
    system: RunningSystem, database: Database, sent: list[Dataset], acknowledged: list[str]
) -> None:
    assert set(acknowledged) == {str(dataset.SOPInstanceUID) for dataset in sent}
    studies = {str(dataset.StudyInstanceUID) for dataset in sent}

    def all_read() -> bool | None:
        with database.transaction() as session:
            complete = session.scalar(
                select(func.count())
                .select_from(Workitem)
                .join(Study, Study.id == Workitem.study_id)
                .where(Study.state == StudyState.COMPLETE, Study.instance_count == PER_STUDY)
            )
        return True if complete == len(studies) else None

    wait_for("every complete study in the worklist", all_read, timeout=120)
    objects = open_object_store((system.data_dir / "objects").as_uri())
    with database.transaction() as session:
        stored = session.execute(select(Instance.sop_instance_uid, Instance.object_key)).all()
        queued = session.scalar(select(func.count()).select_from(Workitem))
    assert sorted(uid for uid, _ in stored) == sorted(set(acknowledged))
    assert queued == len(studies)
    by_uid = {str(dataset.SOPInstanceUID): dataset for dataset in sent}
    for uid, key in stored:
        with objects.open(ObjectKey.parse(key)) as file:
            kept = pydicom.dcmread(file)  # pyright: ignore[reportUnknownMemberType]
        assert kept.PixelData == by_uid[uid].PixelData
