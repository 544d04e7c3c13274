"""STOW-RS (PS3.18 §10.5): instances come in over HTTP, each answered for by itself."""

import asyncio
import json
from collections.abc import Sequence
from functools import partial
from http import HTTPStatus
from typing import Any, Final
from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import Response
from sqlalchemy import select

from reading_worklist.dicomweb.evidence import READING_ROLES, is_evidence, note, study_read
from reading_worklist.dicomweb.filing import (
    CANNOT_UNDERSTAND,
    NOT_AUTHORIZED,
    OTHER_STUDY,
    PATIENT_MISMATCH,
    Admission,
    Archive,
    Outcome,
    file_instance,
)
from reading_worklist.dicomweb.json_model import text_attribute
from reading_worklist.dicomweb.media_types import DICOM, DICOM_JSON, MULTIPART, parse_accept
from reading_worklist.dicomweb.queries import require_site
from reading_worklist.dicomweb.requests import Asked, Asks, study_uid
from reading_worklist.dicomweb.responses import as_problems
from reading_worklist.dicomweb.upload import PartsReader, UploadedPart, broken_body
from reading_worklist.problems import Problem
from reading_worklist.workitems.tables import Workitem
from storage.dicom_header import InstanceHeader
from storage.registry import Organisation, OrganisationKind, Role

router = APIRouter()

STORING_ROLES: Final = (Role.SITE_TECHNICIAN, Role.DISPATCHER, Role.CONSORTIUM_ADMIN)
"""Who stores whatever a site has; for readers see `dicomweb.evidence`."""
_GATHERED: Final = 1 << 20
# Instances are limited one by one while they arrive; how many come in one request is not.
_UNLIMITED: Final = 1 << 50


@router.post("/studies", max_body_size=_UNLIMITED)
async def store(asked: Asks) -> Response:
    """Store instances of any studies of a site."""
    return await _store(asked, None)


@router.post("/studies/{study}", max_body_size=_UNLIMITED)
async def store_in_study(asked: Asks, study: str) -> Response:
    """Store instances of one study; those of another are refused."""
    with as_problems():
        wanted = str(study_uid(study))
    return await _store(asked, wanted)


@router.delete("/studies/{path:path}")
def refuse_to_delete(asked: Asks, path: str) -> Response:
    """Refuse: what was acknowledged is kept."""
    del asked, path
    raise Problem(
        HTTPStatus.METHOD_NOT_ALLOWED,
        "not-deletable",
        "Studies cannot be deleted here",
        expected="the purge of the retention rules, approved by two people",
        remedy="Ask the consortium administrator.",
    )


async def _store(asked: Asked, study: str | None) -> Response:
    asked.scope.require(*STORING_ROLES, *READING_ROLES)
    boundary = _boundary(asked.request.headers.get("content-type", ""))
    site_id, site_code = await asyncio.to_thread(_site, asked)
    outcomes: list[Outcome] = []
    reader = PartsReader(boundary, partial(_take, asked, site_id, study, outcomes))
    gathered = bytearray()
    with as_problems():
        async for chunk in asked.request.stream():
            gathered += chunk
            if len(gathered) >= _GATHERED:
                await asyncio.to_thread(reader.feed, bytes(gathered))
                gathered.clear()
        await asyncio.to_thread(reader.feed, bytes(gathered))
        reader.close()
    if not outcomes:
        raise broken_body("at least one instance")
    return _answer(asked, site_code, outcomes)


def _take(
    asked: Asked, site_id: UUID, study: str | None, outcomes: list[Outcome], part: UploadedPart
) -> None:
    if part.content_type.partition(";")[0].strip() != DICOM:
        outcomes.append(Outcome("", "", "", "", CANNOT_UNDERSTAND))
        return
    services = asked.services
    archive = Archive(services.database, services.objects, services.config.quiet_times)
    outcomes.append(
        file_instance(
            archive,
            site_id,
            asked.scope.client,
            part.file,
            admit=partial(_admit, asked, site_id, study),
        )
    )


