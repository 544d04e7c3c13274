"""Another library's FHIR client reads from us over a real connection, page by page."""

from dataclasses import replace
from typing import Any
from uuid import uuid4

from fhirclient.client import FHIRClient
from fhirclient.models.diagnosticreport import DiagnosticReport
from fhirclient.models.patient import Patient

from storage import issued_reports
from storage.registry import MachineScope, issue_token
from tests.reading_worklist.dicomweb.archive import Archive
from tests.support.issued import at_site, issued_report
from tests.support.machines import secret_of
from tests.support.seed import Consortium


def test_a_client_that_is_not_ours(server: tuple[str, Archive, Consortium]) -> None:
    address, _, consortium = server
    study = consortium.complete_study()
    with consortium.database.transaction() as session:
        token = secret_of(issue_token(session, consortium.east, "HIS", MachineScope.FHIR))
    for _ in range(3):
        report = at_site(issued_report(), consortium.east, study.id)
        with consortium.database.transaction() as session:
            issued_reports.write(
                session, replace(report, report_version_id=uuid4(), workitem_id=uuid4())
            )
    client = FHIRClient(settings={"app_id": "his", "api_base": f"{address}/fhir"})
    peer: Any = client.server  # The library has no types of its own.
    peer.session.headers["Authorization"] = f"Bearer {token}"
    assert peer.capabilityStatement.fhirVersion == "4.0.1"
    found = DiagnosticReport.where({"patient.identifier": "DH00012345", "_count": "2"})
    pages: list[Any] = list(found.perform_iter(peer))
    assert [len(page.entry) for page in pages] == [2, 1]
    assert pages[0].total == 3
    reports = [entry.resource for page in pages for entry in page.entry]
    assert {one.status for one in reports} == {"final"}
    patient: Any = Patient.read(reports[0].subject.reference.partition("/")[2], peer)
    assert patient.name[0].text == "𠮷㛃䶮"
    assert patient.birthDate.isostring == "1969-01-01"
