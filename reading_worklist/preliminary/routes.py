"""Preliminary reports over HTTP, for the people of the centre.

    GET /api/preliminary-reports?page=&page_size=  → PreliminaryPage

Problems: 403 forbidden.
"""

from typing import Annotated

from fastapi import APIRouter, Query

from reading_worklist.preliminary import queries
from reading_worklist.preliminary.queries import PAGE_SIZE_MAX
from reading_worklist.preliminary.schemas import PreliminaryPage
from reading_worklist.services import Asking, Parts
from reading_worklist.workitems.routes import centre

router = APIRouter(prefix="/api", tags=["preliminary reports"])


@router.get("/preliminary-reports")
def list_preliminary_reports(
    scope: Asking,
    services: Parts,
    page: Annotated[int, Query(ge=1, le=100_000)] = 1,
    page_size: Annotated[int, Query(ge=1, le=PAGE_SIZE_MAX)] = 50,
) -> PreliminaryPage:
    """Return a page of the preliminary reports that wait for their final review."""
    centre(scope)
    with services.database.transaction() as session:
        return queries.listed(session, scope, page=page, page_size=page_size)
