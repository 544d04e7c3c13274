"""Tables of orders, their steps, and what devices say they performed."""

from datetime import date, datetime
from typing import Final
from uuid import UUID, uuid4

from sqlalchemy import (
    ARRAY,
    CheckConstraint,
    ForeignKey,
    Index,
    LargeBinary,
    Sequence,
    String,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from storage.database import Base, Word
from storage.orders.states import ExamState, PerformedState
from storage.orders.words import (
    Contrast,
    DocumentKind,
    Laterality,
    MatchedBy,
    OrderSource,
    Priority,
    PriorityReason,
    StepStatus,
    VisitType,
)

ORDER_NUMBER: Final = Sequence("order_number", metadata=Base.metadata)
"""Numbers of orders, from which their identifiers are made."""

_NOT_FROM_HEADER: Final = text("source <> 'header'")


AWAITED: Final = "state IN ('REQUESTED', 'CHECKED_IN', 'ACQUIRED')"
"""SQL that nothing of an exam has come yet and that it is not cancelled."""


class Order(Base):
    """One requested procedure for one patient of a site, and the state of the exam it asks for.

    patient_local_id, patient_…: the patient as ordered; patient_name in the form of the VR PN
        (PS3.5 §6.2.1), Hanzi allowed in any group.
    study_instance_uid: assigned by us, or by the ordering system, or the study's own where the
        order was made from its header.
    requested_procedure_id: (0040,1001), unique over all sites.
    document_flaw: what contradicts itself in the identity document; None when nothing does.
    checked_in_at, acquired_at, cancelled_at: facts that outlive a link to a study and its undoing.
    missing_instances: instances the device has performed that are not here.
    first_contact_at: first medical contact (FMC) of a patient with chest pain, from which the
        national ten minutes to the ECG run.
    name_keys: `storage.person_name.search_keys` of the name, soon after it was ordered; a worker
        makes them, since the dictionaries of pinyin are not loaded where orders are placed.
    """

    __tablename__ = "exam_order"
    __table_args__ = (
        Index(
            "uq_exam_order_study_instance_uid",
            "site_id",
            "study_instance_uid",
            unique=True,
            postgresql_where=_NOT_FROM_HEADER,
        ),
        Index(
            "uq_exam_order_accession_number",
            "site_id",
            "accession_number",
            unique=True,
            postgresql_where=_NOT_FROM_HEADER,
        ),
        Index(
            "uq_exam_order_placer_order_number",
            "site_id",
            "placer_order_number",
            unique=True,
            postgresql_where=text("placer_order_number IS NOT NULL"),
        ),
        Index("ix_exam_order_patient", "site_id", "patient_local_id"),
        Index("ix_exam_order_requested_at", "site_id", "requested_at"),
        # What is stuck, and nothing else: images that should be here, and that are missing.
        Index(
            "ix_exam_order_awaited",
            "requested_at",
            postgresql_where=text(AWAITED),
            postgresql_include=["site_id", "state"],
        ),
        Index(
            "ix_exam_order_missing",
            "site_id",
            postgresql_where=text("missing_instances > 0"),
        ),
        Index(
            "ix_exam_order_document_number",
            "document_number",
            postgresql_where=text("document_number IS NOT NULL"),
        ),
        CheckConstraint(
            "(document_kind IN ('newborn', 'unknown')) IS NOT TRUE OR document_number IS NULL",
            name="document",
        ),
        CheckConstraint(
            "source = 'header' OR (accession_number IS NOT NULL AND patient_local_id IS NOT NULL)",
            name="identifiers",
        ),
        CheckConstraint(
            "first_contact_at IS NULL OR priority_reason = 'chest_pain'", name="first_contact"
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    site_id: Mapped[UUID] = mapped_column(ForeignKey("organisation.id"))
    source: Mapped[OrderSource] = mapped_column(Word(OrderSource))
    state: Mapped[ExamState] = mapped_column(Word(ExamState), default=ExamState.REQUESTED)
    priority: Mapped[Priority] = mapped_column(Word(Priority))
    study_instance_uid: Mapped[str]
    accession_number: Mapped[str | None]
    placer_order_number: Mapped[str | None]
    filler_order_number: Mapped[str | None]
    requested_procedure_id: Mapped[str] = mapped_column(unique=True)
    patient_local_id: Mapped[str | None]
    patient_id_issuer: Mapped[str | None]
    patient_name: Mapped[str]
    patient_sex: Mapped[str | None]
    patient_birth_date: Mapped[date | None]
    document_kind: Mapped[DocumentKind | None] = mapped_column(Word(DocumentKind))
    document_number: Mapped[str | None]
    document_flaw: Mapped[str | None]
    visit_type: Mapped[VisitType] = mapped_column(Word(VisitType))
    visit_number: Mapped[str | None]
    department: Mapped[str | None]
    bed: Mapped[str | None]
    requester: Mapped[str | None]
    clinical_diagnosis: Mapped[str | None]
    reason: Mapped[str | None]
    procedure_code: Mapped[str | None]
    procedure_description: Mapped[str | None]
    body_part: Mapped[str | None]
    laterality: Mapped[Laterality | None] = mapped_column(Word(Laterality))
    contrast: Mapped[Contrast | None] = mapped_column(Word(Contrast))
    priority_reason: Mapped[PriorityReason | None] = mapped_column(Word(PriorityReason))
    first_contact_at: Mapped[datetime | None]
    name_keys: Mapped[list[str]] = mapped_column(ARRAY(String), default=list, server_default="{}")
    requested_at: Mapped[datetime] = mapped_column(server_default=func.now())
    checked_in_at: Mapped[datetime | None]
    acquired_at: Mapped[datetime | None]
    cancelled_at: Mapped[datetime | None]
    cancellation_reason: Mapped[str | None]
    missing_instances: Mapped[int] = mapped_column(default=0, server_default="0")
    revision: Mapped[int] = mapped_column(default=0, server_default="0")
    steps: Mapped[list["ScheduledStep"]] = relationship(
        order_by="ScheduledStep.number", cascade="all, delete-orphan"
    )


class ScheduledStep(Base):
    """One scheduled procedure step of an order (PS3.3 C.4.10).

    step_id: (0040,0009), unique over all sites.
    station_ae_title: the device that shall do it; None: any device of the site.
    """

    __tablename__ = "scheduled_step"
    __table_args__ = (
        UniqueConstraint("order_id", "number"),
        Index(
            "ix_scheduled_step_open",
            "scheduled_at",
            postgresql_where=text("status NOT IN ('COMPLETED', 'DISCONTINUED')"),
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    order_id: Mapped[UUID] = mapped_column(ForeignKey("exam_order.id"), index=True)
    number: Mapped[int]
    step_id: Mapped[str] = mapped_column(unique=True)
    modality: Mapped[str]
    station_ae_title: Mapped[str | None]
    scheduled_at: Mapped[datetime]
    description: Mapped[str | None]
    status: Mapped[StepStatus] = mapped_column(Word(StepStatus), default=StepStatus.SCHEDULED)


class StudyOrder(Base):
    """Which order a study answers; one order may have several studies."""

    __tablename__ = "study_order"

    study_id: Mapped[UUID] = mapped_column(ForeignKey("study.id"), primary_key=True)
    order_id: Mapped[UUID] = mapped_column(ForeignKey("exam_order.id"), index=True)
    matched_by: Mapped[MatchedBy] = mapped_column(Word(MatchedBy))
    linked_at: Mapped[datetime] = mapped_column(server_default=func.now())


class PerformedStep(Base):
    """A modality performed procedure step as its device told it (PS3.4 Annex F).

    instance_uids: SOP Instance UIDs of every object the device says it has made.
    created_dataset, final_dataset: the bytes that N-CREATE and the last N-SET brought, in the
        transfer syntaxes beside them.
    satisfied_at: when all of `instance_uids` were found here.
    """

    __tablename__ = "performed_step"
    __table_args__ = (
        UniqueConstraint("site_id", "sop_instance_uid"),
        Index("ix_performed_step_study", "site_id", "study_instance_uid"),
        Index(
            "ix_performed_step_unsatisfied",
            "study_instance_uid",
            postgresql_where=text("state <> 'IN PROGRESS' AND satisfied_at IS NULL"),
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    site_id: Mapped[UUID] = mapped_column(ForeignKey("organisation.id"))
    device_id: Mapped[UUID] = mapped_column(ForeignKey("device.id"))
    sop_instance_uid: Mapped[str]
    state: Mapped[PerformedState] = mapped_column(Word(PerformedState))
    study_instance_uid: Mapped[str]
    order_id: Mapped[UUID | None] = mapped_column(ForeignKey("exam_order.id"), index=True)
    modality: Mapped[str]
    station_ae_title: Mapped[str]
    instance_uids: Mapped[list[str]] = mapped_column(ARRAY(String), default=list)
    created_dataset: Mapped[bytes] = mapped_column(LargeBinary)
    created_syntax: Mapped[str]
    final_dataset: Mapped[bytes | None] = mapped_column(LargeBinary)
    final_syntax: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    ended_at: Mapped[datetime | None]
    satisfied_at: Mapped[datetime | None]


class ExamTransition(Base):
    """The pairs of states an exam may change between.

    The database's own guard reads it; only migrations write it.
    """

    __tablename__ = "exam_transition"

    from_state: Mapped[str] = mapped_column(primary_key=True)
    to_state: Mapped[str] = mapped_column(primary_key=True)
