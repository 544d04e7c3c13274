"""The states of a retake as one total table: every (state, action) pair is decided.

REQUESTED by the centre → ACKNOWLEDGED by the site → RECEIVED with the new study → CLOSED; or
DECLINED by the site, or CANCELLED by the centre. The database holds the same pairs.
"""

from collections.abc import Mapping
from enum import StrEnum
from itertools import product
from types import MappingProxyType
from typing import Final


class RetakeKind(StrEnum):
    """Why an exam is made again.

    RETAKE: something is missing or wrong. REJECTED_QUALITY: what is there cannot be read.
    """

    RETAKE = "RETAKE"
    REJECTED_QUALITY = "REJECTED_QUALITY"


class RetakeReason(StrEnum):
    """What is wrong with an exam that goes back; OTHER is said in words."""

    MOTION = "MOTION"
    POSITIONING = "POSITIONING"
    COVERAGE = "COVERAGE"
    EXPOSURE = "EXPOSURE"
    FOREIGN_BODY = "FOREIGN_BODY"
    WRONG_PART = "WRONG_PART"
    MISSING_SERIES = "MISSING_SERIES"
    CONTRAST = "CONTRAST"
    LEADS = "LEADS"
    NOISE = "NOISE"
    OTHER = "OTHER"


class RetakeState(StrEnum):
    """Where a retake stands."""

    REQUESTED = "REQUESTED"
    ACKNOWLEDGED = "ACKNOWLEDGED"
    RECEIVED = "RECEIVED"
    CLOSED = "CLOSED"
    DECLINED = "DECLINED"
    CANCELLED = "CANCELLED"


class RetakeAction(StrEnum):
    """What can happen to a retake: the site's, the system's (receive), the centre's.

    BOOK: the site says when it will be made. CALL: somebody of the centre has rung. REMIND: the
    clock's, of what the site has not answered.
    """

    ACKNOWLEDGE = "acknowledge"
    DECLINE = "decline"
    BOOK = "book"
    CALL = "call"
    REMIND = "remind"
    RECEIVE = "receive"
    CLOSE = "close"
    CANCEL = "cancel"


_S = RetakeState
_A = RetakeAction

_ALLOWED: Final[dict[tuple[RetakeState, RetakeAction], RetakeState]] = {
    (_S.REQUESTED, _A.ACKNOWLEDGE): _S.ACKNOWLEDGED,
    (_S.REQUESTED, _A.CALL): _S.REQUESTED,
    (_S.ACKNOWLEDGED, _A.CALL): _S.ACKNOWLEDGED,
    (_S.REQUESTED, _A.REMIND): _S.REQUESTED,
    (_S.ACKNOWLEDGED, _A.BOOK): _S.ACKNOWLEDGED,
    (_S.REQUESTED, _A.DECLINE): _S.DECLINED,
    (_S.ACKNOWLEDGED, _A.DECLINE): _S.DECLINED,
    # Made again before anybody said that he would.
    (_S.REQUESTED, _A.RECEIVE): _S.RECEIVED,
    (_S.ACKNOWLEDGED, _A.RECEIVE): _S.RECEIVED,
    (_S.REQUESTED, _A.CANCEL): _S.CANCELLED,
    (_S.ACKNOWLEDGED, _A.CANCEL): _S.CANCELLED,
    (_S.RECEIVED, _A.CLOSE): _S.CLOSED,
}

TRANSITIONS: Final[Mapping[tuple[RetakeState, RetakeAction], RetakeState | None]] = (
    MappingProxyType({pair: _ALLOWED.get(pair) for pair in product(RetakeState, RetakeAction)})
)
"""For every pair the next state, or None when the action is refused in that state."""

STATE_CHANGES: Final[frozenset[tuple[RetakeState, RetakeState]]] = frozenset(
    (before, after) for (before, _), after in _ALLOWED.items() if before != after
)
"""The changes of state that the database lets pass."""

WAITING: Final = frozenset({RetakeState.REQUESTED, RetakeState.ACKNOWLEDGED})


def next_state(state: RetakeState, action: RetakeAction) -> RetakeState | None:
    """Return the state after `action`, or None when `state` does not allow it."""
    return TRANSITIONS[state, action]
