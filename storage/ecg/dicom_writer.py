"""A record as a DICOM ECG object: General ECG Waveform unless it does not fit (PS3.3 A.34.4).

Samples are written as the integers that the record holds and the scale as
Channel Sensitivity, so that reading the object again gives the same samples
bit by bit. Everything follows from what is given: the same file of the same
site becomes the same object.
"""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, BinaryIO, Final

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian
from pydicom.valuerep import format_number_as_ds

from storage.ecg.dicom_device_findings import annotation_items
from storage.ecg.errors import EcgUnsupported
from storage.ecg.identification import SEXES, EcgAcquisition, EcgPatient
from storage.ecg.leads import mdc_code
from storage.ecg.waveform import (
    EcgGroup,
    EcgRecord,
    FilterSettings,
    GroupKind,
    LeadOrigin,
    RecordedChannel,
)
from storage.implementation import IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME
from storage.transliteration import with_pinyin

GENERAL_ECG: Final = "1.2.840.10008.5.1.4.1.1.9.1.2"
AMBULATORY_ECG: Final = "1.2.840.10008.5.1.4.1.1.9.1.3"
GENERAL_32_BIT_ECG: Final = "1.2.840.10008.5.1.4.1.1.9.1.4"
_LOWEST_GENERAL_HZ: Final = 200.0
_AMBULATORY_SECONDS: Final = 600.0
_AMBULATORY_CHANNELS: Final = 12
_LO: Final = 64
_SH: Final = 16
_ST: Final = 1024
_LT: Final = 10_240
_INT16: Final = np.iinfo(np.int16)
_INT32: Final = np.iinfo(np.int32)
_PADDING: Final = {2: int(_INT16.min), 4: int(_INT32.min)}


@dataclass(frozen=True, slots=True)
class ObjectIdentity:
    """What names the object and says what it was made of.

    converted_from: the format and digest of the original file, in words, for Contribution
        Description (0018,A003).
    made_at: when it was received, aware; the same for the same file.
    """

    study_instance_uid: str
    series_instance_uid: str
    sop_instance_uid: str
    converted_from: str
    made_at: datetime


def write_ecg(
    target: BinaryIO,
    record: EcgRecord,
    patient: EcgPatient,
    acquisition: EcgAcquisition,
    identity: ObjectIdentity,
) -> str:
    """Write the record as a Part 10 file in Explicit VR Little Endian; return its SOP Class UID.

    Samples have to be integers (or NaN for missing ones); computed leads are not written, since
    they follow from the others.

    Raises:
        EcgUnsupported: samples that no ECG object can hold.
    """
    dataset = ecg_dataset(record, patient, acquisition, identity)
    dataset.save_as(target, enforce_file_format=True)
    return str(dataset.SOPClassUID)


def ecg_bytes(
    record: EcgRecord, patient: EcgPatient, acquisition: EcgAcquisition, identity: ObjectIdentity
) -> bytes:
    """Return what `write_ecg` writes, for records that are small."""
    target = io.BytesIO()
    write_ecg(target, record, patient, acquisition, identity)
    return target.getvalue()


def ecg_dataset(
    record: EcgRecord, patient: EcgPatient, acquisition: EcgAcquisition, identity: ObjectIdentity
) -> Dataset:
    """Return the object of `write_ecg` with its file meta information."""
    groups = [_EncodedGroup(group) for group in record.groups]
    dataset = Dataset()
    dataset.SpecificCharacterSet = "ISO_IR 192"
    dataset.SOPClassUID = _sop_class(record, groups)
    dataset.SOPInstanceUID = identity.sop_instance_uid
    fill_patient_and_study(dataset, patient, acquisition, identity, record.acquired_at)
    _fill_equipment(dataset, record, acquisition, identity)
    _fill_waveform(dataset, record, acquisition, identity)
    dataset.WaveformSequence = [group.item() for group in groups]
    annotations = annotation_items(record)
    if annotations:
        dataset.WaveformAnnotationSequence = annotations
    dataset.file_meta = file_meta(dataset)
    return dataset


