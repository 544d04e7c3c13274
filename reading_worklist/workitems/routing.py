"""Which lane a study goes to and when it is due.

Times follow the county's clocks: routine ECG 30 minutes, routine X-ray 2
hours, CT and MR 4 hours, everything STAT 10 minutes for an ECG and 60 for
images.
"""

from collections.abc import Collection
from datetime import timedelta
from typing import Final

from reading_worklist.workitems.tables import Lane
from storage.orders.words import Priority

_CROSS_SECTIONAL: Final = frozenset({"CT", "MR", "PT", "NM"})
_ECG: Final = frozenset({"ECG"})


def lane_of(modalities: Collection[str]) -> Lane:
    """Return the ECG lane for a study with an ECG in it, else imaging."""
    return Lane.ECG if _ECG & set(modalities) else Lane.IMAGING


def time_to_read(lane: Lane, modalities: Collection[str], priority: Priority) -> timedelta:
    """Return how long after queueing a study is due."""
    if lane is Lane.ECG:
        return timedelta(minutes=30 if priority is Priority.ROUTINE else 10)
    if priority is not Priority.ROUTINE:
        return timedelta(minutes=60)
    return timedelta(hours=4 if _CROSS_SECTIONAL & set(modalities) else 2)
