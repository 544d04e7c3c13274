"""The worklist as the API gives and takes it."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Final
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from reading_worklist.routing.schemas import DutyView
from reading_worklist.workitems.lane import Lane
from reading_worklist.workitems.schemas import WorkitemView
from reading_worklist.workitems.states import State
from storage.orders.words import Priority

PAGE_SIZE_MAX: Final = 200
COUNTED_MAX: Final = 10_000
"""What is done is counted exactly up to here, as is what a search for text finds up to a tenth."""

_Code = Annotated[str, Field(max_length=100)]
_Modality = Annotated[str, Field(max_length=16)]


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
    group: codes. modality: the study has one of them.
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
    group: Annotated[list[_Code], Field(max_length=50)] = []
    assigned: Assigned | None = None
    priority: Annotated[list[Priority], Field(max_length=3)] = []
    modality: Annotated[list[_Modality], Field(max_length=20)] = []
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


class WorkitemPage(BaseModel):
    """A page of the worklist.

    counts: per state over the same filter without its states; total: over its states.
    counts_exact: False when there are more than could be counted at once.
    next: for `after` of the following page; None on the last one.
    now: the server's clock, against which due times are counted down.
    """

    items: list[WorkitemView]
    total: int
    page: int
    page_size: int
    counts: dict[State, int]
    counts_exact: bool
    next: str | None
    now: datetime


class ViewBody(BaseModel):
    """A filter that a person keeps under a name."""

    name: Annotated[str, Field(min_length=1, max_length=60)]
    filter: WorklistFilter
    position: Annotated[int, Field(ge=0, le=1000)] = 0


class SavedView(BaseModel):
    """A kept filter; `count` of what it shows now, exact unless `count_exact` is False."""

    id: UUID
    name: str
    filter: WorklistFilter
    position: int
    count: int
    count_exact: bool


class LaneBoard(BaseModel):
    """One lane on the wall.

    waiting: by priority, what nobody has begun; oldest_queued_at: of these. working: what somebody
    is writing or reviewing; to_review: what waits for the second signature.
    overdue, due_soon: of everything in the queue. unclaimed: escalated and still waiting.
    """

    lane: Lane
    waiting: dict[Priority, int]
    oldest_queued_at: datetime | None
    working: int
    to_review: int
    overdue: int
    due_soon: int
    unclaimed: int


class SilentDevice(BaseModel):
    """A device that has not called for a working day; heard_at: None when it never has."""

    id: UUID
    name: str
    ae_title: str
    site_code: str
    site_name: str
    heard_at: datetime | None


class Board(BaseModel):
    """What hangs on the wall; no patient's data is in it."""

    now: datetime
    lanes: list[LaneBoard]
    on_duty: list[DutyView]
    silent_devices: list[SilentDevice]
