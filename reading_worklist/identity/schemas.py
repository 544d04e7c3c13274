"""The identity desk as the API gives it."""

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, model_validator

from reading_worklist.orders.schemas import Long, Name, OrderView
from reading_worklist.workitems.schemas import PersonView, SiteView, StudyView
from reading_worklist.workitems.states import State
from storage.identity.comparison import Attribute, Finding
from storage.identity.tables import CaseState, DecisionKind
from storage.orders.states import ExamState
from storage.orders.words import MatchedBy, Priority

Reason = Annotated[str, Field(min_length=1, max_length=1000)]


class DifferenceView(BaseModel):
    """One thing that does not agree.

    For `document` with `flawed`, `expected` names the flaw: missing, unexpected, malformed,
    birth_date or sex.
    """

    attribute: Attribute
    finding: Finding
    expected: str | None
    found: str | None


class PersonSide(BaseModel):
    """A patient as one side describes him; the name as people write it, and in DICOM's groups.

    latin_name: in Latin letters where `name` is not and the data has both, else empty.
    """

    local_id: str | None
    name: str
    latin_name: str
    name_groups: str
    name_guessed: bool
    sex: str | None
    birth_date: date | None


class KnownPatient(PersonSide):
    """A patient of the index; `study_count` is how many studies he has."""

    id: UUID
    study_count: int


class DecisionView(BaseModel):
    """What was decided, by whom and why; `undone` when it was taken back later."""

    kind: DecisionKind
    reason: str
    person: PersonView
    at: datetime
    undone: bool


class CaseView(BaseModel):
    """One line of the desk."""

    id: UUID
    state: CaseState
    site: SiteView
    priority: Priority
    opened_at: datetime
    due_at: datetime
    opened_because: str | None
    differences: list[DifferenceView]
    study: StudyView
    header: PersonSide
    workitem_id: UUID
    workitem_state: State
    decision: DecisionView | None
    revision: int


class CasePage(BaseModel):
    """A page of cases, those due first on top; `open` counts all that wait."""

    items: list[CaseView]
    total: int
    open: int
    page: int
    page_size: int


class ComparedRow(BaseModel):
    """One line of the two sides side by side; `agrees` is null where one side says nothing."""

    attribute: Literal[
        "patient_id",
        "name",
        "sex",
        "birth_date",
        "accession_number",
        "study_instance_uid",
        "modality",
        "procedure",
        "time",
    ]
    ordered: str | None
    header: str | None
    agrees: bool | None


class CaseDetail(CaseView):
    """A case with both sides, the patient that holds now, and every decision so far.

    order: what the study answers now; one made from the header when nothing was ordered.
    matched_by: what led to it.
    rows: order against header.
    patient: whom the index shows as the study's patient.
    can_decide, can_undo: whether that is possible now.
    """

    order: OrderView | None
    matched_by: MatchedBy | None
    exam_state: ExamState | None
    rows: list[ComparedRow]
    patient: KnownPatient
    decisions: list[DecisionView]
    viewer_url: str
    can_decide: bool
    can_undo: bool


class CorrectedValue(BaseModel):
    """What the header says of the patient, and what holds since a decision."""

    attribute: Literal["patient_id", "name", "sex", "birth_date"]
    header: str | None
    now: str | None


class IdentityNotice(BaseModel):
    """What whoever reads a study must know about whose it is; empty for nearly every study.

    case_id: the open case, else the last one that was decided; None when there was none.
    decision: what holds; None while the case is open, or when all was taken back.
    corrected: where the patient who holds is not as the header says.
    can_open: whether the asking person may send the study to the desk now.
    """

    case_id: UUID | None
    case_state: CaseState | None
    opened_because: str | None
    differences: list[DifferenceView]
    decision: DecisionView | None
    corrected: list[CorrectedValue]
    can_open: bool


class Candidates(BaseModel):
    """What the study could belong to: orders and patients of its site, the likeliest first."""

    orders: list[OrderView]
    patients: list[KnownPatient]


class OpenBody(BaseModel):
    """Why somebody doubts whose study it is."""

    model_config = ConfigDict(extra="forbid")

    workitem_id: UUID
    reason: Reason


class ReasonBody(BaseModel):
    """Why it is decided so."""

    model_config = ConfigDict(extra="forbid")

    reason: Reason


class LinkBody(ReasonBody):
    """The order that the study answers."""

    order_id: UUID


class NewPatientBody(BaseModel):
    """A patient of the site that the index does not know yet."""

    model_config = ConfigDict(extra="forbid")

    local_id: Long
    name: Name
    sex: Literal["M", "F", "O"] | None = None
    birth_date: date | None = None


class CorrectBody(ReasonBody):
    """The right patient: one that is known by id, or a new one."""

    patient_id: UUID | None = None
    new_patient: NewPatientBody | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> "CorrectBody":
        if (self.patient_id is None) == (self.new_patient is None):
            message = "give either patient_id or new_patient"
            raise ValueError(message)
        return self
