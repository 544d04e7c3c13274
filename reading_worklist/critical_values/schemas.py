"""Critical values as the API gives and takes them."""

from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from pydantic import BaseModel, Field, StringConstraints, field_serializer, model_validator

from reading_worklist.critical_values.clocks import Step
from reading_worklist.critical_values.states import CriticalState
from reading_worklist.critical_values.tables import NoticeKind
from reading_worklist.phone.said import Line, Said
from reading_worklist.workitems.lane import Lane
from reading_worklist.workitems.schemas import PatientView, PersonView, SiteView, StudyView

_Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2_000)]
_Minutes = Annotated[int, Field(ge=1, le=240)]


class RaiseBody(BaseModel):
    """What was found, and by which rule it is critical, if one is cited."""

    finding: _Text
    ruleset: Line | None = None
    rule_code: Line | None = None


class ReasonBody(BaseModel):
    """Why."""

    reason: _Text


class AcknowledgeBody(BaseModel):
    """What the site has read back; name and role where it was told on the telephone."""

    read_back: _Text
    name: Line | None = None
    role: Line | None = None


class ActionBody(BaseModel):
    """What the site has done; name where it was told on the telephone."""

    action: _Text
    name: Line | None = None


class Contact(BaseModel):
    """Somebody to be told, in the order of the list within his step.

    step: 0 first contact, 1 second contact, 2 the site's duty head, 3 the centre's director.
    """

    step: Step
    name: Said
    role: Said
    phone: Said

    @field_serializer("step")
    def _number(self, step: Step) -> int:
        return int(step)


class ContactsBody(BaseModel):
    """The whole telephone list of a site."""

    contacts: Annotated[list[Contact], Field(max_length=50)]


class ClocksBody(BaseModel):
    """When the next ones are told, in minutes after the first; and until when it is acted on.

    action: in minutes after the acknowledgement.
    """

    second_contact: _Minutes = 5
    duty_head: _Minutes = 10
    director: Annotated[int, Field(ge=1, le=60)] = 15
    action: _Minutes = 30

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if not self.second_contact < self.duty_head < self.director:
            message = "the steps follow each other: second_contact < duty_head < director"
            raise ValueError(message)
        return self


class NoticeView(BaseModel):
    """One thing that was done to be heard."""

    kind: NoticeKind
    step: int
    at: datetime
    by: PersonView | None
    contact_name: str | None
    contact_phone: str | None
    answered: bool | None
    note: str | None


class TellingStep(BaseModel):
    """One step of telling: when it is or was due, and whether it was reached."""

    step: int
    due_at: datetime
    reached: bool


class CriticalView(BaseModel):
    """One critical value as both sides see it.

    found_by: None while only an analysis suspects it.
    limit_at: until when the site has to know, by the national limit. in_time: whether it did; None
        while that is open.
    level: the highest step that was told, see `Contact`. next_at: when the clock acts next.
    action_overdue: acknowledged, and nothing told of what was done when it was due.
    recorded_by: who of the centre took the acknowledgement down from the telephone.
    read_back_items: the words of which a read-back has to contain one, the shortest way first.
    actions: those this person may take now.
    """

    id: UUID
    workitem_id: UUID
    state: CriticalState
    finding: str
    ruleset: str | None
    rule_code: str | None
    site: SiteView
    patient: PatientView
    study: StudyView
    found_by: PersonView | None
    found_at: datetime
    limit_at: datetime
    confirmed_by: PersonView | None
    confirmed_at: datetime | None
    confirmed_alone: bool
    notified_at: datetime | None
    level: int
    next_at: datetime | None
    in_time: bool | None
    acknowledged_name: str | None
    acknowledged_role: str | None
    acknowledged_at: datetime | None
    recorded_by: PersonView | None
    read_back: str | None
    read_back_items: list[str]
    action_overdue: bool
    action: str | None
    actioned_name: str | None
    actioned_at: datetime | None
    closed_by: PersonView | None
    closed_at: datetime | None
    dismissed_by: PersonView | None
    dismissed_at: datetime | None
    dismissal_reason: str | None
    actions: list[str]
    revision: int


class CriticalDetail(CriticalView):
    """A critical value with all that was done to be heard, when the next are, and whom to ring.

    steps: none before it is told.
    """

    steps: list[TellingStep]
    notices: list[NoticeView]
    contacts: list[Contact]


class CriticalPage(BaseModel):
    """A page of critical values: first what nobody has acknowledged, then other open ones.

    open: how many of all that are visible are open.
    """

    items: list[CriticalView]
    total: int
    open: int
    page: int
    page_size: int


class CriticalRule(BaseModel):
    """One rule of a ruleset."""

    code: str
    name: str
    name_en: str


class CriticalRuleset(BaseModel):
    """A list of critical values that can be cited; source: who says so."""

    id: str
    lane: Lane
    title: str
    title_en: str
    source: str
    source_en: str
    rules: list[CriticalRule]
