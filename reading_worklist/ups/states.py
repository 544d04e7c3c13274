"""What the states of a reading are in the words of UPS (PS3.4 CC.1.1), in one table."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from reading_worklist.workitems.states import State
from reading_worklist.workitems.tables import Workitem
from storage.identifiers import Uid
from storage.orders.words import Priority


class StepState(StrEnum):
    """Procedure Step State (0074,1000)."""

    SCHEDULED = "SCHEDULED"
    IN_PROGRESS = "IN PROGRESS"
    COMPLETED = "COMPLETED"
    CANCELED = "CANCELED"


class Readiness(StrEnum):
    """Input Readiness State (0040,4041)."""

    READY = "READY"
    INCOMPLETE = "INCOMPLETE"


STEP_STATES: Final[Mapping[State, StepState]] = MappingProxyType(
    {
        State.QUEUED: StepState.SCHEDULED,
        State.HELD: StepState.SCHEDULED,
        State.RETURNED: StepState.SCHEDULED,
        State.CLAIMED: StepState.IN_PROGRESS,
        State.WRITTEN: StepState.IN_PROGRESS,
        State.REVIEWING: StepState.IN_PROGRESS,
        State.PRELIM_ISSUED: StepState.IN_PROGRESS,
        State.FINAL: StepState.COMPLETED,
        State.AMENDED: StepState.COMPLETED,
        State.PUBLISHED: StepState.COMPLETED,
        State.DELIVERED: StepState.COMPLETED,
        State.ARCHIVED: StepState.COMPLETED,
        State.REVOKED: StepState.CANCELED,
        State.WITHDRAWN: StepState.CANCELED,
    }
)

STILL_OPEN: Final = frozenset({StepState.SCHEDULED, StepState.IN_PROGRESS})
"""Somebody is expected to do something; a step whose report is amended is not among them."""

PRIORITIES: Final[Mapping[Priority, str]] = MappingProxyType(
    {Priority.STAT: "HIGH", Priority.URGENT: "MEDIUM", Priority.ROUTINE: "LOW"}
)
"""Scheduled Procedure Step Priority (0074,1200)."""


def step_state(item: Workitem) -> StepState:
    """Return the state of a reading in the words of UPS.

    While an issued report is amended the step stays completed: it is the amendment that is worked
    on, and the report stands.
    """
    return StepState.COMPLETED if item.amending else STEP_STATES[item.state]


def readiness(item: Workitem) -> Readiness:
    """Tell whether all that is needed for reading is there; not while the identity desk has it."""
    return Readiness.INCOMPLETE if item.state is State.HELD else Readiness.READY


def step_uid(item: Workitem) -> Uid:
    """Return the SOP Instance UID of a workitem: its id below 2.25 (PS3.5 §B.2)."""
    return Uid.from_uuid(item.id)
