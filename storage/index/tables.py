"""Tables of the DICOM index (PS3.3 §7.2: patient, study, series, instance).

Every key holds within one site: two sites may use the same patient id, and may
even send the same study, without meeting. What a row says is decoded text; the
objects in the store keep the original bytes.
"""

from datetime import date, datetime, time
from enum import StrEnum
from uuid import UUID, uuid4

from sqlalchemy import (
    ARRAY,
    BigInteger,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    LargeBinary,
    String,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, TSVECTOR
from sqlalchemy.orm import Mapped, mapped_column

from storage.database import Base, Word
from storage.identifiers import time_ordered_uuid


class StudyState(StrEnum):
    """Whether instances of a study are still expected."""

    RECEIVING = "RECEIVING"
    COMPLETE = "COMPLETE"


class QuarantineReason(StrEnum):
    """Why bytes were kept aside for a person."""

    UID_CONFLICT = "uid_conflict"
    PATIENT_MISMATCH = "patient_mismatch"
    MISSING_UID = "missing_uid"
    INVALID_UID = "invalid_uid"
    COMMAND_MISMATCH = "command_mismatch"
    TRUNCATED = "truncated"
    MALFORMED = "malformed"


class Patient(Base):
    """A patient of one site.

    local_id: PatientID (0010,0020) as sent; None when missing, and then the
        row belongs to one study only: missing ids never join two patients.
    name_original: the bytes of PatientName (0010,0010) as first received.
    name_keys: `storage.person_name.search_keys` of the name.
    """

    __tablename__ = "patient"
    __table_args__ = (
        UniqueConstraint("site_id", "local_id"),
        Index(
            "ix_patient_local_id", "local_id", postgresql_ops={"local_id": "varchar_pattern_ops"}
        ),
        # As a text search vector, since an index on arrays cannot look for beginnings of keys.
        Index(
            "ix_patient_name_keys",
            text("array_to_tsvector(name_keys::text[])"),
            postgresql_using="gin",
        ),
        Index("ix_patient_birth_date", "birth_date"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=time_ordered_uuid)
    site_id: Mapped[UUID] = mapped_column(ForeignKey("organisation.id"))
    local_id: Mapped[str | None]
    name: Mapped[str]
    name_original: Mapped[bytes] = mapped_column(LargeBinary)
    name_guessed: Mapped[bool] = mapped_column(default=False)
    name_keys: Mapped[list[str]] = mapped_column(ARRAY(String), default=list)
    sex: Mapped[str | None]
    birth_date: Mapped[date | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class Study(Base):
    """A study of one patient.

    generation: how often the study has become complete; late instances reopen it.
    quiet_due_at: when it counts as complete unless another instance arrives before.
    byte_count: bytes of its instances' objects.
    report_object_count: how many of its instances are objects of its own report, which no site has
        sent.
    purged_at: when its instances were removed for good at the end of their retention; None while
        there are any, and again when the site sends some once more.
    header_…: the patient as the header of the study's first instance says, whatever a person has
        decided since about `patient_id`; header_patient_id is None for a missing PatientID.
    """

    __tablename__ = "study"
    __table_args__ = (
        UniqueConstraint("site_id", "study_instance_uid"),
        Index("ix_study_study_instance_uid", "study_instance_uid"),
        # Serves equality and prefixes, whatever the database's collation.
        Index(
            "ix_study_accession_number",
            "accession_number",
            postgresql_ops={"accession_number": "varchar_pattern_ops"},
        ),
        Index(
            "ix_study_quiet_due_at", "quiet_due_at", postgresql_where=text("state = 'RECEIVING'")
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=time_ordered_uuid)
    site_id: Mapped[UUID] = mapped_column(ForeignKey("organisation.id"))
    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patient.id"), index=True)
    study_instance_uid: Mapped[str]
    study_id_text: Mapped[str | None]
    study_date: Mapped[date | None]
    study_time: Mapped[time | None]
    accession_number: Mapped[str | None]
    study_description: Mapped[str | None]
    referring_physician_name: Mapped[str | None]
    patient_age: Mapped[str | None]
    modalities: Mapped[list[str]] = mapped_column(ARRAY(String), default=list)
    state: Mapped[StudyState] = mapped_column(Word(StudyState), default=StudyState.RECEIVING)
    generation: Mapped[int] = mapped_column(default=0)
    first_received_at: Mapped[datetime]
    last_received_at: Mapped[datetime]
    quiet_due_at: Mapped[datetime]
    completed_at: Mapped[datetime | None]
    series_count: Mapped[int] = mapped_column(default=0)
    instance_count: Mapped[int] = mapped_column(default=0)
    report_object_count: Mapped[int] = mapped_column(default=0, server_default="0")
    byte_count: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
    purged_at: Mapped[datetime | None]
    header_patient_id: Mapped[str | None]
    header_patient_name: Mapped[str] = mapped_column(default="", server_default="")
    header_name_guessed: Mapped[bool] = mapped_column(default=False, server_default="false")
    header_patient_sex: Mapped[str | None]
    header_patient_birth_date: Mapped[date | None]

    @property
    def sent_count(self) -> int:
        """How many of its instances the site has sent or readers have added: all but its report."""
        return self.instance_count - self.report_object_count


class StudyListing(Base):
    """One row for each study, and one more for each modality in it: the order of all lists.

    Searches page through the newest studies, as a rule of one site or one modality, and count
    them; both are answered from the indexes of this table alone. Triggers on `study` and `patient`
    write it (migrations `study_listing` and `listed_names`), nothing else does. Its rows do not
    change while instances are counted on `study`, which rewrites every index entry of that table.

    modality: "" in the row that stands for the study itself.
    studied_at: Study Date and Study Time as the device wrote them; midnight without a time,
        -infinity without a date.
    name_vector: the patient's `name_keys`. To find a name that is not rare among the newest
        studies, their rows are read in order: here that is a tenth of the work of reading the
        patient of each.
    """

    __tablename__ = "study_listing"
    __table_args__ = (
        Index(
            "ix_study_listing_of_all",
            "modality",
            "studied_at",
            "study_id",
            postgresql_include=["site_id", "patient_id"],
        ),
        Index(
            "ix_study_listing_of_site",
            "site_id",
            "modality",
            "studied_at",
            "study_id",
            postgresql_include=["patient_id"],
        ),
        Index(
            "ix_study_listing_of_patient",
            "patient_id",
            "modality",
            postgresql_include=["studied_at", "study_id", "site_id"],
        ),
    )

    study_id: Mapped[UUID] = mapped_column(
        ForeignKey("study.id", ondelete="CASCADE"), primary_key=True
    )
    modality: Mapped[str] = mapped_column(primary_key=True)
    site_id: Mapped[UUID]
    patient_id: Mapped[UUID]
    studied_at: Mapped[datetime] = mapped_column(DateTime(timezone=False))
    name_vector: Mapped[str] = mapped_column(TSVECTOR, server_default="")


class Series(Base):
    """A series of one study.

    revision: grows with every instance added, so that derived objects can be keyed by it.
    byte_count: bytes of its instances' objects.
    """

    __tablename__ = "series"
    __table_args__ = (
        UniqueConstraint("study_id", "series_instance_uid"),
        Index("ix_series_series_instance_uid", "series_instance_uid"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    study_id: Mapped[UUID] = mapped_column(ForeignKey("study.id"))
    series_instance_uid: Mapped[str]
    modality: Mapped[str | None]
    series_number: Mapped[int | None]
    series_description: Mapped[str | None]
    body_part_examined: Mapped[str | None]
    laterality: Mapped[str | None]
    series_date: Mapped[date | None]
    series_time: Mapped[time | None]
    performed_procedure_step_start_date: Mapped[date | None]
    performed_procedure_step_start_time: Mapped[time | None]
    protocol_name: Mapped[str | None]
    institution_name: Mapped[str | None]
    station_name: Mapped[str | None]
    manufacturer: Mapped[str | None]
    instance_count: Mapped[int] = mapped_column(default=0)
    byte_count: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
    revision: Mapped[int] = mapped_column(default=0)


class Instance(Base):
    """A SOP instance and where its bytes are.

    dataset_sha256: digest of the dataset bytes exactly as received.
    dataset_offset: bytes of preamble and file meta before the dataset in the object.
    pixel_data_offset: where the Pixel Data element begins in the object; None when it has none or
        is deflated.
    """

    __tablename__ = "instance"
    __table_args__ = (
        UniqueConstraint("site_id", "sop_instance_uid"),
        Index("ix_instance_series_id_instance_number", "series_id", "instance_number"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    site_id: Mapped[UUID] = mapped_column(ForeignKey("organisation.id"))
    study_id: Mapped[UUID] = mapped_column(ForeignKey("study.id"), index=True)
    series_id: Mapped[int] = mapped_column(ForeignKey("series.id"))
    sop_instance_uid: Mapped[str]
    sop_class_uid: Mapped[str]
    transfer_syntax_uid: Mapped[str]
    instance_number: Mapped[int | None]
    rows: Mapped[int | None]
    columns: Mapped[int | None]
    number_of_frames: Mapped[int | None]
    object_key: Mapped[str]
    object_size: Mapped[int] = mapped_column(BigInteger)
    dataset_sha256: Mapped[str]
    dataset_offset: Mapped[int]
    pixel_data_offset: Mapped[int | None] = mapped_column(BigInteger)
    received_at: Mapped[datetime]
    device_id: Mapped[UUID | None] = mapped_column(ForeignKey("device.id"))


class Quarantine(Base):
    """Bytes that were received but not filed, waiting for a person.

    instance_id: for a UID conflict, the filed instance with which it can be compared.
    detail: facts for the person (expected, found, remedy, command UIDs); no patient data.
    resolution: the decision's word (`reading_worklist.quarantine`).
    purged_at: when its object was removed for good with the study it belonged to.
    """

    __tablename__ = "quarantine"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    site_id: Mapped[UUID | None] = mapped_column(ForeignKey("organisation.id"), index=True)
    device_id: Mapped[UUID | None] = mapped_column(ForeignKey("device.id"))
    calling_ae_title: Mapped[str]
    peer_address: Mapped[str]
    reason: Mapped[QuarantineReason] = mapped_column(Word(QuarantineReason))
    sop_instance_uid: Mapped[str | None]
    instance_id: Mapped[int | None] = mapped_column(ForeignKey("instance.id"), index=True)
    object_key: Mapped[str] = mapped_column(index=True)
    object_size: Mapped[int] = mapped_column(BigInteger)
    dataset_sha256: Mapped[str]
    detail: Mapped[dict[str, str]] = mapped_column(JSONB, default=dict)
    received_at: Mapped[datetime]
    resolved_at: Mapped[datetime | None]
    resolved_by: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    resolution: Mapped[str | None]
    purged_at: Mapped[datetime | None]
