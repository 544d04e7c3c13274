"""Orders as the API takes and gives them."""

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from reading_worklist.workitems.schemas import SiteView
from storage.orders.procedures import LateralityRule
from storage.orders.request import LONG_STRING, SHORT_STRING
from storage.orders.states import ExamState
from storage.orders.words import (
    Contrast,
    DocumentKind,
    Laterality,
    OrderSource,
    Priority,
    PriorityReason,
    StepStatus,
    VisitType,
)

Short = Annotated[str, Field(min_length=1, max_length=SHORT_STRING)]
Long = Annotated[str, Field(min_length=1, max_length=LONG_STRING)]
Name = Annotated[str, Field(min_length=1, max_length=194)]
Text = Annotated[str, Field(min_length=1, max_length=4000)]


class StepBody(BaseModel):
    """One step to schedule; without a time it is due now, without a station any may do it."""

    model_config = ConfigDict(extra="forbid")

    modality: Annotated[str, Field(pattern=r"^[A-Z0-9_]{1,16}$")]
    scheduled_at: AwareDatetime | None = None
    station_ae_title: Short | None = None
    description: Long | None = None


class OrderBody(BaseModel):
    """An order; `patient_name` as people write it (张伟) or as in DICOM (Zhang^Wei=张^伟).

    patient_local_id: None where the site has none for the patient: the one he was given here
        before under the same identity document is taken, else a new one is given.
    first_contact_at: first medical contact of a patient with chest pain (`priority_reason`).
    """

    model_config = ConfigDict(extra="forbid")

    patient_local_id: Long | None = None
    patient_id_issuer: Long | None = None
    patient_name: Name
    patient_sex: Literal["M", "F", "O"] | None = None
    patient_birth_date: date | None = None
    document_kind: DocumentKind | None = None
    document_number: Long | None = None
    visit_type: VisitType = VisitType.OUTPATIENT
    visit_number: Long | None = None
    department: Long | None = None
    bed: Long | None = None
    requester: Name | None = None
    clinical_diagnosis: Text | None = None
    reason: Text | None = None
    priority: Priority = Priority.ROUTINE
    procedure_code: Short | None = None
    procedure_description: Long | None = None
    body_part: Long | None = None
    laterality: Laterality | None = None
    contrast: Contrast | None = None
    priority_reason: PriorityReason | None = None
    first_contact_at: AwareDatetime | None = None
    steps: Annotated[list[StepBody], Field(min_length=1, max_length=20)]


class ChangedOrderBody(OrderBody):
    """What is ordered instead; `keep_document` leaves the identity document as it is known."""

    keep_document: bool = False


class NewOrderBody(OrderBody):
    """A new order; a number that is not given is assigned."""

    accession_number: Short | None = None
    placer_order_number: Long | None = None


class StateBody(BaseModel):
    """The patient is there, or the exam is not made; a cancellation has a reason."""

    model_config = ConfigDict(extra="forbid")

    state: Literal["CHECKED_IN", "CANCELLED"]
    reason: Text | None = None


class StepView(BaseModel):
    """A scheduled procedure step."""

    step_id: str
    modality: str
    station_ae_title: str | None
    scheduled_at: datetime
    description: str | None
    status: StepStatus


class OrderView(BaseModel):
    """An order and how far its exam is.

    `document_number` is masked. `patient_name_groups` is the name as in DICOM, `patient_latin_name`
    what of it stands in Latin letters beside `patient_name`. `study_instance_uids` are of the
    studies that came for it.
    """

    id: UUID
    site: SiteView
    source: OrderSource
    state: ExamState
    priority: Priority
    study_instance_uid: str
    accession_number: str | None
    placer_order_number: str | None
    filler_order_number: str | None
    requested_procedure_id: str
    patient_local_id: str | None
    patient_id_issuer: str | None
    patient_name: str
    patient_latin_name: str
    patient_name_groups: str
    patient_sex: str | None
    patient_birth_date: date | None
    document_kind: DocumentKind | None
    document_number: str | None
    document_flaw: str | None
    visit_type: VisitType
    visit_number: str | None
    department: str | None
    bed: str | None
    requester: str | None
    clinical_diagnosis: str | None
    reason: str | None
    procedure_code: str | None
    procedure_description: str | None
    body_part: str | None
    laterality: Laterality | None
    contrast: Contrast | None
    priority_reason: PriorityReason | None
    first_contact_at: datetime | None
    requested_at: datetime
    checked_in_at: datetime | None
    acquired_at: datetime | None
    cancelled_at: datetime | None
    cancellation_reason: str | None
    missing_instances: int
    revision: int
    steps: list[StepView]
    study_instance_uids: list[str]


class OrderPage(BaseModel):
    """A page of orders, the newest first."""

    items: list[OrderView]
    total: int
    page: int
    page_size: int


class ProcedureBody(BaseModel):
    """What a procedure is; see `storage.orders.procedures.Procedure`."""

    model_config = ConfigDict(extra="forbid")

    modality: Annotated[str, Field(pattern=r"^[A-Z0-9_]{1,16}$")]
    name: Long
    name_en: Long
    body_part: Annotated[str, Field(pattern=r"^[A-Z0-9_ ]{1,16}$")]
    laterality: LateralityRule
    contrast: bool
    position: Annotated[int, Field(ge=0, le=100_000)]
    active: bool


class ProcedureView(ProcedureBody):
    """A procedure of the consortium's list."""

    code: str


class SitePatient(BaseModel):
    """A patient whom the site has examined or ordered for.

    name_groups: the name as in DICOM. document_number: masked. last_at: of the newest order or
    study.
    """

    local_id: str
    name: str
    latin_name: str
    name_groups: str
    sex: str | None
    birth_date: date | None
    document_number: str | None
    last_at: datetime


class EarlierExam(BaseModel):
    """An exam that was made or ordered before; workitem_id: None while it has no report."""

    order_id: UUID
    workitem_id: UUID | None
    modality: str
    description: str | None
    requested_at: datetime
    state: ExamState
    accession_number: str | None
    has_report: bool


class EarlierExams(BaseModel):
    """What speaks against ordering an exam: the same one of today, and reports of recent ones."""

    today: list[EarlierExam]
    recent: list[EarlierExam]
