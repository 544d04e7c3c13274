"""The ledger over HTTP, for both sides: a site sees its own exams, the centre those of its sites.

    GET /api/ledger?q=&site=&after=&page_size=            → LedgerPage, the newest first
    GET /api/ledger?stuck=true&rule=&q=&site=&after=      → LedgerPage, the longest first
    GET /api/ledger/counts?site=                          → StuckCounts
    GET /api/ledger.csv                                   → the same lines as a table
    GET /api/ledger/{exam_id}                             → LedgerDetail

Problems: 403 forbidden · 404 not-found · 422 invalid-request.
"""

from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query, Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from reading_worklist.access.masking import shown_to
from reading_worklist.access.scope import Scope
from reading_worklist.ledger import queries, table
from reading_worklist.ledger.finding import Place, Wanted
from reading_worklist.ledger.schemas import LedgerDetail, LedgerPage, StuckCounts
from reading_worklist.ledger.stuck import Stuck
from reading_worklist.problems import Problem, not_found
from reading_worklist.services import Asking, Parts
from reading_worklist.typesetting.labels import Language
from storage.clock import utc_now
from storage.registry import Organisation, Role

router = APIRouter(prefix="/api", tags=["ledger"])

READERS: Final = (
    Role.SITE_TECHNICIAN,
    Role.SITE_DOCTOR,
    Role.WRITER,
    Role.REVIEWER,
    Role.DISPATCHER,
    Role.CONSORTIUM_ADMIN,
    Role.SYSTEM_ADMIN,
    Role.AUDITOR,
)
_PAGE_SIZE_MAX: Final = 200
_EXPORTED_MAX: Final = 5_000
_PLACES_MAX: Final = 100_000

_Text = Annotated[str | None, Query(max_length=100)]
_Site = Annotated[str | None, Query(max_length=64)]
_After = Annotated[str | None, Query(max_length=100)]


@router.get("/ledger")
def list_ledger(  # noqa: PLR0917 -- one parameter for each query parameter
    scope: Asking,
    services: Parts,
    q: _Text = None,
    site: _Site = None,
    stuck: bool = False,  # noqa: FBT001, FBT002 -- a query parameter
    rule: Stuck | None = None,
    after: _After = None,
    page_size: Annotated[int, Query(ge=1, le=_PAGE_SIZE_MAX)] = 50,
) -> LedgerPage:
    """Return visible exams: all, the newest first; or what is stuck, the longest first.

    q: the beginning of a patient id, an accession number or a name; of all exams only.
    """
    scope.require(*READERS)
    with services.database.transaction() as session:
        wanted = _wanted(session, scope, site, q)
        page = _page(session, scope, wanted, stuck or rule is not None, rule, after, page_size)
        return shown_to(scope, page)


@router.get("/ledger/counts")
def count_stuck(scope: Asking, services: Parts, site: _Site = None) -> StuckCounts:
    """Return the table of what counts as stuck, with how many exams each rule stops now."""
    scope.require(*READERS)
    with services.database.transaction() as session:
        return queries.counts(session, scope, _wanted(session, scope, site, None), utc_now())


@router.get("/ledger.csv", response_class=Response, responses={200: {"content": {"text/csv": {}}}})
def export_ledger(  # noqa: PLR0917 -- one parameter for each query parameter
    scope: Asking,
    services: Parts,
    q: _Text = None,
    site: _Site = None,
    stuck: bool = False,  # noqa: FBT001, FBT002 -- a query parameter
    rule: Stuck | None = None,
    language: Language = Language.ZH_CN,
) -> Response:
    """Return the first 5,000 lines of a list as a table for a spreadsheet."""
    scope.require(*READERS)
    zone = ZoneInfo(services.config.time_zone)
    parts = [table.heading(language)]
    after: str | None = None
    lines = 0
    while lines < _EXPORTED_MAX:
        with services.database.transaction() as session:
            wanted = _wanted(session, scope, site, q)
            page = _page(
                session, scope, wanted, stuck or rule is not None, rule, after, _PAGE_SIZE_MAX
            )
        parts.extend(table.line(one, language, zone) for one in shown_to(scope, page).items)
        lines += len(page.items)
        after = page.next
        if after is None:
            break
    return Response(
        "".join(parts),
        media_type="text/csv; charset=utf-8",
        headers={
            "Content-Disposition": f'attachment; filename="{scope.organisation_code}-ledger.csv"',
            "Cache-Control": "private, no-store",
        },
    )


@router.get("/ledger/{exam_id}")
def get_ledger_line(exam_id: UUID, scope: Asking, services: Parts) -> LedgerDetail:
    """Return one line with every version, delivery, opening and recall behind it."""
    scope.require(*READERS)
    with services.database.transaction() as session:
        return shown_to(scope, queries.detail(session, scope, exam_id, utc_now()))


def _page(  # noqa: PLR0917 -- what a request may ask
    session: Session,
    scope: Scope,
    wanted: Wanted,
    is_stuck: bool,  # noqa: FBT001
    rule: Stuck | None,
    after: str | None,
    page_size: int,
) -> LedgerPage:
    if is_stuck:
        return queries.stuck(
            session,
            scope,
            wanted,
            utc_now(),
            only=rule,
            offset=_offset(after),
            page_size=page_size,
        )
    return queries.newest(
        session, scope, wanted, utc_now(), after=_place(after), page_size=page_size
    )


def _wanted(session: Session, scope: Scope, site: str | None, text: str | None) -> Wanted:
    """Return what a request asks for.

    Raises:
        Problem: 404 for a site that is not visible.
    """
    site_id = None
    if site:
        site_id = session.scalar(
            select(Organisation.id).where(Organisation.code == site, scope.sees(Organisation.id))
        )
        if site_id is None:
            raise not_found("The site")
    return Wanted(site_id=site_id, text=(text or "").strip() or None)


def _place(after: str | None) -> Place | None:
    if after is None:
        return None
    at, _, exam_id = after.partition("~")
    try:
        place = Place(datetime.fromisoformat(at), UUID(exam_id))
    except ValueError:
        raise _not_ours() from None
    if place.at.tzinfo is None:
        raise _not_ours()
    return place


def _offset(after: str | None) -> int:
    if after is None:
        return 0
    if not after.isascii() or not after.isdigit() or int(after) > _PLACES_MAX:
        raise _not_ours()
    return int(after)


def _not_ours() -> Problem:
    return Problem(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "invalid-request",
        "There is no page behind this",
        expected="what a page of this list gave as 'next'",
        remedy="Begin at the first page.",
    )
