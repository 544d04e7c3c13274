"""The states of a purge as one total table: every (state, action) pair is decided.

PROPOSED by one person → APPROVED by another → EXECUTING → DONE; or REJECTED by
another, or WITHDRAWN. The database holds the same pairs and refuses any other
change, and an approval by the one who proposed.
"""

from collections.abc import Mapping
from enum import StrEnum
from itertools import product
from types import MappingProxyType
from typing import Final


class PurgeState(StrEnum):
    """Where a purge stands."""

    PROPOSED = "PROPOSED"
    APPROVED = "APPROVED"
    EXECUTING = "EXECUTING"
    DONE = "DONE"
    REJECTED = "REJECTED"
    WITHDRAWN = "WITHDRAWN"


class PurgeAction(StrEnum):
    """What can be asked of a purge, by a person or (the last two) by the system."""

    APPROVE = "approve"
    REJECT = "reject"
    WITHDRAW = "withdraw"
    EXECUTE = "execute"
    FINISH = "finish"


_ALLOWED: Final[dict[tuple[PurgeState, PurgeAction], PurgeState]] = {
    (PurgeState.PROPOSED, PurgeAction.APPROVE): PurgeState.APPROVED,
    (PurgeState.PROPOSED, PurgeAction.REJECT): PurgeState.REJECTED,
    (PurgeState.PROPOSED, PurgeAction.WITHDRAW): PurgeState.WITHDRAWN,
    # Until the first study has gone, whoever has doubts may still stop it.
    (PurgeState.APPROVED, PurgeAction.REJECT): PurgeState.REJECTED,
    (PurgeState.APPROVED, PurgeAction.WITHDRAW): PurgeState.WITHDRAWN,
    (PurgeState.APPROVED, PurgeAction.EXECUTE): PurgeState.EXECUTING,
    # One step after the other.
    (PurgeState.EXECUTING, PurgeAction.EXECUTE): PurgeState.EXECUTING,
    (PurgeState.EXECUTING, PurgeAction.FINISH): PurgeState.DONE,
}

TRANSITIONS: Final[Mapping[tuple[PurgeState, PurgeAction], PurgeState | None]] = MappingProxyType(
    {pair: _ALLOWED.get(pair) for pair in product(PurgeState, PurgeAction)}
)
"""For every pair the next state, or None when the action is refused in that state."""

STATE_CHANGES: Final[frozenset[tuple[PurgeState, PurgeState]]] = frozenset(
    (before, after) for (before, _), after in _ALLOWED.items() if before != after
)
"""The changes of state that the database lets pass."""

OPEN: Final = frozenset({PurgeState.PROPOSED, PurgeState.APPROVED, PurgeState.EXECUTING})


def next_state(state: PurgeState, action: PurgeAction) -> PurgeState | None:
    """Return the state after `action`, or None when `state` does not allow it."""
    return TRANSITIONS[state, action]
