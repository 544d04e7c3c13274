"""The order and the imaging study of an issued report as R4 resources."""

from typing import Final

from storage.fhir.elements import (
    DCM,
    SCT,
    Element,
    coding,
    concept,
    day,
    element,
    identifier,
    instant,
    present,
    reference,
    resource,
    uid_identifier,
)
from storage.fhir.identities import Ids, Systems
from storage.issued_reports.model import IssuedReport, IssuedSeries

_SIDES: Final = {
    "L": coding(SCT, "7771000", "Left"),
    "R": coding(SCT, "24028007", "Right"),
    "B": coding(SCT, "51440002", "Right and left"),
}


def order_identifiers(report: IssuedReport, systems: Systems) -> list[Element]:
    """Return the numbers of the order: the placer's, the filler's, and the accession number."""
    order = report.order
    return present(
        [
            identifier(systems.placer, order.placer_order_number, type_code="PLAC"),
            identifier(systems.filler, order.filler_order_number, type_code="FILL"),
            identifier(systems.accession, order.accession_number, type_code="ACSN"),
        ]
    )


def procedure(report: IssuedReport, systems: Systems) -> Element | None:
    """Return what was examined as the site calls it; None where nobody said."""
    order = report.order
    code = (
        [coding(systems.procedure, order.procedure_code, order.procedure)]
        if order.procedure_code
        else []
    )
    return concept(*code, text=order.procedure or report.exam.description)


def service_request(report: IssuedReport, ids: Ids, systems: Systems) -> Element | None:
    """Return the order; None where none was placed.

    It is completed by this report, unless that is preliminary or void.
    """
    if ids.order is None:
        return None
    order = report.order
    done = report.status not in {"preliminary", "entered-in-error"}
    return resource(
        "ServiceRequest",
        ids.order,
        identifier=order_identifiers(report, systems)
        or present([identifier(systems.filler, order.requested_procedure_id, type_code="FILL")]),
        status="completed" if done else "active",
        intent="order",
        code=procedure(report, systems),
        subject=reference("Patient", ids.patient, report.patient.name),
        authoredOn=instant(report.times.ordered),
        requester=element(display=order.requester),
        reasonCode=present([concept(text=order.clinical_diagnosis), concept(text=order.reason)]),
        bodySite=present([concept(text=report.exam.body_part)]),
    )


def imaging_study(report: IssuedReport, ids: Ids, systems: Systems) -> Element:
    """Return the study with its series as they were when the report was issued (R4 §10.2)."""
    exam = report.exam
    accession = identifier(systems.accession, report.order.accession_number, type_code="ACSN")
    series = exam.series
    return resource(
        "ImagingStudy",
        ids.study,
        identifier=[uid_identifier(exam.study_instance_uid), *present([accession])],
        status="available",
        modality=[coding(DCM, one) for one in exam.modalities],
        subject=reference("Patient", ids.patient, report.patient.name),
        started=instant(report.times.acquired) or day(exam.study_date),
        basedOn=[] if ids.order is None else [reference("ServiceRequest", ids.order)],
        numberOfSeries=len(series) or None,
        numberOfInstances=sum(one.instance_count for one in series) or None,
        procedureCode=present([procedure(report, systems)]),
        description=exam.description,
        series=[_series(one, exam.modality) for one in series],
    )


def _series(one: IssuedSeries, of_study: str) -> Element:
    return element(
        uid=one.series_instance_uid,
        number=one.number if one.number is not None and one.number >= 0 else None,
        # R4 wants one of every series (1..1); a device that writes none leaves the study's.
        modality=coding(DCM, one.modality or of_study or "OT"),
        description=one.description,
        numberOfInstances=one.instance_count,
        bodySite=coding("", "", one.body_part),
        laterality=_SIDES.get(one.laterality),
    )
