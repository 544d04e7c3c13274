"""People and sections as fields of a result message (HL7 v2.5.1 §2.A)."""

from datetime import tzinfo
from typing import Final

from pacs_gateway.hl7 import writing
from storage.fhir.words import CATEGORIES
from storage.issued_reports import IssuedPatient, IssuedReport, IssuedSigner
from storage.person_name import is_han

_PERSON_ID_LENGTH: Final = 15
_NAME_KINDS: Final = ("A", "I", "P")


def interpreter(signer: IssuedSigner | None, zone: tzinfo) -> str:
    """Return NDL (§2.A.43): CNN with the name, the time of the signature, where it was."""
    if signer is None:
        return ""
    name = writing.subcomponents(person_id(signer), signer.name, "", "", "", signer.title)
    signed = writing.time_stamp(signer.signed_at, zone)
    return writing.joined(name, signed, "", "", "", "", writing.escaped(signer.organisation.code))


def names(patient: IssuedPatient) -> str:
    """Return PID-5: one repetition for each way the name is written, Hanzi first (table 0465)."""
    found: dict[str, str] = {}
    for kind, group in zip(_NAME_KINDS, patient.name_value.split("="), strict=False):
        parts = [part.strip() for part in group.split("^")]
        if not any(parts):
            continue
        family, given, middle, prefix, suffix, *_ = [*parts, "", "", "", "", ""]
        written = "I" if any(map(is_han, group)) else kind
        found.setdefault(
            written,
            writing.components(family, given, middle, suffix, prefix, "", "L", written),
        )
    if not found:
        return writing.components(patient.name, "", "", "", "", "", "L") if patient.name else ""
    return writing.repeated(found.get(kind, "") for kind in ("I", "A", "P"))


def requester(name: str) -> str:
    """Return XCN of who ordered, of whom only a name is known."""
    parts = [part.strip() for part in name.partition("=")[0].split("^")]
    return writing.components("", *parts[:3]) if any(parts) else ""


def person_id(signer: IssuedSigner) -> str:
    """Return the end of our id of a person, as long as XCN.1 may be (§2.A.88)."""
    return signer.person_id.hex[-_PERSON_ID_LENGTH:]


def responsible(signer: IssuedSigner) -> str:
    """Return OBX-16 (XCN)."""
    return writing.components(
        person_id(signer), signer.name, "", "", "", signer.title, "", "", signer.organisation.code
    )


def service_section(report: IssuedReport) -> str:
    """Return OBR-24 (table 0074)."""
    if report.is_ecg:
        return "EC"
    return CATEGORIES.get(report.exam.modality, ("RAD", ""))[0]
