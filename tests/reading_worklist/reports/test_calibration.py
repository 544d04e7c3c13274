"""Millimetres of the printed trace, measured on the paper: 1 mV and 1 s are what the page says."""

from itertools import pairwise
from typing import Any, Final

import numpy as np
import pypdfium2
import pytest
from numpy.typing import NDArray

from reading_worklist.ecg.drawing import DrawingOptions, draw
from reading_worklist.ecg.layout import Gain, LayoutName, PaperSpeed
from reading_worklist.reports.document import EcgTrace
from reading_worklist.reports.rendering import render
from reading_worklist.typesetting.labels import Language
from storage.ecg.leads import STANDARD_LEADS, Lead
from tests.support.ecg import record
from tests.support.reports import ecg_report, typesetter

DPI: Final = 600
PIXELS_PER_MM: Final = DPI / 25.4
# A square of 1 mV, half a second up and half a second down, as sampled at 500 Hz.
SQUARE: Final = np.where((np.arange(5000) // 250) % 2 == 0, 0.0, 1000.0)


def paper(
    speed: PaperSpeed,
    gain: Gain,
    leads: tuple[Lead, ...] = (Lead.II,),
    layout: LayoutName | None = None,
) -> NDArray[np.bool_]:
    """Where the last page of the printed report is black."""
    drawn = draw(
        record(dict.fromkeys(leads, SQUARE)),
        DrawingOptions(speed=speed, gain=gain, layout=layout, max_height_mm=162.0),
    )
    trace = EcgTrace(
        svg=drawn.svg,
        width_mm=drawn.width_mm,
        height_mm=drawn.height_mm,
        speed=float(speed),
        gain=float(gain),
    )
    document = pypdfium2.PdfDocument(render(ecg_report(trace), Language.ZH_CN, typesetter()))
    page: Any = document[len(document) - 1]
    picture = page.render(scale=DPI / 72).to_numpy()
    document.close()
    # Not the grid, which is light in at least one colour.
    return (picture[..., :3] < 110).all(axis=2)


def runs(row: NDArray[np.bool_], shortest: int) -> list[tuple[int, int]]:
    """Beginnings and ends of the stretches of a row that are black for long."""
    edges = np.flatnonzero(np.diff(np.concatenate(([0], row.astype(np.int8), [0]))))
    pairs = [(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]
    return [(a, b) for a, b in pairs if b - a >= shortest]


def plateaus(black: NDArray[np.bool_], shortest_mm: float) -> list[tuple[float, list[float]]]:
    """Heights (mm, downwards) at which the trace runs level, and where it begins to (mm)."""
    shortest = int(shortest_mm * PIXELS_PER_MM)
    found: list[tuple[float, list[float]]] = []
    rows: list[tuple[int, list[tuple[int, int]]]] = []
    for index in np.flatnonzero(black.sum(axis=1) >= 2 * shortest).tolist():
        level = runs(black[index], shortest)
        if len(level) >= 2:
            rows.append((index, level))
    start = 0
    for at in range(1, len(rows) + 1):
        if at == len(rows) or rows[at][0] != rows[at - 1][0] + 1:
            group = rows[start:at]
            middle = sum(index for index, _ in group) / len(group) / PIXELS_PER_MM
            _, level = group[len(group) // 2]
            found.append((middle, [a / PIXELS_PER_MM for a, _ in level]))
            start = at
    return found


@pytest.mark.parametrize("gain", list(Gain))
@pytest.mark.parametrize("speed", [PaperSpeed.MM_25, PaperSpeed.MM_50])
def test_a_millivolt_and_a_second_are_true_on_the_paper(speed: PaperSpeed, gain: Gain) -> None:
    millimetres_per_second, millimetres_per_millivolt = float(speed), float(gain)
    found = plateaus(paper(speed, gain), 0.4 * millimetres_per_second)
    assert len(found) == 2
    (top, up), (bottom, _) = found
    assert bottom - top == pytest.approx(millimetres_per_millivolt, rel=0.01)
    steps = [after - before for before, after in pairwise(up)]
    assert len(steps) >= 2
    assert steps == pytest.approx([millimetres_per_second] * len(steps), rel=0.01)


def test_the_page_of_twelve_leads_is_as_true(  # the one that every report has
) -> None:
    found = plateaus(
        paper(PaperSpeed.MM_25, Gain.MM_10, STANDARD_LEADS, LayoutName.THREE_BY_FOUR), 10.0
    )
    heights = [height for height, _ in found]
    distances = [after - before for before, after in pairwise(heights)]
    assert sum(abs(one - 10.0) <= 0.1 for one in distances) >= 3
    for _, beginnings in found:
        steps = [after - before for before, after in pairwise(beginnings)]
        assert any(abs(step - 25.0) <= 0.25 for step in steps)


def test_the_calibration_pulse_is_one_millivolt_for_a_fifth_of_a_second() -> None:
    """It stands left of the trace: level for 5 mm, 10 mm above where it rises from."""
    black = paper(PaperSpeed.MM_25, Gain.MM_10)
    shortest, longest = (int(mm * PIXELS_PER_MM) for mm in (4.5, 5.5))
    tops = [
        (index, level)
        for index in range(black.shape[0])
        for level in runs(black[index], shortest)
        if level[1] - level[0] <= longest
    ]
    assert tops
    _, (left, right) = tops[len(tops) // 2]
    assert (right - left) / PIXELS_PER_MM == pytest.approx(5.0, abs=0.35)
    # Its left edge is black from the line it rises from up to its top.
    edge = runs(black[:, left + 1], int(9 * PIXELS_PER_MM))
    assert [(b - a) / PIXELS_PER_MM for a, b in edge] == [pytest.approx(10.0, abs=0.4)]
