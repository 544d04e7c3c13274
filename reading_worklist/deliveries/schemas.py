"""Deliveries and their queues as the API gives them."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, Field, StringConstraints

from storage.deliveries import AttemptOutcome, DeliveryState
from storage.registry import DestinationKind

Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=1000)]


class DeliveryView(BaseModel):
    """One report version, or the notice that it is void, on its way to one destination.

    actions: what this person may do with it now.
    decided_by, decided_at, decision_reason: of who paused, redirected or sent it again last.
    """

    id: UUID
    workitem_id: UUID
    site_code: str
    site_name: str
    site_name_en: str
    patient_name: str
    patient_latin_name: str
    title: str
    version_number: int
    is_notice: bool
    destination_id: UUID
    destination: str
    kind: DestinationKind
    state: DeliveryState
    attempts: int
    next_attempt_at: datetime | None
    issued_at: datetime
    created_at: datetime
    delivered_at: datetime | None
    last_error: str | None
    decided_by: str | None
    decided_at: datetime | None
    decision_reason: str | None
    actions: list[str]


class AttemptView(BaseModel):
    """One try; `answer` is what the receiver said, in words.

    request, response: as sent and as answered, without documents; None for who reads no reports.
    """

    number: int
    started_at: datetime
    ended_at: datetime | None
    succeeded: bool | None
    outcome: AttemptOutcome | None
    answer: str | None
    request: str | None
    response: str | None


class DeliveryDetail(DeliveryView):
    """A delivery with every attempt."""

    attempt_list: list[AttemptView]


class DeliveryPage(BaseModel):
    """A page of deliveries: what is open from the oldest on, what is done from the newest on.

    total: as far as it was counted; more: whether there are more than that.
    """

    items: list[DeliveryView]
    total: int
    more: bool
    page: int
    page_size: int


class QueueView(BaseModel):
    """How the deliveries to one destination are doing as a whole.

    waiting, refused, paused: how many are in these states; oldest_at: when the oldest of them was
        issued.
    failing_since: since when it could not be reached, failures times in a row.
    paused_at, paused_by, pause_reason: somebody holds the whole queue.
    """

    destination_id: UUID
    destination: str
    kind: DestinationKind
    active: bool
    site_code: str
    site_name: str
    site_name_en: str
    waiting: int
    refused: int
    paused: int
    oldest_at: datetime | None
    failures: int
    failing_since: datetime | None
    next_attempt_at: datetime | None
    last_error: str | None
    last_success_at: datetime | None
    paused_at: datetime | None
    paused_by: str | None
    pause_reason: str | None


class QueueList(BaseModel):
    """The queues of all visible sites, those with trouble first. may_act: whether to decide."""

    items: list[QueueView]
    may_act: bool


class ReasonBody(BaseModel):
    """Why."""

    reason: Reason


class RedirectBody(ReasonBody):
    """Why, and to which other destination of the same site."""

    destination_id: UUID


class ReplayBody(ReasonBody):
    """Why; since: what was delivered from then on is sent once more, too."""

    since: datetime | None = None


class Moved(BaseModel):
    """How many deliveries a decision about a queue has moved."""

    moved: Annotated[int, Field(ge=0)]