def _admit(asked: Asked, site_id: UUID, study: str | None, header: InstanceHeader) -> Admission:
    """Decide about an instance: some store whatever a site has, readers what they made of it."""
    if study is not None and header.study_instance_uid != study:
        return Admission(OTHER_STUDY)
    scope, reading = asked.scope, _reading_id(asked)
    stores_all = reading is None and not scope.roles.isdisjoint(STORING_ROLES)
    found = None
    if is_evidence(scope, header):
        with asked.services.database.transaction() as session:
            found = study_read(session, scope, site_id, header.study_instance_uid, reading)
    elif not stores_all:
        return Admission(NOT_AUTHORIZED)
    if found is None:
        return Admission() if stores_all else Admission(OTHER_STUDY)
    if header.patient_id not in found.patient_ids:
        return Admission(PATIENT_MISMATCH)
    return Admission(evidence=True, filed=lambda session: note(session, scope, found, header))


def _reading_id(asked: Asked) -> UUID | None:
    reading = asked.request.path_params.get("reading_id")
    return None if reading is None else UUID(reading)


def _boundary(content_type: str) -> str:
    """Return the boundary of a body of instances.

    Raises:
        Problem: 415 for any other body.
    """
    kind = content_type.partition(";")[0].strip().lower()
    types = [one.media_type for one in parse_accept(content_type)]
    if kind != MULTIPART or types != [DICOM]:
        raise Problem(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            "unsupported-body",
            "Instances are stored as whole files only",
            expected=f'Content-Type: {MULTIPART}; type="{DICOM}"; boundary=…',
            found=repr(content_type[:80]),
            remedy="Send Part 10 files; metadata with bulk data apart is not taken.",
        )
    for parameter in content_type.split(";")[1:]:
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "boundary":
            return value.strip().strip('"')
    raise broken_body("a boundary in Content-Type")


def _site(asked: Asked) -> tuple[UUID, str]:
    """Return the site that instances are stored for: the root's or reading's, or the only one.

    Raises:
        Problem: 404 for a foreign site, 409 when the root does not tell which.
    """
    reading = _reading_id(asked)
    with asked.services.database.transaction() as session:
        if reading is None:
            site_id = require_site(session, asked.root)
        else:
            site_id = session.scalar(select(Workitem.site_id).where(Workitem.id == reading))
        query = select(Organisation.id, Organisation.code).where(
            Organisation.kind == OrganisationKind.SITE, asked.scope.sees(Organisation.id)
        )
        if site_id is not None:
            query = query.where(Organisation.id == site_id)
        rows = session.execute(query.limit(2)).all()
    if len(rows) != 1:
        raise Problem(
            HTTPStatus.CONFLICT,
            "ambiguous-site",
            "The address does not tell for which site to store",
            remedy="Store under the root of the site: /dicom-web/sites/{site code}/studies",
        )
    return rows[0][0], rows[0][1]


def _answer(asked: Asked, site_code: str, outcomes: Sequence[Outcome]) -> Response:
    """Return the Store Instances Response (PS3.18 §10.5.3, §I.2.2)."""
    root = f"{asked.base_url}/dicom-web/sites/{site_code}/studies"
    stored = [one for one in outcomes if one.reason is None]
    failed = [one for one in outcomes if one.reason is not None]
    answer: dict[str, Any] = {}
    studies = {one.study_instance_uid for one in stored}
    if len(studies) == 1:
        answer["00081190"] = text_attribute("UR", f"{root}/{studies.pop()}")
    if failed:
        answer["00081198"] = {"vr": "SQ", "Value": [_reference(one) for one in failed]}
    if stored:
        answer["00081199"] = {
            "vr": "SQ",
            "Value": [
                _reference(one)
                | {
                    "00081190": text_attribute(
                        "UR",
                        f"{root}/{one.study_instance_uid}/series/{one.series_instance_uid}"
                        f"/instances/{one.sop_instance_uid}",
                    )
                }
                for one in stored
            ],
        }
    status = HTTPStatus.OK
    if failed:
        status = HTTPStatus.ACCEPTED if stored else HTTPStatus.CONFLICT
    return Response(json.dumps(answer), status_code=status, media_type=DICOM_JSON)


def _reference(one: Outcome) -> dict[str, Any]:
    result: dict[str, Any] = {
        "00081150": text_attribute("UI", one.sop_class_uid),
        "00081155": text_attribute("UI", one.sop_instance_uid),
    }
    if one.reason is not None:
        result["00081197"] = {"vr": "US", "Value": [one.reason]}
    return result
