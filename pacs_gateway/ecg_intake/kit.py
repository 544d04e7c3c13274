"""The formats that the library ecgdatakit parses, through one adapter into our model.

It is asked for the integers that a file holds, never for scaled values, and
everything it says passes through here: what it leaves out or warns of becomes
a note, what it raises one of our errors. DICOM and EDF are read by others.
"""

import warnings
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final, cast

import numpy as np
from ecgdatakit.exceptions import ChecksumWarning, ECGDataKitError, UnsupportedFormatError
from ecgdatakit.models import ECGRecord, PatientInfo
from ecgdatakit.models import FilterSettings as KitFilters
from ecgdatakit.models import Lead as KitLead
from ecgdatakit.parsing.parser import Parser
from ecgdatakit.parsing.parsers.ge_muse_xml import GEMuseXMLParser
from ecgdatakit.parsing.parsers.hl7_aecg import HL7aECGParser
from ecgdatakit.parsing.parsers.ishne_holter import ISHNEHolterParser
from ecgdatakit.parsing.parsers.mfer import MFERParser
from ecgdatakit.parsing.parsers.mortara_el250 import MortaraEL250Parser
from ecgdatakit.parsing.parsers.scp_ecg import SCPECGParser
from ecgdatakit.parsing.parsers.sierra_xml import SierraXMLParser

from pacs_gateway.ecg_intake.contents import EcgContents
from pacs_gateway.ecg_intake.kit_findings import measurements_of, statements_of
from pacs_gateway.ecg_intake.words import by_evidence
from storage.ecg.calibration import without_pulse
from storage.ecg.errors import EcgBroken, EcgError, EcgUnsupported
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
from storage.ecg_files import EcgFormat

_PARSERS: Final[dict[EcgFormat, type[Parser]]] = {
    EcgFormat.SCP: SCPECGParser,
    EcgFormat.AECG: HL7aECGParser,
    EcgFormat.MUSE: GEMuseXMLParser,
    EcgFormat.PHILIPS: SierraXMLParser,
    EcgFormat.MORTARA: MortaraEL250Parser,
    EcgFormat.MFER: MFERParser,
    EcgFormat.ISHNE: ISHNEHolterParser,
}
XML_FORMATS: Final = frozenset(
    {EcgFormat.AECG, EcgFormat.MUSE, EcgFormat.PHILIPS, EcgFormat.MORTARA}
)
_UNITS: Final = {"nv": 1e-3, "uv": 1.0, "mv": 1e3, "v": 1e6}
_DECIMALS: Final = tuple(10.0**places for places in range(1, 7))
_INT16: Final = np.iinfo(np.int16)
_INT32: Final = np.iinfo(np.int32)
# Philips fills what is behind the end of a representative beat with the largest value, ISHNE
# marks electrodes that are off so.
_NO_SAMPLE: Final = {EcgFormat.PHILIPS: 32767, EcgFormat.ISHNE: -32768}
_MAX_RATE_HZ: Final = 100_000.0
_REMEDY: Final = "Export the ECG again at the device; the original file is kept."


def read_kit_file(path: Path, file_format: EcgFormat) -> EcgContents:
    """Read a file of one of the library's formats; XML has to be harmless already.

    Raises:
        EcgBroken: it ends too early, contradicts itself or fails its checksums.
        EcgUnsupported: nothing in it is a voltage over time.
    """
    found, notes = _parse(path, file_format)
    groups = _groups(found, file_format, notes)
    if not any(group.kind is GroupKind.RHYTHM for group in groups):
        raise EcgUnsupported(
            "The file holds no lead with a voltage scale",
            expected="samples with a gain in nV, uV, mV or V",
            found="; ".join(notes) or "none",
            remedy="Set up the device to export calibrated waveforms; the original file is kept.",
        )
    device = found.recording.device
    record = EcgRecord(
        groups=tuple(groups),
        acquired_at=found.recording.date,
        manufacturer=by_evidence(device.manufacturer),
        model=by_evidence(device.model),
        measurements=measurements_of(found, file_format),
        statements=statements_of(found),
        notes=tuple(dict.fromkeys(notes)),
    )
    return EcgContents(without_pulse(record), _patient(found.patient), _acquisition(found))


