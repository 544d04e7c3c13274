"""What the FHIR interface can do, as its CapabilityStatement says (R4 §2.21)."""

from collections.abc import Mapping
from typing import Final

from reading_worklist.fhir.parameters import INCLUDES, PARAMETERS, TYPES
from storage.fhir.elements import FHIR_VERSION, Element, element
from storage.implementation import IMPLEMENTATION_VERSION_NAME

# When what it says was changed last.
_DATE: Final = "2026-11-22"
_PROFILE: Final = "http://hl7.org/fhir/StructureDefinition"


def capability_statement(base: str) -> Element:
    """Return the CapabilityStatement. base: the address of the interface."""
    resources = [_resource(kind, asked) for kind, asked in PARAMETERS.items()]
    resources.append(
        {
            "type": "Binary",
            "profile": f"{_PROFILE}/Binary",
            "interaction": [{"code": "read"}],
            "documentation": "The signed PDF of a report that stands.",
        }
    )
    return {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": _DATE,
        "kind": "instance",
        "software": {"name": "Regional Diagnostic Centre", "version": IMPLEMENTATION_VERSION_NAME},
        "implementation": {
            "description": "Reports of the diagnostic centre for the site of the token",
            "url": base,
        },
        "fhirVersion": FHIR_VERSION,
        "format": ["json", "application/fhir+json"],
        "rest": [
            {
                "mode": "server",
                "documentation": "Read only. A token shows what was issued to its site.",
                "security": {
                    "cors": False,
                    "description": "Authorization: Bearer, with a token that the centre has made.",
                },
                "resource": resources,
            }
        ],
    }


def _resource(kind: str, asked: Mapping[str, tuple[str, str]]) -> Element:
    interactions = ["read", "vread", "search-type", "history-instance"]
    if kind == "DiagnosticReport":
        interactions.append("history-type")
    return element(
        type=kind,
        profile=f"{_PROFILE}/{kind}",
        documentation=_POLLING if kind == "DiagnosticReport" else "",
        interaction=[{"code": one} for one in interactions],
        versioning="versioned",
        readHistory=kind == "DiagnosticReport",
        updateCreate=False,
        conditionalCreate=False,
        conditionalRead="not-match",
        conditionalUpdate=False,
        searchInclude=[f"{kind}:{one}" for one in INCLUDES.get(kind, ())],
        searchParam=[
            {"name": name, "type": TYPES[way]}
            for name, (way, _) in asked.items()
            # Chains and modifiers are no parameters of their own (R4 §3.1.1.5).
            if "." not in name and ":" not in name
        ],
    )


_POLLING: Final = (
    "What is new: _history?_after=0, then the address of the Bundle's link 'poll', again and again;"
    " or a search by _lastUpdated=gt with the newest meta.lastUpdated that was seen. Neither misses"
    " a report: both grow in the order in which reports were issued to the site."
)
