"""A modality that sends until everything is acknowledged, and the count of what became of it."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any

import numpy as np
import pydicom
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid
from pynetdicom import AE
from pynetdicom.presentation import build_context
from sqlalchemy import func, select
from sqlalchemy.exc import OperationalError

from pacs_gateway.associations.requested import request_association
from reading_worklist.workitems.tables import Workitem
from storage.database import Database
from storage.index.tables import Instance, Study, StudyState
from storage.objects import ObjectKey, ObjectStore
from tests.e2e.system import wait_for


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


def studies(count: int, instances: int) -> list[Dataset]:
    """Studies of equal size, mixed as when several scanners send at once."""
    uids = [(str(generate_uid()), str(generate_uid())) for _ in range(count)]
    return [
        instance(study, series, number)
        for number in range(1, instances + 1)
        for study, series in uids
    ]


@dataclass
class Modality:
    """Sends until everything is acknowledged, again and again after a broken association."""

    port: int
    acknowledged: list[str] = field(default_factory=list[str])
    refused: list[int] = field(default_factory=list[int])
    host: str = "127.0.0.1"
    ae_title: str = "EAST_CT"

    def send_all(self, datasets: Sequence[Dataset], *, timeout: float = 240.0) -> None:
        waiting = list(datasets)
        entity: Any = AE(ae_title=self.ae_title)
        entity.acse_timeout = entity.dimse_timeout = entity.network_timeout = 15
        context = build_context(CTImageStorage, ExplicitVRLittleEndian)

        def attempt() -> bool | None:
            association = request_association(
                entity, self.host, self.port, [context], called_ae_title="RDC", maximum_pdu=16_384
            )
            while association.is_established and waiting:
                try:
                    status = association.send_c_store(waiting[0])
                except (RuntimeError, ValueError):
                    break
                if status.get("Status") != 0x0000:
                    if "Status" in status:
                        self.refused.append(int(status.Status))
                    break
                self.acknowledged.append(str(waiting.pop(0).SOPInstanceUID))
            if association.is_established:
                association.release()
            return True if not waiting else None

        wait_for(
            "the modality to send everything",
            attempt,
            timeout=timeout,
            saw=lambda: f"{len(waiting)} of {len(datasets)} not sent, refused {self.refused[-20:]}",
        )

    def sending(self, datasets: Sequence[Dataset]) -> threading.Thread:
        """Send in a thread, which is started."""
        thread = threading.Thread(target=self.send_all, args=(datasets,), daemon=True)
        thread.start()
        return thread

    def has_sent(self, count: int) -> Callable[[], bool | None]:
        """A condition: so many were acknowledged."""
        return lambda: len(self.acknowledged) >= count or None


def check_everything(
    database: Database,
    objects: ObjectStore,
    sent: Sequence[Dataset],
    acknowledged: Sequence[str],
    *,
    timeout: float = 180.0,
) -> None:
    """See that each instance was acknowledged, kept once byte for byte, and each study read once.

    `sent` is all that this system has ever been sent.
    """
    assert set(acknowledged) == {str(dataset.SOPInstanceUID) for dataset in sent}
    sizes: dict[str, int] = {}
    for dataset in sent:
        uid = str(dataset.StudyInstanceUID)
        sizes[uid] = sizes.get(uid, 0) + 1

    def queued_sizes() -> dict[str, int]:
        with database.transaction() as session:
            complete = session.scalars(
                select(Study)
                .join(Workitem, Workitem.study_id == Study.id)
                .where(Study.state == StudyState.COMPLETE)
            ).all()
        return {one.study_instance_uid: one.instance_count for one in complete}

    def all_queued() -> bool | None:
        try:
            return queued_sizes() == sizes or None
        except OperationalError:
            # The last kill may have hit the database, which is still recovering: receiving does
            # not need it, so everything can be acknowledged before it is back.
            return None

    def missing() -> str:
        there = queued_sizes()
        short = {uid: (there.get(uid), size) for uid, size in sizes.items()}
        return f"of {len(sizes)} studies these, with instances there and sent: " + str(
            {uid: pair for uid, pair in short.items() if pair[0] != pair[1]}
        )

    wait_for(
        "every complete study in the worklist",
        all_queued,
        timeout=timeout,
        saw=missing,
    )
    with database.transaction() as session:
        stored = session.execute(select(Instance.sop_instance_uid, Instance.object_key)).all()
        queued = session.scalar(select(func.count()).select_from(Workitem))
    assert sorted(uid for uid, _ in stored) == sorted(set(acknowledged))
    assert queued == len(sizes)
    by_uid = {str(dataset.SOPInstanceUID): dataset for dataset in sent}
    for uid, key in stored:
        with objects.open(ObjectKey.parse(key)) as file:
            kept = pydicom.dcmread(BytesIO(file.read()))
        assert kept.PixelData == by_uid[uid].PixelData
