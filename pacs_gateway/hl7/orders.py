"""What an ORM^O01 or OMI^O23 message orders (HL7 v2.5.1 §4.4.1, §4.4.6).

Read as sites' systems write it, with the places of the IHE radiology profile: accession number in
OBR-18 or IPC-1, Study Instance UID in ZDS-1 or IPC-3, modality in OBR-24 or IPC-5.
"""

import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone, tzinfo
from enum import Enum
from typing import Final
from uuid import UUID

from pacs_gateway.hl7.message import (
    DATA_TYPE_ERROR,
    REQUIRED_FIELD_MISSING,
    SEGMENT_SEQUENCE_ERROR,
    TABLE_VALUE_NOT_FOUND,
    Message,
    MessageRefused,
    Segment,
)
from storage.orders.request import SHORT_STRING, OrderRequest, StepRequest
from storage.orders.words import DocumentKind, Laterality, OrderSource, Priority, VisitType
from storage.person_name import is_han


class Control(Enum):
    """What is to become of an order (table 0119)."""

    NEW = "new"
    CHANGE = "change"
    CANCEL = "cancel"


_CONTROLS: Final = {
    "NW": Control.NEW,
    "XO": Control.CHANGE,
    "XX": Control.CHANGE,
    "CA": Control.CANCEL,
    "DC": Control.CANCEL,
    "OC": Control.CANCEL,
}
_PRIORITIES: Final = {
    "S": Priority.STAT,
    "STAT": Priority.STAT,
    "A": Priority.URGENT,
    "ASAP": Priority.URGENT,
    "U": Priority.URGENT,
    "URGENT": Priority.URGENT,
}
_VISITS: Final = {
    "O": VisitType.OUTPATIENT,
    "I": VisitType.INPATIENT,
    "E": VisitType.EMERGENCY,
    "P": VisitType.CHECKUP,
}
# Table 0203 as it is used for identity documents.
_DOCUMENTS: Final = {
    "NI": DocumentKind.RESIDENT_ID,
    "NNCHN": DocumentKind.RESIDENT_ID,
    "PPN": DocumentKind.PASSPORT,
    "MI": DocumentKind.MILITARY,
}
_SIDES: Final = {
    "R": Laterality.RIGHT,
    "RIGHT": Laterality.RIGHT,
    "L": Laterality.LEFT,
    "LEFT": Laterality.LEFT,
    "B": Laterality.BOTH,
    "BILATERAL": Laterality.BOTH,
}
# Table 0074, where it says otherwise than DICOM.
_MODALITIES: Final = {"NMR": "MR", "RX": "DX", "RUS": "US", "CUS": "US", "EC": "ECG", "EN": "ES"}
_TIMESTAMP: Final = re.compile(
    r"(\d{4})(?:(\d\d)(?:(\d\d)(?:(\d\d)(\d\d)(?:(\d\d)(?:\.\d{1,6})?)?)?)?)?([+-]\d{4})?", re.ASCII
)
_RESIDENT: Final = re.compile(r"\d{15}|\d{17}[\dXx]", re.ASCII)
_MODALITY: Final = re.compile(r"[A-Z0-9_]{1,16}")
_NAME_PARTS: Final = 3
PLACES: Final = {
    "patient_local_id": ("PID", 3),
    "patient_id_issuer": ("PID", 3),
    "patient_name": ("PID", 5),
    "patient_sex": ("PID", 8),
    "patient_birth_date": ("PID", 7),
    "document_number": ("PID", 19),
    "visit_number": ("PV1", 19),
    "department": ("PV1", 3),
    "bed": ("PV1", 3),
    "requester": ("ORC", 12),
    "clinical_diagnosis": ("DG1", 4),
    "reason": ("OBR", 31),
    "procedure_code": ("OBR", 4),
    "procedure_description": ("OBR", 4),
    "modality": ("OBR", 24),
    "station_ae_title": ("IPC", 9),
    "accession_number": ("OBR", 18),
    "placer_order_number": ("ORC", 2),
    "filler_order_number": ("ORC", 3),
    "study_instance_uid": ("ZDS", 1),
    "state": ("ORC", 1),
}
"""Where a value of `OrderRequest` stands in a message, for the answer."""


@dataclass(frozen=True, slots=True)
class OrderedExam:
    """One order of a message.

    placer_order_number: by which it is found again.
    request: what is ordered; None for a cancellation, which needs no more than the number.
    orc: the segment that ordered it.
    """

    control: Control
    placer_order_number: str
    request: OrderRequest | None
    orc: Segment


