"""Which lead goes where on the paper, and which seconds of it.

Lengths in millimetres from the top left of the grid, x to the right, y down.
The trace area is always 250 mm wide: 10 s at 25 mm/s.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Final

from storage.ecg.leads import CHEST_LEADS, LIMB_LEADS, STANDARD_LEADS, Lead
from storage.ecg.waveform import Channel, EcgGroup, EcgRecord

TRACE_WIDTH_MM: Final = 250.0
CALIBRATION_SECONDS: Final = 0.2
_PULSE_MARGIN_MM: Final = 2.5
_ENOUGH_OF_TWELVE: Final = 6


class LayoutName(StrEnum):
    """The paper layouts: rows by columns of leads."""

    THREE_BY_FOUR = "3x4"
    SIX_BY_TWO = "6x2"
    TWELVE_BY_ONE = "12x1"


class LeadOrder(StrEnum):
    """How the limb leads follow each other.

    CABRERA: by the angle of each in the frontal plane, from aVL to III, with −aVR in place of aVR.
    """

    STANDARD = "standard"
    CABRERA = "cabrera"


LIMB_ORDER: Final = {
    LeadOrder.STANDARD: LIMB_LEADS,
    LeadOrder.CABRERA: (Lead.AVL, Lead.I, Lead.MINUS_AVR, Lead.II, Lead.AVF, Lead.III),
}
"""The limb leads from top to bottom."""


class PaperSpeed(IntEnum):
    """Millimetres per second."""

    MM_25 = 25
    MM_50 = 50


class Gain(IntEnum):
    """Millimetres per millivolt."""

    MM_5 = 5
    MM_10 = 10
    MM_20 = 20


@dataclass(frozen=True, slots=True, eq=False)
class Cell:
    """One lead's place: from x_mm, width_mm wide, on the baseline of its row.

    start_seconds is the record time at x_mm. group and channel are None when
    the record lacks the lead.
    """

    label: str
    group: EcgGroup | None
    channel: Channel | None
    x_mm: float
    width_mm: float
    baseline_mm: float
    start_seconds: float
    seconds: float


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """A page before it is drawn.

    columns_simultaneous: every column starts at the same record time, because
    the rest of the record is too short to run on from column to column.
    left_out: labels of recorded channels that the layout has no place for.
    next_start_seconds: where the following page starts, None on the last.
    """

    layout: LayoutName
    rows: tuple[tuple[Cell, ...], ...]
    trace_x_mm: float
    height_mm: float
    label_rise_mm: float
    start_seconds: float
    page_seconds: float
    columns_simultaneous: bool
    left_out: tuple[str, ...]
    next_start_seconds: float | None


@dataclass(frozen=True, slots=True)
class _Sheet:
    """The vertical measures of a layout.

    edge_mm: from the first and the last baseline to the grid's edge. pitch_mm:
    between baselines. label_rise_mm: how far above the baseline a name stands.
    """

    edge_mm: float
    pitch_mm: float
    label_rise_mm: float


_SHEETS: Final = {
    LayoutName.THREE_BY_FOUR: _Sheet(edge_mm=20, pitch_mm=35, label_rise_mm=10),
    LayoutName.SIX_BY_TWO: _Sheet(edge_mm=15, pitch_mm=25, label_rise_mm=8),
    LayoutName.TWELVE_BY_ONE: _Sheet(edge_mm=10, pitch_mm=15, label_rise_mm=5),
}
_COLUMNS: Final = {
    LayoutName.THREE_BY_FOUR: 4,
    LayoutName.SIX_BY_TWO: 2,
    LayoutName.TWELVE_BY_ONE: 1,
}


@dataclass(frozen=True, slots=True, eq=False)
class _Source:
    """A lead or a nameless channel, found in the record or not."""

    label: str
    group: EcgGroup | None = None
    channel: Channel | None = None


def natural_layout(record: EcgRecord) -> LayoutName:
    """Return the layout to show when nobody chose one.

    3x4 for a standard ECG (at least six of the twelve leads), else a row per lead.
    """
    return LayoutName.THREE_BY_FOUR if _is_standard(record) else LayoutName.TWELVE_BY_ONE


def page_starts(record: EcgRecord, layout: LayoutName, speed: PaperSpeed) -> tuple[float, ...]:
    """Return the record time at which each page starts, from 0; at least one page."""
    starts = [0.0]
    while (following := _next_start(record, layout, speed, starts[-1])) is not None:
        starts.append(following)
    return tuple(starts)


def plan_page(
    record: EcgRecord,
    layout: LayoutName,
    speed: PaperSpeed,
    start_seconds: float,
    *,
    order: LeadOrder = LeadOrder.STANDARD,
    rhythm: Sequence[Lead] | None = None,
) -> Plan:
    """Lay out one page that starts at the record time, which is kept inside the record.

    12x1 has a row for every recorded channel: the twelve leads, then the rest;
    of a record with fewer than six standard leads, only what it has.
    rhythm: the leads that run beneath the columns over the whole width; None is
    custom: one under 3x4, none under 6x2. 12x1 has them all in full anyway.
    """
    start = min(
        max(start_seconds, 0.0),
        max(record.duration_seconds - 1 / max(g.sampling_rate_hz for g in record.groups), 0.0),
    )
    columns = _columns(record, layout, order)
    strips = _rhythm_strips(record, layout, rhythm)
    column_mm = TRACE_WIDTH_MM / len(columns)
    column_seconds = column_mm / speed
    simultaneous = _columns_simultaneous(
        record.duration_seconds - start, len(columns), column_seconds
    )
    # Six rows of any layout stand as close as those of 6x2, or the page outgrows screen and paper.
    sheet = _SHEETS[LayoutName.SIX_BY_TWO if len(strips) > 1 else layout]
    trace_x = 2 * _PULSE_MARGIN_MM + CALIBRATION_SECONDS * speed

    def cell(source: _Source, row: int, column: int, width_mm: float) -> Cell:
        seconds = width_mm / speed
        begins = start if simultaneous else start + column * column_seconds
        return Cell(
            label=source.label,
            group=source.group,
            channel=source.channel,
            x_mm=trace_x + column * column_mm,
            width_mm=width_mm,
            baseline_mm=sheet.edge_mm + row * sheet.pitch_mm,
            start_seconds=_where_the_lead_is(source.group, begins, seconds, first_page=start == 0),
            seconds=seconds,
        )

    rows = [
        tuple(cell(source, row, column, column_mm) for column, source in enumerate(sources))
        for row, sources in enumerate(zip(*columns, strict=True))
    ]
    rows.extend(
        (cell(strip, len(rows) + at, 0, TRACE_WIDTH_MM),) for at, strip in enumerate(strips)
    )
    placed = {id(cell.channel) for row in rows for cell in row}
    upside_down = {
        Lead.AVR
        for row in rows
        for cell in row
        if cell.channel is not None and cell.channel.lead is Lead.MINUS_AVR
    }
    return Plan(
        layout=layout,
        rows=tuple(rows),
        trace_x_mm=trace_x,
        height_mm=2 * sheet.edge_mm + (len(rows) - 1) * sheet.pitch_mm,
        label_rise_mm=sheet.label_rise_mm,
        start_seconds=start,
        page_seconds=column_seconds if simultaneous else TRACE_WIDTH_MM / speed,
        columns_simultaneous=simultaneous,
        left_out=tuple(
            channel.label
            for group in record.rhythm_groups
            for channel in group.channels
            if id(channel) not in placed and channel.lead not in upside_down
        ),
        next_start_seconds=_next_start(record, layout, speed, start),
    )


def _is_standard(record: EcgRecord) -> bool:
    return sum(lead in STANDARD_LEADS for lead in record.leads()) >= _ENOUGH_OF_TWELVE


def _columns(
    record: EcgRecord, layout: LayoutName, order: LeadOrder
) -> Sequence[Sequence[_Source]]:
    """Return the columns from left to right, each with its leads from top to bottom."""
    standard = [_find(record, lead) for lead in (*LIMB_ORDER[order], *CHEST_LEADS)]
    if layout is not LayoutName.TWELVE_BY_ONE:
        height = len(standard) // _COLUMNS[layout]
        return [standard[at : at + height] for at in range(0, len(standard), height)]
    if not _is_standard(record):
        standard = [source for source in standard if source.channel is not None]
    placed = {id(source.channel) for source in standard}
    others = [
        _Source(channel.label, group, channel)
        for group in record.rhythm_groups
        for channel in group.channels
        if id(channel) not in placed and (channel.lead not in STANDARD_LEADS)
    ]
    return [[*standard, *others]]


def _find(record: EcgRecord, lead: Lead) -> _Source:
    found = record.find(lead)
    return _Source(lead.value, *found) if found else _Source(lead.value)


def _rhythm_strips(
    record: EcgRecord, layout: LayoutName, chosen: Sequence[Lead] | None
) -> Sequence[_Source]:
    if layout is LayoutName.TWELVE_BY_ONE:
        return []
    if chosen is not None:
        return [_find(record, lead) for lead in dict.fromkeys(chosen)]
    return [_customary_strip(record)] if layout is LayoutName.THREE_BY_FOUR else []


def _customary_strip(record: EcgRecord) -> _Source:
    """Lead II by custom; V1, then whatever there is, when the record lacks it."""
    for lead in (Lead.II, Lead.V1, *record.leads()):
        source = _find(record, lead)
        if source.channel is not None:
            return source
    group = record.rhythm_groups[0]
    return _Source(group.channels[0].label, group, group.channels[0])


def _columns_simultaneous(left_seconds: float, columns: int, column_seconds: float) -> bool:
    """Columns run on in time as long as the last of them would be at least half full."""
    return columns > 1 and left_seconds < (columns - 0.5) * column_seconds


def _next_start(
    record: EcgRecord, layout: LayoutName, speed: PaperSpeed, start: float
) -> float | None:
    columns = _COLUMNS[layout]
    column_seconds = TRACE_WIDTH_MM / columns / speed
    left = record.duration_seconds - start
    page = column_seconds * (1 if _columns_simultaneous(left, columns, column_seconds) else columns)
    # A rest of less than one sample is rounding, not signal.
    finest = 1 / max(group.sampling_rate_hz for group in record.groups)
    return start + page if left - page > finest and not math.isclose(left, page) else None


def _where_the_lead_is(
    group: EcgGroup | None, begins: float, seconds: float, *, first_page: bool
) -> float:
    """Return the record time to show: the column's own, else where the lead was recorded.

    Older carts record three leads at a time, a column's worth each, and some
    do not write when.
    """
    if (
        group is None
        or not first_page
        or group.duration_seconds > seconds + 1 / group.sampling_rate_hz
    ):
        return begins
    overlaps = (
        group.offset_seconds < begins + seconds
        and group.offset_seconds + group.duration_seconds > begins
    )
    return begins if overlaps else group.offset_seconds
