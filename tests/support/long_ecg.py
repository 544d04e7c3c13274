"""A 24 h ambulatory ECG made for a test or a measurement, written without holding it in memory."""

import io
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO, Final

import numpy as np
import numpy.typing as npt
from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.filewriter import write_dataset
from pydicom.uid import UID, ExplicitVRLittleEndian, generate_uid

from storage.ecg.leads import Lead
from tests.support.ecg import channel, code, multiplex_group

AMBULATORY: Final = "1.2.840.10008.5.1.4.1.1.9.1.3"
LEADS: Final = (Lead.V1, Lead.V5, Lead.II)
STARTED: Final = datetime(2026, 11, 20, 8, 30)  # noqa: DTZ001 -- a recorder's wall clock
_UNDEFINED: Final = 0xFFFFFFFF
_CHUNK_SECONDS: Final = 60.0


@dataclass(frozen=True, slots=True)
class Recording:
    """What is in the made file.

    beats: seconds of the R peaks. pause: seconds of the beats before and after the longest RR.
    """

    path: Path
    beats: npt.NDArray[np.float64]
    pause: tuple[float, float]


def write_long_ecg(
    path: Path,
    *,
    seconds: float = 86_400,
    rate: int = 250,
    leads: Sequence[Lead] = LEADS,
    pause_at: float = 0.6,
    patient: Dataset | None = None,
) -> Recording:
    """Write an Ambulatory ECG Waveform object (PS3.3 A.34.5) of 16-bit samples of 1 µV.

    50 to 90 beats a minute over the day, and one pause of 3.4 s at a part of the record;
    two marks of the recorder. patient: elements to add.
    """
    beats = _beats(seconds, pause_at)
    longest = int(np.argmax(np.diff(beats)))
    pause = (float(beats[longest]), float(beats[longest + 1]))
    count = round(seconds * rate)
    definitions = [channel(lead) for lead in leads]
    group = multiplex_group(np.empty((0, len(leads)), "<i2"), definitions)
    group.NumberOfWaveformSamples = count
    group.SamplingFrequency = rate
    del group.WaveformData
    dataset = Dataset()
    dataset.update(patient or Dataset())
    dataset.SOPClassUID = AMBULATORY
    dataset.SOPInstanceUID = dataset.get("SOPInstanceUID") or generate_uid()
    dataset.SpecificCharacterSet = "ISO_IR 192"
    dataset.AcquisitionDateTime = STARTED.strftime("%Y%m%d%H%M%S")
    dataset.Modality = "ECG"
    dataset.WaveformAnnotationSequence = [
        _mark("患者按键", samples=[round(0.25 * count) + 1]),
        _mark("PAUSE", seconds=[pause[0], pause[1]]),
    ]
    with path.open("wb") as file:
        file.write(_beginning(dataset))
        file.write(struct.pack("<HH2sHL", 0x5400, 0x0100, b"SQ", 0, _UNDEFINED))
        file.write(struct.pack("<HHL", 0xFFFE, 0xE000, _UNDEFINED))
        file.write(_encoded(group))
        size = count * 2 * len(leads)
        file.write(struct.pack("<HH2sHL", 0x5400, 0x1010, b"OW", 0, size))
        _write_samples(file, beats, count, rate, len(leads))
        file.write(struct.pack("<HHL", 0xFFFE, 0xE00D, 0) + struct.pack("<HHL", 0xFFFE, 0xE0DD, 0))
    return Recording(path, beats, pause)


def _beats(seconds: float, pause_at: float) -> npt.NDArray[np.float64]:
    times: list[float] = []
    at, paused = 0.5, False
    while at < seconds:
        times.append(at)
        rate = 70 - 20 * np.cos(2 * np.pi * at / 86_400)
        step = 60 / rate * (1 + 0.03 * np.sin(at / 2.1))
        if not paused and at >= pause_at * seconds:
            step, paused = 3.4, True
        at += step
    return np.array(times)


def _write_samples(
    file: BinaryIO, beats: npt.NDArray[np.float64], count: int, rate: int, channels: int
) -> None:
    noise = np.random.default_rng(5)
    scales = np.array([0.6, 1.0, 0.8, *([0.7] * channels)])[:channels]
    for first, last in _chunks(count, round(_CHUNK_SECONDS * rate)):
        seconds = np.arange(first, last) / rate
        near = beats[(beats > seconds[0] - 1) & (beats < seconds[-1] + 1)]
        wave = np.zeros(len(seconds))
        for beat in near:
            begin, end = np.searchsorted(seconds, (beat - 0.3, beat + 0.5))
            wave[begin:end] += _one_beat(seconds[begin:end] - beat)
        mixed = wave[:, None] * scales + noise.normal(0, 8, (len(seconds), channels))
        file.write(mixed.astype("<i2").tobytes())


def _one_beat(t: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """A P wave, a QRS complex and a T wave in µV around 0 s."""
    waves = ((-0.16, 0.02, 120), (-0.025, 0.008, -90), (0, 0.011, 1100), (0.03, 0.01, -220))
    total = 280 * np.exp(-(((t - 0.25) / 0.04) ** 2) / 2)
    for middle, width, height in waves:
        total += height * np.exp(-(((t - middle) / width) ** 2) / 2)
    return total


def _chunks(count: int, size: int) -> Iterator[tuple[int, int]]:
    for first in range(0, count, size):
        yield first, min(first + size, count)


def _mark(words: str, **place: Any) -> Dataset:  # noqa: ANN401 -- samples or seconds
    item = Dataset()
    item.UnformattedTextValue = words
    item.ReferencedWaveformChannels = [1, 0]
    item.AnnotationGroupNumber = 1
    if "samples" in place:
        item.TemporalRangeType = "POINT"
        item.ReferencedSamplePositions = place["samples"]
    else:
        item.TemporalRangeType = "SEGMENT"
        item.ReferencedTimeOffsets = [f"{one:.3f}" for one in place["seconds"]]
        item.ConceptNameCodeSequence = [code("RR-PAUSE", "99TEST", "Pause")]
    return item


def _beginning(dataset: Dataset) -> bytes:
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.file_meta.MediaStorageSOPClassUID = UID(AMBULATORY)
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    target = io.BytesIO()
    dataset.save_as(target, enforce_file_format=True)
    return target.getvalue()


def _encoded(item: Dataset) -> bytes:
    from pydicom.filebase import DicomBytesIO  # noqa: PLC0415

    target = DicomBytesIO()
    target.is_little_endian, target.is_implicit_VR = True, False
    write_dataset(target, item)
    return target.getvalue()
