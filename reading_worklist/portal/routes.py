"""The portal over HTTP, for the people of a site."""

from datetime import date
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Query, Response

from reading_worklist.portal import queries
from reading_worklist.portal.schemas import ExamDetail, ExamFilter, ExamPage
from reading_worklist.reports.service import open_report
from reading_worklist.services import Asking, Parts
from storage.registry import Role

router = APIRouter(prefix="/api/portal", tags=["portal"])

SITE_ROLES: Final = (Role.SITE_TECHNICIAN, Role.SITE_DOCTOR)
_PAGE_SIZE_MAX: Final = 200


@router.get("/exams")
def list_exams(  # noqa: PLR0917 -- one parameter for each query parameter
    scope: Asking,
    services: Parts,
    q: Annotated[str | None, Query(max_length=100)] = None,
    step: Annotated[str | None, Query(pattern="^(queued|reading|signed|delivered|opened)$")] = None,
    from_date: date | None = None,
    page: Annotated[int, Query(ge=1, le=100_000)] = 1,
    page_size: Annotated[int, Query(ge=1, le=_PAGE_SIZE_MAX)] = 50,
) -> ExamPage:
    """Return a page of the site's exams, newest first."""
    scope.require(*SITE_ROLES)
    wanted = ExamFilter(text=q, step=step, from_date=from_date)
    with services.database.transaction() as session:
        return queries.exams(session, scope, wanted, page=page, page_size=page_size)


@router.get("/exams/{workitem_id}")
def get_exam(workitem_id: UUID, scope: Asking, services: Parts) -> ExamDetail:
    """Return one exam with its reports and their way back."""
    scope.require(*SITE_ROLES)
    with services.database.transaction() as session:
        return queries.exam(session, scope, workitem_id)


@router.get(
    "/exams/{workitem_id}/report",
    response_class=Response,
    responses={200: {"content": {"application/pdf": {}}}},
)
def get_report(workitem_id: UUID, scope: Asking, services: Parts) -> Response:
    """Return the newest signed report as PDF, and record that the site has opened it."""
    scope.require(*SITE_ROLES)
    opened = open_report(services.database, services.objects, scope, workitem_id)
    headers = {
        "Content-Disposition": f'inline; filename="report-{opened.version_id}.pdf"',
        "Cache-Control": "private, no-store",
    }
    return Response(opened.pdf, media_type="application/pdf", headers=headers)
