"""DICOM waveform objects into the record model (PS3.3 A.34, C.10.9).

Read leniently: 12-lead, General, Ambulatory and 32-bit ECG, groups of any
channel count, retired and private lead codes, missing labels. Never leniently
about what a sample means: a channel without a voltage scale is left out and
said so, and no byte becomes signal that the file does not hold.
"""

import io
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import BinaryIO, Final, cast

from pydicom import dcmread  # pyright: ignore[reportUnknownVariableType] -- PathLike without its parameter
from pydicom.dataset import Dataset
from pydicom.errors import InvalidDicomError
from pydicom.filereader import read_dataset
from pydicom.tag import BaseTag
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian

from storage.ecg.dicom_annotations import read_annotations
from storage.ecg.dicom_channels import GroupSamples, lead_of, read_channel
from storage.ecg.dicom_samples import EXPORT_AGAIN, data_of, sample_type, samples_of
from storage.ecg.dicom_values import (
    CONVERSION_ERRORS,
    acquisition_time,
    items,
    number,
    text,
)
from storage.ecg.errors import EcgBroken, EcgTooLarge, EcgUnsupported, NotAnEcg
from storage.ecg.kept_samples import DataInFile
from storage.ecg.leads import Lead
from storage.ecg.waveform import EcgGroup, EcgRecord, GroupKind

STANDARD_STORAGE: Final = "1.2.840.10008."
"""What every UID of the standard begins with."""
ECG_STORAGE: Final = "1.2.840.10008.5.1.4.1.1.9.1."
"""What the SOP Class UID of every ECG waveform begins with: 1 12-lead, 2 General, 3 Ambulatory,
4 General 32-bit."""
_WANTED: Final = (
    "SOPClassUID",
    "AcquisitionDateTime",
    "AcquisitionDate",
    "AcquisitionTime",
    "ContentDate",
    "ContentTime",
    "StudyDate",
    "StudyTime",
    "TimezoneOffsetFromUTC",
    "Manufacturer",
    "ManufacturerModelName",
    "WaveformSequence",
    "WaveformAnnotationSequence",
)
_SHORTEST_RHYTHM_SECONDS: Final = 2.0
_MEDIAN_WORDS: Final = ("MEDIAN", "AVERAGE", "TEMPLATE", "REPRESENTATIVE")


@dataclass(frozen=True, slots=True)
class ReadLimits:
    """The largest object that is read; beyond it the reader refuses at once.

    The default size holds a 24 h record of three leads at 250 Hz. Memory used
    is about twice the object's size while reading and once afterwards.
    """

    object_bytes: int = 144 * 1024 * 1024
    groups: int = 64
    channels_per_group: int = 256


_DEFAULT_LIMITS: Final = ReadLimits()


class _Bounded(io.RawIOBase):
    """A view on a seekable file whose reads never ask for more than is left.

    A length field that claims gigabytes would otherwise make the reader
    allocate them before it finds that the file is short. failed tells an
    OSError of the file from those that pydicom raises for malformed bytes.
    """

    def __init__(self, source: BinaryIO, size: int) -> None:
        self._source = source
        self._size = size
        self.failed = False

    def read(self, size: int = -1) -> bytes:
        left = max(self._size - self._source.tell(), 0)
        try:
            return self._source.read(left if size < 0 else min(size, left))
        except OSError:
            self.failed = True
            raise

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return self._source.seek(offset, whence)

    def tell(self) -> int:
        return self._source.tell()

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True


def read_ecg(source: BinaryIO, *, limits: ReadLimits = _DEFAULT_LIMITS) -> EcgRecord:
    """Read a DICOM ECG waveform object from a seekable binary file.

    The source is read from its beginning and left open.

    Raises:
        NotAnEcg: another kind of object, or no Waveform Sequence.
        EcgBroken: it ends too early or contradicts itself.
        EcgUnsupported: no channel carries a voltage, or a companded encoding.
        EcgTooLarge: beyond limits.
        OSError: the source itself failed.
    """
    size = source.seek(0, io.SEEK_END)
    _check_size(size, limits)
    try:
        dataset, big_endian = _parse(_Bounded(source, size), limits)
        return record_of(dataset, big_endian=big_endian, limits=limits)
    except RecursionError as error:
        raise EcgBroken(
            "The ECG object nests sequences too deeply",
            expected="a Waveform Sequence of a few levels",
            remedy=EXPORT_AGAIN,
        ) from error


