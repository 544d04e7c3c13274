"""QIDO-RS (PS3.18 §10.6)."""

from fastapi import APIRouter
from fastapi.responses import Response

from reading_worklist.dicomweb import queries
from reading_worklist.dicomweb.matching import Level, Search, parse_search
from reading_worklist.dicomweb.metadata import encode
from reading_worklist.dicomweb.requests import Asked, Asks, series_uid, study_uid
from reading_worklist.dicomweb.responses import as_problems, json_response
from reading_worklist.dicomweb.search import Page, run_search

router = APIRouter()

_NAMED_MAX = 20


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
    search = parse_search(asked.request.query_params.multi_items(), level)
    study_id = series_id = None
    with as_problems(), asked.services.database.transaction() as session:
        queries.require_site(session, asked.root)
        if study is not None and series is not None:
            found = queries.find_series(session, asked.root, study_uid(study), series_uid(series))
            series_id = found.id
        elif study is not None:
            study_id = queries.find_study(session, asked.root, study_uid(study)).id
        page = run_search(
            session,
            asked.root,
            level,
            search,
            base_url=asked.base_url,
            study_id=study_id,
            series_id=series_id,
        )
    headers = _headers(asked.request.url.netloc, search, page)
    return json_response(asked.request, encode(page.results), headers=headers)


def _headers(agent: str, search: Search, page: Page) -> dict[str, str]:
    """Tell how many results there are and what was not done (PS3.18 §8.3.4 and §10.6.3.3)."""
    headers = {"X-Total-Count": str(page.total)}
    more = page.total - search.offset - len(page.results)
    warnings: list[str] = []
    if page.results and more > 0:
        warnings.append(f"There are {more} additional results that can be requested")
    if search.ignored:
        # Only what cannot break the header is repeated.
        named = ", ".join(name for name in search.ignored[:_NAMED_MAX] if _harmless(name))
        warnings.append(f"The following parameters were ignored: {named or 'unknown ones'}")
    if warnings:
        headers["Warning"] = ", ".join(f'299 {agent} "{text}"' for text in warnings)
    return headers


def _harmless(name: str) -> bool:
    return name.isascii() and name.isalnum() and len(name) <= 64  # noqa: PLR2004 -- a keyword's bound
