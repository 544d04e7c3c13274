"""FHIR R4 for a site's own software, read only.

    GET  /fhir/metadata                          CapabilityStatement; needs no token
    GET  /fhir/{type}?…                          search; POST /fhir/{type}/_search the same
    GET  /fhir/{type}/{id}                       read; a Binary is the PDF, or FHIR where asked
    GET  /fhir/{type}/{id}/_history[/{version}]  versions
    GET  /fhir/DiagnosticReport/_history?_after= what was issued since, never missing one

Authorization: Bearer with a token of the scope `fhir`. What is another site's does not exist.
Errors are OperationOutcomes: 400 what is not understood · 401 no token · 404 · 405 changes · 406
XML · 410 what a later version does not tell any more, the PDF of a version that does not stand.
"""

from collections.abc import Sequence
from email.utils import format_datetime
from http import HTTPStatus
from typing import Annotated, Final
from urllib.parse import parse_qsl
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response
from sqlalchemy.orm import Session
from starlette.background import BackgroundTask

from reading_worklist.access.machines import machine_for, note_arrived, note_fetched
from reading_worklist.fhir import bundles
from reading_worklist.fhir.capability import capability_statement
from reading_worklist.fhir.outcomes import FhirRoute, answer
from reading_worklist.fhir.parameters import no_such_type, parse_search
from reading_worklist.fhir.requests import (
    Link,
    base_of,
    every_version,
    gone,
    id_of,
    links_of,
    not_found,
    require_json,
    standing,
    walk_of,
)
from reading_worklist.fhir.store import Found, Store
from reading_worklist.problems import Problem
from reading_worklist.reports.documents import read_pdf
from reading_worklist.services import Parts, Services
from storage.fhir.mapping import binary
from storage.fhir.reports import PDF
from storage.registry import Machine, MachineScope
from storage.report_pulls import PullChannel

router = APIRouter(prefix="/fhir", route_class=FhirRoute, include_in_schema=False, tags=["fhir"])

Asking = Annotated[Machine, Depends(machine_for(MachineScope.FHIR))]
_BODY_MAX: Final = 64 * 1024


@router.get("/metadata")
def metadata(request: Request) -> Response:
    """Return what the interface can do; it tells of nobody and needs no token."""
    require_json(request)
    return answer(capability_statement(base_of(request)))


@router.get("/{kind}")
def search(kind: str, request: Request, machine: Asking, services: Parts) -> Response:
    """Return a page of resources of a type."""
    return _search(request, services, machine, kind, request.query_params.multi_items())


@router.post("/{kind}/_search")
async def search_by_form(kind: str, request: Request, machine: Asking, services: Parts) -> Response:
    """Return a page of resources, asked for in a form, which no log of addresses keeps."""
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > _BODY_MAX:
            raise Problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too-large", "The form is too long")
    try:
        form = parse_qsl(body.decode("ascii"), keep_blank_values=True, max_num_fields=100)
    except ValueError as error:
        raise Problem(HTTPStatus.BAD_REQUEST, "bad-form", "The form is not understood") from error
    asked = [*request.query_params.multi_items(), *form]
    return await run_in_threadpool(_search, request, services, machine, kind, asked)


@router.get("/DiagnosticReport/_history")
def history_of_reports(request: Request, machine: Asking, services: Parts) -> Response:
    """Return what was issued to the site: from a position on, or the newest first.

    _after: a position of the feed; 0 begins at its beginning. The link `poll` asks for what
    follows. _since: from a time on. _count: how many.
    """
    require_json(request)
    walk = walk_of(request.query_params.multi_items(), services.config.time_zone)
    base = base_of(request)
    with services.database.transaction() as session:
        store = Store(session, machine.site_id, base)
        found, more = store.feed(walk)
        # Who polls every half minute and is told nothing has had access to nothing.
        versions = _note(session, request, machine, found) if found else []
    links = links_of(request, base, walk, found, more=more)
    return answer(
        bundles.history(found, links, base), after=_after(services, request, machine, versions)
    )


@router.get("/{kind}/{resource_id}")
def read(
    kind: str, resource_id: str, request: Request, machine: Asking, services: Parts
) -> Response:
    """Return a resource as it was told last."""
    if kind == "Binary":
        return _binary(request, services, machine, resource_id)
    require_json(request)
    with services.database.transaction() as session:
        store = Store(session, machine.site_id, base_of(request))
        found = standing(store, kind, resource_id)
        tag = bundles.etag(found)
        if request.headers.get("if-none-match") == tag:
            return Response(status_code=HTTPStatus.NOT_MODIFIED, headers={"ETag": tag})
        versions = _note(session, request, machine, [found])
    return _one(found, after=_after(services, request, machine, versions))


