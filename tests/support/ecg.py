"""ECG objects made for a test: DICOM datasets with known samples, and records with known shapes."""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian, generate_uid

from storage.ecg.dicom_reader import read_ecg
from storage.ecg.leads import STANDARD_LEADS, Lead
from storage.ecg.waveform import EcgGroup, EcgRecord, GroupKind, RecordedChannel

TWELVE_LEAD = "1.2.840.10008.5.1.4.1.1.9.1.1"
CORPUS = Path(__file__).resolve().parents[3] / "shared" / "corpus"
FORMATS = CORPUS / "ecg" / "formats"

INTERPRETATIONS = {
    "i1": "SB",
    "u1": "UB",
    "i2": "SS",
    "u2": "US",
    "i4": "SL",
    "u4": "UL",
    "i8": "SV",
    "u8": "UV",
}
MDC_NUMBERS = {
    Lead.I: 1,
    Lead.II: 2,
    Lead.V1: 3,
    Lead.V2: 4,
    Lead.V3: 5,
    Lead.V4: 6,
    Lead.V5: 7,
    Lead.V6: 8,
    Lead.III: 61,
    Lead.AVR: 62,
    Lead.AVL: 63,
    Lead.AVF: 64,
}


def code(value: str, scheme: str, meaning: str = "") -> Dataset:
    item = Dataset()
    item.CodeValue = value
    item.CodingSchemeDesignator = scheme
    item.CodeMeaning = meaning
    return item


def channel(
    source: Lead | Dataset | None,
    *,
    unit: str | None = "uV",
    sensitivity: float = 1,
    **more: object,
) -> Dataset:
    """A Channel Definition Sequence item; `more` are further elements by keyword."""
    definition = Dataset()
    if isinstance(source, Lead):
        source = code(f"2:{MDC_NUMBERS[source]}", "MDC", f"Lead {source.value}")
    if source is not None:
        definition.ChannelSourceSequence = [source]
    if unit is not None:
        definition.ChannelSensitivity = sensitivity
        definition.ChannelSensitivityUnitsSequence = [code(unit, "UCUM")]
    definition.WaveformBitsStored = 16
    for keyword, value in more.items():
        setattr(definition, keyword, value)
    return definition


def multiplex_group(
    samples: npt.NDArray[Any], channels: Sequence[Dataset], **more: object
) -> Dataset:
    """A Waveform Sequence item from (samples, channels); `more` overrides or adds elements."""
    item = Dataset()
    item.WaveformOriginality = "ORIGINAL"
    item.NumberOfWaveformChannels = samples.shape[1]
    item.NumberOfWaveformSamples = samples.shape[0]
    item.SamplingFrequency = 500
    item.ChannelDefinitionSequence = list(channels)
    item.WaveformBitsAllocated = samples.dtype.itemsize * 8
    item.WaveformSampleInterpretation = INTERPRETATIONS[samples.dtype.str[1:]]
    data = samples.tobytes()
    item.add_new("WaveformData", "OW", data + b"\0" * (len(data) % 2))
    for keyword, value in more.items():
        setattr(item, keyword, value)
    return item


def ecg_dataset(*groups: Dataset, **more: object) -> Dataset:
    """A waveform object; `more` are further elements by keyword."""
    dataset = Dataset()
    dataset.SOPClassUID = TWELVE_LEAD
    dataset.SOPInstanceUID = generate_uid()
    dataset.WaveformSequence = list(groups)
    for keyword, value in more.items():
        setattr(dataset, keyword, value)
    return dataset


def file_bytes(dataset: Dataset, transfer_syntax: str = ExplicitVRLittleEndian) -> bytes:
    """The dataset as a DICOM file."""
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = UID(transfer_syntax)
    dataset.file_meta.MediaStorageSOPClassUID = dataset.get("SOPClassUID", TWELVE_LEAD)
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    target = io.BytesIO()
    dataset.save_as(target, enforce_file_format=True)
    return target.getvalue()


def read(dataset: Dataset, transfer_syntax: str = ExplicitVRLittleEndian) -> EcgRecord:
    """Write the dataset to a file and read it back with the reader under test."""
    return read_ecg(io.BytesIO(file_bytes(dataset, transfer_syntax)))


def one_lead(
    samples: Sequence[int], *, unit: str = "uV", sensitivity: float = 1, **more: object
) -> RecordedChannel:
    """The channel that the reader makes of lead I with these samples."""
    raw = np.array(samples, dtype="<i2")[:, None]
    definition = channel(Lead.I, unit=unit, sensitivity=sensitivity, **more)
    return read(ecg_dataset(multiplex_group(raw, [definition]))).groups[0].channels[0]


def record(
    signals: dict[Lead, npt.NDArray[Any]] | None = None,
    *,
    seconds: float = 10,
    rate: float = 500,
    offset_seconds: float = 0,
) -> EcgRecord:
    """A record of one rhythm group in µV; the twelve leads at 0 µV unless signals are given."""
    count = round(seconds * rate)
    signals = signals or {lead: np.zeros(count) for lead in STANDARD_LEADS}
    channels = tuple(RecordedChannel(lead, lead.value, values) for lead, values in signals.items())
    return EcgRecord(
        groups=(EcgGroup(GroupKind.RHYTHM, "", rate, count, channels, offset_seconds),)
    )
