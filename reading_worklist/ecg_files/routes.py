"""ECG files over HTTP, for a site's machines and people and for the centre.

    POST /api/ecg-files?name=…[&order_id=…]      the file as the body → EcgFileView
    GET  /api/ecg-files, /api/ecg-files/{id}     what became of them
    POST /api/ecg-files/{id}/patient {…}         whose it is, where the file does not say
    GET  /api/ecg-files/{id}/original            the bytes as they came
    GET  /api/ecg-instances/{uid}/original|dicom|csv   of an ECG in the index

A machine sends `Authorization: Bearer` with a token that `rdc device token` or `rdc site token`
made; it sees the files of its own site. 201: it is in the index, or asks whose it is. 202: it is
kept and was not looked at yet; ask again at Location. 422: it cannot be read; `kept` tells whether
the original is.

Problems: 401 not-signed-in, wrong-token · 403 forbidden · 404 not-found · 409 wrong-state,
no-table · 413 ecg-file-too-large · 422 ecg-unreadable, ecg-refused.
"""

import asyncio
from collections.abc import Iterator
from http import HTTPStatus
from typing import Annotated, BinaryIO, Final
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse, StreamingResponse

from reading_worklist.ecg_files import csv_export, queries, service
from reading_worklist.ecg_files.queries import PAGE_SIZE_MAX, Original
from reading_worklist.ecg_files.schemas import (
    EcgFilePage,
    EcgFileView,
    WhoseBody,
)
from reading_worklist.ecg_files.senders import SENDING_ROLES, Whoever, sender_of, site_of
from reading_worklist.problems import conflict
from reading_worklist.services import Asking, Parts, Services, client_address
from reading_worklist.workitems.routes import CENTRE_ROLES
from storage.ecg.errors import EcgError
from storage.ecg_files.service import Sender, receive
from storage.ecg_files.tables import EcgFileState
from storage.registry import Machine

router = APIRouter(tags=["ecg-files"])

_READERS: Final = (*CENTRE_ROLES, *SENDING_ROLES)
_PROBLEMS: Final = frozenset({EcgFileState.UNREADABLE, EcgFileState.REFUSED})
WAIT_SECONDS: Final = 8.0
"""For as long an answer waits until the file was looked at."""
_CHUNK: Final = 1 << 18


@router.post("/api/ecg-files", status_code=HTTPStatus.CREATED, max_body_size=service.BODY_MAX + 1)
async def send_ecg_file(  # noqa: PLR0917 -- one parameter for each query parameter
    request: Request,
    response: Response,
    who: Whoever,
    services: Parts,
    name: Annotated[str, Query(max_length=255)] = "ecg",
    order_id: UUID | None = None,
) -> EcgFileView:
    """Take an ECG file in, whose bytes are the body; the answer waits for what becomes of it."""
    sender = sender_of(who, client_address(request))
    body = await service.read_body(request)
    with body:
        file_id = await asyncio.to_thread(
            _receive, services, sender, body, name, WhoseBody(order_id=order_id)
        )
    view = await service.settled(services, who, file_id, WAIT_SECONDS)
    if view.state in _PROBLEMS:
        raise service.unreadable(view)
    response.headers["Location"] = f"/api/ecg-files/{view.id}"
    if view.state is EcgFileState.RECEIVED:
        response.status_code = HTTPStatus.ACCEPTED
    return view


@router.get("/api/ecg-files")
def list_ecg_files(
    scope: Asking,
    services: Parts,
    state: Annotated[list[EcgFileState] | None, Query()] = None,
    page: Annotated[int, Query(ge=1, le=100_000)] = 1,
    page_size: Annotated[int, Query(ge=1, le=PAGE_SIZE_MAX)] = 50,
) -> EcgFilePage:
    """Return a page of ECG files, newest first."""
    scope.require(*_READERS)
    with services.database.transaction() as session:
        return queries.listed(session, scope, state or (), page=page, page_size=page_size)


