"""The states of a reading as one total table: every (state, action) pair is decided.

QUEUED → CLAIMED → WRITTEN (signature 1) → REVIEWING → RETURNED | FINAL
(signature 2) → PUBLISHED → DELIVERED → ARCHIVED. Where one doctor is alone he signs a
preliminary report (PRELIM_ISSUED), which goes on to review; and while a consortium allows it, the
final report of an ECG (CLAIMED → FINAL). An issued report is amended on the same road, ending in
AMENDED instead of FINAL, or revoked by two people. HELD and WITHDRAWN stand beside the road while
it is not sure whose study it is. The database holds the same pairs and refuses any other change, so
no second way of writing can go round this table.
"""

from collections.abc import Mapping
from enum import StrEnum
from itertools import product
from types import MappingProxyType
from typing import Final


class State(StrEnum):
    """Where a reading stands.

    PRELIM_ISSUED: a preliminary report of one doctor is out; the final one waits for review.
    FINAL, AMENDED: both signatures are there, of a first report or of one that replaces another.
    REVOKED: the report that was out is void, and a tombstone stands in its place.
    ARCHIVED: locked for good.
    HELD: nobody may claim it until the identity desk has decided. WITHDRAWN: the study went back to
    its site and is not read.
    """

    QUEUED = "QUEUED"
    CLAIMED = "CLAIMED"
    WRITTEN = "WRITTEN"
    REVIEWING = "REVIEWING"
    RETURNED = "RETURNED"
    FINAL = "FINAL"
    PUBLISHED = "PUBLISHED"
    DELIVERED = "DELIVERED"
    PRELIM_ISSUED = "PRELIM_ISSUED"
    AMENDED = "AMENDED"
    REVOKED = "REVOKED"
    ARCHIVED = "ARCHIVED"
    HELD = "HELD"
    WITHDRAWN = "WITHDRAWN"


class Action(StrEnum):
    """What can be asked of a reading: by its doctors, then by the system and the identity desk.

    ISSUE_PRELIMINARY: its writer signs alone. ISSUE_ALONE: one doctor signs an ECG's final report
    by himself, where that is allowed. AMEND: an issued report is to be replaced by another;
    ABANDON_AMENDMENT: it stands after all. PROPOSE_REVOCATION and REVOKE are two people's.
    REOPEN: what was revoked is read again. ISSUE_AMENDMENT: what finalising is where a final report
    is replaced. KEEP_PRELIMINARY: what waits for review has a preliminary report outside.
    """

    CLAIM = "claim"
    SAVE_DRAFT = "save_draft"
    RELEASE = "release"
    SUBMIT = "submit"
    START_REVIEW = "review"
    RETURN = "return"
    FINALISE = "finalise"
    ISSUE_PRELIMINARY = "issue_preliminary"
    ISSUE_ALONE = "issue_alone"
    AMEND = "amend"
    ABANDON_AMENDMENT = "abandon_amendment"
    PROPOSE_REVOCATION = "propose_revocation"
    REVOKE = "revoke"
    REOPEN = "reopen"
    ARCHIVE = "archive"
    ISSUE_AMENDMENT = "issue_amendment"
    KEEP_PRELIMINARY = "keep_preliminary"
    PUBLISH = "publish"
    ACKNOWLEDGE_DELIVERY = "acknowledge_delivery"
    EXPIRE_LEASE = "expire_lease"
    WITHHOLD = "withhold"
    RESUME = "resume"
    WITHDRAW = "withdraw"


