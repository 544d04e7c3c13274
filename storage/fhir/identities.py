"""Under which ids and identifiers things are known in FHIR: always the same for the same thing.

Ids are UUIDs made from our own keys (RFC 9562 §5.5), so that a report that is told again is the
same resource. The systems of identifiers are arcs below the OID of the site that the number holds
in, which is made from the site's UUID (ITU-T X.667 §7.3): two centres with a site of one name do
not meet.
"""

from dataclasses import dataclass
from typing import Final, Self
from uuid import UUID, uuid5

from storage.issued_reports.model import IssuedReport

# The namespace of these ids; drawn once.
_NAMESPACE: Final = UUID("b3a0f6c1-5d0e-4a55-8a1d-5f3b6c0e7d42")

CODES: Final = "urn:oid:2.25.178993770813688700822057078978950923836.1"
"""The code system of what only we call so: names of codes and measurements of a report."""
STANDING: Final = "urn:oid:2.25.178993770813688700822057078978950923836.2"
"""The code system of `meta.tag`: whether a version still stands."""


def resource_id(kind: str, *keys: object) -> UUID:
    """Return the id of the resource of a type that stands for what our keys name."""
    return uuid5(_NAMESPACE, "/".join((kind, *(str(key) for key in keys))))


@dataclass(frozen=True, slots=True, kw_only=True)
class Systems:
    """Systems of the identifiers of one site's reports.

    A receiver that has systems of its own for the numbers it gave (patient, visit, order) is told
    them in those: it finds its own patients by them.
    """

    organisation: str
    person: str
    report: str
    version: str
    observation: str
    verification: str
    patient: str
    visit: str
    accession: str
    placer: str
    filler: str
    procedure: str

    @classmethod
    def of_site(
        cls,
        site_id: UUID,
        *,
        patient: str = "",
        visit: str = "",
        accession: str = "",
        placer: str = "",
        procedure: str = "",
    ) -> Self:
        """Return the systems of a site; what is given takes the place of ours."""
        arc = f"urn:oid:2.25.{site_id.int}"
        return cls(
            organisation="urn:ietf:rfc:3986",
            person="urn:ietf:rfc:3986",
            report=f"{arc}.6",
            version=f"{arc}.7",
            observation=f"{arc}.8",
            verification=f"{arc}.9",
            patient=patient or f"{arc}.1",
            visit=visit or f"{arc}.2",
            accession=accession or f"{arc}.3",
            placer=placer or f"{arc}.4",
            filler=f"{arc}.5",
            procedure=procedure or f"{arc}.10",
        )


@dataclass(frozen=True, slots=True)
class Ids:
    """Ids of the resources that one issued report is told in, beside its observations.

    order: None where no order was placed. writer, reviewer: None where nobody signed as such.
    """

    report: UUID
    document: UUID
    binary: UUID
    provenance: UUID
    patient: UUID
    study: UUID
    order: UUID | None
    site: UUID
    centre: UUID
    writer: UUID | None
    reviewer: UUID | None

    @classmethod
    def of(cls, report: IssuedReport) -> Self:
        """Return the ids of an issued report.

        The report's own is that of its exam: versions follow each other under it.
        """
        patient = report.patient.local_id or report.exam.study_instance_uid
        order = report.order
        has_order = (
            order.placer_order_number or order.filler_order_number or order.requested_procedure_id
        )
        version = report.report_version_id
        return cls(
            report=resource_id("DiagnosticReport", report.workitem_id),
            document=resource_id("DocumentReference", version),
            binary=resource_id("Binary", version),
            provenance=resource_id("Provenance", version),
            patient=resource_id("Patient", report.site.id, patient),
            study=resource_id("ImagingStudy", report.site.id, report.exam.study_instance_uid),
            order=resource_id(
                "ServiceRequest",
                report.site.id,
                order.requested_procedure_id
                or order.filler_order_number
                or order.placer_order_number,
            )
            if has_order
            else None,
            site=resource_id("Organization", report.site.id),
            centre=resource_id("Organization", report.centre.id),
            writer=_person(report.writer and report.writer.person_id),
            reviewer=_person(report.reviewer and report.reviewer.person_id),
        )


def _person(person_id: UUID | None) -> UUID | None:
    return None if person_id is None else resource_id("Practitioner", person_id)
