"""Who is told of a recall that nobody acknowledges, and when: pure functions of the clock."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum
from types import MappingProxyType
from typing import Final

from reading_worklist.reports.states import RecallKind


class RecallStep(IntEnum):
    """Who has been told, one after the other as long as nobody acknowledges.

    RECIPIENT: who has the version: the person who opened it, or the machine that got it.
    """

    RECIPIENT = 0
    SITE_DUTY_HEAD = 1
    CENTRE = 2


@dataclass(frozen=True, slots=True)
class RecallClock:
    """How long after the recall each of the others is told."""

    duty_head: timedelta
    centre: timedelta


CLOCKS: Final[Mapping[RecallKind, RecallClock]] = MappingProxyType(
    {
        RecallKind.REVOKED: RecallClock(timedelta(minutes=15), timedelta(minutes=60)),
        RecallKind.SUPERSEDED: RecallClock(timedelta(minutes=30), timedelta(minutes=120)),
        # What was read stays true: nobody is rung at night for an addition.
        RecallKind.SUPPLEMENTED: RecallClock(timedelta(hours=24), timedelta(hours=48)),
    }
)
"""Our own limits, by how much harm the old version can do; no rule names any."""


def next_due(kind: RecallKind, step: RecallStep, begun_at: datetime) -> datetime | None:
    """Return when the step after `step` is told; None after the last.

    begun_at: when it was recalled, or received, whichever came later.
    """
    if step is RecallStep.CENTRE:
        return None
    clock = CLOCKS[kind]
    return begun_at + (clock.duty_head if step is RecallStep.RECIPIENT else clock.centre)
