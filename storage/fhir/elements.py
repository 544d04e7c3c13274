"""Data types of FHIR R4 (4.0.1) as JSON values; what is empty is left out (R4 JSON §2.6.2)."""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from html import escape
from typing import Any, Final, cast
from uuid import UUID

Element = dict[str, Any]
"""A FHIR element or resource as it is written in JSON."""

MEDIA_TYPE: Final = "application/fhir+json"
FHIR_VERSION: Final = "4.0.1"
UCUM: Final = "http://unitsofmeasure.org"
LOINC: Final = "http://loinc.org"
DCM: Final = "http://dicom.nema.org/resources/ontology/DCM"
MDC: Final = "urn:iso:std:iso:11073:10101"
SCT: Final = "http://snomed.info/sct"
V2_IDENTIFIER_TYPE: Final = "http://terminology.hl7.org/CodeSystem/v2-0203"
V2_SERVICE_SECTION: Final = "http://terminology.hl7.org/CodeSystem/v2-0074"
DATA_ABSENT: Final = "http://terminology.hl7.org/CodeSystem/data-absent-reason"
_ILLEGIBLE: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
DICOM_UID: Final = "urn:dicom:uid"


def element(**members: object) -> Element:
    """Return an element of what is given; None, "" and empty lists and objects are left out.

    A name of Python that stands in the way has a `_` behind it: `class_`.
    """
    return {
        name.rstrip("_"): value
        for name, value in members.items()
        if value is not None and value not in ("", [], {})
    }


def resource(kind: str, resource_id: UUID, **members: object) -> Element:
    """Return a resource of a type under an id."""
    return {"resourceType": kind, "id": str(resource_id), **element(**members)}


def coding(system: str, code: str, display: str = "") -> Element:
    """Return a Coding; without a system when that is empty."""
    return element(system=system, code=code, display=display)


def concept(*codings: Element, text: str = "") -> Element | None:
    """Return a CodeableConcept; None when it says nothing."""
    return element(coding=list(codings), text=text) or None


def identifier(
    system: str, value: str | None, *, type_code: str = "", use: str = ""
) -> Element | None:
    """Return an Identifier; None without a value.

    type_code: of HL7 v2 table 0203, such as MR or ACSN.
    """
    if not value:
        return None
    kind = concept(coding(V2_IDENTIFIER_TYPE, type_code)) if type_code else None
    return element(use=use, type=kind, system=system, value=value)


def uid_identifier(uid: str) -> Element:
    """Return a DICOM UID as an Identifier (R4 ImagingStudy §10.2.3)."""
    return {"system": DICOM_UID, "value": f"urn:oid:{uid}"}


def reference(kind: str, resource_id: UUID, display: str = "") -> Element:
    """Return a relative reference to a resource of ours."""
    return element(reference=f"{kind}/{resource_id}", display=display)


def legible(value: Any) -> Any:  # noqa: ANN401 -- any JSON value
    """Return a JSON value without characters that no FHIR string may have (R4 §2.24)."""
    if isinstance(value, str):
        return _ILLEGIBLE.sub("", value)
    if isinstance(value, list):
        return [legible(part) for part in cast("list[Any]", value)]
    if isinstance(value, dict):
        return {name: legible(part) for name, part in cast("Element", value).items()}
    return value


def present(items: Iterable[Element | None]) -> list[Element]:
    """Return the elements that are there."""
    return [item for item in items if item]


def instant(moment: datetime | None) -> str | None:
    """Return a FHIR instant or dateTime in UTC, to the millisecond.

    Raises:
        ValueError: the time is naive.
    """
    if moment is None:
        return None
    if moment.tzinfo is None:
        message = "a time without a zone is no instant"
        raise ValueError(message)
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def day(value: date | None) -> str | None:
    """Return a FHIR date."""
    return value.isoformat() if value else None


def narrative(
    title: str, facts: Mapping[str, str], sections: Mapping[str, str], *, language: str
) -> Element:
    """Return the narrative that a person can read where no program understands the resource.

    Empty facts and sections are left out; line breaks of a section are kept.
    """
    rows = "".join(
        f"<tr><th>{escape(name)}</th><td>{escape(value)}</td></tr>"
        for name, value in facts.items()
        if value
    )
    texts = "".join(
        f"<h3>{escape(name)}</h3><p>{_lines(value)}</p>"
        for name, value in sections.items()
        if value
    )
    table = f"<table><tbody>{rows}</tbody></table>" if rows else ""
    # XHTML has no `lang` without its `xml:lang` (R4 Narrative §2.4.0).
    return {
        "status": "generated",
        "div": f'<div xmlns="http://www.w3.org/1999/xhtml" xml:lang="{language}" lang="{language}">'
        f"<h2>{escape(title)}</h2>{table}{texts}</div>",
    }


def _lines(text: str) -> str:
    return "<br/>".join(escape(line) for line in text.splitlines())
