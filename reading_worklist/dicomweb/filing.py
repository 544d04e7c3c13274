"""Filing an instance that came over HTTP: its bytes first, then the index, then the answer.

Its object begins as one that came over DIMSE does, with our record of the reception.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import BinaryIO, Final
from uuid import UUID, uuid4

from sqlalchemy.orm import Session

from storage.database import Database
from storage.dicom_header import DatasetError, InstanceHeader, read_header
from storage.index import quarantine
from storage.index.ingest import Filing, ingest
from storage.index.putting import put_instance
from storage.index.tables import QuarantineReason
from storage.objects import ObjectStore
from storage.quiet_times import QuietTimes
from storage.receptions import Origin

CALLING_AE_TITLE: Final = "STOW-RS"
"""Stands where a device's AE title would, in what is written of a reception."""
CANNOT_UNDERSTAND: Final = 0xC000
OTHER_STUDY: Final = 0xA900
DUPLICATE_SOP_INSTANCE: Final = 0x0111
NOT_AUTHORIZED: Final = 0x0124
PATIENT_MISMATCH: Final = 0xA900


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
    quiet = archive.quiet_times.of(header.modality)
    put = put_instance(archive.objects, origin, header, file, quiet=quiet)
    received = replace(put, evidence=admission.evidence)
    with archive.database.transaction() as session:
        (outcome,) = ingest(session, [received])
        if outcome.filing is Filing.STORED and admission.filed is not None:
            admission.filed(session)
        if outcome.filing is not Filing.CONFLICT:
            return _outcome(header, None)
        quarantine.enter_conflict(session, received, outcome, origin, name=uuid4().hex)
    mismatch = outcome.reason is QuarantineReason.PATIENT_MISMATCH
    return _outcome(header, PATIENT_MISMATCH if mismatch else DUPLICATE_SOP_INSTANCE)


def _outcome(header: InstanceHeader, reason: int | None) -> Outcome:
    return Outcome(
        str(header.sop_class_uid),
        str(header.sop_instance_uid),
        str(header.study_instance_uid),
        str(header.series_instance_uid),
        reason,
    )
