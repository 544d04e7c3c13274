"""The portal over HTTP, for the people of a site."""

from datetime import date
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Query, Response

from reading_worklist.portal import home, kept, queries, statistics_routes
from reading_worklist.portal.people import SITE_ROLES
from reading_worklist.portal.road import ExamStep, Need
from reading_worklist.portal.schemas import (
    ExamDetail,
    ExamFilter,
    ExamPage,
    HomeView,
    KeptView,
)
from reading_worklist.reports.service import open_report
from reading_worklist.services import Asking, Parts

router = APIRouter(prefix="/api/portal", tags=["portal"])
router.include_router(statistics_routes.router)

_PAGE_SIZE_MAX: Final = 200


@router.get("/home")
def get_home(scope: Asking, services: Parts) -> HomeView:
    """Return what needs somebody of the site now."""
    scope.require(*SITE_ROLES)
    with services.database.transaction() as session:
        return home.home(session, scope)


@router.get("/exams")
def list_exams(  # noqa: PLR0917 -- one parameter for each query parameter
    scope: Asking,
    services: Parts,
    q: Annotated[str | None, Query(max_length=100)] = None,
    step: ExamStep | None = None,
    modality: Annotated[str | None, Query(max_length=16)] = None,
    needs: Need | None = None,
    from_date: date | None = None,
    page: Annotated[int, Query(ge=1, le=100_000)] = 1,
    page_size: Annotated[int, Query(ge=1, le=_PAGE_SIZE_MAX)] = 50,
) -> ExamPage:
    """Return a page of the site's exams, newest first; with `needs` those that want something.

    attention: there is a question about their images. unopened: nobody has opened the report.
    late: they are ordered, and their images should be here.
    """
    scope.require(*SITE_ROLES)
    wanted = ExamFilter(
        text=(q or "").strip() or None,
        step=step,
        modality=modality,
        needs=needs,
        from_date=from_date,
    )
    with services.database.transaction() as session:
        return queries.exams(session, scope, wanted, page=page, page_size=page_size)


@router.get("/exams/{exam_id}")
def get_exam(exam_id: UUID, scope: Asking, services: Parts) -> ExamDetail:
    """Return one exam, by the id of its reading, order or study, with its reports."""
    scope.require(*SITE_ROLES)
    with services.database.transaction() as session:
        return queries.exam(session, scope, exam_id)


@router.get("/exams/{exam_id}/kept")
def get_kept(exam_id: UUID, scope: Asking, services: Parts) -> KeptView:
    """Return whether the images of an exam may be deleted from the modality."""
    scope.require(*SITE_ROLES)
    return kept.kept(services.database, services.objects, scope, exam_id)


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
