"""A site's own figures over HTTP; part of the portal's routes."""

from http import HTTPStatus
from typing import Annotated
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query, Response

from reading_worklist.portal import queries, statistics, statistics_table
from reading_worklist.portal.people import SITE_ROLES
from reading_worklist.portal.schemas import ExamFilter, ExamPage
from reading_worklist.portal.statistics import ALL, Measure
from reading_worklist.portal.statistics_schemas import MonthView
from reading_worklist.problems import Problem
from reading_worklist.services import Asking, Parts, Services
from reading_worklist.typesetting.labels import Language

router = APIRouter()

_PAGE_SIZE_MAX = 200
_Month = Annotated[str, Query(pattern="^[0-9]{4}-(0[1-9]|1[0-2])$")]


@router.get("/statistics")
def get_statistics(month: _Month, scope: Asking, services: Parts) -> MonthView:
    """Return the site's figures of a month, such as 2026-11, in the zone of the pages."""
    scope.require(*SITE_ROLES)
    with services.database.transaction() as session:
        return statistics.month(session, scope, _year_known(month), _zone(services))


@router.get("/statistics/exams")
def list_counted_exams(  # noqa: PLR0917 -- one parameter for each query parameter
    month: _Month,
    measure: Measure,
    scope: Asking,
    services: Parts,
    modality: Annotated[str, Query(max_length=16)] = ALL,
    page: Annotated[int, Query(ge=1, le=100_000)] = 1,
    page_size: Annotated[int, Query(ge=1, le=_PAGE_SIZE_MAX)] = 50,
) -> ExamPage:
    """Return the exams that a figure of a month counts, newest first."""
    scope.require(*SITE_ROLES)
    with services.database.transaction() as session:
        ids: frozenset[UUID] = statistics.counted(
            session,
            scope,
            _year_known(month),
            _zone(services),
            modality=modality,
            measure=measure,
        )
        wanted = ExamFilter(workitem_ids=ids)
        return queries.exams(session, scope, wanted, page=page, page_size=page_size)


@router.get(
    "/statistics.csv",
    response_class=Response,
    responses={200: {"content": {"text/csv": {}}}},
)
def get_statistics_table(
    month: _Month, scope: Asking, services: Parts, language: Language = Language.ZH_CN
) -> Response:
    """Return the site's figures of a month as a table for a spreadsheet."""
    scope.require(*SITE_ROLES)
    with services.database.transaction() as session:
        figures = statistics.month(session, scope, _year_known(month), _zone(services))
    return Response(
        statistics_table.csv_of(figures, language),
        media_type="text/csv; charset=utf-8",
        headers={
            "Content-Disposition": f'attachment; filename="{scope.organisation_code}-{month}.csv"',
            "Cache-Control": "private, no-store",
        },
    )


def _zone(services: Services) -> ZoneInfo:
    return ZoneInfo(services.config.time_zone)


def _year_known(month: str) -> str:
    """Return a month whose year the calendar has.

    Raises:
        Problem: 422 for the year 0 and the last one.
    """
    if not "0001" <= month[:4] < "9999":
        raise Problem(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            "invalid-request",
            "There is no such month",
            expected="a month such as 2026-11",
            found=month,
        )
    return month
