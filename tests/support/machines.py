"""Software of sites with tokens, and reports that are issued to them."""

import hashlib
import itertools
from dataclasses import dataclass, replace
from typing import Any
from uuid import uuid4

import httpx
from fastapi import FastAPI
from fastapi.testclient import TestClient

from storage import issued_reports
from storage.issued_reports import IssuedOrder, IssuedReport
from storage.objects import ObjectKey, ObjectStore
from storage.registry import MachineScope, Organisation, issue_token
from storage.registry.tokens import IssuedToken
from tests.support.fhir import check
from tests.support.issued import at_site, issued_report
from tests.support.seed import Consortium


def secret_of(issued: IssuedToken) -> str:
    """What is shown once, of a token that is no certificate alone."""
    assert issued.secret is not None
    return issued.secret


@dataclass
class Machine:
    """Software of a site with a token."""

    client: TestClient
    token: str

    def get(self, path: str, **headers: str) -> httpx.Response:
        path = path.removeprefix("http://testserver")
        return self.client.get(
            path if path.startswith("/") else f"/fhir/{path}",
            headers={"Authorization": f"Bearer {self.token}", **headers},
        )

    def read(self, path: str) -> dict[str, Any]:
        """What is there, valid R4."""
        answer = self.get(path)
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"].startswith("application/fhir+json")
        assert answer.headers["cache-control"] == "no-store"
        check(answer.json())
        return answer.json()

    def found(self, path: str) -> list[dict[str, Any]]:
        return [
            one["resource"]
            for one in self.read(path).get("entry", ())
            if one.get("search", {}).get("mode", "match") == "match"
        ]

    def refused(self, path: str, status: int, code: str) -> str:
        answer = self.get(path)
        assert answer.status_code == status, answer.text
        check(answer.json())
        assert answer.json()["resourceType"] == "OperationOutcome"
        assert answer.json()["issue"][0]["code"] == code
        return answer.text


class Desk:
    """Issues reports to sites, and hands out tokens."""

    def __init__(self, consortium: Consortium, objects: ObjectStore, app: FastAPI) -> None:
        self.consortium = consortium
        self.objects = objects
        self.client = TestClient(app)
        self.study = consortium.complete_study()
        self.numbers = itertools.count(1)

    def machine(
        self, site: Organisation | None = None, scope: MachineScope = MachineScope.FHIR
    ) -> Machine:
        with self.consortium.database.transaction() as session:
            issued = issue_token(session, site or self.consortium.east, "HIS", scope)
        return Machine(self.client, secret_of(issued))

    def issue(self, report: IssuedReport, site: Organisation | None = None) -> IssuedReport:
        report = at_site(report, site or self.consortium.east, self.study.id)
        pdf = f"%PDF-1.7 {report.report_version_id}".encode()
        key = ObjectKey.parse(f"reports/{report.report_version_id}.pdf")
        self.objects.put(key, pdf, content_type="application/pdf")
        document = replace(
            report.document, object_key=str(key), sha256=hashlib.sha256(pdf).hexdigest()
        )
        report = replace(report, document=document)
        with self.consortium.database.transaction() as session:
            issued_reports.write(session, report)
        return report

    def another(self) -> IssuedReport:
        number = next(self.numbers)
        report = issued_report()
        order = IssuedOrder(
            accession_number=f"A{number}",
            placer_order_number=f"P{number}",
            requested_procedure_id=f"RP{number}",
        )
        exam = replace(report.exam, study_instance_uid=f"2.25.{number}")
        return self.issue(
            replace(report, report_version_id=uuid4(), workitem_id=uuid4(), order=order, exam=exam)
        )
