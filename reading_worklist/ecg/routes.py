"""The ECG of a workitem over HTTP: its facts as JSON, its trace as SVG."""

import gzip
import hashlib
from http import HTTPStatus
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response

from reading_worklist.dicomweb.responses import wants_gzip
from reading_worklist.ecg.asking import WhichEcg, find_ecg
from reading_worklist.ecg.captions import Language
from reading_worklist.ecg.display_filter import DisplayFilter
from reading_worklist.ecg.drawing import DrawingOptions, draw
from reading_worklist.ecg.layout import Gain, LayoutName, LeadOrder, PaperSpeed
from reading_worklist.ecg.schemas import EcgRecordView, record_view
from reading_worklist.services import Asking, Parts
from storage.ecg.leads import Lead

router = APIRouter(prefix="/api/workitems", tags=["ecg"])

# Whether somebody may see the trace is asked anew each time; the bytes travel only once.
_HEADERS: Final = {"Cache-Control": "private, no-cache", "Vary": "Accept-Encoding, Cookie"}
# A page of 160 kB becomes 43 kB in 3 ms; the best level takes four times that for a sixth less.
_GZIP_FAST: Final = 3
_STRIPS_MAX: Final = 3
SVG_RESPONSES: Final[dict[int | str, dict[str, Any]]] = {
    HTTPStatus.OK: {"content": {"image/svg+xml": {}}, "description": "The page as SVG"},
    HTTPStatus.NOT_MODIFIED: {"description": "The page is the one that If-None-Match names"},
}
"""What a route that draws a page answers."""

StripLead = Literal[
    "none", "I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6"
]


def drawing_options(  # noqa: PLR0917 -- one parameter for each query parameter
    layout: LayoutName | None = None,
    order: LeadOrder = LeadOrder.STANDARD,
    rhythm: Annotated[list[StripLead] | None, Query(max_length=_STRIPS_MAX)] = None,
    speed: PaperSpeed = PaperSpeed.MM_25,
    gain: Gain = Gain.MM_10,
    display_filter: Annotated[DisplayFilter, Query(alias="filter")] = DisplayFilter.NONE,
    start: Annotated[float, Query(ge=0, le=1e7, allow_inf_nan=False)] = 0.0,
    language: Language = Language.EN,
) -> DrawingOptions:
    """Return how the query asks a page to be drawn.

    layout: the record's natural one when not given. rhythm: up to three leads beneath the
    columns, `none` for none of them; by custom when not given. start: record time in seconds at
    which the page begins.
    """
    return DrawingOptions(
        layout=layout,
        order=order,
        rhythm=None if rhythm is None else tuple(Lead(one) for one in rhythm if one != "none"),
        speed=speed,
        gain=gain,
        display_filter=display_filter,
        start_seconds=start,
        language=language,
    )


@router.get("/{workitem_id}/ecg")
def get_ecg(workitem_id: UUID, scope: Asking, services: Parts, which: WhichEcg) -> EcgRecordView:
    """Return the facts of an ECG: the study's first by time of acquisition, or `instance`.

    prior: the earlier study it is of, opened at this reading before; the workitem's own when not
    given.
    """
    return record_view(find_ecg(services, scope, workitem_id, which))


@router.get("/{workitem_id}/ecg/trace.svg", response_class=Response, responses=SVG_RESPONSES)
def get_ecg_trace(  # noqa: PLR0917 -- who asks, for what, drawn how
    request: Request,
    workitem_id: UUID,
    scope: Asking,
    services: Parts,
    which: WhichEcg,
    options: Annotated[DrawingOptions, Depends(drawing_options)],
) -> Response:
    """Draw a page of an ECG in true millimetres.

    The page names the following one's start in `data-next-start-seconds`. The measures that a
    caliper needs are in data attributes of the SVG.
    """
    ecg = find_ecg(services, scope, workitem_id, which)
    return svg_response(request, draw(ecg.record, options).svg)


def svg_response(request: Request, svg: str) -> Response:
    """Return a drawn page, in gzip where the client takes it, or that it has it already."""
    content = svg.encode()
    # Weak, because it names the page however it is packed.
    tag = f'W/"{hashlib.sha256(content).hexdigest()[:32]}"'
    headers = {**_HEADERS, "ETag": tag}
    if tag in request.headers.get("if-none-match", ""):
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    if wants_gzip(request):
        headers["Content-Encoding"] = "gzip"
        content = gzip.compress(content, _GZIP_FAST, mtime=0)
    return Response(content, media_type="image/svg+xml", headers=headers)