def _parse(path: Path, file_format: EcgFormat) -> tuple[ECGRecord, list[str]]:
    notes: list[str] = []
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            found = _PARSERS[file_format]().parse(path)
    except UnsupportedFormatError as error:
        raise EcgUnsupported(
            f"The {file_format.value} file is of a kind that is not read",
            found=_reason(error, path),
            remedy="Set up the device for another export; the original file is kept.",
        ) from error
    except ECGDataKitError as error:
        raise _broken(file_format, _reason(error, path)) from error
    except (MemoryError, RecursionError, OSError):
        raise
    except Exception as error:  # a parser of a stranger's bytes may raise anything
        raise _broken(file_format, type(error).__name__) from error
    for one in caught:
        if issubclass(one.category, ChecksumWarning):
            _check_checksums(str(one.message), file_format)
        notes.append(f"{file_format.value}: {str(one.message)[:200]}")
    return found, notes


def _check_checksums(message: str, file_format: EcgFormat) -> None:
    """Refuse what fails the checksum of the part that says whose it is or what it shows.

    Some devices write a wrong checksum over the whole; each section has its own.
    """
    if file_format is EcgFormat.SCP and "Section" not in message:
        return
    raise EcgBroken(
        f"The {file_format.value} file is damaged: a checksum does not hold",
        expected="checksums that fit their sections",
        found=message[:120],
        remedy="It was changed on its way; send it again from the device.",
    )


def _broken(file_format: EcgFormat, found: str) -> EcgError:
    return EcgBroken(
        f"The {file_format.value} file cannot be read",
        expected="a whole file that fits its own header",
        found=found,
        remedy="It was cut off or miswritten; send it again from the device.",
    )


def _reason(error: Exception, path: Path) -> str:
    return str(error).replace(str(path), "the file").replace(path.name, "the file")[:200]


def _groups(found: ECGRecord, file_format: EcgFormat, notes: list[str]) -> list[EcgGroup]:
    filters = _filters(found.recording.acquisition.filters)
    rhythm = _grouped(found.leads, GroupKind.RHYTHM, file_format, filters, notes)
    beats = _grouped(found.median_beats, GroupKind.MEDIAN_BEAT, file_format, filters, notes)
    return rhythm + beats


def _grouped(
    leads: Iterable[KitLead],
    kind: GroupKind,
    file_format: EcgFormat,
    filters: FilterSettings,
    notes: list[str],
) -> list[EcgGroup]:
    """Return the leads in groups of one rate and length, in file order."""
    together: dict[tuple[float, int], list[RecordedChannel]] = {}
    for lead in leads:
        rate = float(lead.sampling_rate)
        if not 0 < rate <= _MAX_RATE_HZ or len(lead.samples) == 0:
            raise EcgBroken(
                f"Lead {lead.label} has no usable sampling rate or no samples",
                expected=f"a rate above 0 and at most {_MAX_RATE_HZ:.0f} Hz, and samples",
                found=f"{rate:g} Hz, {len(lead.samples)} samples",
                remedy=_REMEDY,
            )
        channel = _channel(lead, file_format, filters)
        if channel is None:
            notes.append(f"{lead.label} has no voltage scale and is not shown")
            continue
        if channel.lead is None and lead_from_name(lead.label.rpartition("_")[0]) is not None:
            notes.append(f"{lead.label}: a lead of this name is there before; it has no name here")
        together.setdefault((rate, len(lead.samples)), []).append(channel)
    return [
        EcgGroup(kind, kind.value, rate, count, tuple(channels))
        for (rate, count), channels in together.items()
    ]


