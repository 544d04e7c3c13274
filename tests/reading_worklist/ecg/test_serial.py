"""Serial differences: numbers of both ECGs, and what lies between them."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from reading_worklist.ecg.measurement.results import NotMeasured, Qtc, Unit
from reading_worklist.ecg.serial import Difference, serial_differences
from storage.ecg.leads import STANDARD_LEADS, Lead
from tests.reading_worklist.ecg.measured import measured_lead, measurement, missing, number


def by_name(differences: Sequence[Difference]) -> dict[tuple[str, str | None], Difference]:
    return {(one.name, one.lead.value if one.lead else None): one for one in differences}


def test_now_less_then_in_the_unit_of_both() -> None:
    now = measurement(
        heart_rate=number(88, Unit.PER_MINUTE), pr=number(200), qrs=number(134), qt=number(372)
    )
    found = by_name(serial_differences(now, measurement()))
    for name, now_value, then_value, change, unit in (
        ("heart_rate", 88, 60, 28, "/min"),
        ("pr", 200, 140, 60, "ms"),
        ("qrs", 134, 90, 44, "ms"),
        ("qt", 372, 390, -18, "ms"),
    ):
        one = found[name, None]
        assert (one.now.value, one.then.value, one.change) == (now_value, then_value, change)
        assert one.unit.value == unit


def test_every_formula_of_qtc_is_compared_with_itself() -> None:
    then = measurement()
    formulas = Qtc(number(460), number(440), number(435), number(430))
    found = by_name(serial_differences(replace(measurement(), qtc=formulas), then))
    changes = [
        found[f"qtc_{name}", None].change
        for name in ("bazett", "fridericia", "framingham", "hodges")
    ]
    assert changes == [60, 40, 35, 30]


@pytest.mark.parametrize(
    ("now", "then", "change"),
    [(30, 45, -15), (-170, 170, 20), (170, -170, -20), (90, -90, 180), (-90, 90, 180), (0, 0, 0)],
)
def test_an_axis_turns_the_shorter_way(now: float, then: float, change: float) -> None:
    found = by_name(
        serial_differences(
            measurement(qrs_axis=number(now, Unit.DEGREE)),
            measurement(qrs_axis=number(then, Unit.DEGREE)),
        )
    )
    assert found["qrs_axis", None].change == pytest.approx(change)


def test_what_one_of_the_two_lacks_has_no_difference() -> None:
    found = by_name(serial_differences(measurement(pr=missing()), measurement()))
    one = found["pr", None]
    assert one.change is None
    assert one.now.reason is NotMeasured.P_UNSURE
    assert one.then.value == 140


def test_st_levels_by_lead_of_the_leads_that_both_have() -> None:
    now = measurement(by_lead={Lead.II: measured_lead(270, 240), Lead.III: measured_lead(290, 250)})
    then = measurement(by_lead={Lead.II: measured_lead(20, 40), Lead.I: measured_lead()})
    levels = [one for one in serial_differences(now, then) if one.lead]
    assert [(one.name, one.lead, one.change) for one in levels] == [
        ("st_j", Lead.II, 250),
        ("st_j60", Lead.II, 200),
    ]


def test_leads_come_in_the_order_of_every_page() -> None:
    levels = [one for one in serial_differences(measurement(), measurement()) if one.lead]
    assert [one.lead for one in levels[::2]] == list(STANDARD_LEADS)