def _check_size(size: int, limits: ReadLimits) -> None:
    if size > limits.object_bytes:
        raise EcgTooLarge(
            "The ECG object is too large to be drawn",
            expected=f"at most {limits.object_bytes} bytes",
            found=f"{size} bytes" if size < 2 * limits.object_bytes else "far more",
            remedy="Export a shorter part at the device; the received object is kept.",
        )


def _parse(bounded: _Bounded, limits: ReadLimits) -> tuple[Dataset, bool]:
    """Return the wanted elements and whether numbers are big-endian."""
    source = cast("BinaryIO", bounded)
    try:
        transfer_syntax = _transfer_syntax(source)
        if transfer_syntax == DeflatedExplicitVRLittleEndian:
            return _parse_deflated(source, limits), False
        source.seek(0)
        dataset = dcmread(source, force=True, specific_tags=list(_WANTED))
    except (InvalidDicomError, EOFError, OSError, *CONVERSION_ERRORS) as error:
        if bounded.failed:
            raise
        raise EcgBroken(
            "The ECG object cannot be parsed",
            expected="a DICOM waveform dataset",
            found=type(error).__name__,
            remedy=EXPORT_AGAIN,
        ) from error
    return dataset, transfer_syntax == ExplicitVRBigEndian


def _transfer_syntax(source: BinaryIO) -> str:
    """Return the Transfer Syntax UID and leave the source at the dataset.

    Empty, and the source at its beginning, when there is no file meta group.
    """
    source.seek(0)
    if source.read(132)[128:] != b"DICM":
        source.seek(0)
        return ""
    meta = read_dataset(source, is_implicit_VR=False, is_little_endian=True, stop_when=_after_meta)
    return text(meta, "TransferSyntaxUID")


def _after_meta(tag: BaseTag, _vr: str | None, _length: int) -> bool:
    return tag.group != 2  # noqa: PLR2004 -- the file meta group


def _parse_deflated(source: BinaryIO, limits: ReadLimits) -> Dataset:
    """Inflate at most what the limits allow: pydicom would inflate whatever there is."""
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        inflated = inflater.decompress(source.read(), limits.object_bytes + 1)
    except zlib.error as error:
        raise EcgBroken(
            "The deflated ECG object cannot be inflated",
            expected="an RFC 1951 stream (PS3.5 A.5)",
            remedy=EXPORT_AGAIN,
        ) from error
    _check_size(len(inflated), limits)
    return read_dataset(io.BytesIO(inflated), is_implicit_VR=False, is_little_endian=True)


def _check_class(dataset: Dataset) -> None:
    sop_class = text(dataset, "SOPClassUID")
    if sop_class.startswith(STANDARD_STORAGE) and not sop_class.startswith(ECG_STORAGE):
        raise NotAnEcg(
            "The object is not an ECG",
            expected=f"an ECG waveform SOP class ({ECG_STORAGE}1 to .4)",
            found=sop_class,
            remedy="Open it in the image viewer.",
        )
    if not items(dataset, "WaveformSequence"):
        raise NotAnEcg(
            "The object holds no waveform",
            expected="a Waveform Sequence (5400,0100) with at least one item",
            found="none",
            remedy="Send the ECG's waveform object; a printed ECG is read as a document.",
        )


