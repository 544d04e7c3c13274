"""From a signed report to its objects in the study: facts first, then bytes, then the index.

The bytes are made durable outside of any transaction; the rows come with the version's own, so
that a version has its objects from its first moment, and the one before has none any more. Bytes
of a version that did not come about belong to no instance.
"""

import io
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from pydicom.dataset import Dataset
from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from reading_worklist.key_images import queries as key_images
from reading_worklist.reports import queries
from reading_worklist.reports.document import ReportDocument, ReportStatus
from reading_worklist.reports.documents import StoredPdf, read_pdf
from reading_worklist.reports.structured.content_items import InstanceReference
from reading_worklist.reports.structured.instance import (
    VersionFacts,
    key_object_selection,
    structured_report,
)
from reading_worklist.reports.structured.report import SignedBy, StructuredSource
from reading_worklist.typesetting.labels import Language
from reading_worklist.workitems.tables import Workitem
from storage.dicom_header import DatasetError, read_header
from storage.identity.overlay import Overlay, overlay_of
from storage.index.putting import put_instance
from storage.index.tables import Instance, Series, Study
from storage.objects import ObjectKey, ObjectNotFound, ObjectStore
from storage.receptions import Origin
from storage.registry import Person
from storage.report_objects import service as report_objects
from storage.report_objects.encapsulated_pdf import ReportFacts, encapsulate
from storage.report_objects.names import MADE_BY, ReportObjectKind
from storage.report_objects.service import MadeObject, Version
from storage.report_objects.tables import ReportObject
from storage.report_status import KIND_OF_FHIR_STATUS, STATUS
from storage.study_facts import StudyFacts

