"""An OpenAPI document of the routes whose own standard describes them: DICOMweb, UPS-RS, FHIR.

Our own leaves them out; this one says enough for requests to be made up.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

from fastapi import FastAPI

from tests.support.stranger import Door, doors

_TEXT: Final = {"type": "string", "maxLength": 40}
_NUMBER: Final = {"anyOf": [{"type": "integer"}, _TEXT]}
_DATE: Final = {"anyOf": [{"type": "string", "pattern": "^[0-9]{0,8}-?[0-9]{0,8}$"}, _TEXT]}
_MOMENT: Final = {
    "anyOf": [
        {"type": "string", "pattern": "^(ge|lt|eq|ne|sa|ap)?[0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?$"},
        _TEXT,
    ]
}
_UID: Final = {"anyOf": [{"type": "string", "pattern": r"^[0-9]{1,3}(\.[0-9]{1,9}){1,6}$"}, _TEXT]}
_SEARCH: Final = {
    "limit": _NUMBER,
    "offset": _NUMBER,
    "fuzzymatching": {"enum": ["true", "false", "maybe"]},
    "includefield": {"enum": ["all", "00100020", "PatientName", "0040A730.00080100", ""]},
    "PatientName": _TEXT,
    "PatientID": _TEXT,
    "00080020": _DATE,
    "StudyTime": _DATE,
    "ModalitiesInStudy": _TEXT,
    "StudyInstanceUID": _UID,
    "00081030": _TEXT,
}
_RENDERED: Final = {
    "accept": {"enum": ["image/jpeg", "image/png", "image/gif", "text/plain", "*/*"]},
    "quality": _NUMBER,
    "viewport": {"anyOf": [{"type": "string", "pattern": "^-?[0-9]{0,9}(,-?[0-9]{0,9}){0,6}$"}]},
    "window": {"anyOf": [{"type": "string", "pattern": "^-?[0-9.]{0,9},-?[0-9.]{0,9},linear$"}]},
    "annotation": _TEXT,
}
_WADO: Final = {
    "requestType": {"enum": ["WADO", "wado", ""]},
    "studyUID": _UID,
    "seriesUID": _UID,
    "objectUID": _UID,
    "contentType": _TEXT,
    "frameNumber": _NUMBER,
    "rows": _NUMBER,
    "windowCenter": _NUMBER,
    "transferSyntax": _UID,
}
_FHIR: Final = {
    "_count": _NUMBER,
    "_cursor": _TEXT,
    "_since": _MOMENT,
    "_lastUpdated": _MOMENT,
    "date": _MOMENT,
    "issued": _MOMENT,
    "status": {"anyOf": [{"enum": ["final", "amended", "final,amended"]}, _TEXT]},
    "identifier": _TEXT,
    "patient": _TEXT,
    "patient.identifier": _TEXT,
    "code": _TEXT,
    "_id": _TEXT,
    "_include": {"anyOf": [{"enum": ["DiagnosticReport:result"]}, _TEXT]},
}
_STATES: Final = ("IN PROGRESS", "COMPLETED", "CANCELED")
_DATASET: Final = {
    "type": "object",
    "propertyNames": {"pattern": "^[0-9A-Fa-f]{8}$"},
    "maxProperties": 6,
    "properties": {
        "00741000": {
            "enum": [{"vr": "CS", "Value": [one]} for one in ("IN PROGRESS", "COMPLETED")]
        },
        "00081195": {"enum": [{"vr": "UI", "Value": ["1.2.3"]}, {"vr": "UI"}, {}]},
    },
    "additionalProperties": {
        "type": "object",
        "properties": {
            "vr": {"anyOf": [{"enum": ["CS", "PN", "SQ", "UI", "DT", "LO"]}, _TEXT]},
            "Value": {"type": "array", "items": {}, "maxItems": 3},
        },
    },
}
_BYTES: Final = {"type": "string", "format": "binary", "maxLength": 400}


def wire_document(app: FastAPI) -> dict[str, Any]:
    """Return the document of these routes.

    Any status but a server's own failure is a described answer.
    """
    paths: dict[str, dict[str, Any]] = {}
    for door in doors(app):
        if not door.asked and door.path.startswith(("/dicom-web", "/fhir")):
            path = door.path.replace(":path}", "}")
            paths.setdefault(path, {})[door.method.lower()] = _operation(door)
    return {"openapi": "3.1.0", "info": {"title": "wire", "version": "1"}, "paths": paths}


def _operation(door: Door) -> dict[str, Any]:
    asked = [{"name": one, "in": "path", "required": True, "schema": _TEXT} for one in door.named]
    asked += [
        {"name": name, "in": "query", "required": False, "schema": schema}
        for name, schema in _query(door).items()
    ]
    operation: dict[str, Any] = {"parameters": asked, "responses": {"default": {"description": ""}}}
    if door.method not in {"GET", "OPTIONS", "DELETE"}:
        operation["requestBody"] = {"content": _content(door), "required": False}
    return operation


def _query(door: Door) -> Mapping[str, Any]:
    if door.path.startswith("/fhir"):
        return _FHIR
    if door.path.endswith("/wado"):
        return _WADO
    if re.search(r"/(rendered|thumbnail)$", door.path):
        return _RENDERED
    return _SEARCH


def _content(door: Door) -> dict[str, Any]:
    if door.path.startswith("/fhir"):
        return {
            "application/x-www-form-urlencoded": {
                "schema": {"type": "object", "properties": dict(_FHIR), "maxProperties": 5}
            },
            "application/fhir+json": {"schema": {"type": "object", "maxProperties": 3}},
        }
    if door.path.endswith("/studies") or "/studies/" in door.path:
        return {
            "multipart/related; type=application/dicom; boundary=x": {"schema": _BYTES},
            "application/dicom": {"schema": _BYTES},
        }
    return {"application/dicom+json": {"schema": {"anyOf": [_DATASET, {"type": "array"}, _BYTES]}}}
