"""The states of a reading as one total table: every (state, action) pair is decided.

QUEUED → CLAIMED → WRITTEN (signature 1) → REVIEWING → RETURNED | FINAL
(signature 2) → PUBLISHED → DELIVERED; beside the road HELD and WITHDRAWN while it is not sure whose
study it is. The database holds the same pairs and
refuses any other change, so no second way of writing can go round this table.
"""

from collections.abc import Mapping
from enum import StrEnum
from itertools import product
from types import MappingProxyType
from typing import Final


class State(StrEnum):
    """Where a reading stands.

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
    HELD = "HELD"
    WITHDRAWN = "WITHDRAWN"


class Action(StrEnum):
    """What can be asked of a reading: by its doctors, then by the system and the identity desk."""

    CLAIM = "claim"
    SAVE_DRAFT = "save_draft"
    RELEASE = "release"
    SUBMIT = "submit"
    START_REVIEW = "review"
    RETURN = "return"
    FINALISE = "finalise"
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
    # A returned report goes back to its writer; if he is away, another writer claims it.
    (State.RETURNED, Action.CLAIM): State.CLAIMED,
    (State.RETURNED, Action.RELEASE): State.QUEUED,
    (State.FINAL, Action.PUBLISH): State.PUBLISHED,
    (State.PUBLISHED, Action.ACKNOWLEDGE_DELIVERY): State.DELIVERED,
    # The second destination of a site, or the portal after the PACS.
    (State.DELIVERED, Action.ACKNOWLEDGE_DELIVERY): State.DELIVERED,
    # Once signed, a report names the patient for good: then it is revoked, not withheld.
    (State.QUEUED, Action.WITHHOLD): State.HELD,
    (State.CLAIMED, Action.WITHHOLD): State.HELD,
    (State.RETURNED, Action.WITHHOLD): State.HELD,
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
OPEN: Final = UNREAD | {State.WRITTEN, State.REVIEWING}
SIGNED: Final = frozenset({State.FINAL, State.PUBLISHED, State.DELIVERED})


def next_state(state: State, action: Action) -> State | None:
    """Return the state after `action`, or None when `state` does not allow it."""
    return TRANSITIONS[state, action]
