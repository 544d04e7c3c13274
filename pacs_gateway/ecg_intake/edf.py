"""EDF and EDF+ (European Data Format) through edfio; of the signals those that are an ECG."""

import re
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import edfio
import numpy as np

from pacs_gateway.ecg_intake.contents import EcgContents
from pacs_gateway.ecg_intake.words import by_evidence
from storage.ecg.errors import EcgBroken, EcgUnsupported
from storage.ecg.identification import EcgAcquisition, EcgPatient
from storage.ecg.leads import lead_from_name
from storage.ecg.waveform import (
    EcgGroup,
    EcgRecord,
    FilterSettings,
    GroupKind,
    RecordedChannel,
    Samples,
)

_UNITS: Final = {"nv": 1e-3, "uv": 1.0, "mv": 1e3, "v": 1e6}
_ECG_WORDS: Final = re.compile(r"\b(?:ECG|EKG)\b|心电", re.IGNORECASE)
_HEADER_BYTES: Final = 256
_SIGNALS_MAX: Final = 256
_FILTER: Final = {
    "low": re.compile(r"HP:\s*([\d.]+)\s*Hz", re.IGNORECASE),
    "high": re.compile(r"LP:\s*([\d.]+)\s*Hz", re.IGNORECASE),
    "notch": re.compile(r"\bN:\s*([\d.]+)\s*Hz", re.IGNORECASE),
}
_ANONYMOUS: Final = frozenset({"", "X"})


def read_edf_file(path: Path) -> EcgContents:
    """Read an EDF or continuous EDF+ file.

    Raises:
        EcgBroken: its header contradicts itself or the file's length.
        EcgUnsupported: no signal is an ECG, or there are gaps between data records.
    """
    _check_header(path)
    try:
        found = edfio.read_edf(path, lazy_load_data=False, header_encoding="latin-1")
        continuous = found.is_continuous
        groups = _groups(found)
    except (MemoryError, EcgUnsupported, EcgBroken):
        raise
    except Exception as error:  # a parser of a stranger's bytes may raise anything
        raise _broken(type(error).__name__) from error
    if not continuous:
        raise EcgUnsupported(
            "The EDF+ file has gaps between its data records",
            expected="a continuous recording (EDF+C)",
            found="EDF+D",
            remedy="Export it as a continuous recording; the original file is kept.",
        )
    if not groups:
        raise EcgUnsupported(
            "The EDF file holds no ECG",
            expected="a signal in uV or mV whose label is a lead or says ECG",
            found=f"{found.num_signals} signals of other kinds",
            remedy="Export the ECG's signals; the original file is kept.",
        )
    record = EcgRecord(
        groups=tuple(groups),
        acquired_at=_begin(found),
        model=_text(found, "recording", "equipment_code"),
    )
    return EcgContents(
        record, _patient(found), EcgAcquisition(operator=_text(found, "recording", "investigator"))
    )


def _check_header(path: Path) -> None:
    """Compare what the header claims with the file's length before anything is made of it."""
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(_HEADER_BYTES)
        try:
            header_bytes, records = int(head[184:192]), int(head[236:244])
            seconds, signals = float(head[244:252]), int(head[252:256])
            if not 0 < signals <= _SIGNALS_MAX or header_bytes != _HEADER_BYTES * (signals + 1):
                raise _broken(f"{signals} signals, a header of {header_bytes} bytes")
            file.seek(_HEADER_BYTES + 216 * signals)
            field = file.read(8 * signals)
            per_record = sum(int(field[8 * at : 8 * at + 8]) for at in range(signals))
        except ValueError as error:
            raise _broken("a header with fields that are no numbers") from error
    claimed = header_bytes + 2 * per_record * records
    if records < 1 or per_record < 1 or not seconds > 0 or claimed > size:
        raise _broken(
            f"{records} data records of {seconds:g} s, {claimed} bytes claimed, {size} there"
        )


def _broken(found: str) -> EcgBroken:
    return EcgBroken(
        "The EDF file cannot be read",
        expected="a header that fits the file",
        found=found,
        remedy="It was cut off or miswritten; send it again from the device.",
    )


def _groups(found: edfio.Edf) -> list[EcgGroup]:
    signals = [one for one in found.signals if _UNITS.get(_unit(one)) is not None]
    named = [one for one in signals if _is_ecg(one.label)]
    together: dict[tuple[float, int], list[RecordedChannel]] = {}
    for signal in named:
        channel = _channel(signal)
        key = (float(signal.sampling_frequency), len(channel.samples))
        together.setdefault(key, []).append(channel)
    return [
        EcgGroup(GroupKind.RHYTHM, GroupKind.RHYTHM.value, rate, count, tuple(channels))
        for (rate, count), channels in together.items()
    ]


def _unit(signal: edfio.EdfSignal) -> str:
    return by_evidence(signal.physical_dimension).replace("µ", "u").replace("μ", "u").lower()


def _is_ecg(label: str) -> bool:
    return bool(_ECG_WORDS.search(label)) or lead_from_name(label) is not None


def _channel(signal: edfio.EdfSignal) -> RecordedChannel:
    digital_range = signal.digital_max - signal.digital_min
    if digital_range == 0 or signal.physical_max == signal.physical_min:
        raise EcgUnsupported(
            "A signal of the EDF file has no scale",
            expected="different digital and physical minimum and maximum",
            remedy="Set up the device to export calibrated signals; the original file is kept.",
        )
    unit = _UNITS[_unit(signal)]
    gain = (signal.physical_max - signal.physical_min) / digital_range
    samples: Samples = np.ascontiguousarray(signal.digital, dtype=np.int16)
    lead = lead_from_name(signal.label)
    return RecordedChannel(
        lead=lead,
        label=lead.value if lead is not None else by_evidence(signal.label)[:16] or "?",
        samples=samples,
        microvolts_per_unit=gain * unit,
        baseline_microvolts=(signal.physical_min - gain * signal.digital_min) * unit,
        filters=_filters(signal.prefiltering),
    )


def _filters(text: str) -> FilterSettings:
    found = {name: pattern.search(text) for name, pattern in _FILTER.items()}
    low, high, notch = (
        float(match[1]) if match and match[1].strip(".") else None for match in found.values()
    )
    return FilterSettings(low_hz=low, high_hz=high, notch_hz=notch)


def _begin(found: edfio.Edf) -> datetime | None:
    try:
        return found.startdatetime
    except (ValueError, edfio.AnonymizedDateError):
        return None


def _patient(found: edfio.Edf) -> EcgPatient:
    """Return the patient of EDF+, where the fields are apart; EDF has one line for a person."""
    try:
        patient = found.patient
        code, name, sex, birth = patient.code, patient.name, patient.sex, None
        try:
            birth = patient.birthdate
        except (ValueError, edfio.AnonymizedDateError):
            birth = None
    except (ValueError, AttributeError):
        return EcgPatient()
    return EcgPatient(
        patient_id=_known(code),
        name=_known(name).replace("_", " "),
        birth_date=birth,
        sex=sex if sex in {"M", "F"} else "",
    )


def _known(text: str) -> str:
    return "" if text.strip() in _ANONYMOUS else by_evidence(text)


def _text(found: edfio.Edf, part: str, name: str) -> str:
    try:
        value: Any = getattr(getattr(found, part), name)
    except (ValueError, AttributeError):
        return ""
    return _known(value) if isinstance(value, str) else ""
