"""Until when a study has to be read, as pure functions and the table of defaults.

The kind of exam and its priority choose a clock. Only national limits are fixed (`CEILINGS`);
everything else is configuration whose defaults stand here.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from reading_worklist.working_time.hours import WorkingTime
from reading_worklist.workitems.lane import Lane
from storage.orders.words import Priority, VisitType

_CROSS_SECTIONAL: Final = frozenset({"CT", "MR", "PT", "NM"})
_ECG: Final = frozenset({"ECG"})
_HEAD: Final = ("HEAD", "BRAIN", "SKULL", "头", "颅", "脑")


class Clock(StrEnum):
    """A kind of exam that has a time of its own."""

    ECG = "ecg"
    X_RAY = "x_ray"
    HEAD_CT = "head_ct"
    CT_MR = "ct_mr"
    INPATIENT_CT_MR = "inpatient_ct_mr"
    COMPLEX = "complex"


class Since(StrEnum):
    """From when a clock runs: the study is here, or its exam began."""

    RECEIVED = "received"
    EXAM_START = "exam_start"


@dataclass(frozen=True, slots=True)
class Limit:
    """The times of one clock at one priority.

    due: until the report is issued. working: only working hours count, for `claim` too.
    warn: how long before `due` it is near; zero for no warning.
    claim: until somebody has claimed it, from its queueing on.
    """

    due: timedelta
    claim: timedelta
    working: bool = False
    warn: timedelta = timedelta(0)
    since: Since = Since.RECEIVED

    def due_at(self, start: datetime, worked: WorkingTime) -> datetime:
        """Return when a report is due whose clock started at `start`."""
        return worked.after(start, self.due) if self.working else start + self.due

    def claim_due_at(self, queued: datetime, worked: WorkingTime) -> datetime:
        """Return when a study queued at that time counts as unclaimed."""
        return worked.after(queued, self.claim) if self.working else queued + self.claim


_CLAIM: Final = {
    Priority.STAT: timedelta(minutes=5),
    Priority.URGENT: timedelta(minutes=15),
    Priority.ROUTINE: timedelta(minutes=60),
}


def _routine(hours: float, *, working: bool = False, warn: int = 30) -> Limit:
    return Limit(
        timedelta(hours=hours),
        _CLAIM[Priority.ROUTINE],
        working=working,
        warn=timedelta(minutes=warn),
    )


def _emergency(priority: Priority, minutes: int, since: Since = Since.EXAM_START) -> Limit:
    warn = timedelta(minutes=5 if minutes <= 10 else 10)  # noqa: PLR2004 -- chest pain: at 5 of 10
    return Limit(timedelta(minutes=minutes), _CLAIM[priority], warn=warn, since=since)


DEFAULTS: Final[Mapping[tuple[Clock, Priority], Limit]] = MappingProxyType(
    {
        (Clock.ECG, Priority.STAT): _emergency(Priority.STAT, 10, Since.RECEIVED),
        (Clock.ECG, Priority.URGENT): _emergency(Priority.URGENT, 10, Since.RECEIVED),
        (Clock.ECG, Priority.ROUTINE): _routine(0.5, warn=10),
        (Clock.X_RAY, Priority.STAT): _emergency(Priority.STAT, 30),
        (Clock.X_RAY, Priority.URGENT): _emergency(Priority.URGENT, 120),
        (Clock.X_RAY, Priority.ROUTINE): _routine(2),
        (Clock.HEAD_CT, Priority.STAT): _emergency(Priority.STAT, 30),
        (Clock.HEAD_CT, Priority.URGENT): _emergency(Priority.URGENT, 120),
        (Clock.HEAD_CT, Priority.ROUTINE): _routine(4),
        (Clock.CT_MR, Priority.STAT): _emergency(Priority.STAT, 60),
        (Clock.CT_MR, Priority.URGENT): _emergency(Priority.URGENT, 120),
        (Clock.CT_MR, Priority.ROUTINE): _routine(4),
        (Clock.INPATIENT_CT_MR, Priority.STAT): _emergency(Priority.STAT, 60),
        (Clock.INPATIENT_CT_MR, Priority.URGENT): _emergency(Priority.URGENT, 120),
        (Clock.INPATIENT_CT_MR, Priority.ROUTINE): _routine(6, working=True),
        (Clock.COMPLEX, Priority.STAT): _emergency(Priority.STAT, 60),
        (Clock.COMPLEX, Priority.URGENT): _emergency(Priority.URGENT, 120),
        (Clock.COMPLEX, Priority.ROUTINE): _routine(24, warn=120),
    }
)

_TWO_HOURS: Final = timedelta(minutes=120)

CEILINGS: Final[Mapping[tuple[Clock, Priority], timedelta]] = MappingProxyType(
    {
        (Clock.ECG, Priority.STAT): timedelta(minutes=10),
        **{
            (clock, priority): _TWO_HOURS
            for clock in Clock
            if clock is not Clock.ECG
            for priority in (Priority.STAT, Priority.URGENT)
        },
    }
)
"""National limits: a chest-pain ECG in 10 minutes, an emergency image in 120 from the exam on."""


def lane_of(modalities: Collection[str]) -> Lane:
    """Return the ECG lane for a study with an ECG in it, else imaging."""
    return Lane.ECG if _ECG & set(modalities) else Lane.IMAGING


def clock_of(
    lane: Lane,
    modalities: Collection[str],
    body_parts: Collection[str] = (),
    visit_type: VisitType | None = None,
) -> Clock:
    """Return the clock of an exam; whether it is complex only a rule says.

    body_parts: as devices and orders write them.
    """
    if lane is Lane.ECG:
        return Clock.ECG
    if not _CROSS_SECTIONAL & set(modalities):
        return Clock.X_RAY
    if "CT" in modalities and any(word in part.upper() for part in body_parts for word in _HEAD):
        return Clock.HEAD_CT
    return Clock.INPATIENT_CT_MR if visit_type is VisitType.INPATIENT else Clock.CT_MR