_ALLOWED: Final[dict[tuple[State, Action], State]] = {
    (State.QUEUED, Action.CLAIM): State.CLAIMED,
    # Claiming again renews the lease of one's own claim.
    (State.CLAIMED, Action.CLAIM): State.CLAIMED,
    (State.CLAIMED, Action.SAVE_DRAFT): State.CLAIMED,
    (State.CLAIMED, Action.RELEASE): State.QUEUED,
    (State.CLAIMED, Action.EXPIRE_LEASE): State.QUEUED,
    (State.CLAIMED, Action.SUBMIT): State.WRITTEN,
    (State.WRITTEN, Action.START_REVIEW): State.REVIEWING,
    (State.REVIEWING, Action.START_REVIEW): State.REVIEWING,
    (State.REVIEWING, Action.RELEASE): State.WRITTEN,
    (State.REVIEWING, Action.EXPIRE_LEASE): State.WRITTEN,
    (State.REVIEWING, Action.RETURN): State.RETURNED,
    (State.REVIEWING, Action.FINALISE): State.FINAL,
    (State.CLAIMED, Action.ISSUE_PRELIMINARY): State.PRELIM_ISSUED,
    (State.CLAIMED, Action.ISSUE_ALONE): State.FINAL,
    (State.PRELIM_ISSUED, Action.START_REVIEW): State.REVIEWING,
    # Submitted again, or given back by a reviewer, while the preliminary report is outside.
    (State.WRITTEN, Action.KEEP_PRELIMINARY): State.PRELIM_ISSUED,
    (State.PRELIM_ISSUED, Action.ACKNOWLEDGE_DELIVERY): State.PRELIM_ISSUED,
    # A returned report goes back to its writer; if he is away, another writer claims it.
    (State.RETURNED, Action.CLAIM): State.CLAIMED,
    (State.RETURNED, Action.RELEASE): State.QUEUED,
    (State.FINAL, Action.PUBLISH): State.PUBLISHED,
    (State.PUBLISHED, Action.ACKNOWLEDGE_DELIVERY): State.DELIVERED,
    # The second destination of a site, or the portal after the PACS.
    (State.DELIVERED, Action.ACKNOWLEDGE_DELIVERY): State.DELIVERED,
    (State.PUBLISHED, Action.AMEND): State.CLAIMED,
    (State.DELIVERED, Action.AMEND): State.CLAIMED,
    (State.CLAIMED, Action.ABANDON_AMENDMENT): State.PUBLISHED,
    (State.REVIEWING, Action.ISSUE_AMENDMENT): State.AMENDED,
    (State.AMENDED, Action.PUBLISH): State.PUBLISHED,
    **{
        (state, Action.PROPOSE_REVOCATION): state
        for state in (State.PRELIM_ISSUED, State.PUBLISHED, State.DELIVERED)
    },
    (State.PRELIM_ISSUED, Action.REVOKE): State.REVOKED,
    (State.PUBLISHED, Action.REVOKE): State.REVOKED,
    (State.DELIVERED, Action.REVOKE): State.REVOKED,
    (State.REVOKED, Action.REOPEN): State.QUEUED,
    (State.PUBLISHED, Action.ARCHIVE): State.ARCHIVED,
    (State.DELIVERED, Action.ARCHIVE): State.ARCHIVED,
    (State.REVOKED, Action.ARCHIVE): State.ARCHIVED,
    # Once signed, a report names the patient for good: then it is revoked, not withheld.
    (State.QUEUED, Action.WITHHOLD): State.HELD,
    (State.CLAIMED, Action.WITHHOLD): State.HELD,
    (State.RETURNED, Action.WITHHOLD): State.HELD,
    (State.REVOKED, Action.WITHHOLD): State.HELD,
    (State.HELD, Action.WITHHOLD): State.HELD,
    (State.HELD, Action.RESUME): State.QUEUED,
    (State.HELD, Action.WITHDRAW): State.WITHDRAWN,
    (State.WITHDRAWN, Action.WITHHOLD): State.HELD,
}

TRANSITIONS: Final[Mapping[tuple[State, Action], State | None]] = MappingProxyType(
    {pair: _ALLOWED.get(pair) for pair in product(State, Action)}
)
"""For every pair the next state, or None when the action is refused in that state."""

STATE_CHANGES: Final[frozenset[tuple[State, State]]] = frozenset(
    (before, after) for (before, _), after in _ALLOWED.items() if before != after
)
"""The changes of state that the database lets pass."""

UNREAD: Final = frozenset({State.QUEUED, State.CLAIMED, State.RETURNED})
OPEN: Final = UNREAD | {State.WRITTEN, State.REVIEWING, State.PRELIM_ISSUED}
SIGNED: Final = frozenset({State.FINAL, State.AMENDED, State.PUBLISHED, State.DELIVERED})
"""A final report is out: with both signatures, or the one that is enough for it."""
CLOSED: Final = SIGNED | {State.REVOKED, State.ARCHIVED}
"""Nobody is expected to work on it."""


def next_state(state: State, action: Action) -> State | None:
    """Return the state after `action`, or None when `state` does not allow it."""
    return TRANSITIONS[state, action]
