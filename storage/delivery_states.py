"""The states of a delivery as one total table: every (state, action) pair is decided.

PENDING → IN_PROGRESS → DELIVERED; beside the road REFUSED, PAUSED and CANCELED. The database holds
the same pairs and refuses any other change.
"""

from collections.abc import Mapping
from enum import StrEnum
from itertools import product
from types import MappingProxyType
from typing import Final


class DeliveryState(StrEnum):
    """Where a delivery stands.

    PENDING waits for its next attempt. REFUSED: the receiver will not take it as it is, a person
    must look. PAUSED: a person holds it. CANCELED: it is not to arrive any more, and never will.
    """

    PENDING = "PENDING"
    IN_PROGRESS = "IN_PROGRESS"
    DELIVERED = "DELIVERED"
    REFUSED = "REFUSED"
    PAUSED = "PAUSED"
    CANCELED = "CANCELED"


class DeliveryAction(StrEnum):
    """What can happen to a delivery.

    Of the engine: START an attempt, which ends with DELIVER, FAIL (try again), REFUSE, or INTERRUPT
    (its process is gone). SUPERSEDE: another version, or the notice that it is void, takes its
    place. Of a person: PAUSE, RESUME, REDIRECT (to another destination, which ends it here),
    REPLAY (send it now, or again).
    """

    START = "start"
    DELIVER = "deliver"
    FAIL = "fail"
    REFUSE = "refuse"
    INTERRUPT = "interrupt"
    SUPERSEDE = "supersede"
    PAUSE = "pause"
    RESUME = "resume"
    REDIRECT = "redirect"
    REPLAY = "replay"


_S = DeliveryState
_A = DeliveryAction

_ALLOWED: Final[dict[tuple[DeliveryState, DeliveryAction], DeliveryState]] = {
    (_S.PENDING, _A.START): _S.IN_PROGRESS,
    (_S.PENDING, _A.SUPERSEDE): _S.CANCELED,
    (_S.PENDING, _A.PAUSE): _S.PAUSED,
    (_S.PENDING, _A.REDIRECT): _S.CANCELED,
    (_S.PENDING, _A.REPLAY): _S.PENDING,
    (_S.IN_PROGRESS, _A.DELIVER): _S.DELIVERED,
    (_S.IN_PROGRESS, _A.FAIL): _S.PENDING,
    (_S.IN_PROGRESS, _A.REFUSE): _S.REFUSED,
    (_S.IN_PROGRESS, _A.INTERRUPT): _S.PENDING,
    (_S.IN_PROGRESS, _A.SUPERSEDE): _S.CANCELED,
    (_S.IN_PROGRESS, _A.PAUSE): _S.PAUSED,
    (_S.REFUSED, _A.SUPERSEDE): _S.CANCELED,
    (_S.REFUSED, _A.REDIRECT): _S.CANCELED,
    (_S.REFUSED, _A.REPLAY): _S.PENDING,
    (_S.PAUSED, _A.SUPERSEDE): _S.CANCELED,
    (_S.PAUSED, _A.RESUME): _S.PENDING,
    (_S.PAUSED, _A.REDIRECT): _S.CANCELED,
    (_S.DELIVERED, _A.REPLAY): _S.PENDING,
    # An answer that comes late is a fact, whatever was decided meanwhile.
    (_S.PENDING, _A.DELIVER): _S.DELIVERED,
    (_S.REFUSED, _A.DELIVER): _S.DELIVERED,
    (_S.PAUSED, _A.DELIVER): _S.DELIVERED,
    (_S.CANCELED, _A.DELIVER): _S.DELIVERED,
    (_S.DELIVERED, _A.DELIVER): _S.DELIVERED,
}

TRANSITIONS: Final[Mapping[tuple[DeliveryState, DeliveryAction], DeliveryState | None]] = (
    MappingProxyType({pair: _ALLOWED.get(pair) for pair in product(DeliveryState, DeliveryAction)})
)
"""For every pair the next state, or None when the action is refused in that state."""

CHANGES: Final = frozenset(
    (state, after)
    for (state, _), after in TRANSITIONS.items()
    if after is not None and after is not state
)
"""The pairs of states a delivery may change between; the database has the same."""

OPEN: Final = frozenset({_S.PENDING, _S.IN_PROGRESS, _S.REFUSED, _S.PAUSED})
"""Not at its end: somebody, or the engine, has something to do yet."""

WAITING: Final = frozenset({_S.PENDING, _S.IN_PROGRESS})
"""In the engine's hands."""


def next_state(state: DeliveryState, action: DeliveryAction) -> DeliveryState | None:
    """Return the state after `action`, or None when `state` does not allow it."""
    return TRANSITIONS[state, action]
