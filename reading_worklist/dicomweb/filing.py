"""Filing an instance that came over HTTP: its bytes first, then the index, then the answer."""

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from typing import BinaryIO, Final
from uuid import UUID, uuid4

from sqlalchemy.orm import Session

from storage.clock import utc_now
from storage.database import Database
from storage.dicom_header import DatasetError, InstanceHeader, read_file_meta, read_header
from storage.index.ingest import Filing, IngestOutcome, ReceivedInstance, ingest
from storage.index.tables import Quarantine, QuarantineReason
from storage.objects import ObjectConflict, ObjectKey, ObjectStore

CANNOT_UNDERSTAND: Final = 0xC000
OTHER_STUDY: Final = 0xA900
DUPLICATE_SOP_INSTANCE: Final = 0x0111
PATIENT_MISMATCH: Final = 0xA900
_CHUNK: Final = 1 << 20
# Whoever uploads sends a study in one go or by a few requests.
_QUIET: Final = timedelta(seconds=30)
_REMEDY: Final = "Compare both versions; keep the filed one or replace it by this one."


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


def file_instance(
    database: Database,
    objects: ObjectStore,
    site_id: UUID,
    client: str,
    file: BinaryIO,
    *,
    study: str | None,
) -> Outcome:
    """File a Part 10 file for a site; when this returns, its bytes are durable or refused.

    client: whence it came, for the quarantine. study: the only Study Instance UID that is taken.

    Raises:
        ObjectStoreUnavailable: the object store does not answer.
    """
    try:
        header = read_header(file)
    except DatasetError:
        return Outcome("", "", "", "", CANNOT_UNDERSTAND)
    if study is not None and header.study_instance_uid != study:
        return _outcome(header, OTHER_STUDY)
    digest, size = _digest(file, header.dataset_offset)
    key = ObjectKey(f"instances/{site_id}/{digest[:2]}/{digest}.dcm")
    dataset_offset = header.dataset_offset
    file.seek(0)
    try:
        objects.put(key, file, size=size, content_type="application/dicom")
    except ObjectConflict:
        # The same dataset is there under another head: that one is as good.
        with objects.open(key) as kept:
            dataset_offset = read_file_meta(kept).dataset_offset
        size += dataset_offset - header.dataset_offset
    shift = dataset_offset - header.dataset_offset
    pixels = header.pixel_data_offset
    received = ReceivedInstance(
        header=header,
        site_id=site_id,
        device_id=None,
        transfer_syntax_uid=header.transfer_syntax_uid,
        object_key=key,
        object_size=size,
        dataset_sha256=digest,
        dataset_offset=dataset_offset,
        pixel_data_offset=None if pixels is None else pixels + shift,
        received_at=utc_now(),
        quiet=_QUIET,
    )
    with database.transaction() as session:
        (outcome,) = ingest(session, [received])
        if outcome.filing is not Filing.CONFLICT:
            return _outcome(header, None)
        _set_aside(session, received, outcome, client)
    mismatch = outcome.reason is QuarantineReason.PATIENT_MISMATCH
    return _outcome(header, PATIENT_MISMATCH if mismatch else DUPLICATE_SOP_INSTANCE)


def _set_aside(
    session: Session, received: ReceivedInstance, outcome: IngestOutcome, client: str
) -> None:
    """Enter a version that may not be filed in the quarantine; its bytes stay where they are."""
    session.add(
        Quarantine(
            id=uuid4(),
            site_id=received.site_id,
            device_id=None,
            calling_ae_title="STOW-RS",
            peer_address=client,
            reason=outcome.reason or QuarantineReason.UID_CONFLICT,
            sop_instance_uid=str(received.header.sop_instance_uid),
            instance_id=outcome.instance_id,
            object_key=received.object_key,
            object_size=received.object_size,
            dataset_sha256=received.dataset_sha256,
            detail={
                "expected": "one content for one SOP Instance UID, of one patient in one study",
                "found": f"dataset {received.dataset_sha256[:12]}",
                "remedy": _REMEDY,
            },
            received_at=received.received_at,
        )
    )


def _outcome(header: InstanceHeader, reason: int | None) -> Outcome:
    return Outcome(
        str(header.sop_class_uid),
        str(header.sop_instance_uid),
        str(header.study_instance_uid),
        str(header.series_instance_uid),
        reason,
    )


def _digest(file: BinaryIO, offset: int) -> tuple[str, int]:
    """Return the SHA-256 of what follows `offset`, and the size of all."""
    file.seek(offset)
    digest = hashlib.sha256()
    size = offset
    while chunk := file.read(_CHUNK):
        digest.update(chunk)
        size += len(chunk)
    return digest.hexdigest(), size
