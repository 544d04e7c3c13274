"""The worklist as the API gives and takes it."""

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Final
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from reading_worklist.consultations.states import ConsultationState
from reading_worklist.critical_values.states import CriticalState
from reading_worklist.ecg.analysis.schemas import EcgMark
from reading_worklist.retakes.states import RetakeState
from reading_worklist.workitems.lane import Lane
from reading_worklist.workitems.schemas import GroupName, PersonView, WorkitemView
from reading_worklist.workitems.states import State
from storage.orders.words import Priority
from storage.registry import Role

PAGE_SIZE_MAX: Final = 200
COUNTED_MAX: Final = 10_000
"""What is done, overdue or unclaimed is counted exactly up to here.

What a search for text or body part finds is up to a tenth."""

LINES_MAX: Final = 200
ASSIGNED_MAX: Final = 200
"""How much is given at once."""

_Code = Annotated[str, Field(max_length=100)]
_Modality = Annotated[str, Field(max_length=16)]
_Column = Annotated[str, Field(pattern=r"^[a-z_]{1,30}$")]


class Sort(StrEnum):
    """The order of the list.

    URGENCY: STAT before URGENT before ROUTINE, then by due time. DUE: by due time alone. QUEUED:
    the longest waiting first. NEWEST: the latest queued first.
    """

    URGENCY = "urgency"
    DUE = "due"
    QUEUED = "queued"
    NEWEST = "newest"


class Assigned(StrEnum):
    """To whom a workitem is assigned."""

    ME = "me"
    NOBODY = "nobody"


class WorklistFilter(BaseModel):
    """What to show; what is left out asks nothing.

    site: code. q: a name (Hanzi, pinyin, initials) or a site's begins so; with a digit in it also a
        patient id or an accession number.
    mine: what I hold, what was returned to me, and what is assigned to me.
    unclaimed: what nobody holds and nobody is to do.
    group: codes. modality: the study has one of them. body_part: a series says one of them as its
        Body Part Examined (PS3.16 Annex L), in capital letters.
    days: queued today (1) or since so many calendar days; queued_from, queued_to: on these days or
        between them. Days are the centre's.
    overdue: past its due time. escalated: unclaimed for too long. late_instances: images came after
        it was begun.
    sort: URGENCY where only waiting states are asked for, else NEWEST.
    """

    model_config = ConfigDict(extra="forbid")

    lane: Lane | None = None
    state: Annotated[list[State], Field(max_length=len(State))] = []
    site: _Code | None = None
    q: Annotated[str | None, Field(max_length=100)] = None
    mine: bool = False
    unclaimed: bool = False
    group: Annotated[list[_Code], Field(max_length=50)] = []
    assigned: Assigned | None = None
    priority: Annotated[list[Priority], Field(max_length=3)] = []
    modality: Annotated[list[_Modality], Field(max_length=20)] = []
    body_part: Annotated[list[_Modality], Field(max_length=40)] = []
    days: Annotated[int | None, Field(ge=1, le=3650)] = None
    queued_from: date | None = None
    queued_to: date | None = None
    overdue: bool = False
    escalated: bool = False
    late_instances: bool = False
    sort: Sort | None = None


class WorklistRequest(WorklistFilter):
    """A filter and which page of it: by its number, or `after` the last row of another page.

    after: what that page gave as `next`; pages so asked for neither repeat nor leave out a row that
        has not changed its place.
    """

    page: Annotated[int, Field(ge=1, le=100_000)] = 1
    page_size: Annotated[int, Field(ge=1, le=PAGE_SIZE_MAX)] = 50
    after: Annotated[str | None, Field(max_length=300)] = None


class WorklistLine(WorkitemView):
    """One line of the list, with what goes on beside the reading.

    critical_value: of the least advanced one that is not closed. retake: while the site is expected
    to make the exam again. consultation: while an opinion is waited for, or is there unread.
    ecg: hints and quality of the study's ECGs, once they are analysed.
    """

    critical_value: CriticalState | None
    retake: RetakeState | None
    consultation: ConsultationState | None
    ecg: EcgMark | None