@dataclass(frozen=True, slots=True)
class _Group:
    """An ORC and what follows it up to the next."""

    orc: Segment
    others: Sequence[Segment]

    def text(self, *places: tuple[str, int, int]) -> str | None:
        """Return the first value there is at `places`: segment, field, component."""
        for name, field, component in places:
            for segment in (self.orc, *self.others):
                if segment.name == name and (found := segment.text(field, component)):
                    return found
        return None

    def segment(self, name: str) -> Segment | None:
        return next((one for one in self.others if one.name == name), None)


def read_orders(message: Message, site_id: UUID, zone: tzinfo) -> list[OrderedExam]:
    """Return the orders of a message, in its order.

    zone: of times without an offset.

    Raises:
        MessageRefused: a segment or value that an order cannot do without is missing or malformed.
    """
    orders = [_order(message, group, site_id, zone) for group in _groups(message)]
    if not orders:
        raise MessageRefused(
            "the message orders nothing",
            location=("ORC", 1, 0),
            code=SEGMENT_SEQUENCE_ERROR,
            expected="an ORC segment",
            found="none",
        )
    return orders


def _groups(message: Message) -> Iterator[_Group]:
    starts = [at for at, one in enumerate(message.segments) if one.name == "ORC"]
    for start, end in itertools.pairwise([*starts, len(message.segments)]):
        yield _Group(message.segments[start], message.segments[start + 1 : end])


def _order(message: Message, group: _Group, site_id: UUID, zone: tzinfo) -> OrderedExam:
    word = group.orc.text(1)
    control = _CONTROLS.get(word or "")
    if control is None:
        raise MessageRefused(
            "the order control is not one of ours",
            location=group.orc.place(1),
            code=TABLE_VALUE_NOT_FOUND if word else REQUIRED_FIELD_MISSING,
            expected=", ".join(_CONTROLS),
            found=repr((word or "")[:SHORT_STRING]),
        )
    placer = group.text(("ORC", 2, 1), ("OBR", 2, 1))
    if placer is None:
        raise _missing("the placer order number", group.orc.place(2))
    if control is Control.CANCEL:
        return OrderedExam(control, placer, None, group.orc)
    return OrderedExam(control, placer, _request(message, group, site_id, zone, placer), group.orc)


def _request(
    message: Message, group: _Group, site_id: UUID, zone: tzinfo, placer: str
) -> OrderRequest:
    patient = message.first("PID")
    if patient is None:
        raise MessageRefused(
            "the message names no patient",
            location=("PID", 1, 0),
            code=SEGMENT_SEQUENCE_ERROR,
            expected="a PID segment",
            found="none",
        )
    visit = message.first("PV1")
    local_id, issuer, kind, document = _identifiers(patient)
    filler = group.text(("ORC", 3, 1), ("OBR", 3, 1))
    description = group.text(("OBR", 4, 2), ("OBR", 4, 1))
    code = group.text(("OBR", 4, 1))
    return OrderRequest(
        site_id=site_id,
        source=OrderSource.HL7,
        patient_local_id=local_id,
        patient_id_issuer=issuer,
        patient_name=_patient_name(patient),
        patient_sex=_sex(patient),
        patient_birth_date=_birth_date(patient),
        document_kind=kind,
        document_number=document,
        visit_type=_VISITS.get((visit and visit.text(2)) or "", VisitType.OTHER),
        visit_number=visit.text(19) if visit else None,
        department=visit.text(3) if visit else None,
        bed=visit.text(3, 3) if visit else None,
        requester=_provider(group),
        clinical_diagnosis=group.text(("DG1", 4, 1), ("DG1", 3, 2), ("OBR", 13, 1))
        or _diagnosis(message),
        reason=group.text(("OBR", 31, 2), ("OBR", 31, 1)),
        priority=_priority(group),
        procedure_code=code if code and len(code) <= SHORT_STRING else None,
        procedure_description=description,
        laterality=_laterality(group),
        accession_number=group.text(("IPC", 1, 1), ("OBR", 18, 1)) or _short(filler, placer),
        placer_order_number=placer,
        filler_order_number=filler,
        study_instance_uid=group.text(("IPC", 3, 1), ("ZDS", 1, 1)),
        steps=[
            StepRequest(
                modality=_modality(group),
                scheduled_at=_scheduled(group, zone),
                station_ae_title=group.text(("IPC", 9, 1)),
                description=description,
            )
        ],
    )


def _identifiers(
    patient: Segment,
) -> tuple[str, str | None, DocumentKind | None, str | None]:
    """Return the site's patient id with its issuer, and kind and number of an identity document."""
    local: tuple[str, str | None] | None = None
    kind, document = None, None
    for repetition in range(1, patient.repetitions(3) + 1):
        number = patient.text(3, repetition=repetition)
        word = (patient.text(3, 5, repetition=repetition) or "").upper()
        if number is None:
            continue
        if word in _DOCUMENTS:
            kind, document = _DOCUMENTS[word], number
        elif local is None:
            local = (number, patient.text(3, 4, repetition=repetition))
    if local is None:
        raise _missing("the patient's id", patient.place(3))
    social = patient.text(19)
    if document is None and social is not None:
        is_resident = _RESIDENT.fullmatch(social) is not None
        kind = DocumentKind.RESIDENT_ID if is_resident else DocumentKind.OTHER
        document = social
    return (*local, kind, document)


