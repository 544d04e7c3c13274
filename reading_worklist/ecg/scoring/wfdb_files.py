"""Reads WFDB records and annotations, as far as the annotated ECG databases use them.

A reader of our own, for the formats 16 and 212 only: the `wfdb` library would
bring pandas and a web client into every installation for what the manual
describes on three pages (WFDB Applications Guide: header(5), signal(5), annot(5)).
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from storage.ecg.errors import EcgBroken, EcgUnsupported
from storage.ecg.leads import lead_from_name
from storage.ecg.waveform import EcgGroup, EcgRecord, GroupKind, RecordedChannel

_Counts: TypeAlias = npt.NDArray[np.int16]

_GAIN: Final = re.compile(r"([0-9.eE+-]+)(?:\((-?\d+)\))?(?:/(\S+))?")
_MICROVOLTS: Final = {"uv": 1.0, "mv": 1e3, "v": 1e6}
_DEFAULT_GAIN: Final = 200.0
_DEFAULT_RATE_HZ: Final = 250.0
_NO_SAMPLE: Final = {16: -(1 << 15), 212: -(1 << 11)}

_SKIP, _FIRST_MODIFIER, _AUX = 59, 60, 63


class Mark(NamedTuple):
    """One annotation: the sample, and the code of its symbol (1 N, 24 p, 27 t, 39 (, 40 ))."""

    sample: int
    code: int


@dataclass(frozen=True, slots=True)
class WfdbRecord:
    """A record and the comment lines of its header, without their ``#``."""

    name: str
    ecg: EcgRecord
    comments: Sequence[str]


def record_headers(folder: Path) -> Sequence[Path]:
    """Return the headers in the folder, by number where names are numbers, else by name."""

    def order(path: Path) -> tuple[int, str]:
        return (int(path.stem) if path.stem.isdigit() else 0, path.stem)

    return sorted(folder.glob("*.hea"), key=order)


def read_record(header: Path) -> WfdbRecord:
    """Return the record of a header, with the signals that lie beside it.

    Raises:
        EcgBroken: the header or the signal file contradicts itself.
        EcgUnsupported: a signal format other than 16 and 212.
        OSError: a file cannot be read.
    """
    lines = header.read_text(encoding="utf-8", errors="replace").splitlines()
    comments = [line.lstrip("#").strip() for line in lines if line.startswith("#")]
    first, *signals = [line.split() for line in lines if line.strip() and line[0] != "#"] or [[]]
    try:
        count = int(first[1])
        rate = float(first[2].split("/")[0]) if len(first) > 2 else _DEFAULT_RATE_HZ  # noqa: PLR2004
        if len(signals) < count or count < 1 or rate <= 0:
            raise _broken(header, f"{len(signals)} signals of {count} at {rate:g} Hz")
        channels = _channels(header, signals[:count])
    except (IndexError, ValueError) as error:
        raise _broken(header, str(error)) from error
    group = EcgGroup(
        GroupKind.RHYTHM, "", rate, min(len(c.samples) for c in channels), tuple(channels)
    )
    return WfdbRecord(header.stem, EcgRecord((group,)), comments)


