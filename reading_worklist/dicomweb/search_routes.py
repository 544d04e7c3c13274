"""QIDO-RS (PS3.18 §10.6)."""

from typing import Final
from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import Response
from sqlalchemy import ColumnElement, and_
from sqlalchemy.orm import InstrumentedAttribute

from reading_worklist.dicomweb import queries
from reading_worklist.dicomweb.metadata import encode
from reading_worklist.dicomweb.parameters import Parameters, parse_parameters
from reading_worklist.dicomweb.queries import Root
from reading_worklist.dicomweb.requests import Asked, Asks, series_uid, study_uid
from reading_worklist.dicomweb.responses import as_problems, json_response
from reading_worklist.dicomweb.search import result
from storage.index.search import Level, Page, Sees, Within, run

router = APIRouter()

_NAMED_MAX: Final = 20
_NAME_LENGTH: Final = 64


@router.get("/studies")
def search_studies(asked: Asks) -> Response:
    """Return studies, newest first."""
    return _search(asked, Level.STUDY)


@router.get("/series")
def search_series(asked: Asks) -> Response:
    """Return series of all studies."""
    return _search(asked, Level.SERIES)


@router.get("/instances")
def search_instances(asked: Asks) -> Response:
    """Return instances of all studies."""
    return _search(asked, Level.INSTANCE)


@router.get("/studies/{study}/series")
def search_series_of_study(asked: Asks, study: str) -> Response:
    """Return the series of a study."""
    return _search(asked, Level.SERIES, study)


@router.get("/studies/{study}/instances")
def search_instances_of_study(asked: Asks, study: str) -> Response:
    """Return the instances of a study."""
    return _search(asked, Level.INSTANCE, study)


@router.get("/studies/{study}/series/{series}/instances")
def search_instances_of_series(asked: Asks, study: str, series: str) -> Response:
    """Return the instances of a series."""
    return _search(asked, Level.INSTANCE, study, series)


def _search(
    asked: Asked, level: Level, study: str | None = None, series: str | None = None
) -> Response:
    asked.require_json()
    path_level = None if study is None else Level.STUDY if series is None else Level.SERIES
    parameters = parse_parameters(
        asked.request.query_params.multi_items(), level, path_level=path_level
    )
    reading = asked.root.reading
    within = Within(study_ids=None if reading is None else reading.study_ids)
    with as_problems(), asked.services.database.transaction() as session:
        site_id = queries.require_site(session, asked.root)
        if study is not None and series is not None:
            found = queries.find_series(session, asked.root, study_uid(study), series_uid(series))
            within = Within(series_id=found.id)
        elif study is not None:
            within = Within(queries.find_study(session, asked.root, study_uid(study)).id)
        page = run(
            session,
            parameters.search,
            sees=_sees(asked.root, site_id),
            returned=parameters.returned,
            limit=parameters.limit,
            offset=parameters.offset,
            within=within,
        )
    body = encode([result(match, level, asked.base_url) for match in page.matches])
    headers = _headers(asked.request.url.netloc, parameters, page)
    return json_response(asked.request, body, headers=headers)


def _sees(root: Root, site_id: UUID | None) -> Sees:
    def sees(column: InstrumentedAttribute[UUID]) -> ColumnElement[bool]:
        if root.reading is not None:
            return column.in_(root.reading.site_ids)
        visible = root.scope.sees_images(column)
        return visible if site_id is None else and_(visible, column == site_id)

    return sees


def _headers(agent: str, parameters: Parameters, page: Page) -> dict[str, str]:
    """Tell how many results there are and what was not done (PS3.18 §8.3.4.4 and §10.6.3.3)."""
    headers: dict[str, str] = {}
    warnings: list[str] = []
    total = page.total
    if total is not None:
        headers["X-Total-Count"] = str(total.count)
        headers["X-Total-Count-Relation"] = "eq" if total.exact else "gte"
        rest = max(total.count - parameters.offset - len(page.matches), 0)
        count = str(rest) if total.exact else f"at least {rest}"
        if page.more:
            warnings.append(f"There are {count} additional results that can be requested")
    if parameters.ignored:
        # Only what cannot break the header is repeated.
        named = ", ".join(name for name in parameters.ignored[:_NAMED_MAX] if _harmless(name))
        warnings.append(f"The following parameters were ignored: {named or 'unknown ones'}")
    if warnings:
        headers["Warning"] = ", ".join(f'299 {agent} "{text}"' for text in warnings)
    return headers


def _harmless(name: str) -> bool:
    return name.isascii() and name.replace(".", "").isalnum() and len(name) <= _NAME_LENGTH
