"""The page of median beats: true millimetres, points, ST levels, an earlier beat over it."""

import re
from dataclasses import replace
from xml.etree import ElementTree as ET

import numpy as np
import numpy.typing as npt
import pytest

from reading_worklist.ecg.captions import Language
from reading_worklist.ecg.layout import Gain, LeadOrder, PaperSpeed
from reading_worklist.ecg.measurement.results import EcgMeasurement
from reading_worklist.ecg.median import Alignment, DrawnMedian, MedianOptions, draw_median
from storage.ecg.leads import STANDARD_LEADS, Lead
from tests.reading_worklist.ecg.measured import POINTS, measured_lead, measurement, median_beat
from tests.reading_worklist.ecg.pages import NUMBER, SVG

PLAIN = measurement(median_beat())


def groups(page: DrawnMedian | None) -> dict[str, ET.Element]:
    assert page is not None
    return {
        one.attrib["data-lead"]: one
        for one in ET.fromstring(page.svg).iter(f"{SVG}g")
        if "data-lead" in one.attrib
    }


def points_of(group: ET.Element, part: str = "trace") -> npt.NDArray[np.float64]:
    """The drawn points of a lead in paper millimetres."""
    (path,) = [one for one in group.findall(f"{SVG}path") if one.get("data-part") == part]
    scale = float(NUMBER.findall(path.attrib["transform"])[0])
    runs = [
        np.cumsum(np.array(NUMBER.findall(part.replace("h0", "")), float).reshape(-1, 2), axis=0)
        for part in path.attrib["d"].split("M")[1:]
    ]
    return np.concatenate(runs) * scale


def texts(group: ET.Element) -> list[str]:
    return [one.text or "" for one in group.iter(f"{SVG}text")]


@pytest.mark.parametrize("speed", PaperSpeed)
@pytest.mark.parametrize("gain", Gain)
def test_a_millivolt_and_a_second_are_what_the_page_says(speed: PaperSpeed, gain: Gain) -> None:
    drawn = groups(draw_median(PLAIN, MedianOptions(speed=speed, gain=gain)))
    assert list(drawn) == [lead.value for lead in STANDARD_LEADS]
    for name, group in drawn.items():
        trace = points_of(group)
        r_mm, zero_mm = (float(group.attrib[f"data-{at}-mm"]) for at in ("r", "zero"))
        sign = 1 if name == "aVR" else -1
        peak = trace[np.argmax(sign * trace[:, 1])]
        assert peak[0] == pytest.approx(r_mm, abs=0.02)
        assert sign * (peak[1] - zero_mm) == pytest.approx(gain, abs=0.02)
        assert trace[-1, 0] - trace[0, 0] == pytest.approx(0.998 * speed, abs=0.04)


def test_points_stand_where_they_were_measured() -> None:
    group = groups(draw_median(PLAIN))["V2"]
    r_mm = float(group.attrib["data-r-mm"])
    found = {
        path.attrib["data-point"]: float(NUMBER.findall(path.attrib["d"])[0]) - r_mm
        for path in group.findall(f"{SVG}path")
        if "data-point" in path.attrib
    }
    expected = {
        name: getattr(POINTS, name) * 0.025
        for name in ("p_onset_ms", "p_offset_ms", "qrs_onset_ms", "qrs_offset_ms", "t_end_ms")
    }
    assert found == pytest.approx(expected, abs=0.006)


def test_a_point_that_was_not_found_is_not_drawn() -> None:
    without = median_beat(points=replace(POINTS, p_onset_ms=None, p_offset_ms=None))
    page = draw_median(measurement(without))
    assert page is not None
    assert 'data-point="qrs_onset_ms"' in page.svg
    assert 'data-point="p_o' not in page.svg


def test_st_levels_stand_beside_the_lead() -> None:
    by_lead = {**PLAIN.by_lead, Lead.V2: measured_lead(214, -4), Lead.AVR: measured_lead(-120, 0)}
    made = replace(PLAIN, by_lead=by_lead)
    assert "J +0.21  J60 +0.00 mV" in texts(groups(draw_median(made))["V2"])
    cabrera = groups(draw_median(made, MedianOptions(order=LeadOrder.CABRERA)))
    assert list(cabrera)[:6] == ["aVL", "I", "−aVR", "II", "aVF", "III"]
    assert "J +0.12  J60 +0.00 mV" in texts(cabrera["−aVR"])
    # aVR points down; turned round it points up.
    group = cabrera["−aVR"]
    assert points_of(group)[:, 1].min() < float(group.attrib["data-zero-mm"]) - 9


def test_a_lead_without_a_beat_is_said_to_be_not_recorded() -> None:
    page = draw_median(measurement(median_beat(leads=(Lead.I, Lead.II)), by_lead={}))
    assert "not recorded" in texts(groups(page)["V1"])


def test_without_a_median_beat_there_is_no_page() -> None:
    assert draw_median(measurement(None)) is None


@pytest.mark.parametrize(("alignment", "shift_mm"), [(Alignment.R, 0.0), (Alignment.J, 0.5)])
def test_an_earlier_beat_lies_over_this_one(alignment: Alignment, shift_mm: float) -> None:
    earlier = measurement(median_beat(height_uv=500, points=replace(POINTS, qrs_offset_ms=30)))
    page = draw_median(PLAIN, MedianOptions(alignment=alignment), earlier)
    assert page is not None
    assert page.superimposed
    group = groups(page)["I"]
    theirs = points_of(group, "prior")
    peak = theirs[np.argmin(theirs[:, 1])]
    assert peak[0] == pytest.approx(float(group.attrib["data-r-mm"]) + shift_mm, abs=0.02)
    assert float(group.attrib["data-zero-mm"]) - peak[1] == pytest.approx(5, abs=0.02)
    assert f"{alignment.value.upper()} on {alignment.value.upper()}" in page.svg


@pytest.mark.parametrize(
    "earlier",
    [measurement(None), measurement(median_beat(points=replace(POINTS, qrs_offset_ms=None)))],
)
def test_what_cannot_lie_over_it_is_left_out_and_said(earlier: EcgMeasurement) -> None:
    page = draw_median(PLAIN, MedianOptions(alignment=Alignment.J), earlier)
    assert page is not None
    assert not page.superimposed
    assert 'data-part="prior"' not in page.svg
    assert "no median beat that could lie over this one" in page.svg


def test_a_tall_beat_gets_room_and_an_artefact_does_not_blow_up_the_page() -> None:
    usual, tall, huge = (
        draw_median(measurement(median_beat(height_uv=height))) for height in (1000, 3000, 90_000)
    )
    assert usual is not None
    assert tall is not None
    assert huge is not None
    assert usual.height_mm < tall.height_mm < huge.height_mm < 330
    group = groups(huge)["I"]
    assert points_of(group)[:, 1].min() >= float(group.attrib["data-top-mm"]) - 1.02


def test_the_page_speaks_both_languages_and_says_how_it_was_measured() -> None:
    english, chinese = (
        draw_median(PLAIN, MedianOptions(language=language)) for language in Language
    )
    assert english is not None
    assert chinese is not None
    assert "median of 9 beats" in english.svg
    assert PLAIN.method in english.svg
    assert "9 个心搏的中位波形" in chinese.svg
    assert not re.search(r"<(script|style|image|a) ", english.svg)
