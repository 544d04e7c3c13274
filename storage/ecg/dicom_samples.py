"""The samples of one multiplex group of a waveform object (PS3.3 C.10.9.1)."""

from typing import Final, cast

import numpy as np
from pydicom.dataset import Dataset

from storage.ecg.dicom_channels import GroupSamples
from storage.ecg.dicom_values import number, text, value
from storage.ecg.errors import EcgBroken, EcgUnsupported
from storage.ecg.kept_samples import DataInFile, KeptSamples
from storage.ecg.waveform import Samples

EXPORT_AGAIN: Final = "Export the ECG again at the device; the received object is kept."

_SIGNED: Final = frozenset({"SB", "SS", "SL", "SV"})
_UNSIGNED: Final = frozenset({"UB", "US", "UL", "UV"})
_MAX_RATE_HZ: Final = 100_000.0


def data_of(item: Dataset) -> bytes:
    """Return the Waveform Data (5400,1010) of a group; empty where there is none."""
    found = value(item, "WaveformData")
    return found if isinstance(found, bytes) else b""


def samples_of(
    item: Dataset,
    data: bytes | DataInFile,
    dtype: "np.dtype[np.integer]",
    defined: int,
    where: str,
    *,
    channels_max: int,
) -> GroupSamples:
    """Return the group's raw samples without copying them, or where they are.

    defined: how many channels have a definition. where: the group, for errors.

    Raises:
        EcgBroken: rate, channels or samples cannot be.
    """
    rate = number(item, "SamplingFrequency")
    if rate is None or not 0 < rate <= _MAX_RATE_HZ:
        raise EcgBroken(
            f"The ECG's {where} has no usable sampling frequency",
            expected=f"Sampling Frequency (003A,001A) above 0 and at most {_MAX_RATE_HZ:.0f} Hz",
            found="none" if rate is None else f"{rate:g} Hz",
            remedy="Without it no interval can be measured; export the ECG again at the device.",
        )
    stated_channels = number(item, "NumberOfWaveformChannels")
    channels = defined if stated_channels is None else int(stated_channels)
    if not 1 <= channels <= channels_max or defined == 0:
        raise EcgBroken(
            f"The ECG's {where} has an impossible number of channels",
            expected=f"1 to {channels_max} channels, each with a definition",
            found=f"{channels} channels, {defined} definitions",
            remedy=EXPORT_AGAIN,
        )
    frame = dtype.itemsize * channels
    stated_samples = number(item, "NumberOfWaveformSamples")
    samples = len(data) // frame if stated_samples is None else int(stated_samples)
    if samples < 1 or samples * frame > len(data):
        raise EcgBroken(
            f"The ECG's {where} does not hold the samples it states",
            expected=f"{max(samples, 1) * frame} bytes for {channels} channels",
            found=f"{len(data)} bytes of Waveform Data (5400,1010)",
            remedy="The object was cut off or miswritten; send it again from the device.",
        )
    padding = _padding_value(item, dtype)
    if isinstance(data, DataInFile):
        kept = KeptSamples(data, dtype, channels, samples)
        return GroupSamples(kept.none, rate, padding, kept)
    raw = np.frombuffer(data, dtype=dtype, count=samples * channels).reshape(samples, channels)
    return GroupSamples(cast("Samples", raw), rate, padding)


def sample_type(item: Dataset, where: str, *, big_endian: bool) -> "np.dtype[np.integer]":
    """Return how samples are encoded; signed where the file does not say.

    Raises:
        EcgUnsupported: an encoding that is not linear, or of an odd width.
    """
    bits = number(item, "WaveformBitsAllocated")
    interpretation = text(item, "WaveformSampleInterpretation").upper()
    signed = interpretation in _SIGNED or not interpretation
    if bits not in {8, 16, 32, 64} or not (signed or interpretation in _UNSIGNED):
        said = interpretation or "not stated"
        raise EcgUnsupported(
            f"The ECG's {where} is in an encoding that is not read",
            expected="8, 16, 32 or 64 bit linear samples (SB, UB, SS, US, SL, UL, SV, UV)",
            found=f"{'no' if bits is None else int(bits)} bits, interpretation {said}",
            remedy="Set up the device to export 16-bit signed samples; the object is kept.",
        )
    return np.dtype(f"{'>' if big_endian else '<'}{'i' if signed else 'u'}{int(bits) // 8}")


def _padding_value(item: Dataset, dtype: "np.dtype[np.integer]") -> int | None:
    data = value(item, "WaveformPaddingValue")
    if not isinstance(data, bytes) or len(data) < dtype.itemsize:
        return None
    return int(np.frombuffer(data, dtype=dtype, count=1)[0])