def _patient_name(patient: Segment) -> str:
    """Return the name in the groups of the VR PN: what is in Latin letters, then the Hanzi."""
    latin, chinese = "", ""
    for repetition in range(1, max(patient.repetitions(5), 1) + 1):
        parts = [patient.text(5, part, repetition=repetition) for part in range(1, _NAME_PARTS + 1)]
        name = "^".join(part or "" for part in parts).strip("^")
        if any(map(is_han, name)):
            chinese = chinese or name
        else:
            latin = latin or name
    if not latin and not chinese:
        raise _missing("the patient's name", patient.place(5))
    return f"{latin}={chinese}" if latin and chinese else latin or chinese


def _sex(patient: Segment) -> str | None:
    word = (patient.text(8) or "").upper()
    return word if word in {"M", "F", "O"} else None


def _birth_date(patient: Segment) -> date | None:
    text = patient.text(7)
    if text is None:
        return None
    found = _TIMESTAMP.fullmatch(text)
    if found is None or found[3] is None:
        raise _malformed("the birth date", patient.place(7), "YYYYMMDD")
    try:
        return date(int(found[1]), int(found[2]), int(found[3]))
    except ValueError as error:
        raise _malformed("the birth date", patient.place(7), "YYYYMMDD") from error


def _scheduled(group: _Group, zone: tzinfo) -> datetime | None:
    places = (("TQ1", 7, 1), ("OBR", 36, 1), ("ORC", 7, 4), ("OBR", 27, 4))
    text = group.text(*places)
    if text is None:
        return None
    found = _TIMESTAMP.fullmatch(text)
    refused = _malformed("the scheduled time", group.orc.place(7), "YYYYMMDDHHMM[SS][+ZZZZ]")
    if found is None or found[3] is None:
        raise refused
    parts = [int(part) for part in found.groups()[:6] if part is not None]
    try:
        aware = zone if found[7] is None else _offset(found[7])
        return datetime(*parts, tzinfo=aware)  # pyright: ignore[reportArgumentType] -- three to six
    except (ValueError, OverflowError) as error:
        raise refused from error


def _offset(text: str) -> timezone:
    minutes = int(text[1:3]) * 60 + int(text[3:])
    return timezone(timedelta(minutes=-minutes if text[0] == "-" else minutes))


def _provider(group: _Group) -> str | None:
    for name, field in (("ORC", 12), ("OBR", 16)):
        segment = group.orc if name == "ORC" else group.segment(name)
        if segment is not None:
            found = "^".join(segment.text(field, part) or "" for part in (2, 3)).strip("^")
            if found:
                return found
    return group.text(("ORC", 12, 1), ("OBR", 16, 1))


def _diagnosis(message: Message) -> str | None:
    diagnosis = message.first("DG1")
    return (diagnosis.text(4) or diagnosis.text(3, 2)) if diagnosis else None


def _priority(group: _Group) -> Priority:
    word = group.text(("TQ1", 9, 1), ("ORC", 7, 6), ("OBR", 27, 6), ("OBR", 5, 1)) or ""
    return _PRIORITIES.get(word.upper(), Priority.ROUTINE)


def _laterality(group: _Group) -> Laterality | None:
    for component in range(1, 8):
        word = (group.text(("OBR", 15, component)) or "").upper()
        if word in _SIDES:
            return _SIDES[word]
    return None


def _modality(group: _Group) -> str:
    word = (group.text(("IPC", 5, 1), ("OBR", 24, 1)) or "").upper()
    if not word:
        raise _missing("the modality", ("OBR", group.orc.number, 24))
    known = _MODALITIES.get(word, word)
    if not _MODALITY.fullmatch(known):
        raise _malformed("the modality", ("OBR", group.orc.number, 24), "a code such as CT or DX")
    return known


def _short(*numbers: str | None) -> str | None:
    return next((one for one in numbers if one and len(one) <= SHORT_STRING), None)


def _missing(what: str, location: tuple[str, int, int]) -> MessageRefused:
    return MessageRefused(
        f"{what} is missing",
        location=location,
        code=REQUIRED_FIELD_MISSING,
        expected="a value",
        found="nothing",
    )


def _malformed(what: str, location: tuple[str, int, int], expected: str) -> MessageRefused:
    # What was found may tell of the patient.
    return MessageRefused(
        f"{what} is malformed",
        location=location,
        code=DATA_TYPE_ERROR,
        expected=expected,
        found="something else",
    )
