"""Clocks and rules as pure functions, with the holidays of real years."""

from dataclasses import replace
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from reading_worklist.routing.clocks import CEILINGS, DEFAULTS, Clock, clock_of, lane_of
from reading_worklist.routing.rules import (
    Conditions,
    Facts,
    Outcome,
    Rule,
    Window,
    applies,
    decide,
    read_rules,
    write_rules,
)
from reading_worklist.working_time.hours import WorkingTime
from reading_worklist.workitems.lane import Lane
from storage.orders.words import Priority, VisitType

ZONE = ZoneInfo("Asia/Shanghai")
WORKED = WorkingTime(ZONE)


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZONE)


_CHEST_CT = Facts(
    site_code="EAST",
    modalities=frozenset({"CT"}),
    body_parts=("CHEST",),
    priority=Priority.ROUTINE,
    visit_type=VisitType.OUTPATIENT,
    queued=local("2026-11-23 09:00"),
    working=True,
)


def test_an_ambulances_device_makes_its_ecgs_stat() -> None:
    when = Conditions(devices=["EAST_AMBULANCE"])
    rules = [Rule(name="ambulance", when=when, then=Outcome(priority=Priority.STAT))]
    ecg = facts(modalities=frozenset({"ECG"}), device="EAST_AMBULANCE")
    assert decide(rules, ecg).priority is Priority.STAT
    assert decide(rules, replace(ecg, device="EAST_ECG")).priority is Priority.ROUTINE
    assert decide(rules, replace(ecg, device=None)).priority is Priority.ROUTINE


def facts(**values: Any) -> Facts:  # noqa: ANN401 -- any fact
    return replace(_CHEST_CT, **values)


def test_every_kind_of_exam_has_a_limit_at_every_priority_and_none_is_above_the_nations() -> None:
    assert set(DEFAULTS) == {(clock, priority) for clock in Clock for priority in Priority}
    for key, ceiling in CEILINGS.items():
        assert DEFAULTS[key].due <= ceiling
        assert not DEFAULTS[key].working


@pytest.mark.parametrize(
    ("modalities", "parts", "visit", "clock", "priority", "due"),
    [
        ({"ECG"}, (), None, Clock.ECG, Priority.STAT, "2025-09-30 16:40"),
        ({"ECG"}, (), None, Clock.ECG, Priority.ROUTINE, "2025-09-30 17:00"),
        ({"DX"}, (), None, Clock.X_RAY, Priority.ROUTINE, "2025-09-30 18:30"),
        ({"CT"}, ("HEAD",), None, Clock.HEAD_CT, Priority.STAT, "2025-09-30 17:00"),
        ({"CT"}, ("颅脑平扫",), None, Clock.HEAD_CT, Priority.STAT, "2025-09-30 17:00"),
        ({"MR"}, ("HEAD",), None, Clock.CT_MR, Priority.STAT, "2025-09-30 17:30"),
        ({"CT", "SR"}, (), None, Clock.CT_MR, Priority.ROUTINE, "2025-09-30 20:30"),
        # The day before National Day: six working hours end on 9 October.
        (
            {"CT"},
            ("CHEST",),
            VisitType.INPATIENT,
            Clock.INPATIENT_CT_MR,
            Priority.ROUTINE,
            "2025-10-09 15:00",
        ),
    ],
)
def test_due_times_of_the_clocks(  # noqa: PLR0917 -- one parameter for each column
    modalities: set[str],
    parts: tuple[str, ...],
    visit: VisitType | None,
    clock: Clock,
    priority: Priority,
    due: str,
) -> None:
    assert clock_of(lane_of(modalities), modalities, parts, visit) is clock
    assert DEFAULTS[clock, priority].due_at(local("2025-09-30 16:30"), WORKED) == local(due)


