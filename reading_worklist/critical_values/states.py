"""The states of a critical value as one total table: every (state, action) pair is decided.

SUSPECTED → CONFIRMED → NOTIFYING → ACKED → ACTIONED → CLOSED; DISMISSED with a reason, ESCALATED
while nobody acknowledges. Nothing here asks for the state of the reading. The database holds the
same pairs and refuses any other change.
"""

from collections.abc import Mapping
from enum import StrEnum
from itertools import product
from types import MappingProxyType
from typing import Final


class CriticalState(StrEnum):
    """Where a critical value stands.

    NOTIFYING: the site's first contact is told; ESCALATED: others are, since nobody acknowledged.
    """

    SUSPECTED = "SUSPECTED"
    CONFIRMED = "CONFIRMED"
    NOTIFYING = "NOTIFYING"
    ESCALATED = "ESCALATED"
    ACKED = "ACKED"
    ACTIONED = "ACTIONED"
    CLOSED = "CLOSED"
    DISMISSED = "DISMISSED"


class CriticalAction(StrEnum):
    """What can happen to a critical value.

    SUPPORT: the first doctor sees what an analysis suspects; then it is as if he had found it.
    NOTIFY and ESCALATE, and REMIND of an action that is overdue, are the clock's. CALL: somebody of
    the centre has rung.
    """

    SUPPORT = "support"
    CONFIRM = "confirm"
    DISMISS = "dismiss"
    NOTIFY = "notify"
    ESCALATE = "escalate"
    CALL = "call"
    ACKNOWLEDGE = "acknowledge"
    REMIND = "remind"
    ACT = "act"
    CLOSE = "close"


_S = CriticalState
_A = CriticalAction

_ALLOWED: Final[dict[tuple[CriticalState, CriticalAction], CriticalState]] = {
    (_S.SUSPECTED, _A.SUPPORT): _S.SUSPECTED,
    (_S.SUSPECTED, _A.CONFIRM): _S.CONFIRMED,
    (_S.SUSPECTED, _A.DISMISS): _S.DISMISSED,
    (_S.CONFIRMED, _A.NOTIFY): _S.NOTIFYING,
    (_S.NOTIFYING, _A.ESCALATE): _S.ESCALATED,
    (_S.ESCALATED, _A.ESCALATE): _S.ESCALATED,
    (_S.NOTIFYING, _A.ACKNOWLEDGE): _S.ACKED,
    (_S.ESCALATED, _A.ACKNOWLEDGE): _S.ACKED,
    # Found to be none after all, and the site has to be told that too.
    (_S.NOTIFYING, _A.DISMISS): _S.DISMISSED,
    (_S.ESCALATED, _A.DISMISS): _S.DISMISSED,
    (_S.NOTIFYING, _A.CALL): _S.NOTIFYING,
    (_S.ESCALATED, _A.CALL): _S.ESCALATED,
    (_S.ACKED, _A.CALL): _S.ACKED,
    (_S.ACKED, _A.REMIND): _S.ACKED,
    (_S.ACKED, _A.ACT): _S.ACTIONED,
    (_S.ACTIONED, _A.CLOSE): _S.CLOSED,
}

TRANSITIONS: Final[Mapping[tuple[CriticalState, CriticalAction], CriticalState | None]] = (
    MappingProxyType({pair: _ALLOWED.get(pair) for pair in product(CriticalState, CriticalAction)})
)
"""For every pair the next state, or None when the action is refused in that state."""

STATE_CHANGES: Final[frozenset[tuple[CriticalState, CriticalState]]] = frozenset(
    (before, after) for (before, _), after in _ALLOWED.items() if before != after
)
"""The changes of state that the database lets pass."""

UNHEARD: Final = frozenset({CriticalState.NOTIFYING, CriticalState.ESCALATED})
OPEN: Final = frozenset(CriticalState) - {CriticalState.CLOSED, CriticalState.DISMISSED}


def next_state(state: CriticalState, action: CriticalAction) -> CriticalState | None:
    """Return the state after `action`, or None when `state` does not allow it."""
    return TRANSITIONS[state, action]
