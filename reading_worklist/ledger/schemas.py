"""The ledger as the API gives it."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from pydantic import BaseModel

from reading_worklist.ledger.stuck import Mender, Stuck
from reading_worklist.portal.schemas import ExamView
from reading_worklist.reports.states import RecallKind
from storage.deliveries import DeliveryState
from storage.registry import DestinationKind


class Kept(StrEnum):
    """What the index says of the images; whether each is in the store, `/portal/…/kept` looks.

    NOT_YET: they must stay on the modality. STORED: all that came is kept. COUNTED: and it is as
    many as the device says it made.
    """

    NOT_YET = "not_yet"
    STORED = "stored"
    COUNTED = "counted"


class StuckReason(BaseModel):
    """Why an exam does not go on, since when, and who can mend it.

    destination, said: of a delivery: where to, and what was said last.
    holder: of a recall: who has the version that does not stand.
    subject_id: of the delivery or the recall's recipient.
    """

    rule: Stuck
    since: datetime
    mender: Mender
    subject_id: UUID | None
    destination: str | None = None
    said: str | None = None
    holder: str | None = None


class LedgerDelivery(BaseModel):
    """One report version, or the notice that one is void, on its way to one destination."""

    id: UUID
    destination: str
    kind: DestinationKind
    version_number: int
    is_notice: bool
    state: DeliveryState
    attempts: int
    issued_at: datetime
    delivered_at: datetime | None
    last_error: str | None


class Opening(BaseModel):
    """Who of the site has a version first: a person who opened it, or a machine that fetched it."""

    who: str
    machine: bool
    version_number: int
    at: datetime


class EscalationView(BaseModel):
    """A step that was told because nobody answered; step: see `recall_clocks.RecallStep`."""

    step: int
    at: datetime
    contact_name: str | None
    contact_phone: str | None


class RecallRecipientView(BaseModel):
    """Who has a version that does not stand, and whether he knows.

    acknowledged_name, acknowledged_role: of the person who said so; None for a machine that got
        what replaces it. taken_down_by: who of the centre noted it on the telephone.
    level: the highest step that was told; next_at: when the next one is.
    """

    id: UUID
    who: str
    machine: bool
    version_number: int
    kind: RecallKind
    reason: str
    recalled_at: datetime
    received_at: datetime
    told_at: datetime | None
    acknowledged_name: str | None
    acknowledged_role: str | None
    taken_down_by: str | None
    level: int
    next_at: datetime | None
    escalations: list[EscalationView]


class LedgerLine(ExamView):
    """One exam from its order to the opened report.

    written_at: signature 1 of the newest version; reviewed_at: its last one, with which it was
        issued. kept: see `Kept`; None without images.
    deliveries: of the newest version, by destination. opened_by: who has it first, of the site.
    recalls_open: how many have a version that does not stand and have not said that they know.
    stuck: empty while it goes on.
    """

    written_at: datetime | None
    reviewed_at: datetime | None
    kept: Kept | None
    deliveries: list[LedgerDelivery]
    opened_by: str | None
    recalls: int
    recalls_open: int
    stuck: list[StuckReason]


class LedgerVersion(BaseModel):
    """A version that was issued; recalled: why it does not stand any more."""

    id: UUID
    number: int
    status: str
    issued_at: datetime
    recalled: RecallKind | None
    recalled_at: datetime | None


class LedgerDetail(LedgerLine):
    """A line with everything behind it; deliveries: of every version, the newest first."""

    versions: list[LedgerVersion]
    openings: list[Opening]
    recipients: list[RecallRecipientView]


class LedgerPage(BaseModel):
    """Some lines. next: what to send as `after` for those that follow; None at the end.

    total: of what is stuck; None for all exams, which nobody counts.
    """

    items: list[LedgerLine]
    next: str | None
    total: int | None


class StuckCount(BaseModel):
    """How many exams a rule stops. more: whether there are more than that."""

    rule: Stuck
    mender: Mender
    limit_minutes: int
    exams: int
    more: bool


class StuckCounts(BaseModel):
    """The whole table, in the order of the road, those without an exam too."""

    rules: list[StuckCount]
