"""The states of an exam as one total table: every (state, action) pair is decided.

REQUESTED → CHECKED_IN → ACQUIRED → RECEIVED | INCOMPLETE → QUEUED; beside the road CANCELLED,
IDENTITY_HOLD, RETAKE and REJECTED_QUALITY. The database holds the same pairs and refuses any other
change.
"""

from collections.abc import Mapping
from enum import StrEnum
from itertools import product
from types import MappingProxyType
from typing import Final


class ExamState(StrEnum):
    """Where an exam stands.

    INCOMPLETE: received, but the device has told of instances that are not here.
    IDENTITY_HOLD: the header is not about the patient of the order; a person decides.
    RETAKE: sent back to the site, which examines again or sends it rightly.
    REJECTED_QUALITY: the images cannot be read.
    """

    REQUESTED = "REQUESTED"
    CHECKED_IN = "CHECKED_IN"
    ACQUIRED = "ACQUIRED"
    RECEIVED = "RECEIVED"
    INCOMPLETE = "INCOMPLETE"
    QUEUED = "QUEUED"
    CANCELLED = "CANCELLED"
    IDENTITY_HOLD = "IDENTITY_HOLD"
    RETAKE = "RETAKE"
    REJECTED_QUALITY = "REJECTED_QUALITY"


class ExamAction(StrEnum):
    """What can happen to an exam.

    CHANGE: what was ordered is corrected. MISS: it is received with instances missing.
    RELEASE: whose study it is has been decided. UNLINK: its study turned out to belong elsewhere;
    the exam waits for its own again. REINSTATE: a cancellation is undone.
    """

    CHANGE = "change"
    CHECK_IN = "check_in"
    ACQUIRE = "acquire"
    RECEIVE = "receive"
    MISS = "miss"
    QUEUE = "queue"
    HOLD = "hold"
    RELEASE = "release"
    UNLINK = "unlink"
    RETAKE = "retake"
    REJECT_QUALITY = "reject_quality"
    CANCEL = "cancel"
    REINSTATE = "reinstate"


WAITING: Final = frozenset(
    {ExamState.REQUESTED, ExamState.CHECKED_IN, ExamState.ACQUIRED, ExamState.RETAKE}
)
"""Exams whose study has not come (again) yet."""

HERE: Final = frozenset({ExamState.RECEIVED, ExamState.INCOMPLETE, ExamState.QUEUED})
"""Exams whose study is here and known to be theirs."""

_S = ExamState
_A = ExamAction


def _to(
    after: ExamState, action: ExamAction, *befores: ExamState
) -> dict[tuple[ExamState, ExamAction], ExamState]:
    return {(before, action): after for before in befores}


def _stays(action: ExamAction, *states: ExamState) -> dict[tuple[ExamState, ExamAction], ExamState]:
    return {(state, action): state for state in states}


_ALLOWED: Final[dict[tuple[ExamState, ExamAction], ExamState]] = {
    **_stays(_A.CHANGE, *(state for state in _S if state is not _S.CANCELLED)),
    **_to(_S.CHECKED_IN, _A.CHECK_IN, _S.REQUESTED, _S.CHECKED_IN, _S.RETAKE),
    **_to(
        _S.ACQUIRED,
        _A.ACQUIRE,
        _S.REQUESTED,
        _S.CHECKED_IN,
        _S.ACQUIRED,
        _S.RETAKE,
        _S.REJECTED_QUALITY,
    ),
    # The device may tell that it has finished after its instances have come.
    **_stays(_A.ACQUIRE, _S.RECEIVED, _S.INCOMPLETE, _S.QUEUED, _S.IDENTITY_HOLD),
    **_to(
        _S.RECEIVED,
        _A.RECEIVE,
        *WAITING,
        _S.RECEIVED,
        _S.INCOMPLETE,
        _S.REJECTED_QUALITY,
    ),
    **_to(
        _S.INCOMPLETE,
        _A.MISS,
        *WAITING,
        _S.RECEIVED,
        _S.INCOMPLETE,
        _S.REJECTED_QUALITY,
    ),
    # Late instances of what is already in the queue or waits for the dispatcher.
    **_stays(_A.RECEIVE, _S.QUEUED, _S.IDENTITY_HOLD),
    **_stays(_A.MISS, _S.QUEUED, _S.IDENTITY_HOLD),
    **_to(_S.QUEUED, _A.QUEUE, *HERE),
    # From CANCELLED: somebody has examined after all.
    **_to(_S.IDENTITY_HOLD, _A.HOLD, *HERE, *WAITING, _S.CANCELLED, _S.IDENTITY_HOLD),
    **_to(_S.RECEIVED, _A.RELEASE, _S.IDENTITY_HOLD),
    **_to(_S.REQUESTED, _A.UNLINK, *HERE, _S.IDENTITY_HOLD, _S.RETAKE),
    **_to(_S.RETAKE, _A.RETAKE, *HERE, _S.IDENTITY_HOLD, _S.RETAKE),
    **_to(_S.REJECTED_QUALITY, _A.REJECT_QUALITY, *HERE),
    **_to(_S.CANCELLED, _A.CANCEL, _S.REQUESTED, _S.CHECKED_IN, _S.RETAKE, _S.CANCELLED),
    **_to(_S.REQUESTED, _A.REINSTATE, _S.CANCELLED),
}

TRANSITIONS: Final[Mapping[tuple[ExamState, ExamAction], ExamState | None]] = MappingProxyType(
    {pair: _ALLOWED.get(pair) for pair in product(ExamState, ExamAction)}
)
"""For every pair the next state, or None when the action is refused in that state."""

STATE_CHANGES: Final[frozenset[tuple[ExamState, ExamState]]] = frozenset(
    (before, after) for (before, _), after in _ALLOWED.items() if before != after
)
"""The changes of state that the database lets pass."""


def next_state(state: ExamState, action: ExamAction) -> ExamState | None:
    """Return the state after `action`, or None when `state` does not allow it."""
    return TRANSITIONS[state, action]


class PerformedState(StrEnum):
    """Performed Procedure Step Status (0040,0252), PS3.4 F.7.2.2."""

    IN_PROGRESS = "IN PROGRESS"
    COMPLETED = "COMPLETED"
    DISCONTINUED = "DISCONTINUED"


class PerformedAction(StrEnum):
    """What an N-SET asks of a performed procedure step: update it, or set a final status."""

    UPDATE = "update"
    COMPLETE = "complete"
    DISCONTINUE = "discontinue"


PERFORMED_TRANSITIONS: Final[
    Mapping[tuple[PerformedState, PerformedAction], PerformedState | None]
] = MappingProxyType(
    {
        pair: {
            (PerformedState.IN_PROGRESS, PerformedAction.UPDATE): PerformedState.IN_PROGRESS,
            (PerformedState.IN_PROGRESS, PerformedAction.COMPLETE): PerformedState.COMPLETED,
            (
                PerformedState.IN_PROGRESS,
                PerformedAction.DISCONTINUE,
            ): PerformedState.DISCONTINUED,
        }.get(pair)
        for pair in product(PerformedState, PerformedAction)
    }
)
"""For every pair the next state; None: the step is final and may no longer be updated."""