@router.get("/api/ecg-files/{file_id}")
def get_ecg_file(file_id: UUID, who: Whoever, services: Parts) -> EcgFileView:
    """Return what became of a file."""
    if not isinstance(who, Machine):
        who.require(*_READERS)
    return service.look(services, who, file_id)


@router.post("/api/ecg-files/{file_id}/patient")
async def choose_patient(
    file_id: UUID, body: WhoseBody, scope: Asking, services: Parts
) -> EcgFileView:
    """Say whose a file is that names nobody; the answer waits for what becomes of it."""
    site_id = site_of(scope)
    await asyncio.to_thread(service.choose, services, scope, file_id, site_id, body)
    return await service.settled(services, scope, file_id, WAIT_SECONDS)


@router.get("/api/ecg-files/{file_id}/original", response_class=StreamingResponse)
def download_original(file_id: UUID, scope: Asking, services: Parts) -> Response:
    """Return the file as it came, byte for byte."""
    scope.require(*_READERS)
    with services.database.transaction() as session:
        found = queries.original(session, scope, file_id)
        service.record_download(session, scope, "ecg_file", file_id)
    return _attachment(services, found)


@router.get("/api/ecg-instances/{sop_instance_uid}/original", response_class=StreamingResponse)
def download_original_of_instance(
    sop_instance_uid: str, scope: Asking, services: Parts
) -> Response:
    """Return the file of which an ECG in the index was made, byte for byte.

    One that came as DICOM is its own original: the answer leads to `dicom`.
    """
    scope.require(*_READERS)
    with services.database.transaction() as session:
        file_id = queries.of_instance(session, scope, sop_instance_uid)
    if file_id is None:
        return download_dicom(sop_instance_uid, scope, services)
    return download_original(file_id, scope, services)


@router.get(
    "/api/ecg-instances/{sop_instance_uid}/dicom",
    response_class=RedirectResponse,
    status_code=HTTPStatus.TEMPORARY_REDIRECT,
)
def download_dicom(sop_instance_uid: str, scope: Asking, services: Parts) -> Response:
    """Lead to the DICOM object of an ECG, the normalised one where it came in another format.

    That it was asked for is recorded here; it comes with the identity that was decided for it.
    """
    scope.require(*_READERS)
    with services.database.transaction() as session:
        address = queries.dicom_address(session, scope, sop_instance_uid)
        service.record_download(session, scope, "instance", sop_instance_uid)
    return RedirectResponse(address, HTTPStatus.TEMPORARY_REDIRECT)


@router.get("/api/ecg-instances/{sop_instance_uid}/csv", response_class=StreamingResponse)
def download_csv(sop_instance_uid: str, scope: Asking, services: Parts) -> Response:
    """Return the rhythm leads of an ECG in µV as text, one line for each sample."""
    scope.require(*_READERS)
    with services.database.transaction() as session:
        key = queries.instance_key(session, scope, sop_instance_uid)
        service.record_download(session, scope, "instance", sop_instance_uid)
    try:
        lines = csv_export.lines(services.objects, key)
    except EcgError as error:
        raise conflict(
            "no-table",
            error.what,
            expected=error.expected,
            found=error.found,
            remedy=error.remedy,
        ) from error
    return StreamingResponse(
        lines,
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="ecg.csv"'},
    )


def _receive(
    services: Services, sender: Sender, body: BinaryIO, name: str, whose: WhoseBody
) -> UUID:
    with services.database.transaction() as session:
        choice = service.choice_of(session, sender.site_id, whose)
    return receive(services.database, services.objects, sender, body, file_name=name, choice=choice)


def _attachment(services: Services, found: Original) -> Response:
    def pieces() -> Iterator[bytes]:
        with services.objects.open(found.key) as kept:
            while piece := kept.read(_CHUNK):
                yield piece

    return StreamingResponse(
        pieces(),
        media_type=found.media_type,
        headers={
            "Content-Disposition": f'attachment; filename="{found.name}"',
            "Content-Length": str(found.size),
            "X-Content-Type-Options": "nosniff",
        },
    )
