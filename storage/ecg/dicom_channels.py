"""One channel of a DICOM multiplex group: its lead, its voltage scale, its filters (C.10.9.1)."""

import math
from dataclasses import dataclass
from typing import Final

from pydicom.dataset import Dataset

from storage.ecg.dicom_values import first_item, items, number, text
from storage.ecg.kept_samples import KeptChannel, KeptSamples
from storage.ecg.leads import Lead, lead_from_code, lead_from_name
from storage.ecg.waveform import (
    ChannelStatus,
    FilterSettings,
    LeadOrigin,
    RecordedChannel,
    Samples,
)

_MICROVOLTS_PER_UNIT: Final = {"NV": 1e-3, "UV": 1.0, "MV": 1e3, "V": 1e6}
_MICRO_SIGNS: Final = str.maketrans({"\N{MICRO SIGN}": "u", "\N{GREEK SMALL LETTER MU}": "u"})
_IMPLAUSIBLE_MICROVOLTS: Final = 20_000.0
_LABEL_LENGTH: Final = 16


@dataclass(frozen=True, slots=True)
class GroupSamples:
    """The raw samples of a multiplex group as (samples, channels), and what they share.

    padding: the stated Waveform Padding Value; None when there is none to apply.
    kept: where the samples are when they stay in their file; `raw` then has none of them.
    """

    raw: Samples
    sampling_rate_hz: float
    padding: int | None
    kept: KeptSamples | None = None

    @property
    def shape(self) -> tuple[int, int]:
        """How many samples a channel has, and how many channels there are."""
        if self.kept is not None:
            return self.kept.sample_count, self.kept.channels
        samples, channels = self.raw.shape
        return samples, channels


def read_channel(definition: Dataset, group: GroupSamples, index: int) -> RecordedChannel | None:
    """Return the channel of a Channel Definition Sequence item.

    None when its samples are not a voltage: without Channel Sensitivity in nV,
    uV, mV or V no millimetre on the page would mean anything.
    """
    scale = _voltage_scale(definition)
    if scale is None:
        return None
    microvolts_per_sensitivity_unit, sensitivity = scale
    microvolts_per_unit = microvolts_per_sensitivity_unit * sensitivity
    samples = group.raw[:, index]
    lead, derived = lead_of(definition)
    skew = number(definition, "ChannelTimeSkew")
    if skew is None:
        skew = (number(definition, "ChannelSampleSkew") or 0.0) / group.sampling_rate_hz
    # Channel Baseline is in the units of the sensitivity, not of the samples (C.10.9.1.4).
    baseline = (number(definition, "ChannelBaseline") or 0.0) * microvolts_per_sensitivity_unit
    channel = RecordedChannel(
        lead=lead,
        label=lead.value if lead is not None else _label(definition),
        samples=samples,
        microvolts_per_unit=microvolts_per_unit,
        baseline_microvolts=baseline,
        missing=_missing_markers(samples, group.padding, microvolts_per_unit),
        skew_seconds=skew,
        filters=FilterSettings(
            low_hz=number(definition, "FilterLowFrequency"),
            high_hz=number(definition, "FilterHighFrequency"),
            notch_hz=number(definition, "NotchFilterFrequency"),
        ),
        status=_status(definition),
        origin=LeadOrigin.DEVICE_DERIVED if derived else LeadOrigin.RECORDED,
    )
    return channel if group.kept is None else KeptChannel.of(channel, group.kept, index)


def lead_of(definition: Dataset) -> tuple[Lead | None, bool]:
    """Return the channel's lead and whether the device derived it.

    By code, else by what the code means, else by the channel's label; None
    when none of them names a lead.
    """
    for source in items(definition, "ChannelSourceSequence"):
        lead, derived = lead_from_code(
            text(source, "CodingSchemeDesignator"), text(source, "CodeValue")
        )
        if lead is not None:
            return lead, derived
        lead = lead_from_name(text(source, "CodeMeaning"))
        if lead is not None:
            return lead, False
    return lead_from_name(text(definition, "ChannelLabel")), False


def _voltage_scale(definition: Dataset) -> tuple[float, float] | None:
    """Return µV per sensitivity unit and sensitivity units per sample unit, None without either."""
    units = first_item(definition, "ChannelSensitivityUnitsSequence")
    code = "" if units is None else text(units, "CodeValue").translate(_MICRO_SIGNS).upper()
    sensitivity = number(definition, "ChannelSensitivity")
    correction = number(definition, "ChannelSensitivityCorrectionFactor")
    if code not in _MICROVOLTS_PER_UNIT or sensitivity is None:
        return None
    scale = sensitivity * (1.0 if correction is None else correction)
    return (_MICROVOLTS_PER_UNIT[code], scale) if scale != 0 and math.isfinite(scale) else None


def _missing_markers(
    samples: Samples, padding: int | None, microvolts_per_unit: float
) -> tuple[int, ...]:
    """Return the raw values that stand for "no sample".

    Recorders mark lost samples with the lowest value of the type even when
    they state no padding value; it counts as a mark where it cannot be a heart.
    """
    markers = [] if padding is None else [padding]
    if samples.dtype.kind == "i":
        lowest = -(1 << (8 * samples.dtype.itemsize - 1))
        if abs(lowest * microvolts_per_unit) >= _IMPLAUSIBLE_MICROVOLTS and lowest not in markers:
            markers.append(lowest)
    return tuple(markers)


def _label(definition: Dataset) -> str:
    source = first_item(definition, "ChannelSourceSequence")
    meaning = "" if source is None else text(source, "CodeMeaning")
    return (text(definition, "ChannelLabel") or meaning or "?")[:_LABEL_LENGTH]


def _status(definition: Dataset) -> frozenset[ChannelStatus]:
    stated = {part.strip().upper() for part in text(definition, "ChannelStatus").split("\\")}
    return frozenset(status for status in ChannelStatus if status.value in stated)
