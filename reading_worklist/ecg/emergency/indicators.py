"""How often chest-pain ECGs were in time, as pure functions over their facts."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from statistics import fmean
from typing import Final
from uuid import UUID

from reading_worklist.ecg.emergency.schemas import EmergencyIndicators, IntervalView
from reading_worklist.ecg.emergency.times import (
    CONTACT_TO_ECG,
    ECG_TO_DIAGNOSIS,
    Facts,
    contact_to_ecg,
    diagnosis_in_time,
    ecg_to_diagnosis,
)
from reading_worklist.portal.statistics import percentile
from reading_worklist.portal.statistics_schemas import Rate

CONTACT_WANTED: Final = 0.75
"""What a chest-pain centre must show of contact to ECG within ten minutes."""


class ChestPainMeasure(StrEnum):
    """What a figure counts, for drilling down; the DUE ones are the denominators."""

    ECGS = "ecgs"
    CONTACT_UNKNOWN = "contact_unknown"
    CONTACT_DUE = "contact_due"
    CONTACT_IN_TIME = "contact_in_time"
    DIAGNOSIS_DUE = "diagnosis_due"
    DIAGNOSIS_IN_TIME = "diagnosis_in_time"


def counts(measure: ChestPainMeasure, facts: Facts, now: datetime) -> bool:
    """Tell whether a figure counts an ECG."""
    contact = contact_to_ecg(facts)
    match measure:
        case ChestPainMeasure.ECGS:
            return True
        case ChestPainMeasure.CONTACT_UNKNOWN:
            return contact is None
        case ChestPainMeasure.CONTACT_DUE:
            return contact is not None
        case ChestPainMeasure.CONTACT_IN_TIME:
            return contact is not None and contact <= CONTACT_TO_ECG
        case ChestPainMeasure.DIAGNOSIS_DUE:
            return diagnosis_in_time(facts, now) is not None
        case ChestPainMeasure.DIAGNOSIS_IN_TIME:
            return diagnosis_in_time(facts, now) is True


def counted(measure: ChestPainMeasure, ecgs: Mapping[UUID, Facts], now: datetime) -> Sequence[UUID]:
    """Return the readings that a figure counts, in the order given."""
    return [key for key, facts in ecgs.items() if counts(measure, facts, now)]


def indicators(
    ecgs: Mapping[UUID, Facts], since: datetime, until: datetime, now: datetime
) -> EmergencyIndicators:
    """Return the figures of chest-pain ECGs."""
    number = {measure: len(counted(measure, ecgs, now)) for measure in ChestPainMeasure}
    return EmergencyIndicators(
        since=since,
        until=until,
        ecgs=len(ecgs),
        contact_unknown=number[ChestPainMeasure.CONTACT_UNKNOWN],
        contact_to_ecg=_interval(
            Rate.of(number[ChestPainMeasure.CONTACT_IN_TIME], number[ChestPainMeasure.CONTACT_DUE]),
            [contact_to_ecg(facts) for facts in ecgs.values()],
            CONTACT_TO_ECG,
            CONTACT_WANTED,
        ),
        ecg_to_diagnosis=_interval(
            Rate.of(
                number[ChestPainMeasure.DIAGNOSIS_IN_TIME], number[ChestPainMeasure.DIAGNOSIS_DUE]
            ),
            [ecg_to_diagnosis(facts) for facts in ecgs.values()],
            ECG_TO_DIAGNOSIS,
            None,
        ),
    )


def _interval(
    rate: Rate, took: Sequence[timedelta | None], limit: timedelta, wanted: float | None
) -> IntervalView:
    seconds = [one.total_seconds() for one in took if one is not None]
    return IntervalView(
        rate=rate,
        mean_seconds=fmean(seconds) if seconds else None,
        median_seconds=percentile(seconds, 0.5),
        limit_seconds=limit.total_seconds(),
        wanted=wanted,
    )
