"""What a report has measured, coded or said apart from its conclusion, as R4 Observations."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Final
from uuid import UUID

from storage.fhir.elements import (
    DATA_ABSENT,
    MDC,
    UCUM,
    Element,
    coding,
    concept,
    element,
    instant,
    reference,
    resource,
)
from storage.fhir.identities import CODES, Ids, Systems, resource_id
from storage.fhir.words import (
    CONCLUSIONS,
    MEASUREMENT_LOINC,
    MEASUREMENTS_ZH,
    QTC,
    SECTION_CODES,
    UNITS,
    words,
)
from storage.issued_reports.model import IssuedMeasurement, IssuedReport

_CATEGORY: Final = "http://terminology.hl7.org/CodeSystem/observation-category"
_PARTITION: Final = 65_536
_SOURCES: Final = {
    "device": "Measured by the device, not confirmed",
    "centre": "Measured by the centre's program",
    "confirmed": "Confirmed by the reporting doctor",
}
_TRUST: Final = {"confirmed": 2, "centre": 1, "device": 0}
_CODE_NAMES: Final = {
    "bi_rads": "BI-RADS assessment category",
    "pi_rads": "PI-RADS v2.1 category",
    "ecg_class": "ECG class",
    "result": "Result of the examination",
    "laterality": "Laterality",
    "image_grade": "Image quality grade",
}


@dataclass(frozen=True, slots=True)
class Told:
    """One observation: what it is called among those of its report, and the resource."""

    key: str
    id: UUID
    resource: Element


def observations(report: IssuedReport, ids: Ids, systems: Systems) -> list[Told]:
    """Return the observations of a report: measurements, codes, then sections of its text.

    An observation keeps its id through the versions of a report. Of a measure that several have
    measured one is final: what the doctor confirmed, else the centre's; the rest stays preliminary.
    Notices have none.
    """
    if report.status == "entered-in-error":
        return []
    return [
        Told(key, made, _finished(report, ids, systems, key, made, content))
        for key, content in _contents(report)
        for made in [observation_id(report.workitem_id, key)]
    ]


def observation_id(workitem_id: UUID, key: str) -> UUID:
    """Return the id of the observation of a report that has this key."""
    return resource_id("Observation", workitem_id, key)


def withdrawn(before: IssuedReport, after: IssuedReport, systems: Systems) -> list[Told]:
    """Return what the earlier version has observed and the later one has not any more.

    Each is told to be entered in error: a receiver that took it would else keep showing it.
    """
    standing = {one.key for one in observations(after, Ids.of(after), systems)}
    gone: list[Told] = []
    for one in observations(before, Ids.of(before), systems):
        if one.key in standing:
            continue
        one.resource["status"] = "entered-in-error"
        gone.append(one)
    return gone


def _contents(report: IssuedReport) -> Iterator[tuple[str, Element]]:
    for measurement in report.measurements:
        key = f"measurement/{measurement.name}/{measurement.source}"
        yield key, _measurement(report, measurement)
    for code in report.codes:
        known = CONCLUSIONS.get((code.name, code.value))
        yield (
            f"code/{code.name}",
            {
                "category": [_category("imaging" if not report.is_ecg else "procedure")],
                "code": concept(
                    coding(CODES, code.name, _CODE_NAMES.get(code.name, "")),
                    text=_CODE_NAMES.get(code.name, code.name),
                ),
                "valueCodeableConcept": concept(
                    *([known] if known else []),
                    coding(CODES, f"{code.name}.{code.value}"),
                    text=code.value,
                ),
            },
        )
    for label, code in SECTION_CODES.items():
        text = report.text(label)
        if text:
            yield (
                f"section/{label.value}",
                {
                    "category": [_category("imaging" if not report.is_ecg else "procedure")],
                    "code": concept(code, text=words(report.language)[label.value]),
                    "valueString": text,
                },
            )


def _measurement(report: IssuedReport, one: IssuedMeasurement) -> Element:
    codes = [
        coding(MDC, mdc_code(one.mdc)) if one.mdc else {},
        QTC if one.name.startswith("qtc") else MEASUREMENT_LOINC.get(one.name, {}),
        coding(CODES, one.name) if one.name.isidentifier() else {},
    ]
    best = all(
        _trust(other) <= _trust(one) for other in report.measurements if other.name == one.name
    )
    quantity = _quantity(one.value, one.unit)
    absent = None
    if quantity is None:
        absent = concept(coding(DATA_ABSENT, "unknown"), text=one.reason or one.value)
    return element(
        status=None if best else "preliminary",
        category=[_category("procedure")],
        code=concept(*(code for code in codes if code), text=_called(one.name, report.language)),
        valueQuantity=quantity,
        dataAbsentReason=absent,
        method=concept(coding(CODES, one.source), text=_SOURCES.get(one.source, one.source)),
    )


def _trust(one: IssuedMeasurement) -> int:
    """Return how far a source goes before the others; a value goes before the lack of one."""
    return 2 * _TRUST.get(one.source, 0) + bool(one.value)


def _called(name: str, language: str) -> str:
    return name if language.startswith("en") else MEASUREMENTS_ZH.get(name, name)


def _finished(  # noqa: PLR0917 -- the parts of one resource
    report: IssuedReport, ids: Ids, systems: Systems, key: str, made: UUID, content: Element
) -> Element:
    status = content.pop("status", None)
    return resource(
        "Observation",
        made,
        identifier=[{"system": systems.observation, "value": f"{report.workitem_id}/{key}"}],
        basedOn=[] if ids.order is None else [reference("ServiceRequest", ids.order)],
        status=status or ("preliminary" if report.status == "preliminary" else "final"),
        subject=reference("Patient", ids.patient, report.patient.name),
        effectiveDateTime=instant(report.times.acquired or report.times.written),
        issued=instant(report.times.issued),
        performer=[reference("Organization", ids.centre, report.centre.name)],
        derivedFrom=[reference("ImagingStudy", ids.study)],
        **content,
    )


def mdc_code(scheme_code: str) -> str:
    """Return the context-free code of ISO/IEEE 11073-10101 of ``partition:element``.

    Raises:
        ValueError: it is not of that form.
    """
    partition, _, number = scheme_code.partition(":")
    return str(int(partition) * _PARTITION + int(number))


def _quantity(value: str, unit: str) -> Element | None:
    try:
        number = Decimal(value)
    except InvalidOperation:
        return None
    if not number.is_finite():
        return None
    code = UNITS.get(unit, unit)
    exact = int(number) if number == number.to_integral_value() else float(number)
    return {"value": exact, **(element(unit=unit, system=UCUM, code=code) if code else {})}


def _category(code: str) -> Element:
    return {"coding": [coding(_CATEGORY, code)]}
