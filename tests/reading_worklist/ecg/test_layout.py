"""Which lead stands where, and which seconds of it."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reading_worklist.ecg.layout import (
    TRACE_WIDTH_MM,
    LayoutName,
    LeadOrder,
    PaperSpeed,
    natural_layout,
    page_starts,
    plan_page,
)
from storage.ecg.leads import STANDARD_LEADS, Lead
from storage.ecg.waveform import EcgGroup, EcgRecord, RecordedChannel
from tests.support.ecg import record

LAYOUTS = st.sampled_from(LayoutName)
SPEEDS = st.sampled_from(PaperSpeed)


@pytest.mark.parametrize(
    ("layout", "rows"),
    [
        ("3x4", ["I aVR V1 V4", "II aVL V2 V5", "III aVF V3 V6", "II"]),
        ("6x2", ["I V1", "II V2", "III V3", "aVR V4", "aVL V5", "aVF V6"]),
        ("12x1", [lead.value for lead in STANDARD_LEADS]),
    ],
)
def test_the_leads_stand_where_every_reader_expects_them(layout: str, rows: list[str]) -> None:
    plan = plan_page(record(), LayoutName(layout), PaperSpeed.MM_25, 0)
    assert [" ".join(cell.label for cell in row) for row in plan.rows] == rows


@pytest.mark.parametrize(
    ("layout", "rows"),
    [
        ("3x4", ["aVL II V1 V4", "I aVF V2 V5", "−aVR III V3 V6", "II"]),
        ("6x2", ["aVL V1", "I V2", "−aVR V3", "II V4", "aVF V5", "III V6"]),
        ("12x1", ["aVL", "I", "−aVR", "II", "aVF", "III", "V1", "V2", "V3", "V4", "V5", "V6"]),
    ],
)
def test_the_limb_leads_by_cabrera(layout: str, rows: list[str]) -> None:
    plan = plan_page(record(), LayoutName(layout), PaperSpeed.MM_25, 0, order=LeadOrder.CABRERA)
    assert [" ".join(cell.label for cell in row) for row in plan.rows] == rows
    # aVR is there, upside down; nobody has to be told that it was recorded too.
    assert plan.left_out == ()


@pytest.mark.parametrize(
    ("layout", "chosen", "strips"),
    [
        ("3x4", None, ["II"]),
        ("3x4", (Lead.V1,), ["V1"]),
        ("3x4", (Lead.V1, Lead.II, Lead.V5), ["V1", "II", "V5"]),
        ("3x4", (), []),
        ("6x2", None, []),
        ("6x2", (Lead.II, Lead.II), ["II"]),
        ("12x1", (Lead.II,), []),
    ],
)
def test_rhythm_strips_are_chosen(
    layout: str, chosen: tuple[Lead, ...] | None, strips: list[str]
) -> None:
    plan = plan_page(record(), LayoutName(layout), PaperSpeed.MM_25, 0, rhythm=chosen)
    first = {"3x4": 3, "6x2": 6, "12x1": 12}[layout]
    assert [row[0].label for row in plan.rows[first:]] == strips
    assert all(row[0].width_mm == TRACE_WIDTH_MM for row in plan.rows[first:])


def test_a_chosen_strip_that_was_not_recorded_keeps_its_place() -> None:
    made = record({Lead.II: np.zeros(5000)})
    plan = plan_page(made, LayoutName.THREE_BY_FOUR, PaperSpeed.MM_25, 0, rhythm=(Lead.V1,))
    assert plan.rows[3][0].label == "V1"
    assert plan.rows[3][0].channel is None


@settings(deadline=None)
@given(
    layout=LAYOUTS,
    speed=SPEEDS,
    seconds=st.floats(0.1, 65),
    start=st.floats(-5, 70, allow_nan=False),
    rate=st.sampled_from([100.0, 250.0, 500.0, 1000.0]),
)
def test_any_page_of_any_record_fits_its_paper(
    layout: LayoutName, speed: PaperSpeed, seconds: float, start: float, rate: float
) -> None:
    made = record(seconds=seconds, rate=rate)
    plan = plan_page(made, layout, speed, start)
    assert 0 <= plan.start_seconds < made.duration_seconds
    for row in plan.rows:
        assert row[0].x_mm == plan.trace_x_mm
        edges = [cell.x_mm for cell in row] + [plan.trace_x_mm + TRACE_WIDTH_MM]
        for cell, right in zip(row, edges[1:], strict=True):
            assert cell.x_mm + cell.width_mm == pytest.approx(right)
            assert cell.seconds * speed == pytest.approx(cell.width_mm)
            assert cell.baseline_mm == row[0].baseline_mm
            assert 0 < cell.baseline_mm < plan.height_mm
    baselines = [row[0].baseline_mm for row in plan.rows]
    assert baselines == sorted(set(baselines))
    # Baselines lie on heavy lines of the grid.
    assert all(baseline % 5 == 0 for baseline in baselines)


@settings(deadline=None)
@given(layout=LAYOUTS, speed=SPEEDS, seconds=st.floats(0.1, 65))
def test_the_pages_together_show_every_second_of_every_lead(
    layout: LayoutName, speed: PaperSpeed, seconds: float
) -> None:
    made = record(seconds=seconds)
    plans = [plan_page(made, layout, speed, start) for start in page_starts(made, layout, speed)]
    shown_to = 0.0
    for plan in plans:
        assert plan.start_seconds == pytest.approx(shown_to)
        shown_to = plan.start_seconds + plan.page_seconds
        begins = [cell.start_seconds for cell in plan.rows[0]]
        if plan.columns_simultaneous:
            assert begins == [plan.start_seconds] * len(begins)
        else:
            column = plan.page_seconds / len(begins)
            expected = [plan.start_seconds + index * column for index in range(len(begins))]
            assert begins == pytest.approx(expected)
    assert shown_to >= made.duration_seconds - 1 / 500
    assert plans[-1].next_start_seconds is None


def test_ten_seconds_run_on_from_column_to_column() -> None:
    plan = plan_page(record(), LayoutName.THREE_BY_FOUR, PaperSpeed.MM_25, 0)
    assert [cell.start_seconds for cell in plan.rows[0]] == [0, 2.5, 5, 7.5]
    assert plan.rows[3][0].seconds == 10
    assert not plan.columns_simultaneous


def test_a_short_record_shows_the_same_seconds_in_every_column() -> None:
    plan = plan_page(record(seconds=5), LayoutName.THREE_BY_FOUR, PaperSpeed.MM_25, 0)
    assert [cell.start_seconds for cell in plan.rows[0]] == [0, 0, 0, 0]
    assert plan.columns_simultaneous


def test_the_eleventh_second_has_a_page_of_its_own() -> None:
    starts = page_starts(record(seconds=11), LayoutName.THREE_BY_FOUR, PaperSpeed.MM_25)
    assert starts == (0, 10)
    assert page_starts(record(seconds=10), LayoutName.THREE_BY_FOUR, PaperSpeed.MM_50) == (0, 5)
    assert page_starts(record(seconds=10), LayoutName.TWELVE_BY_ONE, PaperSpeed.MM_25) == (0,)


def sequential(*, offsets: bool) -> EcgRecord:
    """Three leads at a time, 2.5 s each, as older carts record."""
    groups: list[EcgGroup] = []
    for index in range(4):
        leads = STANDARD_LEADS[index * 3 : index * 3 + 3]
        made = record({lead: np.zeros(1250) for lead in leads}, seconds=2.5).groups[0]
        groups.append(replace(made, offset_seconds=index * 2.5 if offsets else 0.0))
    return EcgRecord(groups=tuple(groups))


@pytest.mark.parametrize("offsets", [True, False])
def test_leads_recorded_one_after_the_other_are_shown_where_they_were_recorded(
    *, offsets: bool
) -> None:
    made = sequential(offsets=offsets)
    for layout in LayoutName:
        plan = plan_page(made, layout, PaperSpeed.MM_25, 0)
        for row in plan.rows[:3]:
            for cell in row:
                assert cell.group is not None
                start, end = cell.start_seconds, cell.start_seconds + cell.seconds
                assert start < cell.group.offset_seconds + cell.group.duration_seconds
                assert end > cell.group.offset_seconds


def test_further_leads_get_rows_of_their_own_or_are_named() -> None:
    signals = {lead: np.zeros(5000) for lead in (*STANDARD_LEADS, Lead.V7, Lead.V4R)}
    made = record(signals)
    rows = plan_page(made, LayoutName.TWELVE_BY_ONE, PaperSpeed.MM_25, 0)
    assert [row[0].label for row in rows.rows][12:] == ["V7", "V4R"]
    assert rows.left_out == ()
    columns = plan_page(made, LayoutName.THREE_BY_FOUR, PaperSpeed.MM_25, 0)
    assert columns.left_out == ("V7", "V4R")


def test_a_holter_gets_a_row_per_channel() -> None:
    channels = tuple(
        RecordedChannel(None, label, np.zeros(5000)) for label in ("CH1", "CH2", "CH3")
    )
    made = record()
    made = replace(made, groups=(replace(made.groups[0], channels=channels),))
    assert natural_layout(made) is LayoutName.TWELVE_BY_ONE
    plan = plan_page(made, LayoutName.TWELVE_BY_ONE, PaperSpeed.MM_25, 0)
    assert [row[0].label for row in plan.rows] == ["CH1", "CH2", "CH3"]


def test_absent_leads_keep_their_place() -> None:
    made = record({lead: np.zeros(5000) for lead in (Lead.I, Lead.II)})
    plan = plan_page(made, LayoutName.THREE_BY_FOUR, PaperSpeed.MM_25, 0)
    absent = [cell.label for row in plan.rows for cell in row if cell.channel is None]
    assert absent == ["V1", "V4", "V2", "V5", "V3", "V6"]
    assert natural_layout(made) is LayoutName.THREE_BY_FOUR


def test_the_rhythm_strip_falls_back_to_what_there_is() -> None:
    made = record({Lead.V5: np.zeros(5000)})
    plan = plan_page(made, LayoutName.THREE_BY_FOUR, PaperSpeed.MM_25, 0)
    assert plan.rows[3][0].label == "V5"
