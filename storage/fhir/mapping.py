"""One issued report as its R4 resources, each once, in an order in which they can be stored."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from storage.fhir import exams, people, reports
from storage.fhir.elements import Element, coding, element, legible
from storage.fhir.identities import STANDING, Ids, Systems
from storage.fhir.observations import observations
from storage.fhir.reports import PDF, Pdf
from storage.issued_reports.model import IssuedReport


@dataclass(frozen=True, slots=True)
class Told:
    """A report in FHIR: its ids, and its resources by type and id, what is referred to first."""

    ids: Ids
    resources: Mapping[tuple[str, UUID], Element]

    def of_type(self, kind: str) -> list[Element]:
        """Return the resources of a type in order."""
        return [one for (name, _), one in self.resources.items() if name == kind]


def tell(
    report: IssuedReport, systems: Systems, pdf: Pdf | None = None, *, superseded: bool = False
) -> Told:
    """Return an issued report as R4 resources.

    pdf: how its document is reached; None leaves it out. superseded: a later version stands.
    """
    pdf = pdf or Pdf()
    ids = Ids.of(report)
    watched = observations(report, ids, systems)
    made: list[Element] = [
        people.organisation(report.site, systems),
        people.organisation(report.centre, systems),
        people.patient(report, ids, systems),
    ]
    for signer in people.signers(report):
        made.append(people.organisation(signer.organisation, systems))
        made.append(people.practitioner(signer, systems))
        made.append(people.practitioner_role(signer, systems))
    order = exams.service_request(report, ids, systems)
    if order is not None:
        made.append(order)
    made.append(exams.imaging_study(report, ids, systems))
    for one in watched:
        if superseded:
            one.resource["meta"] = {"tag": [coding(STANDING, "superseded")]}
        made.append(one.resource)
    made.append(
        reports.diagnostic_report(report, ids, systems, watched, pdf, superseded=superseded)
    )
    made.append(reports.document_reference(report, ids, systems, pdf, superseded=superseded))
    made.append(reports.provenance(report, ids))
    return Told(ids, {(one["resourceType"], UUID(one["id"])): legible(one) for one in made})


def binary(report: IssuedReport, content: bytes) -> Element:
    """Return the signed PDF of a version as a Binary resource."""
    ids = Ids.of(report)
    return element(
        resourceType="Binary",
        id=str(ids.binary),
        contentType=PDF,
        securityContext={"reference": f"DiagnosticReport/{ids.report}"},
        data=base64.b64encode(content).decode(),
    )
