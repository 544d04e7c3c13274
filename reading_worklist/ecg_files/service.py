"""Taking ECG files in over HTTP: a body of any length into a file, then the answer."""

import asyncio
import tempfile
from http import HTTPStatus
from typing import BinaryIO, Final, cast
from uuid import UUID

from fastapi import Request
from sqlalchemy import select
from sqlalchemy.orm import Session

from reading_worklist.access.scope import Scope
from reading_worklist.ecg_files import queries
from reading_worklist.ecg_files.schemas import ChosenPatientBody, EcgFileView, WhoseBody
from reading_worklist.problems import Problem, conflict, not_found
from reading_worklist.services import Services
from storage import audit
from storage.ecg.identification import EcgPatient
from storage.ecg_files import service as files
from storage.ecg_files.service import Choice, NotWaitingForAPatient
from storage.ecg_files.tables import EcgFile, EcgFileState
from storage.orders.tables import Order
from storage.registry import Machine

BODY_MAX: Final = 2 << 30
"""Bytes of one file; the longest record that is read is a fourth of it."""
_IN_MEMORY: Final = 4 << 20
_GATHERED: Final = 1 << 20
_PAUSES: Final = (0.05, 0.1, 0.15, 0.25, 0.4)


async def read_body(request: Request) -> BinaryIO:
    """Read a request's body into a temporary file, which the caller closes.

    Raises:
        Problem: 400 for an empty one, 413 for one that is too long.
    """
    stated = request.headers.get("content-length", "")
    if stated.isdecimal() and int(stated) > BODY_MAX:
        raise _too_long()
    file = cast("BinaryIO", tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY))  # noqa: SIM115 -- the caller's
    try:
        await _spool(request, file)
    except BaseException:
        file.close()
        raise
    return file


async def _spool(request: Request, file: BinaryIO) -> None:
    size = 0
    gathered = bytearray()
    async for chunk in request.stream():
        size += len(chunk)
        if size > BODY_MAX:
            raise _too_long()
        gathered += chunk
        if len(gathered) >= _GATHERED:
            await asyncio.to_thread(file.write, bytes(gathered))
            gathered.clear()
    await asyncio.to_thread(file.write, bytes(gathered))
    if size == 0:
        raise Problem(
            HTTPStatus.BAD_REQUEST,
            "empty-body",
            "The request has no body",
            expected="the ECG file itself as the body, of any Content-Type",
            remedy="Send the file's bytes, not a form.",
        )


def choice_of(session: Session, site_id: UUID, whose: WhoseBody) -> Choice:
    """Return whose a file is, as somebody of the site says.

    Raises:
        Problem: 404 for an order that the site does not have.
    """
    if whose.order_id is not None:
        found = session.scalar(
            select(Order.id).where(Order.id == whose.order_id, Order.site_id == site_id)
        )
        if found is None:
            raise not_found("The order")
        return Choice(order_id=found)
    return Choice() if whose.patient is None else Choice(patient=_patient(whose.patient))


def choose(
    services: Services, scope: Scope, file_id: UUID, site_id: UUID, whose: WhoseBody
) -> None:
    """Say whose a file of one's site is.

    Raises:
        Problem: 404 for an unknown file or order, 409 when the file does not ask, 422 when nothing
            was chosen.
    """
    with services.database.transaction() as session:
        row = session.scalar(
            select(EcgFile)
            .where(EcgFile.id == file_id, queries.sees(scope), EcgFile.site_id == site_id)
            .with_for_update()
        )
        if row is None:
            raise not_found("The ECG file")
        choice = choice_of(session, site_id, whose)
        if not choice.is_made:
            raise Problem(
                HTTPStatus.UNPROCESSABLE_ENTITY,
                "invalid-request",
                "Nobody was chosen",
                expected="order_id or patient",
                remedy="Choose the order, or say whose the ECG is.",
            )
        try:
            files.choose(session, row, choice, scope.actor)
        except NotWaitingForAPatient as error:
            raise conflict(
                "wrong-state",
                error.what,
                expected=error.expected,
                found=error.found,
                remedy=error.remedy,
            ) from error


async def settled(
    services: Services, who: Scope | Machine, file_id: UUID, seconds: float
) -> EcgFileView:
    """Return a file as soon as it was looked at, or as it is after so many seconds."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    pauses = iter(_PAUSES)
    while True:
        view = await asyncio.to_thread(look, services, who, file_id)
        pause = next(pauses, _PAUSES[-1])
        if view.state is not EcgFileState.RECEIVED or loop.time() + pause > deadline:
            return view
        await asyncio.sleep(pause)


def look(services: Services, who: Scope | Machine, file_id: UUID) -> EcgFileView:
    """Return a file as it is now.

    Raises:
        Problem: 404 when it does not exist or is not visible.
    """
    with services.database.transaction() as session:
        return queries.one(session, who, file_id)


def record_download(session: Session, scope: Scope, subject_kind: str, subject: object) -> None:
    """Note in the audit trail that somebody has taken a copy of an ECG."""
    audit.record(
        session, scope.actor, "ecg_file:download", subject_kind=subject_kind, subject_id=subject
    )


def unreadable(view: EcgFileView) -> Problem:
    """Return the answer for a file that could not be read."""
    problem = view.problem
    assert problem is not None
    kept = view.state is EcgFileState.UNREADABLE
    return Problem(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "ecg-unreadable" if kept else "ecg-refused",
        problem.what,
        expected=problem.expected,
        found=problem.found,
        remedy=problem.remedy,
        members={"ecg_file": str(view.id), "kept": kept, "problem_code": problem.code},
    )


def _patient(body: ChosenPatientBody) -> EcgPatient:
    return EcgPatient(body.patient_id.strip(), body.name.strip(), body.birth_date, body.sex)


def _too_long() -> Problem:
    return Problem(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        "ecg-file-too-large",
        "The file is larger than this server takes",
        expected=f"at most {BODY_MAX} bytes",
        remedy="Export a shorter part at the device.",
    )