def record_of(
    dataset: Dataset,
    *,
    big_endian: bool,
    limits: ReadLimits = _DEFAULT_LIMITS,
    left_in_file: Sequence[DataInFile | None] | None = None,
) -> EcgRecord:
    """Return the record that a waveform dataset holds.

    left_in_file: where each multiplex group's Waveform Data is, when the
        dataset comes without it; None for a group that has none.

    Raises:
        NotAnEcg, EcgBroken, EcgUnsupported, EcgTooLarge: as `read_ecg` does.
    """
    _check_class(dataset)
    multiplex_groups = items(dataset, "WaveformSequence")
    if len(multiplex_groups) > limits.groups:
        raise EcgTooLarge(
            "The ECG object has too many multiplex groups",
            expected=f"at most {limits.groups}",
            found=str(len(multiplex_groups)),
            remedy=EXPORT_AGAIN,
        )
    notes: list[str] = []
    groups: list[EcgGroup] = []
    leads: list[list[Lead | None]] = []
    for index, item in enumerate(multiplex_groups, start=1):
        definitions = items(item, "ChannelDefinitionSequence")
        leads.append([lead_of(definition)[0] for definition in definitions])
        where = f"multiplex group {index}"
        data = data_of(item) if left_in_file is None else left_in_file[index - 1] or b""
        dtype = sample_type(item, where, big_endian=big_endian)
        samples = samples_of(
            item, data, dtype, len(definitions), where, channels_max=limits.channels_per_group
        )
        group = _group(item, definitions, samples, where, notes)
        if group is not None:
            groups.append(group)
    if not groups:
        raise EcgUnsupported(
            "The ECG object has no channel with a voltage scale",
            expected="Channel Sensitivity (003A,0210) in nV, uV, mV or V for at least one channel",
            found="none",
            remedy="Set up the device to export calibrated waveforms; the received object is kept.",
        )
    measurements, statements = read_annotations(dataset, leads)
    return EcgRecord(
        groups=_on_one_time_axis(groups),
        acquired_at=acquisition_time(dataset),
        manufacturer=text(dataset, "Manufacturer"),
        model=text(dataset, "ManufacturerModelName"),
        measurements=measurements,
        statements=statements,
        notes=tuple(dict.fromkeys(notes)),
    )


def _on_one_time_axis(groups: list[EcgGroup]) -> tuple[EcgGroup, ...]:
    """Shift the groups so that the earliest rhythm group starts at 0.

    A median beat has no place in time and starts at 0 by itself.
    """
    starts = [group.offset_seconds for group in groups if group.kind is GroupKind.RHYTHM]
    origin = min(starts, default=0.0)
    return tuple(
        replace(
            group,
            offset_seconds=group.offset_seconds - origin if group.kind is GroupKind.RHYTHM else 0.0,
        )
        for group in groups
    )


def _group(
    item: Dataset, definitions: list[Dataset], samples: GroupSamples, where: str, notes: list[str]
) -> EcgGroup | None:
    """Return one multiplex group, None when none of its channels is a voltage.

    What was left out or read against the letter is added to notes.
    """
    sample_count, channel_count = samples.shape
    if len(definitions) < channel_count:
        missing = channel_count - len(definitions)
        notes.append(f"{where}: {missing} channels have no definition and are not shown")
    if samples.padding == 0:
        # Many devices write 0 here without meaning it, and 0 µV is a real value: taken at its
        # word it would tear the trace apart at every zero crossing.
        notes.append("Waveform Padding Value 0 is not taken as missing samples")
        samples = replace(samples, padding=None)
    channels = [
        read_channel(definition, samples, index)
        for index, definition in enumerate(definitions[:channel_count])
    ]
    notes.extend(
        f"{where}, channel {position} has no voltage scale and is not shown"
        for position, channel in enumerate(channels, start=1)
        if channel is None
    )
    shown = tuple(channel for channel in channels if channel is not None)
    if not shown:
        return None
    label = text(item, "MultiplexGroupLabel")
    return EcgGroup(
        kind=_kind(item, label, sample_count / samples.sampling_rate_hz),
        label=label,
        sampling_rate_hz=samples.sampling_rate_hz,
        sample_count=sample_count,
        channels=shown,
        offset_seconds=(number(item, "MultiplexGroupTimeOffset") or 0.0) / 1000,
    )


def _kind(item: Dataset, label: str, seconds: float) -> GroupKind:
    """Tell a median beat from a rhythm: by label, else by being derived and short."""
    if any(word in label.upper() for word in _MEDIAN_WORDS):
        return GroupKind.MEDIAN_BEAT
    derived = text(item, "WaveformOriginality").upper() == "DERIVED"
    if derived and not label and seconds < _SHORTEST_RHYTHM_SECONDS:
        return GroupKind.MEDIAN_BEAT
    return GroupKind.RHYTHM