@pytest.mark.parametrize(
    ("priority", "minutes"), [(Priority.STAT, 5), (Priority.URGENT, 15), (Priority.ROUTINE, 60)]
)
def test_unclaimed_after(priority: Priority, minutes: int) -> None:
    queued = local("2026-11-23 16:50")
    limit = DEFAULTS[Clock.X_RAY, priority]
    assert limit.claim_due_at(queued, WORKED) == queued + timedelta(minutes=minutes)
    # Where only working hours count, the night before a holiday escalates nothing.
    inpatient = DEFAULTS[Clock.INPATIENT_CT_MR, Priority.ROUTINE]
    assert inpatient.claim_due_at(local("2026-09-30 17:00"), WORKED) == local("2026-10-08 08:30")


@pytest.mark.parametrize(
    ("conditions", "matching"),
    [
        ({}, True),
        ({"sites": ["EAST", "NORTH"]}, True),
        ({"sites": ["WEST"]}, False),
        ({"modalities": ["MR", "CT"]}, True),
        ({"modalities": ["MR"]}, False),
        ({"body_parts": ["chest"]}, True),
        ({"body_parts": ["HEAD"]}, False),
        ({"devices": ["EAST_AMBULANCE"]}, False),
        ({"priorities": ["ROUTINE"]}, True),
        ({"priorities": ["STAT", "URGENT"]}, False),
        ({"visit_types": ["inpatient"]}, False),
        ({"windows": [{"begins": "08:00", "ends": "12:00"}]}, True),
        ({"windows": [{"begins": "22:00", "ends": "07:00"}]}, False),
        ({"working": True}, True),
        ({"working": False}, False),
        ({"on_duty": "neuro"}, False),
        ({"sites": ["EAST"], "modalities": ["MR"]}, False),
    ],
)
def test_a_rule_applies_when_all_its_conditions_do(
    conditions: dict[str, Any], *, matching: bool
) -> None:
    rule = Rule(name="r", when=Conditions.model_validate(conditions))
    assert applies(rule, facts()) is matching
    assert not applies(rule.model_copy(update={"enabled": False}), facts())


def test_a_window_may_go_past_midnight() -> None:
    night = Window(begins=time(22), ends=time(7))
    assert [night.has(time(hour)) for hour in (21, 22, 0, 6, 7)] == [False, True, True, True, False]


def test_the_first_rule_that_applies_decides_alone() -> None:
    rules = [
        Rule(
            name="night",
            when=Conditions(windows=[Window(begins=time(20), ends=time(7))]),
            then=Outcome(priority=Priority.URGENT),
        ),
        Rule(
            name="neuro",
            when=Conditions(body_parts=["HEAD"], on_duty="neuro"),
            then=Outcome(group="neuro", clock=Clock.COMPLEX, assign=True),
        ),
        Rule(name="rest", then=Outcome(group="general")),
    ]
    by_day = decide(rules, facts(body_parts=("HEAD",), on_duty=frozenset({"neuro"})))
    assert (by_day.rule, by_day.group, by_day.clock, by_day.assign) == (
        "neuro",
        "neuro",
        Clock.COMPLEX,
        True,
    )
    nobody = decide(rules, facts(body_parts=("HEAD",)))
    assert (nobody.rule, nobody.group, nobody.clock) == ("rest", "general", Clock.HEAD_CT)
    at_night = decide(rules, facts(queued=local("2026-11-23 23:00"), working=False))
    assert (at_night.rule, at_night.group, at_night.priority) == ("night", None, Priority.URGENT)
    assert read_rules(write_rules(rules)) == rules


def test_without_rules_modality_and_order_decide() -> None:
    decision = decide([], facts(modalities=frozenset({"ECG"}), priority=Priority.STAT))
    assert (decision.rule, decision.lane, decision.group, decision.priority, decision.clock) == (
        None,
        Lane.ECG,
        None,
        Priority.STAT,
        Clock.ECG,
    )


def test_a_misspelt_condition_is_refused_instead_of_matching_everything() -> None:
    with pytest.raises(ValidationError):
        Rule.model_validate({"name": "r", "when": {"site": ["EAST"]}})
