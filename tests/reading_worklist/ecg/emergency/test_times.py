"""The moments of an emergency ECG and the figures made of them, by a clock in the test's hand."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from reading_worklist.ecg.emergency.indicators import ChestPainMeasure, counted, indicators
from reading_worklist.ecg.emergency.times import (
    Clock,
    Doubt,
    Facts,
    Step,
    contact_to_ecg,
    diagnosis_in_time,
    moments,
)

RECEIVED = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)


def at(minutes: float) -> datetime:
    return RECEIVED + timedelta(minutes=minutes)


def doubts(facts: Facts) -> dict[Step, Doubt]:
    return {one.step: one.doubt for one in moments(facts) if one.doubt is not None}


def test_every_step_is_told_in_order_with_its_clock() -> None:
    facts = Facts(RECEIVED, at(-7), at(-1), at(1), at(4), at(6))
    found = moments(facts)
    assert [one.step for one in found] == list(Step)
    assert [one.at for one in found] == [at(-7), at(-1), at(0), at(1), at(4), at(6)]
    assert [one.clock for one in found] == [Clock.SITE, Clock.DEVICE, *[Clock.SERVER] * 4]
    assert doubts(facts) == {}
    assert moments(Facts(RECEIVED))[3].at is None


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (Facts(RECEIVED, acquired_at=at(0.9)), {}),
        (Facts(RECEIVED, acquired_at=at(480)), {Step.ACQUIRED: Doubt.AFTER_RECEIPT}),
        (Facts(RECEIVED, acquired_at=at(-60 * 13)), {Step.ACQUIRED: Doubt.LONG_BEFORE}),
        (Facts(RECEIVED, at(-5), at(-9)), {Step.ACQUIRED: Doubt.BEFORE_CONTACT}),
        (Facts(RECEIVED, at(-5), at(-5.5)), {}),
        (Facts(RECEIVED, contact_at=at(3)), {Step.CONTACT: Doubt.AFTER_RECEIPT}),
        (Facts(RECEIVED, contact_at=at(-60 * 24)), {Step.CONTACT: Doubt.LONG_BEFORE}),
    ],
)
def test_a_foreign_clock_that_contradicts_ours_is_doubted(
    facts: Facts, expected: dict[Step, Doubt]
) -> None:
    assert doubts(facts) == expected


def test_a_slow_clock_of_the_device_makes_nobody_quicker() -> None:
    assert contact_to_ecg(Facts(RECEIVED, at(-14), acquired_at=at(-13))) == timedelta(minutes=14)


def test_a_contact_that_cannot_be_has_no_interval() -> None:
    assert contact_to_ecg(Facts(RECEIVED)) is None
    assert contact_to_ecg(Facts(RECEIVED, at(30))) is None
    assert contact_to_ecg(Facts(RECEIVED, at(-60 * 24))) is None
    # Written down in whole minutes it may lie some seconds ahead.
    assert contact_to_ecg(Facts(RECEIVED, at(0.5))) == timedelta(0)


@pytest.mark.parametrize(
    ("diagnosed", "now", "expected"),
    [
        (None, 9.9, None),
        (None, 10, None),
        (None, 10.1, False),
        (10, 60, True),
        (10.1, 60, False),
    ],
)
def test_whether_a_diagnosis_was_in_time_is_open_until_it_cannot_be(
    diagnosed: float | None,
    now: float,
    expected: bool | None,  # noqa: FBT001 -- a parameter of the test
) -> None:
    facts = Facts(RECEIVED, diagnosed_at=None if diagnosed is None else at(diagnosed))
    assert diagnosis_in_time(facts, at(now)) is expected


def test_the_figures_of_no_ecg_are_no_figures() -> None:
    found = indicators({}, at(-60), at(0), at(0))
    assert found.ecgs == 0
    for interval in (found.contact_to_ecg, found.ecg_to_diagnosis):
        assert (interval.rate.denominator, interval.rate.value) == (0, None)
        assert (interval.mean_seconds, interval.median_seconds) == (None, None)


def test_the_figures_drill_down_to_the_ecgs_they_count() -> None:
    quick, slow, unknown, open_yet = (uuid4() for _ in range(4))
    ecgs: dict[UUID, Facts] = {
        quick: Facts(RECEIVED, at(-6), diagnosed_at=at(4)),
        slow: Facts(RECEIVED, at(-12), diagnosed_at=at(20)),
        unknown: Facts(RECEIVED, diagnosed_at=at(6)),
        open_yet: Facts(RECEIVED, at(-9)),
    }
    now = at(8)

    found = indicators(ecgs, at(-60), at(60), now)

    contact, diagnosis = found.contact_to_ecg, found.ecg_to_diagnosis
    assert (found.ecgs, found.contact_unknown) == (4, 1)
    assert (contact.rate.numerator, contact.rate.denominator) == (2, 3)
    assert (contact.mean_seconds, contact.median_seconds) == (540, 540)
    assert (contact.limit_seconds, contact.wanted) == (600, 0.75)
    assert (diagnosis.rate.numerator, diagnosis.rate.denominator) == (2, 3)
    assert diagnosis.mean_seconds == 600
    assert counted(ChestPainMeasure.CONTACT_IN_TIME, ecgs, now) == [quick, open_yet]
    assert counted(ChestPainMeasure.CONTACT_DUE, ecgs, now) == [quick, slow, open_yet]
    assert counted(ChestPainMeasure.CONTACT_UNKNOWN, ecgs, now) == [unknown]
    assert counted(ChestPainMeasure.DIAGNOSIS_DUE, ecgs, now) == [quick, slow, unknown]
    assert counted(ChestPainMeasure.DIAGNOSIS_IN_TIME, ecgs, now) == [quick, unknown]
    assert counted(ChestPainMeasure.ECGS, ecgs, now) == list(ecgs)
    # Two minutes later the open one is late.
    assert counted(ChestPainMeasure.DIAGNOSIS_DUE, ecgs, at(10.5)) == list(ecgs)
