"""The ECG of a workitem over HTTP: its facts as JSON, its trace as SVG."""

import hashlib
from collections.abc import Sequence
from http import HTTPStatus
from typing import Annotated, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Header, Query, Response

from reading_worklist.access.scope import Scope
from reading_worklist.ecg import queries, service
from reading_worklist.ecg.captions import Language
from reading_worklist.ecg.display_filter import DisplayFilter
from reading_worklist.ecg.drawing import DrawingOptions, draw
from reading_worklist.ecg.layout import Gain, LayoutName, PaperSpeed
from reading_worklist.ecg.queries import EcgInstance
from reading_worklist.ecg.schemas import EcgRecordView, record_view
from reading_worklist.problems import Problem, not_found
from reading_worklist.services import Asking, Parts, Services
from reading_worklist.workitems.routes import CENTRE_ROLES
from storage.ecg.errors import (
    EcgBroken,
    EcgError,
    EcgTooLarge,
    EcgUnsupported,
    NotAnEcg,
)
from storage.registry import Role

router = APIRouter(prefix="/api/workitems", tags=["ecg"])

_CODES: Final[dict[type[EcgError], str]] = {
    NotAnEcg: "not-an-ecg",
    EcgBroken: "ecg-broken",
    EcgUnsupported: "ecg-unsupported",
    EcgTooLarge: "ecg-too-large",
}
# Whether somebody may see the trace is asked anew each time; the bytes travel only once.
_CACHE_CONTROL: Final = "private, no-cache"

InstanceQuery = Annotated[str | None, Query(max_length=64, pattern=r"^[0-9.]+$")]


@router.get("/{workitem_id}/ecg")
def get_ecg(
    workitem_id: UUID, scope: Asking, services: Parts, instance: InstanceQuery = None
) -> EcgRecordView:
    """Return the facts of an ECG: the study's first by time of acquisition, or `instance`."""
    instances = _instances(workitem_id, scope, services)
    try:
        ecgs = service.list_ecgs(services.objects, instances, _zone(services))
        if instance is None:
            chosen, record = service.first_ecg(services.objects, ecgs)
        else:
            wanted = _named(instances, instance)
            record = service.load_record(services.objects, wanted.object_key)
            chosen = next(ecg for ecg in ecgs if ecg.instance == wanted)
    except EcgError as error:
        raise _problem(error) from error
    return record_view(chosen, record, ecgs)


@router.get(
    "/{workitem_id}/ecg/trace.svg",
    response_class=Response,
    responses={
        HTTPStatus.OK: {"content": {"image/svg+xml": {}}, "description": "The page as SVG"},
        HTTPStatus.NOT_MODIFIED: {"description": "The page is the one that If-None-Match names"},
    },
)
def get_ecg_trace(  # noqa: PLR0917 -- one parameter for each query parameter
    workitem_id: UUID,
    scope: Asking,
    services: Parts,
    layout: LayoutName | None = None,
    speed: PaperSpeed = PaperSpeed.MM_25,
    gain: Gain = Gain.MM_10,
    display_filter: Annotated[DisplayFilter, Query(alias="filter")] = DisplayFilter.NONE,
    start: Annotated[float, Query(ge=0, le=1e7, allow_inf_nan=False)] = 0.0,
    instance: InstanceQuery = None,
    language: Language = Language.EN,
    if_none_match: Annotated[str | None, Header()] = None,
) -> Response:
    """Draw a page of an ECG in true millimetres.

    layout: the record's natural one when not given. start: record time in
    seconds at which the page begins; the page names the following one's start
    in `data-next-start-seconds`. The measures that a caliper needs are in data
    attributes of the SVG.
    """
    instances = _instances(workitem_id, scope, services)
    try:
        if instance is None:
            ecgs = service.list_ecgs(services.objects, instances, _zone(services))
            _, record = service.first_ecg(services.objects, ecgs)
        else:
            wanted = _named(instances, instance)
            record = service.load_record(services.objects, wanted.object_key)
    except EcgError as error:
        raise _problem(error) from error
    options = DrawingOptions(
        layout=layout,
        speed=speed,
        gain=gain,
        display_filter=display_filter,
        start_seconds=start,
        language=language,
    )
    content = draw(record, options).svg.encode()
    tag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
    headers = {"ETag": tag, "Cache-Control": _CACHE_CONTROL}
    if if_none_match is not None and tag in if_none_match:
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    return Response(content, media_type="image/svg+xml", headers=headers)


def _instances(workitem_id: UUID, scope: Scope, services: Services) -> Sequence[EcgInstance]:
    """Ask the index, and end the transaction before any object is read."""
    scope.require(*CENTRE_ROLES, Role.EXPERT)
    with services.database.transaction() as session:
        return queries.waveforms_of_workitem(session, scope, workitem_id)


def _named(instances: Sequence[EcgInstance], sop_instance_uid: str) -> EcgInstance:
    for one in instances:
        if one.sop_instance_uid == sop_instance_uid:
            return one
    raise not_found("The ECG")


def _zone(services: Services) -> ZoneInfo:
    return ZoneInfo(services.config.time_zone)


def _problem(error: EcgError) -> Problem:
    return Problem(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        _CODES.get(type(error), "ecg-not-readable"),
        error.what,
        expected=error.expected,
        found=error.found,
        remedy=error.remedy,
    )