_EVIDENCE_MAX: Final = 5000
"""How many instances of a study a structured report names: as many as a large CT has."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Place:
    """Where the objects of a report's next version belong.

    source: the study's first instance, which says whose it is; None when it has none any more.
    number: behind those of the versions before.
    instances: what the site has sent, key images first, at most a few thousand.
    """

    workitem_id: UUID
    study_id: UUID
    site_id: UUID
    source: ObjectKey | None
    modalities: tuple[str, ...]
    overlay: Overlay | None
    number: int
    predecessor: InstanceReference | None
    instances: Mapping[str, InstanceReference] = field(default_factory=dict[str, InstanceReference])


@dataclass(frozen=True, slots=True)
class Issued:
    """What is issued: a version, or with the id of the revocation the notice of one.

    title: as the receiver lists it. signers: writer first; of a notice, the two who decided.
    """

    id: UUID
    document: ReportDocument
    stored: StoredPdf
    language: Language
    signers: Sequence[SignedBy]
    title: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Kept:
    """The objects of a version whose bytes are durable, and which version that is."""

    version: Version
    made: tuple[MadeObject, ...]


def place_of(session: Session, item: Workitem) -> Place:
    """Return where the objects of the next version go, or of the notice that the last is void."""
    study = session.get_one(Study, item.study_id)
    source = session.scalar(
        # The first to have come: later ones may be objects that others derived.
        select(Instance.object_key)
        .where(Instance.study_id == study.id)
        .order_by(Instance.id)
        .limit(1)
    )
    return Place(
        workitem_id=item.id,
        study_id=study.id,
        site_id=item.site_id,
        source=None if source is None else ObjectKey(source),
        modalities=tuple(study.modalities),
        overlay=overlay_of(session, study.id),
        number=queries.highest_number(session, item.id) + 1,
        predecessor=_predecessor(session, item, study),
        instances=_instances(session, item, study),
    )


def person_name_of(session: Session, person_id: UUID) -> str:
    """Return the name of a person as it is displayed."""
    return session.get_one(Person, person_id).display_name


def kept(objects: ObjectStore, place: Place, issued: Issued) -> Kept:
    """Make the objects of a version and keep their bytes; none where the study says of nobody.

    Writes objects: call it outside of a transaction.

    Raises:
        ObjectStoreUnavailable: the object store does not answer.
    """
    version = Version(issued.id, place.workitem_id, place.study_id, place.number)
    facts = _facts(objects, place)
    made = () if facts is None else tuple(_made(objects, place, issued, facts))
    return Kept(version, made)


def file(session: Session, kept: Kept) -> None:
    """Put the kept objects into the index, in the transaction that issues their version.

    To be called first of all: who files locks the study, then the workitem.
    """
    report_objects.file(session, kept.version, kept.made)


def _facts(objects: ObjectStore, place: Place) -> StudyFacts | None:
    if place.source is None:
        return None
    try:
        with objects.open(place.source) as source:
            header = read_header(source)
    except (ObjectNotFound, DatasetError):
        # Nothing says any more whose study it is; the signed PDF stands all the same.
        _log.exception("no report objects", extra={"workitem_id": str(place.workitem_id)})
        return None
    return StudyFacts.of(header, place.modalities, place.overlay)


def _made(
    objects: ObjectStore, place: Place, issued: Issued, facts: StudyFacts
) -> Iterator[MadeObject]:
    pdf = read_pdf(objects, issued.stored.key, issued.stored.sha256)
    yield _put(objects, place, ReportObjectKind.PDF, _page(place, issued, facts, pdf))
    version = VersionFacts(issued.id, place.workitem_id, place.number, issued.at, place.predecessor)
    source = _source(place, issued)
    report = structured_report(source, version, facts)
    yield _put(objects, place, ReportObjectKind.STRUCTURED, report)
    if source.key_images:
        selection = key_object_selection(source, version, facts)
        yield _put(objects, place, ReportObjectKind.KEY_OBJECTS, selection)


def _page(place: Place, issued: Issued, facts: StudyFacts, pdf: bytes) -> Dataset:
    words = STATUS[KIND_OF_FHIR_STATUS[issued.document.status]]
    offset = issued.at.astimezone(ZoneInfo(issued.document.time_zone)).utcoffset()
    return encapsulate(
        ReportFacts(
            report_version_id=issued.id,
            workitem_id=place.workitem_id,
            version_number=place.number,
            title=issued.title,
            issued_at=issued.at,
            verified=words.verification == "VERIFIED",
        ),
        facts,
        pdf,
        utc_offset=offset or timedelta(),
    )


def _source(place: Place, issued: Issued) -> StructuredSource:
    document = issued.document
    is_void = document.status is ReportStatus.REVOKED
    read = document.ecg.source if document.ecg else None
    return StructuredSource(
        document=document,
        language=issued.language,
        signers=issued.signers,
        waveform=None
        if read is None
        else InstanceReference(
            document.study_instance_uid,
            read.series_instance_uid,
            read.sop_class_uid,
            read.sop_instance_uid,
        ),
        key_images=()
        if is_void
        else tuple(
            replace(
                place.instances[one.sop_instance_uid],
                frame_number=one.frame_number if one.frame_count > 1 else None,
            )
            for one in document.key_images
            if one.sop_instance_uid in place.instances
        ),
        evidence=tuple(place.instances.values()),
    )


def _put(
    objects: ObjectStore, place: Place, kind: ReportObjectKind, instance: Dataset
) -> MadeObject:
    written = io.BytesIO()
    instance.save_as(written, enforce_file_format=True)
    written.seek(0)
    received = put_instance(
        objects,
        Origin(place.site_id, None, MADE_BY, MADE_BY, ""),
        read_header(written),
        written,
        quiet=timedelta(),
    )
    return MadeObject(kind, replace(received, evidence=True))


def _instances(session: Session, item: Workitem, study: Study) -> dict[str, InstanceReference]:
    """Return what was read, by SOP Instance UID: what was picked first, then in order of arrival.

    What we have made of the study's reports is nothing that was read.
    """
    picked = [
        (one.series.series_instance_uid, one.instance.sop_class_uid, one.instance.sop_instance_uid)
        for one in key_images.chosen(session, item.id)
    ]
    rows = session.execute(
        select(Series.series_instance_uid, Instance.sop_class_uid, Instance.sop_instance_uid)
        .join(Series, Series.id == Instance.series_id)
        .where(
            Instance.study_id == study.id,
            ~exists().where(
                ReportObject.site_id == Instance.site_id,
                ReportObject.sop_instance_uid == Instance.sop_instance_uid,
            ),
        )
        .order_by(Instance.id)
        .limit(_EVIDENCE_MAX)
    )
    return {
        uid: InstanceReference(study.study_instance_uid, series, sop_class, uid)
        for series, sop_class, uid in (*picked, *rows)
    }


def _predecessor(session: Session, item: Workitem, study: Study) -> InstanceReference | None:
    """Return the structured report that stands, which the next one replaces."""
    found = session.scalar(
        select(ReportObject).where(
            ReportObject.workitem_id == item.id,
            ReportObject.kind == ReportObjectKind.STRUCTURED,
            ReportObject.superseded_at.is_(None),
        )
    )
    if found is None:
        return None
    return InstanceReference(
        study.study_instance_uid,
        found.series_instance_uid,
        found.sop_class_uid,
        found.sop_instance_uid,
    )
