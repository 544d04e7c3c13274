"""What a channel is given: one delivery, whose parts are read from the store when asked for."""

import hashlib
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from pydicom import dcmread  # pyright: ignore[reportUnknownVariableType] -- PathLike without its parameter
from pydicom.dataset import Dataset
from sqlalchemy import select
from sqlalchemy.orm import Session

from pacs_gateway.config import ReturnsConfig
from pacs_gateway.returns.channels import PartMissing, Replaced
from storage import issued_reports
from storage.character_sets import UTF8
from storage.database import Database
from storage.deliveries import Delivery
from storage.dicom_header import read_header
from storage.identity.overlay import Overlay, overlay_of
from storage.index.tables import Instance, Study
from storage.issued_reports import IssuedReport, IssuedReportRow
from storage.objects import ObjectKey, ObjectNotFound, ObjectStore
from storage.report_objects.encapsulated_pdf import ReportFacts, encapsulate
from storage.report_objects.names import ReportObjectKind, sop_instance_uid
from storage.report_objects.queries import objects_of
from storage.report_objects.taken import note_taken, taken_of
from storage.report_status import STATUS
from storage.study_facts import StudyFacts, fill_patient_and_study

_VERIFIED: Final = "VERIFIED"


@dataclass(frozen=True, slots=True)
class Store:
    """Where the parts of parcels are read from."""

    database: Database
    objects: ObjectStore
    config: ReturnsConfig


@dataclass(frozen=True, slots=True)
class _Place:
    """The study as objects are made for it: its first instance, its modalities, its patient."""

    source: str
    modalities: tuple[str, ...]
    overlay: Overlay | None
    structured: str | None
    verified: bool