@router.get("/{kind}/{resource_id}/_history")
def history(
    kind: str, resource_id: str, request: Request, machine: Asking, services: Parts
) -> Response:
    """Return every version of a resource, the newest first."""
    require_json(request)
    base = base_of(request)
    with services.database.transaction() as session:
        found = every_version(Store(session, machine.site_id, base), kind, resource_id)
        versions = _note(session, request, machine, found)
    links: list[Link] = [("self", f"{base}/{kind}/{resource_id}/_history", [])]
    return answer(
        bundles.history(found, links, base), after=_after(services, request, machine, versions)
    )


@router.get("/{kind}/{resource_id}/_history/{version}")
def read_version(  # noqa: PLR0917 -- one parameter for each part of the address
    kind: str,
    resource_id: str,
    version: str,
    request: Request,
    machine: Asking,
    services: Parts,
) -> Response:
    """Return one version; one that does not stand says so in its narrative and its tag."""
    require_json(request)
    with services.database.transaction() as session:
        store = Store(session, machine.site_id, base_of(request))
        wanted = f'W/"{version}"'
        found = next(
            (one for one in every_version(store, kind, resource_id) if bundles.etag(one) == wanted),
            None,
        )
        if found is None:
            raise not_found(kind)
        versions = _note(session, request, machine, [found])
    return _one(found, after=_after(services, request, machine, versions))


@router.api_route("/{path:path}", methods=["GET", "POST", "PUT", "PATCH", "DELETE"])
def anything_else(path: str, request: Request, _machine: Asking) -> Response:
    """Refuse what the interface does not do, in its own words."""
    if request.method == "GET":
        raise no_such_type(path.partition("/")[0])
    raise Problem(
        HTTPStatus.METHOD_NOT_ALLOWED,
        "read-only",
        "The interface is read only",
        expected="GET, or POST to _search",
        remedy="Orders are placed by HL7 v2 or in the portal.",
    )


def _search(
    request: Request,
    services: Services,
    machine: Machine,
    kind: str,
    asked: Sequence[tuple[str, str]],
) -> Response:
    require_json(request, asked)
    wanted = parse_search(kind, asked, time_zone=services.config.time_zone)
    base = base_of(request)
    with services.database.transaction() as session:
        page = Store(session, machine.site_id, base).search(wanted)
        versions = _note(session, request, machine, [*page.found, *page.included])
    body = bundles.search_set(page, wanted, base)
    return answer(body, after=_after(services, request, machine, versions))


def _binary(request: Request, services: Services, machine: Machine, resource_id: str) -> Response:
    with services.database.transaction() as session:
        store = Store(session, machine.site_id, base_of(request))
        found = store.read("Binary", id_of("Binary", resource_id))
        if found is None:
            raise not_found("Binary")
        if not found.is_current:
            raise gone("The PDF is of a version that does not stand any more")
        report = store.report_of(found)
        note_fetched(
            session,
            request,
            machine,
            PullChannel.FHIR,
            [found.report_version_id],
            what=f"Binary/{resource_id}",
        )
    content = read_pdf(services.objects, report.document.object_key, report.document.sha256)
    after = _after(services, request, machine, [found.report_version_id])
    accept = request.headers.get("accept", "")
    if "json" in accept and PDF not in accept:
        return answer(binary(report, content), after=after)
    return Response(
        content,
        media_type=PDF,
        headers={
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
        },
        background=after,
    )


def _note(
    session: Session,
    request: Request,
    machine: Machine,
    found: Sequence[Found],
) -> list[UUID]:
    """Note what is told of reports by an answer; return the versions that it tells of."""
    versions = _versions(found)
    note_fetched(session, request, machine, PullChannel.FHIR, versions, what=request.url.path[:200])
    return versions


def _versions(found: Sequence[Found]) -> list[UUID]:
    """Return the versions that resources tell of; one that is only remembered is not received."""
    return list(
        dict.fromkeys(one.report_version_id for one in found if one.tells and one.is_current)
    )


def _one(found: Found, *, after: BackgroundTask | None) -> Response:
    assert found.resource is not None
    return answer(
        found.resource,
        headers={
            "ETag": bundles.etag(found),
            "Last-Modified": format_datetime(found.at, usegmt=True),
        },
        after=after,
    )


def _after(
    services: Services, request: Request, machine: Machine, versions: Sequence[UUID]
) -> BackgroundTask | None:
    """Return what counts the reports as arrived, once the whole answer has been sent."""
    if not versions:
        return None

    def arrived() -> None:
        with services.database.transaction() as session:
            note_arrived(session, request, machine, versions)

    return BackgroundTask(arrived)
