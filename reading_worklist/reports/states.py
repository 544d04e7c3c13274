"""The states of a revocation as one total table, and why a version does not stand any more.

One person proposes to declare a report void, another confirms or rejects it.
"""

from collections.abc import Mapping
from enum import StrEnum
from itertools import product
from types import MappingProxyType
from typing import Final


class RevocationState(StrEnum):
    """Where a revocation stands; all but the first are final."""

    PROPOSED = "PROPOSED"
    CONFIRMED = "CONFIRMED"
    REJECTED = "REJECTED"
    WITHDRAWN = "WITHDRAWN"


class RevocationAction(StrEnum):
    """What can be asked of a revocation: by the second person, or (withdraw) by the first."""

    CONFIRM = "confirm"
    REJECT = "reject"
    WITHDRAW = "withdraw"


_ALLOWED: Final[dict[tuple[RevocationState, RevocationAction], RevocationState]] = {
    (RevocationState.PROPOSED, RevocationAction.CONFIRM): RevocationState.CONFIRMED,
    (RevocationState.PROPOSED, RevocationAction.REJECT): RevocationState.REJECTED,
    (RevocationState.PROPOSED, RevocationAction.WITHDRAW): RevocationState.WITHDRAWN,
}

TRANSITIONS: Final[Mapping[tuple[RevocationState, RevocationAction], RevocationState | None]] = (
    MappingProxyType(
        {pair: _ALLOWED.get(pair) for pair in product(RevocationState, RevocationAction)}
    )
)
"""For every pair the next state, or None when the action is refused in that state."""


def next_state(state: RevocationState, action: RevocationAction) -> RevocationState | None:
    """Return the state after `action`, or None when `state` does not allow it."""
    return TRANSITIONS[state, action]


class AmendmentKind(StrEnum):
    """What becomes of a report that stands: its content changes, or text is added to it."""

    CHANGE = "change"
    ADDENDUM = "addendum"


class RecallKind(StrEnum):
    """Why a version does not stand any more.

    SUPPLEMENTED: the one that took its place says the same, and more.
    """

    SUPERSEDED = "superseded"
    SUPPLEMENTED = "supplemented"
    REVOKED = "revoked"