def file_meta(dataset: Dataset) -> FileMetaDataset:
    """Return file meta information for an instance of ours in Explicit VR Little Endian."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = UID(dataset.SOPClassUID)
    meta.MediaStorageSOPInstanceUID = UID(dataset.SOPInstanceUID)
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.ImplementationClassUID = UID(IMPLEMENTATION_CLASS_UID)
    meta.ImplementationVersionName = IMPLEMENTATION_VERSION_NAME
    return meta


def fill_patient_and_study(
    dataset: Dataset,
    patient: EcgPatient,
    acquisition: EcgAcquisition,
    identity: ObjectIdentity,
    acquired_at: datetime | None,
) -> None:
    """Fill Patient (C.7.1.1), General Study (C.7.2.1) and the series' identity (C.7.3.1).

    Without a time of acquisition date and time stay empty: the time of arrival is not when the
    heart beat so.
    """
    dataset.PatientName = with_pinyin(patient.name[:_LO])
    dataset.PatientID = patient.patient_id[:_LO]
    dataset.PatientBirthDate = patient.birth_date.strftime("%Y%m%d") if patient.birth_date else ""
    dataset.PatientSex = patient.sex if patient.sex in SEXES else ""
    if patient.age_years is not None and 0 <= patient.age_years < 1000:  # noqa: PLR2004 -- AS has three digits
        dataset.PatientAge = f"{patient.age_years:03}Y"
    dataset.StudyInstanceUID = identity.study_instance_uid
    dataset.StudyDate = acquired_at.strftime("%Y%m%d") if acquired_at else ""
    dataset.StudyTime = acquired_at.strftime("%H%M%S") if acquired_at else ""
    dataset.ReferringPhysicianName = with_pinyin(acquisition.referring_physician[:_LO])
    dataset.StudyID = ""
    dataset.AccessionNumber = acquisition.order_number[:_SH]
    dataset.Modality = "ECG"
    dataset.SeriesInstanceUID = identity.series_instance_uid
    dataset.SeriesNumber = 1
    dataset.InstanceNumber = 1
    if acquired_at is not None and acquired_at.utcoffset() is not None:
        dataset.TimezoneOffsetFromUTC = acquired_at.strftime("%z")[:5]


def _fill_equipment(
    dataset: Dataset, record: EcgRecord, acquisition: EcgAcquisition, identity: ObjectIdentity
) -> None:
    """Fill General Equipment (C.7.5.1) and what was done to the file (C.12.1, C.12.1.1.5)."""
    dataset.Manufacturer = record.manufacturer[:_LO]
    for keyword, value, length in (
        ("ManufacturerModelName", record.model, _LO),
        ("InstitutionName", acquisition.institution, _LO),
        ("InstitutionalDepartmentName", acquisition.department, _LO),
        ("StationName", acquisition.station, _SH),
        ("DeviceSerialNumber", acquisition.device_serial_number, _LO),
        ("SoftwareVersions", acquisition.software_version.replace("\\", "/"), _LO),
        ("OperatorsName", with_pinyin(acquisition.operator[:_LO]), None),
    ):
        if value:
            setattr(dataset, keyword, value[:length])
    dataset.ContributingEquipmentSequence = [_converter(identity)]


def _converter(identity: ObjectIdentity) -> Dataset:
    item = Dataset()
    item.PurposeOfReferenceCodeSequence = [_code("109103", "DCM", "Modifying Equipment")]
    item.Manufacturer = "RDC"
    item.SoftwareVersions = IMPLEMENTATION_VERSION_NAME
    item.ContributionDateTime = identity.made_at.strftime("%Y%m%d%H%M%S.%f%z")
    item.ContributionDescription = identity.converted_from[:_ST]
    return item


def _fill_waveform(
    dataset: Dataset, record: EcgRecord, acquisition: EcgAcquisition, identity: ObjectIdentity
) -> None:
    """Fill Waveform Identification (C.10.8), Acquisition Context (C.7.6.14), Synchronization."""
    when = record.acquired_at
    dataset.ContentDate = when.strftime("%Y%m%d") if when else ""
    dataset.ContentTime = when.strftime("%H%M%S.%f") if when else ""
    dataset.AcquisitionDateTime = when.strftime("%Y%m%d%H%M%S.%f%z") if when else ""
    dataset.AcquisitionContextSequence = []
    if acquisition.reason:
        dataset.AdditionalPatientHistory = acquisition.reason[:_LT]
    if any(_is_late(group) for group in record.groups):
        # Offsets of groups need a common time base (C.7.4.2).
        dataset.SynchronizationFrameOfReferenceUID = identity.series_instance_uid
        dataset.SynchronizationTrigger = "NO TRIGGER"
        dataset.AcquisitionTimeSynchronized = "Y"


def _is_late(group: EcgGroup) -> bool:
    return group.kind is GroupKind.RHYTHM and group.offset_seconds != 0


def _sop_class(record: EcgRecord, groups: Sequence["_EncodedGroup"]) -> str:
    """Return General ECG, or what holds a record that it does not (A.34.4, A.34.5, A.34.10)."""
    if any(group.raw.dtype.itemsize > 2 for group in groups):  # noqa: PLR2004 -- bytes of SS
        return GENERAL_32_BIT_ECG
    alone = len(groups) == 1 and groups[0].raw.shape[1] <= _AMBULATORY_CHANNELS
    slow = groups[0].group.sampling_rate_hz < _LOWEST_GENERAL_HZ
    if alone and (slow or record.duration_seconds > _AMBULATORY_SECONDS):
        return AMBULATORY_ECG
    return GENERAL_ECG


class _EncodedGroup:
    """A group with its samples as (samples, channels) in the smallest type that holds them."""

    def __init__(self, group: EcgGroup) -> None:
        self.group = group
        columns = [_integers(channel) for channel in group.channels]
        self.padded = any(missing.any() for _, missing in columns)
        lowest = min(int(values.min(initial=0)) for values, _ in columns)
        highest = max(int(values.max(initial=0)) for values, _ in columns)
        # The lowest value of the type is kept for "no sample".
        size = 2 if lowest > _INT16.min and highest <= _INT16.max else 4
        if size == 4 and not (lowest > _INT32.min and highest <= _INT32.max):  # noqa: PLR2004
            raise EcgUnsupported(
                "The ECG's samples do not fit 32 bits",
                expected=f"{_INT32.min + 1} to {_INT32.max}",
                found=f"{lowest} to {highest}",
                remedy="Export the ECG again at the device; the original file is kept.",
            )
        self.raw: npt.NDArray[Any] = np.empty((group.sample_count, len(columns)), dtype=f"<i{size}")
        for index, (values, missing) in enumerate(columns):
            self.raw[:, index] = values
            self.raw[missing, index] = _PADDING[size]

    def item(self) -> Dataset:
        """Return the Waveform Sequence item (C.10.9)."""
        group, size = self.group, self.raw.dtype.itemsize
        item = Dataset()
        if _is_late(group):
            item.MultiplexGroupTimeOffset = _number(group.offset_seconds * 1000)
        item.WaveformOriginality = "ORIGINAL" if group.kind is GroupKind.RHYTHM else "DERIVED"
        item.NumberOfWaveformChannels = self.raw.shape[1]
        item.NumberOfWaveformSamples = self.raw.shape[0]
        item.SamplingFrequency = _number(group.sampling_rate_hz)
        item.MultiplexGroupLabel = (group.label or group.kind.value)[:_SH]
        item.ChannelDefinitionSequence = [
            _definition(channel, number, size)
            for number, channel in enumerate(group.channels, start=1)
        ]
        item.WaveformBitsAllocated = size * 8
        item.WaveformSampleInterpretation = "SS" if size == 2 else "SL"  # noqa: PLR2004
        if self.padded:
            padding = _PADDING[size].to_bytes(size, "little", signed=True)
            item.add_new("WaveformPaddingValue", "OW", padding)
        item.add_new("WaveformData", "OW", self.raw.tobytes())
        return item


def _integers(channel: RecordedChannel) -> tuple[npt.NDArray[Any], npt.NDArray[np.bool_]]:
    """Return a channel's samples as integers, 0 where one is missing, and where that is."""
    samples = channel.samples
    missing = np.isin(samples, channel.missing) if channel.missing else np.zeros(len(samples), bool)
    if samples.dtype.kind == "f":
        missing |= ~np.isfinite(samples)
        whole = np.where(missing, 0, samples)
        if np.any(whole != np.rint(whole)) or np.any(np.abs(whole) > 2.0**53):
            raise EcgUnsupported(
                "The ECG's samples are not integers",
                expected="the integers of the device's converter, with their scale apart",
                remedy="Export the ECG again at the device; the original file is kept.",
            )
        return whole.astype(np.int64), missing
    return (np.where(missing, 0, samples) if missing.any() else samples), missing


