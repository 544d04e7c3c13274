"""Lines of one lead: true in time and voltage, all of the record on some page, events marked."""

import re
from datetime import datetime
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from reading_worklist.ecg.ambulatory.disclosure import (
    Disclosure,
    LineSeconds,
    draw_disclosure,
    find_channel,
)
from reading_worklist.ecg.layout import Gain
from storage.ecg.dicom_events import EcgEvent
from storage.ecg.leads import Lead
from storage.ecg.waveform import EcgRecord
from tests.support.ecg import record as record_of

RATE = 250


def pulses(seconds: float) -> EcgRecord:
    """Lead II at 0 µV with 1 mV for 40 ms at each whole second."""
    at = np.arange(round(seconds * RATE)) / RATE
    return record_of({Lead.II: np.where(at % 1 < 0.04, 1000.0, 0.0)}, seconds=seconds, rate=RATE)


def drawn(record: EcgRecord, **options: object) -> ET.Element:
    found = find_channel(record, "II")
    assert found is not None
    page = Disclosure("II", **options)  # pyright: ignore[reportArgumentType]
    return ET.fromstring(draw_disclosure(record, *found, page))


def points(path: str) -> list[tuple[float, float]]:
    """The points of a trace's path in millimetres."""
    first, _, steps = path.partition("l")
    x, y = (int(one) for one in re.findall(r"-?\d+", first))
    numbers = [int(one) for one in re.findall(r"-?\d+", steps)]
    found = [(x / 50, y / 50)]
    for dx, dy in zip(numbers[::2], numbers[1::2], strict=True):
        x, y = x + dx, y + dy
        found.append((x / 50, y / 50))
    return found


def traces(svg: ET.Element) -> list[list[tuple[float, float]]]:
    return [points(one.attrib["d"]) for one in svg.iterfind(".//*[@data-part='trace']")]


@pytest.mark.parametrize("line", LineSeconds)
def test_a_millivolt_and_a_second_are_as_long_as_the_page_says(line: LineSeconds) -> None:
    svg = drawn(pulses(600), line_seconds=line, lines=5, gain=Gain.MM_10)
    assert float(svg.attrib["data-mm-per-second"]) == pytest.approx(250 / line)
    lines = traces(svg)
    assert len(lines) == 5
    for number, trace in enumerate(lines, start=1):
        heights = [y for _, y in trace]
        baseline = float(svg.attrib["data-line-pitch-mm"]) * number
        assert max(heights) == pytest.approx(baseline, abs=0.02)
        assert baseline - min(heights) == pytest.approx(10, abs=0.1)
        raised = [x for x, y in trace if baseline - y > 9.9]
        starts = sorted({round(x / (250 / line)) for x in raised})
        assert starts == list(range(len(starts)))
        assert len(starts) in {line, line + 1}


def test_the_pages_follow_each_other_to_the_end_of_the_record() -> None:
    record = pulses(1000)
    starts: list[float] = []
    shown: list[int] = []
    following = "0"
    while following:
        svg = drawn(record, start_seconds=float(following))
        starts.append(float(svg.attrib["data-start-seconds"]))
        shown.append(len(traces(svg)))
        following = svg.attrib["data-next-start-seconds"]
    assert starts == [0, 600]
    assert shown == [10, 7]


@pytest.mark.parametrize(("asked", "found"), [(59.9, 0), (65, 60), (1e7, 960), (960, 960)])
def test_a_page_begins_with_the_line_that_holds_the_moment(asked: float, found: float) -> None:
    svg = drawn(pulses(1000), start_seconds=asked)
    assert float(svg.attrib["data-start-seconds"]) == found


def test_events_are_marked_where_they_are_and_words_cannot_break_the_page() -> None:
    events = (EcgEvent(90.0, None, "<b>'病人&按键", ""), EcgEvent(2000.0, None, "later", ""))
    svg = drawn(pulses(300), events=events)
    (mark,) = svg.iterfind(".//*[@data-part='event']")
    assert mark.attrib["d"].startswith("M125.00 ")
    words = [one.text for one in svg.iter("{http://www.w3.org/2000/svg}text")]
    assert "<b>'病人&按键" in words


def test_lines_name_the_time_of_the_recorders_clock_past_midnight() -> None:
    started = datetime(2026, 11, 20, 23, 59)  # noqa: DTZ001 -- a recorder's wall clock
    svg = drawn(pulses(180), started_at=started)
    words = [one.text for one in svg.iter("{http://www.w3.org/2000/svg}text")]
    assert words[:3] == ["23:59:00", "00:00:00 +1", "00:01:00 +1"]
    counted = [one.text for one in drawn(pulses(180)).iter("{http://www.w3.org/2000/svg}text")]
    assert counted[:3] == ["0:00:00", "0:01:00", "0:02:00"]