class StoredParcel:
    """One delivery as a `channels.Parcel`."""

    def __init__(
        self, row: Delivery, replaces: Sequence[Replaced], store: Store, *, transmission: int = 0
    ) -> None:
        """Note what the row says; everything else is read when it is asked for."""
        self.transmission: int = transmission
        self.delivery_id: UUID = row.id
        self.report_version_id: UUID = row.report_version_id
        self.workitem_id: UUID = row.workitem_id
        self.study_id: UUID = row.study_id
        self.version_number: int = row.version_number
        self.attempt_number: int = row.attempts
        self.is_notice: bool = row.is_notice
        self.title: str = row.title
        self.issued_at: datetime = row.issued_at
        self.sop_instance_uid: str = row.sop_instance_uid
        self.replaces: tuple[Replaced, ...] = tuple(replaces)
        self._pdf_key = ObjectKey(row.pdf_object_key)
        self._pdf_sha256 = row.pdf_sha256
        self._store = store
        self._report: IssuedReport | None = None

    def report(self) -> IssuedReport:
        """Return the report in its neutral form; see `channels.Parcel`."""
        if self._report is None:
            with self._store.database.transaction() as session:
                self._report = issued_reports.read(session, self.report_version_id)
        if self._report is None:
            raise PartMissing("the report is not described yet: an earlier release has issued it")
        return self._report

    def replaced_reports(self) -> list[IssuedReport]:
        """Return what it replaces in the neutral form, oldest first; see `channels.Parcel`."""
        with self._store.database.transaction() as session:
            found = issued_reports.read_many(
                session, [one.report_version_id for one in self.replaces]
            )
        return [
            found[one.report_version_id] for one in self.replaces if one.report_version_id in found
        ]

    def pdf(self) -> bytes:
        """Return the signed PDF; see `channels.Parcel`."""
        try:
            pdf = self._store.objects.read(self._pdf_key)
        except ObjectNotFound as error:
            raise PartMissing(f"the stored PDF is gone: {error}") from error
        if hashlib.sha256(pdf).hexdigest() != self._pdf_sha256:
            raise PartMissing("stored PDF is not the one that was signed")
        return pdf

    def instances(self) -> list[Dataset]:
        """Return the objects for a PACS, the encapsulated PDF first; see `channels.Parcel`.

        All name the patient that is decided today, whatever the study's headers say.
        """
        with self._store.database.transaction() as session:
            kept = objects_of(session, self.report_version_id)
            is_whole = bool(kept) and kept[0].kind is ReportObjectKind.PDF
            overlay = overlay_of(session, self.study_id)
            place = None if is_whole and overlay is None else self._place(session, overlay)
        if place is None:
            found = [self._read(one.object_key) for one in kept]
        elif is_whole:
            facts = self._facts(place)
            found = [self._as_decided(one.object_key, facts) for one in kept]
        else:
            return self._made(place)
        self._require_signed(found[0])
        return found

    def taken(self) -> frozenset[str]:
        """Return what the destination has already; see `channels.Parcel`."""
        if self.attempt_number == 1:
            return frozenset()
        with self._store.database.transaction() as session:
            return taken_of(session, self.delivery_id)

    def note_taken(self, sop_instance_uid: str, answer: str) -> None:
        """Note that the destination has an object; see `channels.Parcel`."""
        with self._store.database.transaction() as session:
            note_taken(session, self.delivery_id, sop_instance_uid, answer)

    def _place(self, session: Session, overlay: Overlay | None) -> _Place:
        # The first to have come: later ones may be objects that others derived.
        source = session.scalar(
            select(Instance.object_key)
            .where(Instance.study_id == self.study_id)
            .order_by(Instance.id)
            .limit(1)
        )
        if source is None:
            raise PartMissing("study has no instance left to belong to", for_good=True)
        structured = session.scalar(
            select(Instance.object_key).where(
                Instance.study_id == self.study_id,
                Instance.sop_instance_uid
                == sop_instance_uid(ReportObjectKind.STRUCTURED, self.report_version_id),
            )
        )
        kind = session.scalar(
            select(IssuedReportRow.kind).where(
                IssuedReportRow.report_version_id == self.report_version_id
            )
        )
        return _Place(
            source=source,
            modalities=tuple(session.get_one(Study, self.study_id).modalities),
            overlay=overlay,
            structured=structured,
            verified=kind is None or STATUS[kind].verification == _VERIFIED,
        )

    def _facts(self, place: _Place) -> StudyFacts:
        with self._store.objects.open(ObjectKey(place.source)) as file:
            return StudyFacts.of(read_header(file), place.modalities, place.overlay)

    def _made(self, place: _Place) -> list[Dataset]:
        """Return the objects of a version of an earlier release, whose page is not in the study."""
        facts = self._facts(place)
        page = encapsulate(
            ReportFacts(
                report_version_id=self.report_version_id,
                workitem_id=self.workitem_id,
                version_number=self.version_number,
                title=self.title,
                issued_at=self.issued_at,
                verified=place.verified,
            ),
            facts,
            self.pdf(),
            utc_offset=timedelta(minutes=self._store.config.utc_offset_minutes),
        )
        if place.structured is None:
            return [page]
        if place.overlay is None:
            return [page, self._read(place.structured)]
        return [page, self._as_decided(place.structured, facts)]

    def _read(self, key: str) -> Dataset:
        return dcmread(io.BytesIO(self._store.objects.read(ObjectKey(key))))

    def _as_decided(self, key: str, facts: StudyFacts) -> Dataset:
        """Return an object of the version under the patient that was decided since."""
        instance = self._read(key)
        instance.decode()
        fill_patient_and_study(instance, facts)
        instance.SpecificCharacterSet = UTF8
        return instance

    def _require_signed(self, page: Dataset) -> None:
        document = page.EncapsulatedDocument
        length = int(page.get("EncapsulatedDocumentLength", len(document)))
        if hashlib.sha256(document[:length]).hexdigest() != self._pdf_sha256:
            raise PartMissing("stored PDF is not the one that was signed")
