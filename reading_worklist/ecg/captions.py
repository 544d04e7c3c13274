"""The words on the page, in the two languages of the house. No patient data."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from reading_worklist.ecg.display_filter import DisplayFilter, effective_band_hz
from reading_worklist.ecg.quality.findings import Code
from storage.ecg.waveform import ChannelStatus, FilterSettings


class Language(StrEnum):
    """Languages of the captions."""

    EN = "en"
    ZH_CN = "zh-CN"


@dataclass(frozen=True, slots=True)
class Captions:
    """One language's words.

    superimposed: by the point that two beats share, `r` or `j`.
    """

    title: str
    recorded: str
    not_stated: str
    differs: str
    notch: str
    off: str
    display_filter: str
    as_recorded: str
    not_diagnostic: str
    lead_off: str
    no_signal: str
    not_recorded: str
    computed: str
    device_derived: str
    off_scale: str
    also_recorded: str
    simultaneous: str
    median_beat: str
    median_of: str
    superimposed: dict[str, str]
    not_superimposed: str
    status: dict[ChannelStatus, str]


CAPTIONS: Final = {
    Language.EN: Captions(
        title="Electrocardiogram",
        recorded="Recorded",
        not_stated="filter not stated",
        differs="filter differs by lead",
        notch="notch",
        off="off",
        display_filter="Display filter",
        as_recorded="none",
        not_diagnostic="NOT DIAGNOSTIC",
        lead_off="lead off",
        no_signal="no signal",
        not_recorded="not recorded",
        computed="* computed from recorded limb leads",
        device_derived="† derived by the device, not recorded",
        off_scale="OFF SCALE",
        also_recorded="Also recorded, not shown here",
        simultaneous="columns show the same seconds",
        median_beat="Median beat",
        median_of="median of {n} beats",
        superimposed={
            "r": "Blue: the earlier ECG, R on R",
            "j": "Blue: the earlier ECG, J on J",
        },
        not_superimposed="The earlier ECG has no median beat that could lie over this one",
        status={
            ChannelStatus.TEST_DATA: "TEST DATA",
            ChannelStatus.QUESTIONABLE: "questionable",
            ChannelStatus.UNCALIBRATED: "UNCALIBRATED",
            ChannelStatus.UNZEROED: "unzeroed",
        },
    ),
    Language.ZH_CN: Captions(
        title="心电图",
        recorded="采集",
        not_stated="滤波未注明",
        differs="各导联滤波不同",
        notch="陷波",
        off="关",
        display_filter="显示滤波",
        as_recorded="无",
        not_diagnostic="不可用于诊断",
        lead_off="导联脱落",
        no_signal="无信号",
        not_recorded="未记录",
        computed="* 由已记录的肢体导联计算",
        device_derived="† 由设备推导,非直接记录",
        off_scale="超出图幅",
        also_recorded="另有记录,此处未显示",
        simultaneous="各列为同一时段",
        median_beat="中位心搏",
        median_of="{n} 个心搏的中位波形",
        superimposed={"r": "蓝色:既往心电图,按 R 点对齐", "j": "蓝色:既往心电图,按 J 点对齐"},
        not_superimposed="既往心电图没有可供叠加的中位心搏",
        status={
            ChannelStatus.TEST_DATA: "测试数据",
            ChannelStatus.QUESTIONABLE: "信号可疑",
            ChannelStatus.UNCALIBRATED: "未定标",
            ChannelStatus.UNZEROED: "未调零",
        },
    ),
}


QUALITY: Final[Mapping[Language, Mapping[Code, str]]] = {
    Language.EN: {
        Code.LEAD_OFF: "lead off",
        Code.NO_SIGNAL: "no signal",
        Code.FLAT_LINE: "flat: lead off?",
        Code.MISSING_SAMPLES: "samples missing",
        Code.CLIPPED: "clipped",
        Code.MAINS_NOISE: "mains noise",
        Code.MUSCLE_NOISE: "muscle noise",
        Code.BASELINE_WANDER: "baseline wander",
    },
    Language.ZH_CN: {
        Code.LEAD_OFF: "导联脱落",
        Code.NO_SIGNAL: "无信号",
        Code.FLAT_LINE: "平线:导联脱落?",
        Code.MISSING_SAMPLES: "数据缺失",
        Code.CLIPPED: "削顶",
        Code.MAINS_NOISE: "工频干扰",
        Code.MUSCLE_NOISE: "肌电干扰",
        Code.BASELINE_WANDER: "基线漂移",
    },
}
"""What a check found wrong with a lead, as it stands beside its name."""


def recorded_filter_text(settings: Iterable[FilterSettings], words: Captions) -> str:
    """Return what the file says of its filters: one text for all leads, or that they differ."""
    distinct = set(settings)
    if len(distinct) > 1:
        return words.differs
    stated = next(iter(distinct), FilterSettings())
    if stated.low_hz is None and stated.high_hz is None and stated.notch_hz is None:
        return words.not_stated
    low = "?" if stated.low_hz is None else f"{stated.low_hz:g}"
    high = "?" if stated.high_hz is None else f"{stated.high_hz:g}"
    text = f"{low}–{high} Hz"
    if stated.notch_hz is not None:
        text += f", {words.notch} " + (f"{stated.notch_hz:g} Hz" if stated.notch_hz else words.off)
    return text


def display_filter_text(chosen: DisplayFilter, sampling_rate_hz: float, words: Captions) -> str:
    """Return the display filter as it acts at this sampling rate."""
    band = effective_band_hz(chosen, sampling_rate_hz)
    if band is None:
        return f"{words.display_filter}: {words.as_recorded}"
    low, high = band
    text = f"{words.display_filter}: " + (
        f"≥ {low:g} Hz" if high is None else f"{low:g}–{high:g} Hz"
    )
    return text if chosen.diagnostic else f"{text} – {words.not_diagnostic}"