class WorkitemPage(BaseModel):
    """A page of the worklist.

    counts: per state over the same filter without its states; a state that would be long to count
        and is not asked for is left out. total: over its states.
    counts_exact: False when there are more than could be counted at once.
    next: for `after` of the following page; None on the last one.
    now: the server's clock, against which due times are counted down.
    """

    items: list[WorklistLine]
    total: int
    page: int
    page_size: int
    counts: dict[State, int]
    counts_exact: bool
    next: str | None
    now: datetime


class ViewBody(BaseModel):
    """A filter that a person keeps under a name.

    shared: whether others of the centre see it too; group: the code of the group that alone does.
    """

    name: Annotated[str, Field(min_length=1, max_length=60)]
    filter: WorklistFilter
    position: Annotated[int, Field(ge=0, le=1000)] = 0
    shared: bool = False
    group: Annotated[str | None, Field(max_length=64)] = None


class SavedView(BaseModel):
    """A kept filter; `count` of what it shows now, exact unless `count_exact` is False.

    may_change: whether the asker may change or remove it.
    """

    id: UUID
    name: str
    filter: WorklistFilter
    position: int
    shared: bool
    group: GroupName | None
    owner: PersonView
    may_change: bool
    count: int
    count_exact: bool


class Preferences(BaseModel):
    """How a person likes the list in his work for one organisation.

    default_view: with which it opens. columns: those shown, in their order; empty: the usual ones.
    """

    default_view: UUID | None = None
    columns: Annotated[list[_Column], Field(max_length=30)] = []


class ReaderDuty(BaseModel):
    """For what somebody is on duty now, and until when; without a group: for the whole lane."""

    lane: Lane
    group: GroupName | None
    ends_at: datetime


class Reader(BaseModel):
    """Somebody who reads for the consortium, as what, and what he has to do.

    duties: that he has now. load: open readings that he holds or is to do.
    """

    id: UUID
    display_name: str
    roles: list[Role]
    duties: list[ReaderDuty]
    load: int


class AssignManyBody(BaseModel):
    """What to give to whom; nobody: what was given is taken back."""

    workitem_ids: Annotated[list[UUID], Field(min_length=1, max_length=ASSIGNED_MAX)]
    person_id: UUID | None


class Refused(BaseModel):
    """A workitem that could not be given, and why: the code and title of the problem."""

    workitem_id: UUID
    code: str
    title: str


class Assignments(BaseModel):
    """What became of giving many workitems at once."""

    assigned: int
    refused: list[Refused]


class Waiting(BaseModel):
    """What nobody has begun, of one priority; oldest_queued_at: of these.

    late: how many of these somebody should have claimed by now.
    """

    count: int
    late: int
    oldest_queued_at: datetime | None


class LaneBoard(BaseModel):
    """One lane on the wall.

    waiting: by priority. working: what somebody is writing or reviewing; to_review: what waits for
    the second signature; held: what waits for the identity desk.
    overdue, due_soon: of everything in the queue.
    """

    lane: Lane
    waiting: dict[Priority, Waiting]
    working: int
    to_review: int
    held: int
    overdue: int
    due_soon: int


class CriticalBoard(BaseModel):
    """Critical values that are not closed.

    unanswered: those that no one at the site has read back; oldest_found_at: of these.
    """

    open: int
    unanswered: int
    oldest_found_at: datetime | None


class OnDuty(BaseModel):
    """Somebody on duty now; name: None for who may not see names."""

    name: str | None
    lane: Lane
    group: GroupName | None
    ends_at: datetime


class SilentDevice(BaseModel):
    """A device that has not called for a working day; heard_at: None when it never has."""

    id: UUID
    name: str
    ae_title: str
    site_code: str
    site_name: str
    site_name_en: str
    heard_at: datetime | None


class Board(BaseModel):
    """What hangs on the wall; no patient's data is in it.

    organisation: whose board it is, in both languages. silent: how many devices are silent, of
    which `silent_devices` are the longest so.
    """

    now: datetime
    organisation_name: str
    organisation_name_en: str
    lanes: list[LaneBoard]
    critical_values: CriticalBoard
    on_duty: list[OnDuty]
    silent: int
    silent_devices: list[SilentDevice]
