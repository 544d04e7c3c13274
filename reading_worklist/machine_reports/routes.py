"""Fetching reports from inside of a site, with a token, where no connection comes in.

    GET  /api/machine/reports?since=…            what was issued after a position → IssuedItems
    GET  /api/machine/reports/{id}               a version with its content       → FetchedReport
    GET  /api/machine/reports/{id}/pdf           the signed PDF
    POST /api/machine/reports/{id}/acknowledge   the site's software has it       → Acknowledged

Authorization: Bearer with a token of the scope `reports` or `fhir`. A position is never skipped:
they are given in the order in which reports are committed. What is another site's does not exist.

Problems: 401 wrong-token · 404 not-found · 410 superseded, for the PDF of what does not stand.
"""

from collections.abc import Sequence
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response
from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from reading_worklist.access.machines import machine_for, note_arrived, note_fetched
from reading_worklist.machine_reports.schemas import (
    Acknowledged,
    FetchedReport,
    IssuedItem,
    IssuedItems,
)
from reading_worklist.problems import Problem, not_found
from reading_worklist.reports.documents import read_pdf
from reading_worklist.services import Parts
from storage.clock import utc_now
from storage.issued_feed.tables import IssuedFeedEntry
from storage.issued_reports import IssuedReport, IssuedReportRow, from_json, to_json
from storage.registry import Machine, MachineScope
from storage.report_pulls import PullChannel

router = APIRouter(prefix="/api/machine/reports", tags=["machine-reports"])

Asking = Annotated[Machine, Depends(machine_for(MachineScope.REPORTS, MachineScope.FHIR))]
_COUNT_MAX: Final = 200
_NO_STORE: Final = {"Cache-Control": "no-store"}


@router.get("")
def list_issued_reports(  # noqa: PLR0917 -- one parameter for each query parameter
    request: Request,
    machine: Asking,
    services: Parts,
    response: Response,
    since: Annotated[int, Query(ge=0, le=2**62)] = 0,
    count: Annotated[int, Query(ge=1, le=_COUNT_MAX)] = 50,
) -> IssuedItems:
    """Return what was issued to the site after a position, in order; 0 is the beginning."""
    response.headers.update(_NO_STORE)
    with services.database.transaction() as session:
        rows = session.execute(
            select(IssuedFeedEntry, IssuedReportRow.content)
            .join(
                IssuedReportRow,
                IssuedReportRow.report_version_id == IssuedFeedEntry.report_version_id,
            )
            .where(
                IssuedFeedEntry.site_id == machine.site_id,
                IssuedFeedEntry.position > since,
                ~IssuedFeedEntry.is_late,
            )
            .order_by(IssuedFeedEntry.position)
            .limit(count + 1)
        ).all()
        if rows:
            # Names were seen, but no report was fetched yet.
            note_fetched(session, request, machine, PullChannel.REST, (), what=f"after {since}")
    items = [_item(entry, from_json(content)) for entry, content in rows[:count]]
    return IssuedItems(
        items=items,
        position=items[-1].position if items else since,
        more=len(rows) > count,
    )


@router.get("/{report_version_id}")
def fetch_issued_report(
    report_version_id: UUID, request: Request, machine: Asking, services: Parts, response: Response
) -> FetchedReport:
    """Return a version with its content; that it was fetched is noted."""
    response.headers.update(_NO_STORE)
    with services.database.transaction() as session:
        entry, report = _found(session, machine, report_version_id)
        _note(session, request, machine, entry, "report")
    content = to_json(report)
    document = content["document"]
    assert isinstance(document, dict)
    # Where it lies here is nobody's business.
    del document["object_key"]
    return FetchedReport(**_item(entry, report).model_dump(), report=content)


@router.get("/{report_version_id}/pdf", response_class=Response)
def fetch_report_pdf(
    report_version_id: UUID, request: Request, machine: Asking, services: Parts
) -> Response:
    """Return the signed PDF of a version that stands; that it was fetched is noted."""
    with services.database.transaction() as session:
        entry, report = _found(session, machine, report_version_id)
        if not entry.is_current:
            raise Problem(
                HTTPStatus.GONE,
                "superseded",
                "This version of the report does not stand any more",
                remedy="Fetch what was issued after it: the same report_id, a later position.",
            )
        _note(session, request, machine, entry, "pdf")
    content = read_pdf(services.objects, report.document.object_key, report.document.sha256)
    return Response(
        content,
        media_type="application/pdf",
        headers={
            **_NO_STORE,
            "Content-Disposition": f'attachment; filename="{report_version_id}.pdf"',
            "X-Content-Type-Options": "nosniff",
        },
    )


@router.post("/{report_version_id}/acknowledge")
def acknowledge_issued_report(
    report_version_id: UUID, request: Request, machine: Asking, services: Parts
) -> Acknowledged:
    """Say that the site's software has kept a version, or the notice that one is void.

    It counts as delivered then. Said again it changes nothing.
    """
    with services.database.transaction() as session:
        entry, _ = _found(session, machine, report_version_id)
        _note(session, request, machine, entry, "acknowledge")
        note_arrived(session, request, machine, [report_version_id])
        return Acknowledged(
            id=report_version_id, acknowledged_at=utc_now(), standing=entry.is_current
        )


def _found(
    session: Session, machine: Machine, report_version_id: UUID
) -> tuple[IssuedFeedEntry, IssuedReport]:
    row: Row[IssuedFeedEntry, dict[str, object]] | None = session.execute(
        select(IssuedFeedEntry, IssuedReportRow.content)
        .join(
            IssuedReportRow,
            IssuedReportRow.report_version_id == IssuedFeedEntry.report_version_id,
        )
        .where(
            IssuedFeedEntry.site_id == machine.site_id,
            IssuedFeedEntry.report_version_id == report_version_id,
        )
    ).one_or_none()
    if row is None:
        raise not_found("The report")
    entry, content = row
    return entry, from_json(content)


def _note(
    session: Session, request: Request, machine: Machine, entry: IssuedFeedEntry, what: str
) -> None:
    versions: Sequence[UUID] = [entry.report_version_id] if entry.is_current else []
    note_fetched(
        session,
        request,
        machine,
        PullChannel.REST,
        versions,
        what=f"{what} {entry.report_version_id}",
    )


def _item(entry: IssuedFeedEntry, report: IssuedReport) -> IssuedItem:
    issued_at: datetime = report.times.issued
    return IssuedItem(
        id=report.report_version_id,
        report_id=report.workitem_id,
        position=entry.position,
        kind=report.kind.value,
        status=report.status,
        version=report.version_number,
        replaces=report.predecessor.report_version_id if report.predecessor else None,
        standing=entry.is_current,
        title=report.title,
        issued_at=issued_at,
        critical=report.critical,
        modality=report.exam.modality,
        study_instance_uid=report.exam.study_instance_uid,
        accession_number=report.order.accession_number,
        placer_order_number=report.order.placer_order_number,
        filler_order_number=report.order.filler_order_number,
        patient_local_id=report.patient.local_id,
        patient_name=report.patient.name,
        pdf_sha256=report.document.sha256,
    )