def _channel(
    lead: KitLead, file_format: EcgFormat, filters: FilterSettings
) -> RecordedChannel | None:
    unit = lead.resolution_unit if lead.is_raw else lead.units
    microvolts = _UNITS.get(unit.replace("µ", "u").replace("μ", "u").lower())
    if microvolts is None or (lead.is_raw and not lead.resolution):
        return None
    scale = microvolts * (lead.resolution if lead.is_raw else 1.0)
    baseline = microvolts * (lead.offset if lead.is_raw else 0.0)
    samples, finer, missing = whole_numbers(cast("Samples", lead.samples))
    marker = _NO_SAMPLE.get(file_format)
    if marker is not None and marker in (samples[-1], samples.min()):
        missing = (*missing, marker)
    known = lead_from_name(lead.label)
    return RecordedChannel(
        lead=known,
        label=known.value if known is not None else by_evidence(lead.label)[:16] or "?",
        samples=samples,
        microvolts_per_unit=scale / finer,
        baseline_microvolts=baseline,
        missing=missing,
        filters=filters,
    )


def whole_numbers(samples: Samples) -> tuple[Samples, float, tuple[int, ...]]:
    """Return samples as integers, how many of their units make one, and the mark for missing ones.

    Files in text may hold decimals; these are multiplied by the power of ten that makes them whole.

    Raises:
        EcgUnsupported: they are no decimals of at most six places.
    """
    absent = ~np.isfinite(samples)
    values = np.where(absent, 0.0, samples)
    finer = 1.0
    if np.any(values != np.rint(values)):
        for finer in _DECIMALS:
            scaled = values * finer
            if np.all(np.abs(scaled - np.rint(scaled)) < 1e-6 * finer**0.5):
                values = np.rint(scaled)
                break
        else:
            raise EcgUnsupported(
                "The file's samples are not integers",
                expected="integers or decimals of at most six places",
                remedy=_REMEDY,
            )
    lowest, highest = float(values.min()), float(values.max())
    for info in (_INT16, _INT32):
        if info.min < lowest and highest <= info.max:
            whole = values.astype(info.dtype)
            whole[absent] = info.min
            return whole, finer, (int(info.min),) if absent.any() else ()
    raise EcgUnsupported("The file's samples do not fit 32 bits", remedy=_REMEDY)


def _filters(found: KitFilters) -> FilterSettings:
    notch = found.notch if found.notch_active is not False else 0.0
    return FilterSettings(low_hz=found.highpass, high_hz=found.lowpass, notch_hz=notch)


def _patient(found: PatientInfo) -> EcgPatient:
    parts = [by_evidence(part).replace("^", " ") for part in (found.last_name, found.first_name)]
    return EcgPatient(
        patient_id=by_evidence(found.patient_id),
        name="^".join(parts).strip("^"),
        birth_date=_day(found.birth_date),
        sex=found.sex if found.sex in {"M", "F"} else "",
        age_years=found.age,
    )


def _day(found: datetime | date | None) -> date | None:
    return found.date() if isinstance(found, datetime) else found


def _acquisition(found: ECGRecord) -> EcgAcquisition:
    recording, device = found.recording, found.recording.device
    meta = cast("dict[str, Any]", found.raw_metadata)  # pyright: ignore[reportUnknownMemberType]
    return EcgAcquisition(
        order_number=_first_text(meta, _ORDER_NUMBERS),
        device_serial_number=by_evidence(device.serial_number),
        software_version=by_evidence(device.software_version),
        institution=by_evidence(device.institution),
        department=by_evidence(device.department),
        station=by_evidence(device.name),
        operator=by_evidence(recording.technician),
        referring_physician=by_evidence(recording.referring_physician),
        reason=_first_text(meta, _REASONS),
    )


# Where the library puts what the formats say of an order: paths into its raw metadata.
_ORDER_NUMBERS: Final = (("order", "RequisitionNumber"), ("order_info", "ordernumber"))
_REASONS: Final = (("TestReason",), ("order_info", "reasonfororder"), ("reason_for_test",))


def _first_text(meta: dict[str, Any], paths: Sequence[tuple[str, ...]]) -> str:
    for path in paths:
        value: Any = meta
        for key in path:
            value = cast("dict[str, Any]", value).get(key) if isinstance(value, dict) else None
        if isinstance(value, str) and value.strip(" 0"):
            return by_evidence(value)
    return ""
