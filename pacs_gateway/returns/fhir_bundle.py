"""An issued report as a transaction Bundle that has the same effect however often it is sent.

What the receiver has of its own (its patients, orders, organisations, doctors) is created only
where it is not found by its identifier (conditional create, R4 §3.1.0.8.1); what is ours (the
study, the observations, the report) is put in the place of what has its identifier (conditional
update, §3.1.0.4.3). So there is one DiagnosticReport of an exam, which is what was issued last.

The signatures are in the PDF, which the report carries itself: a document of its own at the
receiver would outlive it.
"""

from collections.abc import Sequence
from typing import Any, Final, cast
from urllib.parse import urlencode
from uuid import UUID

from storage.fhir.elements import Element
from storage.fhir.identities import Systems
from storage.fhir.mapping import tell
from storage.fhir.observations import withdrawn
from storage.fhir.reports import Pdf
from storage.issued_reports import IssuedReport

_CREATED: Final = ("Organization", "Patient", "Practitioner", "ServiceRequest")
_PUT: Final = ("ImagingStudy", "Observation", "DiagnosticReport")


def transaction(
    report: IssuedReport, earlier: Sequence[IssuedReport], systems: Systems, pdf: bytes | None
) -> Element:
    """Return the Bundle.

    earlier: versions that the receiver may have; what they have observed and this one has not is
    said to be entered in error. pdf: the signed document; None leaves it out.
    """
    told = tell(report, systems, Pdf(content=pdf))
    resources = [one for kind in (*_CREATED, *_PUT) for one in told.of_type(kind)]
    taken = {(one["resourceType"], one["id"]) for one in resources}
    for before in earlier:
        patient = tell(before, systems).of_type("Patient")[0]
        for gone in withdrawn(before, report, systems):
            for one in (patient, gone.resource):
                name = (one["resourceType"], one["id"])
                if name not in taken:
                    taken.add(name)
                    resources.insert(0, one)
    known = {UUID(one["id"]) for one in resources}
    return {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [_entry(one, known) for one in resources],
    }


def _entry(resource: Element, known: set[UUID]) -> Element:
    kind = resource["resourceType"]
    asked = urlencode({"identifier": _identifier(resource)})
    body = {
        name: value for name, value in resource.items() if name != "id"
    }  # The receiver gives its own, or has one.
    if kind in _CREATED:
        request = {"method": "POST", "url": kind, "ifNoneExist": asked}
    else:
        request = {"method": "PUT", "url": f"{kind}?{asked}"}
    return {
        "fullUrl": f"urn:uuid:{resource['id']}",
        "resource": cast("Element", _referring(body, known)),
        "request": request,
    }


def _identifier(resource: Element) -> str:
    first = resource["identifier"][0]
    return f"{first['system']}|{first['value']}"


def _referring(value: Any, known: set[UUID]) -> Any:  # noqa: ANN401 -- any JSON value
    """Return a value whose references are to entries of the Bundle; what is not in it is named."""
    if isinstance(value, list):
        return [_referring(part, known) for part in cast("list[Any]", value)]
    if not isinstance(value, dict):
        return value
    members = cast("Element", value)
    target = members.get("reference")
    if not isinstance(target, str):
        return {name: _referring(part, known) for name, part in members.items()}
    resource_id = UUID(target.rpartition("/")[2])
    kept = {name: part for name, part in members.items() if name != "reference"}
    if resource_id not in known:
        # R4 ref-1, ele-1: what is named only has a word for it at least.
        return kept or {"display": target.partition("/")[0]}
    return {"reference": f"urn:uuid:{resource_id}", **kept}
