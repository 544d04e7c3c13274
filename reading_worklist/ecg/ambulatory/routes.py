"""Long ECGs of a workitem over HTTP: what they hold, their overview, pages of lines."""

from http import HTTPStatus
from typing import Annotated, Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query, Request, Response

from reading_worklist.dicomweb.responses import wants_gzip
from reading_worklist.ecg.ambulatory import service
from reading_worklist.ecg.ambulatory.disclosure import (
    LINES_MAX,
    Disclosure,
    LineSeconds,
    draw_disclosure,
    find_channel,
)
from reading_worklist.ecg.ambulatory.queries import LongInstance, long_instances
from reading_worklist.ecg.ambulatory.schemas import (
    LONG_SECONDS,
    AmbulatoryView,
    EcgEventView,
    OverviewView,
)
from reading_worklist.ecg.asking import AskedEcg, WhichEcg, find_ecg
from reading_worklist.ecg.captions import Language
from reading_worklist.ecg.display_filter import DisplayFilter
from reading_worklist.ecg.layout import Gain
from reading_worklist.ecg.routes import svg_response
from reading_worklist.problems import Problem, not_found
from reading_worklist.services import Asking, Parts, Services
from storage.ecg.waveform import EcgRecord

router = APIRouter(prefix="/api/workitems", tags=["ecg"])

_HEADERS: Final = {"Cache-Control": "private, no-cache", "Vary": "Accept-Encoding, Cookie"}
_SVG: Final[dict[int | str, dict[str, Any]]] = {
    HTTPStatus.OK: {"content": {"image/svg+xml": {}}, "description": "The page as SVG"},
    HTTPStatus.NOT_MODIFIED: {"description": "The page is the one that If-None-Match names"},
}


@router.get("/{workitem_id}/ecg/ambulatory")
def get_ambulatory(
    workitem_id: UUID, scope: Asking, services: Parts, which: WhichEcg
) -> AmbulatoryView:
    """Return what a long record holds and where its file marks something.

    404 for an ECG of less than five minutes, which is looked at as a page.
    """
    asked = find_ecg(services, scope, workitem_id, which)
    instance = _long(services, asked)
    events = service.open_long(services.objects, instance).events
    record = asked.record
    return AmbulatoryView(
        sop_instance_uid=instance.sop_instance_uid,
        started_at=asked.chosen.acquired_at,
        duration_seconds=record.duration_seconds,
        sampling_frequency=max(group.sampling_rate_hz for group in record.rhythm_groups),
        leads=_labels(record),
        events=[
            EcgEventView(
                seconds=event.seconds,
                until_seconds=event.until_seconds,
                text=event.text,
                code=event.code,
            )
            for event in events
        ],
    )


@router.get(
    "/{workitem_id}/ecg/ambulatory/overview",
    response_class=Response,
    responses={HTTPStatus.OK: {"model": OverviewView}},
)
def get_overview(
    request: Request, workitem_id: UUID, scope: Asking, services: Parts, which: WhichEcg
) -> Response:
    """Return the overview of a long record.

    It is made when the study arrives. Where that has not happened yet, this request makes it,
    which takes some seconds.
    """
    asked = find_ecg(services, scope, workitem_id, which)
    instance = _long(services, asked)
    packed = service.packed_overview(services.objects, instance)
    if wants_gzip(request):
        headers = {**_HEADERS, "Content-Encoding": "gzip"}
        return Response(packed, media_type="application/json", headers=headers)
    return Response(service.unpacked(packed), media_type="application/json", headers=_HEADERS)


@router.get("/{workitem_id}/ecg/ambulatory/lines.svg", response_class=Response, responses=_SVG)
def get_lines(  # noqa: PLR0917 -- one parameter for each query parameter
    request: Request,
    workitem_id: UUID,
    scope: Asking,
    services: Parts,
    which: WhichEcg,
    lead: Annotated[str, Query(max_length=16)],
    line: LineSeconds = LineSeconds.S_60,
    lines: Annotated[int, Query(ge=1, le=LINES_MAX)] = 10,
    start: Annotated[float, Query(ge=0, le=1e7, allow_inf_nan=False)] = 0.0,
    gain: Gain = Gain.MM_10,
    display_filter: Annotated[DisplayFilter, Query(alias="filter")] = DisplayFilter.NONE,
    language: Language = Language.EN,
) -> Response:
    """Draw a page of one lead of a long record, line under line.

    line: seconds of a line. start: record time; the page begins with the line that holds it. Where
    the next page begins, and where time lies on this one, is in data attributes of the SVG.
    """
    asked = find_ecg(services, scope, workitem_id, which)
    instance = _long(services, asked)
    found = find_channel(asked.record, lead)
    if found is None:
        raise not_found("The lead")
    began = asked.chosen.acquired_at
    page = Disclosure(
        lead=lead,
        line_seconds=line,
        lines=lines,
        start_seconds=start,
        gain=gain,
        display_filter=display_filter,
        language=language,
        started_at=None if began is None else began.astimezone(ZoneInfo(services.config.time_zone)),
        events=service.open_long(services.objects, instance).events,
    )
    return svg_response(request, draw_disclosure(asked.record, *found, page))


def _long(services: Services, asked: AskedEcg) -> LongInstance:
    """Return the instance that was asked for, which `find_ecg` has found visible.

    Raises:
        Problem: 404 when it is no long record.
    """
    if asked.record.duration_seconds >= LONG_SECONDS:
        with services.database.transaction() as session:
            found = long_instances(session, [asked.chosen.instance])
        if found:
            return found[0]
    raise Problem(
        HTTPStatus.NOT_FOUND,
        "not-a-long-ecg",
        "The ECG is no long record",
        expected=f"at least {LONG_SECONDS:g} s",
        found=f"{asked.record.duration_seconds:g} s",
        remedy="It is shown as a page.",
    )


def _labels(record: EcgRecord) -> list[str]:
    recorded = [channel.label for group in record.rhythm_groups for channel in group.channels]
    return list(dict.fromkeys([*recorded, *(lead.value for lead in record.leads())]))
