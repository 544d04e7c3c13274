"""A record of the trail as an audit message: XML of DICOM PS3.15 A.5.1.

An IHE Audit Record Repository takes these. What the standard wants and our record does not hold
(images' UIDs, the patient's name) is not made up: the object is named by our own address of it.
"""

import base64
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC
from ipaddress import ip_address
from typing import Final
from xml.etree.ElementTree import Element, SubElement, tostring

from storage.audit_export.vocabulary import (
    OWN_SCHEME,
    Code,
    Event,
    Outcome,
    meaning,
    object_type,
)
from storage.audit_trail import Entry

# RFC 3881 §5.5.4: the id is a URI.
_URI: Final = Code("12", "URI", "RFC-3881")
_PATIENT_NUMBER: Final = Code("2", "Patient Number", "RFC-3881")
_STUDY: Final = Code("110180", "Study Instance UID")
_APPLICATION: Final = Code("110150", "Application")
_NOT_IN_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_LOG: Final = "Security Audit Log"


@dataclass(frozen=True, slots=True)
class Source:
    """Who tells: this installation.

    name: AuditSourceID, the same for years. machine: the host that wrote the record.
    """

    name: str
    machine: str


@dataclass(frozen=True, slots=True)
class About:
    """Whose study a record is about.

    patient_id: as HL7 writes a CX: the local id, ^^^, and the site's code.
    """

    study_instance_uid: str | None
    patient_id: str | None


def xml_message(
    entry: Entry,
    source: Source,
    about: About | None = None,
    *,
    event_type: Code | None = None,
    with_detail: bool = True,
) -> bytes:
    """Return a record as an AuditMessage, in UTF-8 without a declaration and without line ends.

    event_type: what the event is in somebody else's codes, told before ours. with_detail: also
    what the record says beyond who did what to what.
    """
    record = entry.record
    means = meaning(record.action)
    root = Element("AuditMessage")
    event = SubElement(
        root,
        "EventIdentification",
        EventActionCode=means.act.value,
        EventDateTime=record.at.astimezone(UTC).isoformat(timespec="milliseconds"),
        EventOutcomeIndicator=means.outcome.value,
    )
    _coded(event, "EventID", means.event.value)
    kind = event_type or (means.kind and means.kind.value)
    if kind is not None:
        _coded(event, "EventTypeCode", kind)
    _coded(event, "EventTypeCode", Code(record.action, record.action, OWN_SCHEME))
    if means.outcome is not Outcome.SUCCESS:
        SubElement(event, "EventOutcomeDescription").text = record.action
    _participants(root, entry, source)
    told = SubElement(
        root,
        "AuditSourceIdentification",
        {"AuditSourceID": source.name}
        | ({"AuditEnterpriseSiteID": entry.organisation} if entry.organisation else {}),
    )
    SubElement(told, "AuditSourceTypeCode", {"csd-code": "4"})
    _objects(root, entry, means.event, about, entry.record.detail if with_detail else {})
    return tostring(root, encoding="utf-8")


def _participants(root: Element, entry: Entry, source: Source) -> None:
    """Who asked, and the application that did it; the application alone when it acts by itself."""
    record = entry.record
    machine = {"NetworkAccessPointID": source.machine, "NetworkAccessPointTypeCode": "1"}
    own = {"UserID": source.name, "UserName": "rdc", "UserIsRequestor": "false"}
    if record.person_id is not None:
        who = SubElement(
            root,
            "ActiveParticipant",
            {
                "UserID": entry.login or str(record.person_id),
                "AlternativeUserID": str(record.person_id),
                "UserName": _plain(entry.display_name or ""),
                "UserIsRequestor": "true",
            }
            | _access_point(record.client),
        )
        if entry.organisation:
            _coded(who, "RoleIDCode", Code(entry.organisation, entry.organisation, OWN_SCHEME))
    elif _is_address(record.client):
        asking = {"UserID": record.client, "UserIsRequestor": "true"}
        SubElement(root, "ActiveParticipant", asking | _access_point(record.client))
    else:
        own |= {"AlternativeUserID": _plain(record.client), "UserIsRequestor": "true"}
    application = SubElement(root, "ActiveParticipant", own | machine)
    _coded(application, "RoleIDCode", _APPLICATION)


def _objects(
    root: Element,
    entry: Entry,
    event: Event,
    about: About | None,
    detail: Mapping[str, object],
) -> None:
    record = entry.record
    if event is Event.LOG_USED:
        # A.5.3.2: the trail itself is what was used.
        _object(root, ("2", "13"), _URI, "urn:rdc:audit", _LOG, detail)
        return
    kind = object_type(record.subject_kind)
    address = _plain(f"urn:rdc:{record.subject_kind}:{record.subject_id}")
    _object(root, (kind.kind, kind.role), _URI, address, record.subject_kind, detail)
    if about is not None and about.study_instance_uid is not None:
        _object(root, ("2", "3"), _STUDY, about.study_instance_uid, "study", {})
    if about is not None and about.patient_id is not None:
        _object(root, ("1", "1"), _PATIENT_NUMBER, about.patient_id, "patient", {})


def _object(  # noqa: PLR0917 -- in the order of the schema
    root: Element,
    kind: tuple[str, str],
    id_type: Code,
    identifier: str,
    name: str,
    detail: Mapping[str, object],
) -> None:
    made = SubElement(
        root,
        "ParticipantObjectIdentification",
        ParticipantObjectID=identifier,
        ParticipantObjectTypeCode=kind[0],
        ParticipantObjectTypeCodeRole=kind[1],
    )
    _coded(made, "ParticipantObjectIDTypeCode", id_type)
    SubElement(made, "ParticipantObjectName").text = name
    for word, value in _details(detail):
        SubElement(made, "ParticipantObjectDetail", type=word, value=value)


def _details(detail: Mapping[str, object]) -> Iterable[tuple[str, str]]:
    for word, value in sorted(detail.items()):
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        yield word, base64.b64encode(text.encode()).decode("ascii")


def _coded(parent: Element, name: str, code: Code) -> None:
    SubElement(
        parent,
        name,
        {"csd-code": code.value, "codeSystemName": code.scheme, "originalText": code.meaning},
    )


def _access_point(client: str) -> dict[str, str]:
    kind = "2" if _is_address(client) else "1"
    return {"NetworkAccessPointID": _plain(client), "NetworkAccessPointTypeCode": kind}


def _plain(text: str) -> str:
    """Return a text without what XML 1.0 §2.2 cannot hold; a client may call itself anything."""
    return _NOT_IN_XML.sub("\N{REPLACEMENT CHARACTER}", text)


def _is_address(client: str) -> bool:
    try:
        ip_address(client)
    except ValueError:
        return False
    return True