def read_marks(path: Path) -> Sequence[Mark]:
    """Return the annotations of a file in MIT format, in file order, which is by time.

    Raises:
        EcgBroken: the file ends inside an annotation.
        OSError: it cannot be read.
    """
    words = np.frombuffer(path.read_bytes()[: path.stat().st_size // 2 * 2], "<u2")
    try:
        return list(_marks(words))
    except IndexError as error:
        raise _broken(path, "an annotation is cut off") from error


def cut(record: EcgRecord, start: float, stop: float) -> EcgRecord:
    """Return the seconds [start, stop) of a record's first group as a record of its own."""
    group = record.groups[0]
    first, last = (round(time * group.sampling_rate_hz) for time in (start, stop))
    channels = tuple(
        replace(channel, samples=channel.samples[first:last]) for channel in group.channels
    )
    return EcgRecord((replace(group, channels=channels, sample_count=len(channels[0].samples)),))


def _marks(words: npt.NDArray[np.uint16]) -> Iterator[Mark]:
    sample, at = 0, 0
    while at < len(words):
        code, low = int(words[at]) >> 10, int(words[at]) & 0x3FF
        at += 1
        if code == 0 and low == 0:
            return
        if code == _SKIP:
            # The high half comes first, as on the PDP-11.
            gap = (int(words[at]) << 16) | int(words[at + 1])
            sample += gap - (1 << 32) if gap >> 31 else gap
            at += 2
        elif code == _AUX:
            at += (low + 1) // 2
        elif code < _FIRST_MODIFIER:
            sample += low
            yield Mark(sample, code)


def _channels(header: Path, signals: Sequence[Sequence[str]]) -> Sequence[RecordedChannel]:
    files = {fields[0] for fields in signals}
    formats = {fields[1] for fields in signals}
    if len(files) != 1 or len(formats) != 1 or not formats <= {"16", "212"}:
        raise EcgUnsupported(
            "The record's signal format is not read",
            expected="one signal file, format 16 or 212",
            found=f"{len(files)} files, formats {', '.join(sorted(formats))} in {header.name}",
            remedy="Convert it with xform of the WFDB software package.",
        )
    signal_format = int(formats.pop())
    # A header names a file beside itself; a path in it would lead elsewhere.
    raw = (header.parent / Path(files.pop()).name).read_bytes()
    counts = (_format_16 if signal_format == 16 else _format_212)(raw)  # noqa: PLR2004
    counts = counts[: len(counts) // len(signals) * len(signals)].reshape(-1, len(signals))
    return [
        _channel(fields, counts[:, index], _NO_SAMPLE[signal_format])
        for index, fields in enumerate(signals)
    ]


def _channel(fields: Sequence[str], counts: _Counts, no_sample: int) -> RecordedChannel:
    match = _GAIN.fullmatch(fields[2]) if len(fields) > 2 else None  # noqa: PLR2004
    gain = float(match[1]) if match else _DEFAULT_GAIN
    zero = int(fields[4]) if len(fields) > 4 else 0  # noqa: PLR2004
    baseline = int(match[2]) if match and match[2] else zero
    unit = match[3].lower() if match and match[3] else "mv"
    per_unit = _MICROVOLTS[unit] / (gain or _DEFAULT_GAIN) if unit in _MICROVOLTS else 0.0
    if not per_unit:
        message = f"a signal in {unit}"
        raise ValueError(message)
    name = " ".join(fields[8:])
    lead = lead_from_name(name)
    return RecordedChannel(
        lead=lead,
        label=lead.value if lead else name,
        samples=counts,
        microvolts_per_unit=per_unit,
        baseline_microvolts=-baseline * per_unit,
        missing=(no_sample,),
    )


def _format_16(raw: bytes) -> _Counts:
    return np.frombuffer(raw[: len(raw) // 2 * 2], "<i2").astype(np.int16)


def _format_212(raw: bytes) -> _Counts:
    """Two samples of 12 bits in three bytes: the middle one holds both high halves."""
    triples = np.frombuffer(raw[: len(raw) // 3 * 3], np.uint8).reshape(-1, 3).astype(np.int16)
    pairs = np.empty((len(triples), 2), np.int16)
    pairs[:, 0] = triples[:, 0] | ((triples[:, 1] & 0x0F) << 8)
    pairs[:, 1] = triples[:, 2] | ((triples[:, 1] & 0xF0) << 4)
    pairs[pairs >= 1 << 11] -= 1 << 12
    return pairs.reshape(-1)


def _broken(path: Path, found: str) -> EcgBroken:
    return EcgBroken(
        "A WFDB file is broken",
        expected="a header with its signals, or annotations in MIT format",
        found=f"{path.name}: {found}",
        remedy="Fetch the file again from where the database is published.",
    )