def _definition(channel: RecordedChannel, number: int, size: int) -> Dataset:
    """Return the Channel Definition Sequence item (C.10.9.1)."""
    definition = Dataset()
    definition.WaveformChannelNumber = number
    definition.ChannelLabel = channel.label[:_SH]
    if channel.status:
        definition.ChannelStatus = sorted(status.value for status in channel.status)
    derived = channel.origin is LeadOrigin.DEVICE_DERIVED
    value, meaning = mdc_code(channel.lead, derived=derived)
    definition.ChannelSourceSequence = [_code(value, "MDC", meaning)]
    definition.ChannelSensitivity = _number(channel.microvolts_per_unit)
    definition.ChannelSensitivityUnitsSequence = [_code("uV", "UCUM", "microvolt")]
    definition.ChannelSensitivityCorrectionFactor = _number(1)
    definition.ChannelBaseline = _number(channel.baseline_microvolts)
    definition.ChannelTimeSkew = _number(channel.skew_seconds)
    definition.WaveformBitsStored = size * 8
    _fill_filters(definition, channel.filters)
    return definition


def _fill_filters(definition: Dataset, filters: FilterSettings) -> None:
    if filters.low_hz is not None:
        definition.FilterLowFrequency = _number(filters.low_hz)
    if filters.high_hz is not None:
        definition.FilterHighFrequency = _number(filters.high_hz)
    if filters.notch_hz is not None:
        definition.NotchFilterFrequency = _number(filters.notch_hz)


def _number(value: float) -> float:
    """Return the value as DS: exact where 16 characters suffice, else to 14 digits or so."""
    shortest = repr(float(value)).removesuffix(".0")
    return float(shortest if len(shortest) <= _SH else format_number_as_ds(float(value)))


def _code(value: str, scheme: str, meaning: str) -> Dataset:
    item = Dataset()
    item.CodeValue = value
    item.CodingSchemeDesignator = scheme
    item.CodeMeaning = meaning
    return item
