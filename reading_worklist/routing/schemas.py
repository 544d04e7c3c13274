"""Routing as the API gives and takes it."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, Field

from reading_worklist.routing.clocks import Clock
from reading_worklist.routing.rules import RULES_MAX, Rule
from reading_worklist.routing.tables import RulesetState
from reading_worklist.workitems.lane import Lane
from reading_worklist.workitems.schemas import GroupName, PersonView
from storage.orders.words import Priority
from storage.registry import Role


class ReaderView(BaseModel):
    """Somebody who reads for the consortium, and as what."""

    id: UUID
    display_name: str
    roles: list[Role]


class GroupView(BaseModel):
    """A subspecialty with its people; see `ReadingGroup`."""

    id: UUID
    code: str
    name: str
    name_en: str
    lane: Lane
    active: bool
    open_limit: int | None
    members: list[PersonView]


class GroupBody(BaseModel):
    """What can be said of a subspecialty; `members` are all of its people."""

    name: Annotated[str, Field(min_length=1, max_length=100)]
    name_en: Annotated[str, Field(min_length=1, max_length=100)]
    lane: Lane
    active: bool = True
    open_limit: Annotated[int | None, Field(ge=1, le=10_000)] = None
    members: Annotated[list[UUID], Field(max_length=500)] = []


class DutyBody(BaseModel):
    """Somebody is to read from one time to another; `group` is a code, None for all of the lane."""

    person_id: UUID
    lane: Lane
    group: Annotated[str | None, Field(max_length=64)] = None
    starts_at: AwareDatetime
    ends_at: AwareDatetime


class DutyView(BaseModel):
    """One entry of the roster."""

    id: UUID
    person: PersonView
    lane: Lane
    group: GroupName | None
    starts_at: datetime
    ends_at: datetime


class RosterCopyBody(BaseModel):
    """The first of the seven days that shall be like the seven before them; a local day."""

    first_day: date


class RosterCopyResult(BaseModel):
    """How many duties were added."""

    added: int


class RulesetBody(BaseModel):
    """Rules for a new version, in the order they are tried, and why it is made."""

    rules: Annotated[list[Rule], Field(max_length=RULES_MAX)]
    note: Annotated[str, Field(max_length=1000)] = ""


class RulesetView(BaseModel):
    """One version of the rules."""

    id: UUID
    version: int
    state: RulesetState
    rules: list[Rule]
    note: str
    created_by: PersonView
    created_at: datetime
    switched_on_by: PersonView | None
    switched_on_at: datetime | None


class PublishBody(BaseModel):
    """Rules that shall route from now on, in the order they are tried, and why.

    based_on: the version that routed when they were written; None when none did.
    """

    rules: Annotated[list[Rule], Field(max_length=RULES_MAX)]
    reason: Annotated[str, Field(min_length=1, max_length=1000)]
    based_on: int | None


_Days = Annotated[int, Field(ge=1, le=90)]


class TrialBody(BaseModel):
    """Over how many past days a version is tried."""

    days: _Days = 30


class DraftTrialBody(BaseModel):
    """Rules that are no version yet, and over how many past days they are tried."""

    rules: Annotated[list[Rule], Field(max_length=RULES_MAX)]
    days: _Days = 30


class Placement(BaseModel):
    """Where a study is sent; `group` is a code."""

    rule: str | None
    lane: Lane
    group: str | None
    priority: Priority
    clock: Clock


class MovedStudy(BaseModel):
    """A past study that a version sends elsewhere than the one that is switched on."""

    workitem_id: UUID
    site_code: str
    modalities: list[str]
    description: str | None
    accession_number: str | None
    queued_at: datetime
    before: Placement
    after: Placement


class TrialResult(BaseModel):
    """What a version would have done.

    examined: the latest studies of those days, at most so many as are looked at in one trial.
    complete: whether those were all. moved: how many would have gone elsewhere; studies: the latest
        of them. by_rule: how many studies each rule would have decided.
    """

    examined: int
    complete: bool
    moved: int
    by_rule: dict[str, int]
    studies: list[MovedStudy]


class AssignBody(BaseModel):
    """Who shall do it next; None takes it back."""

    person_id: UUID | None
