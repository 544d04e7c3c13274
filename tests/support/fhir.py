"""Whether something is FHIR R4: by two readers that are not ours, and by what neither looks at.

`fhirclient` has the models of R4 (4.0.1) as such. `fhir.resources` keeps R4B of the fourth line,
whose DiagnosticReport, ImagingStudy, Observation and the other types used here do not differ from
R4; it checks more of the data types. Neither knows the required value sets, nor do they look into
narratives.
"""

import re
from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree as ET

from fhir.resources.R4B import get_fhir_model_class
from fhirclient.models import fhirelementfactory

ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")
INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
# Required bindings (strength "required" in R4) of what we write.
REQUIRED = {
    (
        "DiagnosticReport",
        "status",
    ): "registered partial preliminary final amended corrected appended"
    " cancelled entered-in-error unknown",
    ("Observation", "status"): "registered preliminary final amended corrected cancelled"
    " entered-in-error unknown",
    ("ImagingStudy", "status"): "registered available cancelled entered-in-error unknown",
    ("ServiceRequest", "status"): "draft active on-hold revoked completed entered-in-error unknown",
    ("ServiceRequest", "intent"): "proposal plan directive order original-order reflex-order"
    " filler-order instance-order option",
    ("DocumentReference", "status"): "current superseded entered-in-error",
    ("DocumentReference", "docStatus"): "preliminary final amended entered-in-error",
    ("Patient", "gender"): "male female other unknown",
    ("Bundle", "type"): "document message transaction transaction-response batch batch-response"
    " history searchset collection",
    ("CapabilityStatement", "fhirVersion"): "4.0.1",
    ("CapabilityStatement", "kind"): "instance capability requirements",
}


def check(resource: dict[str, Any]) -> None:
    """Fail unless a resource, or a Bundle with all that is in it, is valid R4."""
    kind = resource["resourceType"]
    get_fhir_model_class(kind).model_validate(resource)
    read = fhirelementfactory.FHIRElementFactory.instantiate(kind, resource)
    assert read.as_json() == resource
    for one in [
        resource,
        *(entry["resource"] for entry in resource.get("entry", ()) if "resource" in entry),
    ]:
        _check_one(one)


def _check_one(resource: dict[str, Any]) -> None:
    kind = resource["resourceType"]
    for (of, name), words in REQUIRED.items():
        if of == kind and name in resource:
            assert resource[name] in words.split(), (kind, name, resource[name])
    assert "id" not in resource or ID.fullmatch(resource["id"])
    for name, value in walk(resource):
        assert value not in (None, "", [], {}), name
        if name in {"lastUpdated", "issued", "recorded"}:
            assert INSTANT.fullmatch(value), (name, value)
        if name == "div":
            assert ET.fromstring(value).tag == "{http://www.w3.org/1999/xhtml}div"
        if name == "system":
            assert re.match(r"urn:|http", value), value


def walk(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:  # noqa: ANN401 -- JSON
    """Every value inside of a resource with the name it stands under."""
    yield name, value
    if isinstance(value, dict):
        for member, part in value.items():
            yield from walk(part, member)
    elif isinstance(value, list):
        for part in value:
            yield from walk(part, name)


def references(resource: dict[str, Any]) -> list[str]:
    """Every reference inside of a resource."""
    return [value for name, value in walk(resource) if name == "reference"]
