"""Filing an instance that came over HTTP: its bytes first, then the index, then the answer.

Its object begins as one that came over DIMSE does, with our record of the reception.
"""

import hashlib
import io
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, BinaryIO, Final, cast
from uuid import UUID, uuid4

from sqlalchemy.orm import Session
from typing_extensions import override

from storage import receptions
from storage.clock import utc_now
from storage.database import Database
from storage.dicom_header import DatasetError, InstanceHeader, read_file_meta, read_header
from storage.index import quarantine
from storage.index.ingest import Filing, ingest
from storage.index.received import ReceivedInstance, instance_key
from storage.index.tables import QuarantineReason
from storage.objects import ObjectConflict, ObjectStore
from storage.quiet_times import QuietTimes
from storage.receptions import Origin, Reception

CALLING_AE_TITLE: Final = "STOW-RS"
"""Stands where a device's AE title would, in what is written of a reception."""
CANNOT_UNDERSTAND: Final = 0xC000
OTHER_STUDY: Final = 0xA900
DUPLICATE_SOP_INSTANCE: Final = 0x0111
NOT_AUTHORIZED: Final = 0x0124
PATIENT_MISMATCH: Final = 0xA900
_CHUNK: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one instance.

    reason: Failure Reason (0008,1197), None when it is stored.
    """

    sop_class_uid: str
    sop_instance_uid: str
    study_instance_uid: str
    series_instance_uid: str
    reason: int | None = None


@dataclass(frozen=True, slots=True)
class Archive:
    """Where instances are filed, and when their studies are complete."""

    database: Database
    objects: ObjectStore
    quiet_times: QuietTimes


@dataclass(frozen=True, slots=True)
class Admission:
    """Whether an instance is taken, see `ReceivedInstance.evidence`.

    reason: Failure Reason when it is not. filed: called in the transaction that files it.
    """

    reason: int | None = None
    evidence: bool = False
    filed: Callable[[Session], None] | None = None


def file_instance(
    archive: Archive,
    site_id: UUID,
    client: str,
    file: BinaryIO,
    *,
    admit: Callable[[InstanceHeader], Admission],
) -> Outcome:
    """File a Part 10 file for a site; when this returns, its bytes are durable or refused.

    client: whence it came. admit: decides by the header; asked before anything is kept.

    Raises:
        ObjectStoreUnavailable: the object store does not answer.
    """
    try:
        header = read_header(file)
    except DatasetError:
        return Outcome("", "", "", "", CANNOT_UNDERSTAND)
    admission = admit(header)
    if admission.reason is not None:
        return _outcome(header, admission.reason)
    origin = Origin(site_id, None, CALLING_AE_TITLE, "", client)
    received = replace(_put(archive, origin, header, file), evidence=admission.evidence)
    with archive.database.transaction() as session:
        (outcome,) = ingest(session, [received])
        if outcome.filing is Filing.STORED and admission.filed is not None:
            admission.filed(session)
        if outcome.filing is not Filing.CONFLICT:
            return _outcome(header, None)
        quarantine.enter_conflict(session, received, outcome, origin, name=uuid4().hex)
    mismatch = outcome.reason is QuarantineReason.PATIENT_MISMATCH
    return _outcome(header, PATIENT_MISMATCH if mismatch else DUPLICATE_SOP_INSTANCE)


def _put(
    archive: Archive, origin: Origin, header: InstanceHeader, file: BinaryIO
) -> ReceivedInstance:
    """Make the dataset durable under a head of ours, or find that it is there already."""
    begin = header.dataset_offset
    digest, size = _digest(file, begin)
    now = utc_now()
    reception = Reception(origin, header.transfer_syntax_uid, now, size, digest, None)
    head = _head(header, reception)
    key = instance_key(origin.site_id, header.study_instance_uid, digest)
    file.seek(begin)
    source = cast("BinaryIO", io.BufferedReader(_Headed(head, file), _CHUNK))
    offset = len(head)
    try:
        archive.objects.put(key, source, size=offset + size, content_type="application/dicom")
    except ObjectConflict:
        # The same dataset is there under another head: that one is as good.
        with archive.objects.open(key) as kept:
            offset = read_file_meta(kept).dataset_offset
    pixels = header.pixel_data_offset
    return ReceivedInstance(
        header=header,
        site_id=origin.site_id,
        device_id=None,
        transfer_syntax_uid=header.transfer_syntax_uid,
        object_key=key,
        object_size=offset + size,
        dataset_sha256=digest,
        dataset_offset=offset,
        pixel_data_offset=None if pixels is None else pixels - begin + offset,
        received_at=now,
        quiet=archive.quiet_times.of(header.modality),
    )


def _head(header: InstanceHeader, reception: Reception) -> bytes:
    made = receptions.head(
        reception.origin,
        header.sop_class_uid,
        header.sop_instance_uid,
        reception.transfer_syntax_uid,
    )
    return made.encoded[: made.record_at] + receptions.record(reception)


class _Headed(io.RawIOBase):
    """A file from where it stands, behind a head of other bytes."""

    def __init__(self, head: bytes, file: BinaryIO) -> None:
        super().__init__()
        self._head = head
        self._file = file

    @override
    def readable(self) -> bool:
        return True

    @override
    def readinto(self, buffer: Any, /) -> int:
        piece = self._head[: len(buffer)] or self._file.read(len(buffer))
        self._head = self._head[len(buffer) :]
        buffer[: len(piece)] = piece
        return len(piece)


def _outcome(header: InstanceHeader, reason: int | None) -> Outcome:
    return Outcome(
        str(header.sop_class_uid),
        str(header.sop_instance_uid),
        str(header.study_instance_uid),
        str(header.series_instance_uid),
        reason,
    )


def _digest(file: BinaryIO, offset: int) -> tuple[str, int]:
    """Return the SHA-256 of what follows `offset`, and its size."""
    file.seek(offset)
    digest = hashlib.sha256()
    size = 0
    while chunk := file.read(_CHUNK):
        digest.update(chunk)
        size += len(chunk)
    return digest.hexdigest(), size
