"""The page in true millimetres: geometry, gaps, what leaves the paper, size and safety."""

import re
from dataclasses import replace
from itertools import islice

import numpy as np
import pytest
import typst
from hypothesis import given, settings
from hypothesis import strategies as st

from reading_worklist.ecg.captions import Language
from reading_worklist.ecg.drawing import DrawingOptions, draw
from reading_worklist.ecg.layout import Gain, LayoutName, PaperSpeed
from reading_worklist.ecg.quality.findings import Code
from storage.ecg.leads import Lead
from storage.ecg.waveform import (
    ChannelStatus,
    EcgRecord,
    LeadOrigin,
)
from tests.reading_worklist.ecg.pages import (
    NUMBER,
    SVG,
    lead_of,
    leads_of,
    root_of,
    step,
    texts_of,
    twelve,
)
from tests.support.ecg import record

EVERY_SCALE = [(speed, gain) for speed in PaperSpeed for gain in Gain]


# ---- true millimetres ------------------------------------------------------------------------


@pytest.mark.parametrize(("speed", "gain"), EVERY_SCALE)
@pytest.mark.parametrize("layout", LayoutName)
def test_one_millivolt_and_one_second_are_what_the_page_says(
    layout: LayoutName, speed: PaperSpeed, gain: Gain
) -> None:
    options = DrawingOptions(layout=layout, speed=speed, gain=gain)
    for start in (0.0, 2.5):
        signal = np.zeros(5000)
        # A square wave: 1 mV up every other 200 ms.
        signal[(np.arange(5000) // 100) % 2 == 1] = 1000
        for lead in leads_of(draw(twelve(signal), replace(options, start_seconds=start))):
            (run,) = lead.runs
            assert run[:, 1].max() == pytest.approx(lead.zero_mm, abs=0.02)
            assert run[:, 1].min() == pytest.approx(lead.zero_mm - gain, abs=0.02)
            rises = run[np.flatnonzero(np.diff(run[:, 1]) < -gain / 2) + 1, 0]
            expected = 0.4 * speed
            # An edge is drawn at its own time, give or take one drawn step.
            step_mm = 0.15 if layout is LayoutName.TWELVE_BY_ONE else 0
            np.testing.assert_allclose(np.diff(rises), expected, atol=0.04 + step_mm)


@pytest.mark.parametrize(("speed", "gain"), EVERY_SCALE)
def test_the_calibration_pulse_is_one_millivolt_for_200_ms(speed: PaperSpeed, gain: Gain) -> None:
    for layout, rows in ((LayoutName.THREE_BY_FOUR, 4), (LayoutName.SIX_BY_TWO, 6)):
        page = draw(record(), DrawingOptions(layout=layout, speed=speed, gain=gain))
        pulses = [
            path.attrib["d"]
            for path in root_of(page).iter(f"{SVG}path")
            if path.get("data-part") == "calibration"
        ]
        assert len(pulses) == rows
        for pulse in pulses:
            assert f"v-{gain:d}h{0.2 * speed:g}v{gain:d}" in pulse


def test_at_the_common_scale_the_pulse_is_ten_by_five_millimetres() -> None:
    page = draw(record())
    assert "v-10h5v10" in page.svg


def test_the_step_of_one_millivolt_is_ten_millimetres_high() -> None:
    page = draw(twelve(step(1000)), DrawingOptions(layout=LayoutName.TWELVE_BY_ONE))
    (run,) = lead_of(page, "V3").runs
    assert np.ptp(run[:, 1]) == pytest.approx(10.0, abs=1e-9)
    assert run[:, 0].min() == pytest.approx(10, abs=0.02)
    assert run[:, 0].max() == pytest.approx(10 + 9.998 * 25, abs=0.02)


def test_the_paper_is_measured_in_millimetres() -> None:
    page = draw(record())
    root = root_of(page)
    assert root.attrib["width"] == f"{page.width_mm:g}mm"
    assert root.attrib["height"] == f"{page.height_mm:g}mm"
    assert root.attrib["viewBox"] == f"0 0 {page.width_mm:g} {page.height_mm:g}"
    assert root.attrib["data-mm-per-mv"] == "10"
    assert root.attrib["data-mm-per-second"] == "25"


def test_the_grid_has_a_line_every_millimetre_and_a_heavy_one_every_five() -> None:
    root = root_of(draw(record()))
    grids = {path.get("data-part"): path.attrib["d"] for path in root.iter(f"{SVG}path")}
    minor, major = grids["grid-1mm"], grids["grid-5mm"]
    heavy = [float(part.split(" ")[0]) for part in major.split("M")[1:] if "V" in part]
    light = [float(part.split(" ")[0]) for part in minor.split("M")[1:] if "V" in part]
    assert heavy == [5.0 * index for index in range(53)]
    assert sorted(heavy + light) == [float(index) for index in range(261)]


@pytest.mark.parametrize("layout", LayoutName)
def test_where_paper_and_zero_lie_in_the_view_box_is_told(layout: LayoutName) -> None:
    """Tall complexes and a header move the paper down; the attributes follow."""
    for height, header in ((1000, ()), (5000, ("one", "two"))):
        signal = step(height)
        page = draw(twelve(signal), DrawingOptions(layout=layout, header=header))
        root = root_of(page)
        offset_x, offset_y = (float(root.attrib[f"data-paper-{axis}-mm"]) for axis in "xy")
        shifts = [
            [float(number) for number in NUMBER.findall(group.attrib["transform"])]
            for group in root.iter(f"{SVG}g")
            if "translate" in group.get("transform", "")
        ]
        assert [offset_x, offset_y] == [sum(column) for column in zip(*shifts, strict=True)]
        for lead in leads_of(page):
            for run in lead.runs:
                assert offset_y + run[:, 1].min() >= 0
                assert offset_y + run[:, 1].max() <= page.height_mm


def test_typst_prints_the_page_at_its_true_size() -> None:
    page = draw(record(), DrawingOptions(layout=LayoutName.THREE_BY_FOUR))
    source = (
        "#set page(width: auto, height: auto, margin: 0mm)\n"
        f'#image(bytes(sys.inputs.svg), format: "svg", width: {page.width_mm}mm)'
    )
    pdf = typst.compile(source.encode(), sys_inputs={"svg": page.svg})
    assert isinstance(pdf, bytes)
    box = re.search(rb"/MediaBox\s*\[\s*0\s+0\s+([\d.]+)\s+([\d.]+)", pdf)
    assert box is not None
    width, height = (float(number) / 72 * 25.4 for number in box.groups())
    assert width == pytest.approx(page.width_mm, abs=0.05)
    assert height == pytest.approx(page.height_mm, abs=0.05)


# ---- the trace -------------------------------------------------------------------------------


@settings(max_examples=15, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    rate=st.sampled_from([200.0, 500.0, 1000.0, 2000.0]),
    layout=st.sampled_from(LayoutName),
    speed=st.sampled_from(PaperSpeed),
    gain=st.sampled_from(Gain),
)
def test_no_peak_is_lost_or_invented(
    seed: int, rate: float, layout: LayoutName, speed: PaperSpeed, gain: Gain
) -> None:
    generator = np.random.default_rng(seed)
    signal = generator.normal(scale=20, size=round(10 * rate))
    peaks = generator.integers(0, len(signal), 20)
    signal[peaks] += generator.choice([-1.0, 1.0], 20) * generator.uniform(300, 1500, 20)
    page = draw(twelve(signal, rate=rate), DrawingOptions(layout=layout, speed=speed, gain=gain))
    for lead in islice(leads_of(page), 3):
        (run,) = lead.runs
        first = round(lead.start_seconds * rate)
        shown = signal[first : first + round(lead.seconds * rate) + 1]
        heights = lead.zero_mm - run[:, 1]
        assert heights.max() == pytest.approx(shown.max() * gain / 1000, abs=0.02)
        assert heights.min() == pytest.approx(shown.min() * gain / 1000, abs=0.02)
        # A drawn point is a sample at its own time, give or take the rounding of x.
        index = np.rint((run[:, 0] - run[0, 0]) / speed * rate).astype(int)
        around = np.arange(-3, 4)[:, None] + index
        near = shown[np.clip(around, 0, len(shown) - 1)] * gain / 1000
        assert np.abs(near - heights).min(axis=0).max() <= 0.0101


@pytest.mark.parametrize("layout", LayoutName)
@pytest.mark.parametrize("rate", [500.0, 1000.0, 4000.0])
def test_a_noisy_page_stays_small(layout: LayoutName, rate: float) -> None:
    signal = np.random.default_rng(7).normal(scale=50, size=round(10 * rate))
    page = draw(twelve(signal, rate=rate), DrawingOptions(layout=layout))
    assert len(page.svg) < 250_000


def test_a_missing_stretch_is_a_marked_gap() -> None:
    samples = np.full(5000, 1000)
    samples[500:1000] = -1
    made = record({Lead.II: samples})
    channel = replace(made.groups[0].channels[0], missing=(-1,))
    made = replace(made, groups=(replace(made.groups[0], channels=(channel,)),))
    lead = lead_of(draw(made, DrawingOptions(layout=LayoutName.TWELVE_BY_ONE)), "II")
    first, second = lead.runs
    assert first[-1, 0] == pytest.approx(10 + 499 / 500 * 25, abs=0.02)
    assert second[0, 0] == pytest.approx(10 + 1000 / 500 * 25, abs=0.02)
    assert lead.gaps == 1
    assert "no signal" in lead.texts


@pytest.mark.parametrize("status", [ChannelStatus.DISCONNECTED, ChannelStatus.INVALID])
def test_a_lead_that_was_off_is_not_drawn_as_signal(status: ChannelStatus) -> None:
    made = twelve(step(800))
    channels = tuple(
        replace(one, status=frozenset({status})) if one.lead is Lead.V2 else one
        for one in made.groups[0].channels
    )
    made = replace(made, groups=(replace(made.groups[0], channels=channels),))
    lead = lead_of(draw(made), "V2")
    assert lead.runs == ()
    assert lead.gaps == 1
    assert "lead off" in lead.texts


@pytest.mark.parametrize(
    ("language", "words"), [(Language.EN, "flat: lead off?"), (Language.ZH_CN, "平线:导联脱落?")]
)
def test_what_a_check_found_stands_beside_the_name(language: Language, words: str) -> None:
    found = {Lead.V2: (Code.FLAT_LINE,)}
    drawn = draw(twelve(step(800)), DrawingOptions(language=language, findings=found))
    assert words in lead_of(drawn, "V2").texts
    assert words not in lead_of(drawn, "V3").texts


def test_doubts_about_a_channel_stand_beside_its_name() -> None:
    made = record({Lead.II: np.zeros(5000)})
    doubts = frozenset({ChannelStatus.UNCALIBRATED, ChannelStatus.QUESTIONABLE})
    channel = replace(made.groups[0].channels[0], status=doubts)
    made = replace(made, groups=(replace(made.groups[0], channels=(channel,)),))
    lead = lead_of(draw(made, DrawingOptions(layout=LayoutName.TWELVE_BY_ONE)), "II")
    assert "questionable · UNCALIBRATED" in lead.texts
    assert len(lead.runs) == 1


def test_a_record_that_ends_within_a_column_stops_there() -> None:
    page = draw(record(seconds=9), DrawingOptions(layout=LayoutName.THREE_BY_FOUR))
    lead = lead_of(page, "V4")
    (run,) = lead.runs
    assert run[-1, 0] == pytest.approx(lead.x_mm + (9 - 1 / 500 - 7.5) * 25, abs=0.02)
    assert lead.ends == 1
    assert lead_of(page, "I").ends == 0


def test_a_lead_the_record_lacks_is_said_to_be_not_recorded() -> None:
    page = draw(record({Lead.I: np.zeros(5000)}), DrawingOptions(layout=LayoutName.THREE_BY_FOUR))
    lead = lead_of(page, "V1")
    assert lead.runs == ()
    assert "not recorded" in lead.texts


def test_computed_leads_are_marked_and_explained() -> None:
    page = draw(record({Lead.I: np.zeros(5000), Lead.II: np.full(5000, 400.0)}))
    lead = lead_of(page, "III")
    assert lead.origin == LeadOrigin.COMPUTED.value
    assert "III*" in lead.texts
    (run,) = lead.runs
    np.testing.assert_allclose(lead.zero_mm - run[:, 1], 4.0, atol=0.011)
    assert "computed from recorded limb leads" in texts_of(page)


def test_a_constant_offset_does_not_push_a_lead_onto_its_neighbours() -> None:
    page = draw(twelve(step(1000) + 20_000), DrawingOptions(layout=LayoutName.THREE_BY_FOUR))
    lead = lead_of(page, "II")
    (run,) = lead.runs
    assert run[:, 1].min() > 0
    np.testing.assert_allclose(lead.zero_mm - run[0, 1], 200, atol=0.02)


def test_skew_moves_a_lead_in_time() -> None:
    made = twelve(step(1000))
    channels = (
        replace(made.groups[0].channels[0], skew_seconds=0.004),
        *made.groups[0].channels[1:],
    )
    made = replace(made, groups=(replace(made.groups[0], channels=channels),))
    page = draw(made, DrawingOptions(layout=LayoutName.TWELVE_BY_ONE))
    (skewed,), (straight,) = lead_of(page, "I").runs, lead_of(page, "II").runs
    assert skewed[0, 0] - straight[0, 0] == pytest.approx(0.1, abs=0.02)


# ---- what leaves the paper -------------------------------------------------------------------


def spiked(microvolts: float) -> EcgRecord:
    signal = np.zeros(5000)
    signal[1000] = microvolts
    return record({Lead.I: signal, Lead.II: np.zeros(5000)})


def test_a_tall_complex_enlarges_the_paper() -> None:
    options = DrawingOptions(layout=LayoutName.THREE_BY_FOUR)
    usual, tall = draw(spiked(1000), options), draw(spiked(4000), options)
    # 25 mm are needed above, of which the empty lower edge gives ten.
    assert tall.height_mm == usual.height_mm + 15
    assert tall.off_scale == ()
    assert lead_of(tall, "I").runs[0][:, 1].min() == pytest.approx(-20, abs=0.02)


@pytest.mark.parametrize("microvolts", [30_000, -30_000])
def test_what_leaves_the_paper_is_marked_never_silently_cut(microvolts: float) -> None:
    page = draw(spiked(microvolts), DrawingOptions(layout=LayoutName.THREE_BY_FOUR))
    assert "I" in page.off_scale
    assert "OFF SCALE: I" in texts_of(page)
    arrows = [
        path for path in root_of(page).iter(f"{SVG}path") if path.get("data-part") == "off-scale"
    ]
    assert arrows
    usual = draw(spiked(1000), DrawingOptions(layout=LayoutName.THREE_BY_FOUR))
    # One line for the remark; an artefact does not blow up the sheet.
    assert page.height_mm == usual.height_mm + 4


def test_a_bounded_page_keeps_its_bound_and_marks_the_rest() -> None:
    options = DrawingOptions(layout=LayoutName.THREE_BY_FOUR, max_height_mm=165)
    page = draw(spiked(4000), options)
    assert page.height_mm <= 165
    assert page.off_scale == ("I", "aVL")[: len(page.off_scale)]
    assert "I" in page.off_scale
