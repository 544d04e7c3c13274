"""The states of a consultation as one total table: every (state, action) pair is decided.

APPLIED → ACCEPTED | DECLINED → SCHEDULED → OPINION_SIGNED → ARCHIVED → RATED. The database holds
the same pairs and refuses any other change.
"""

from collections.abc import Mapping
from enum import StrEnum
from itertools import product
from types import MappingProxyType
from typing import Final


class ConsultationState(StrEnum):
    """Where a consultation stands."""

    APPLIED = "APPLIED"
    ACCEPTED = "ACCEPTED"
    DECLINED = "DECLINED"
    SCHEDULED = "SCHEDULED"
    OPINION_SIGNED = "OPINION_SIGNED"
    ARCHIVED = "ARCHIVED"
    RATED = "RATED"


class ConsultationAction(StrEnum):
    """What can happen to a consultation: the expert's four, then the applicant's two."""

    ACCEPT = "accept"
    DECLINE = "decline"
    SCHEDULE = "schedule"
    SIGN_OPINION = "sign_opinion"
    ARCHIVE = "archive"
    RATE = "rate"


_S = ConsultationState
_A = ConsultationAction

_ALLOWED: Final[dict[tuple[ConsultationState, ConsultationAction], ConsultationState]] = {
    (_S.APPLIED, _A.ACCEPT): _S.ACCEPTED,
    (_S.APPLIED, _A.DECLINE): _S.DECLINED,
    (_S.ACCEPTED, _A.SCHEDULE): _S.SCHEDULED,
    (_S.SCHEDULED, _A.SCHEDULE): _S.SCHEDULED,
    (_S.SCHEDULED, _A.SIGN_OPINION): _S.OPINION_SIGNED,
    (_S.OPINION_SIGNED, _A.ARCHIVE): _S.ARCHIVED,
    (_S.ARCHIVED, _A.RATE): _S.RATED,
}

TRANSITIONS: Final[
    Mapping[tuple[ConsultationState, ConsultationAction], ConsultationState | None]
] = MappingProxyType(
    {pair: _ALLOWED.get(pair) for pair in product(ConsultationState, ConsultationAction)}
)
"""For every pair the next state, or None when the action is refused in that state."""

STATE_CHANGES: Final[frozenset[tuple[ConsultationState, ConsultationState]]] = frozenset(
    (before, after) for (before, _), after in _ALLOWED.items() if before != after
)
"""The changes of state that the database lets pass."""

UNANSWERED: Final = frozenset(
    {ConsultationState.APPLIED, ConsultationState.ACCEPTED, ConsultationState.SCHEDULED}
)

SHARED: Final = UNANSWERED | {ConsultationState.OPINION_SIGNED}
"""While the expert may see the images: until it is declined or put to the records."""


def next_state(state: ConsultationState, action: ConsultationAction) -> ConsultationState | None:
    """Return the state after `action`, or None when `state` does not allow it."""
    return TRANSITIONS[state, action]
