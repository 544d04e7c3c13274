"""From a signed report to an instance of its study: facts first, then bytes, then the index.

The bytes are made durable outside of any transaction; the row comes with the version's own, so
that a version has its structured report from its first moment. Bytes of a version that did not
come about belong to no instance.
"""

import io
import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from reading_worklist.reports import queries
from reading_worklist.reports.document import ReportDocument
from reading_worklist.reports.structured.content_items import InstanceReference
from reading_worklist.reports.structured.instance import (
    FLAGS,
    VersionFacts,
    series_instance_uid,
    structured_report,
)
from reading_worklist.reports.structured.report import SignedBy, StructuredSource
from reading_worklist.typesetting.labels import Language
from reading_worklist.workitems.tables import Workitem
from storage.dicom_header import DatasetError, read_header
from storage.identity.overlay import Overlay, overlay_of
from storage.index.ingest import Filing, ingest
from storage.index.putting import put_instance
from storage.index.received import ReceivedInstance
from storage.index.tables import Instance, Study
from storage.objects import ObjectKey, ObjectNotFound, ObjectStore
from storage.receptions import Origin
from storage.registry import Person
from storage.structured_reports import sop_instance_uid
from storage.study_facts import StudyFacts

# Stands where a device's AE title would, in what is written of an instance's reception.
_MADE_BY: Final = "RDC"

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a report's next structured report belongs.

    source: the study's first instance, which says whose it is. number: of the next version.
    """

    workitem_id: UUID
    site_id: UUID
    source: ObjectKey
    modalities: tuple[str, ...]
    overlay: Overlay | None
    number: int
    predecessor: InstanceReference | None


def place_of(session: Session, item: Workitem) -> Place | None:
    """Return where the next version's goes; None when the study has no instance any more."""
    study = session.get_one(Study, item.study_id)
    source = session.scalar(
        # The first to have come: later ones may be objects that others derived.
        select(Instance.object_key)
        .where(Instance.study_id == study.id)
        .order_by(Instance.id)
        .limit(1)
    )
    if source is None:
        return None
    return Place(
        workitem_id=item.id,
        site_id=item.site_id,
        source=ObjectKey(source),
        modalities=tuple(study.modalities),
        overlay=overlay_of(session, study.id),
        number=queries.highest_number(session, item.id) + 1,
        predecessor=_predecessor(session, item, study),
    )


def person_name_of(session: Session, person_id: UUID) -> str:
    """Return the name of a person as it is displayed."""
    return session.get_one(Person, person_id).display_name


def kept(
    objects: ObjectStore,
    place: Place | None,
    document: ReportDocument,
    language: Language,
    signers: Sequence[SignedBy],
    *,
    report_version_id: UUID,
    issued_at: datetime,
) -> ReceivedInstance | None:
    """Make the structured report of a version and keep its bytes; None where it has none.

    Only the report of an ECG has one. Writes an object: call it outside of a transaction.

    Raises:
        ObjectStoreUnavailable: the object store does not answer.
    """
    if place is None or not document.is_ecg or document.status not in FLAGS:
        return None
    try:
        with objects.open(place.source) as source:
            header = read_header(source)
    except (ObjectNotFound, DatasetError):
        # Nothing says any more whose study it is; the signed PDF stands all the same.
        _log.exception("no structured report", extra={"workitem_id": str(place.workitem_id)})
        return None
    read = document.ecg.source if document.ecg else None
    instance = structured_report(
        StructuredSource(
            document=document,
            language=language,
            signers=signers,
            waveform=None
            if read is None
            else InstanceReference(
                document.study_instance_uid,
                read.series_instance_uid,
                read.sop_class_uid,
                read.sop_instance_uid,
            ),
        ),
        VersionFacts(
            report_version_id, place.workitem_id, place.number, issued_at, place.predecessor
        ),
        StudyFacts.of(header, place.modalities, place.overlay),
    )
    written = io.BytesIO()
    instance.save_as(written, enforce_file_format=True)
    written.seek(0)
    received = put_instance(
        objects,
        Origin(place.site_id, None, _MADE_BY, _MADE_BY, ""),
        read_header(written),
        written,
        quiet=timedelta(),
    )
    return replace(received, evidence=True)


def file(session: Session, received: ReceivedInstance | None) -> None:
    """Put a kept structured report into the index, in the transaction that issues its version.

    To be called first of all: who files locks the study, then the workitem.
    """
    if received is None:
        return
    (outcome,) = ingest(session, [received])
    # Its UID is of this version alone.
    assert outcome.filing is not Filing.CONFLICT


def _predecessor(session: Session, item: Workitem, study: Study) -> InstanceReference | None:
    standing = queries.standing_version(session, item.id)
    if standing is None:
        return None
    uid = sop_instance_uid(standing.id)
    sop_class = session.scalar(
        select(Instance.sop_class_uid).where(
            Instance.study_id == study.id, Instance.sop_instance_uid == uid
        )
    )
    if sop_class is None:
        return None
    return InstanceReference(study.study_instance_uid, series_instance_uid(item.id), sop_class, uid)
