"""The words on the page, its safety, and its place among the pages of a record."""

import re
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from reading_worklist.ecg.captions import Language
from reading_worklist.ecg.display_filter import DisplayFilter
from reading_worklist.ecg.drawing import DrawingOptions, DrawnEcg, draw
from reading_worklist.ecg.layout import LayoutName
from storage.ecg.leads import Lead
from storage.ecg.waveform import (
    EcgRecord,
    FilterSettings,
    RecordedChannel,
)
from tests.reading_worklist.ecg.pages import (
    SVG,
    lead_of,
    root_of,
    step,
    texts_of,
    twelve,
)
from tests.support.ecg import record


def test_the_footer_states_what_the_picture_means() -> None:
    made = twelve(np.zeros(10_000), rate=1000)
    channels = tuple(
        replace(one, filters=FilterSettings(0.05, 150, 0)) for one in made.groups[0].channels
    )
    made = replace(made, groups=(replace(made.groups[0], channels=channels),))
    words = texts_of(draw(made))
    for stated in ("25 mm/s", "10 mm/mV", "0.05–150 Hz, notch off", "1000 Hz", "0–10 s / 10 s"):
        assert stated in words
    assert "Display filter: none" in words


def test_filters_that_differ_or_are_not_stated_are_said_so() -> None:
    made = twelve(np.zeros(5000))
    assert "filter not stated" in texts_of(draw(made))
    first, *others = made.groups[0].channels
    channels = (replace(first, filters=FilterSettings(0.5, 40, 50)), *others)
    made = replace(made, groups=(replace(made.groups[0], channels=channels),))
    assert "filter differs by lead" in texts_of(draw(made))


def test_the_narrow_filter_warns() -> None:
    page = draw(record(), DrawingOptions(display_filter=DisplayFilter.MONITOR))
    assert "0.5–40 Hz – NOT DIAGNOSTIC" in texts_of(page)
    assert root_of(page).attrib["data-display-filter"] == "0.5-40"


def test_the_words_come_in_chinese_too() -> None:
    words = texts_of(
        draw(record({Lead.I: np.zeros(5000)}), DrawingOptions(language=Language.ZH_CN))
    )
    assert "采集" in words
    assert "Recorded" not in words


@pytest.mark.parametrize(
    "hostile", ['<script>"&', "]]>", "\N{ZERO WIDTH SPACE}", 'x" onload="y', "\x00\x0b\ud800"]
)
def test_labels_from_a_file_are_text_and_nothing_else(hostile: str) -> None:
    made = record()
    channels = (RecordedChannel(None, hostile, np.zeros(5000)),)
    made = replace(made, groups=(replace(made.groups[0], channels=channels),))
    page = draw(made, DrawingOptions(header=(hostile,)))
    root = root_of(page)
    assert {element.tag.removeprefix(SVG) for element in root.iter()} <= {
        "svg", "title", "rect", "g", "path", "text",
    }  # fmt: skip
    assert not any(name.startswith("on") for element in root.iter() for name in element.attrib)
    allowed = "".join(c for c in hostile if c.isprintable() or c == "\N{ZERO WIDTH SPACE}")
    assert lead_of(page, allowed).texts[0] == allowed


def test_nothing_but_plain_shapes_that_every_renderer_knows() -> None:
    page = draw(twelve(step(1000)))
    assert not re.search(r"<style|var\(|url\(|href|<image|<foreignObject|<script", page.svg)


def pages(made: EcgRecord, options: DrawingOptions) -> Sequence[DrawnEcg]:
    drawn = [draw(made, options)]
    while (following := drawn[-1].next_start_seconds) is not None:
        drawn.append(draw(made, replace(options, start_seconds=following)))
    return drawn


def test_a_long_record_is_paged_and_each_page_names_the_next() -> None:
    drawn = pages(record(seconds=35), DrawingOptions(layout=LayoutName.TWELVE_BY_ONE))
    assert [page.start_seconds for page in drawn] == [0, 10, 20, 30]
    following = [root_of(page).attrib["data-next-start-seconds"] for page in drawn]
    assert following == ["10", "20", "30", ""]


def test_a_day_is_drawn_a_page_at_a_time() -> None:
    samples = np.zeros(86_400 * 200, dtype=np.int16)
    made = record({Lead.II: samples}, seconds=86_400, rate=200)
    options = DrawingOptions(start_seconds=86_390.25, display_filter=DisplayFilter.MONITOR)
    page = draw(made, options)
    assert page.start_seconds == 86_390.25
    assert root_of(page).attrib["data-start-seconds"] == "86390.25"
