"""What the reading page shows first of an exam, in one answer.

    GET /api/workitems/{id}/opening?language= → ExamOpening

An ECG stands on the page as soon as this is there: the exam, the record's facts, the page in its
standard view, what was analysed at its arrival and what is measured. Five requests one after the
other and beside each other took the server four times as long and the browser two round trips more.

Problems: 403 forbidden · 404 not-found. An ECG that cannot be read is no problem here: what is
asked for by itself afterwards says why.
"""

import gzip
from http import HTTPStatus
from typing import Any, Final
from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel

from reading_worklist.dicomweb.responses import wants_gzip
from reading_worklist.ecg.analysis.routes import get_ecg_analysis
from reading_worklist.ecg.analysis.schemas import EcgAnalysesView
from reading_worklist.ecg.asking import AskedEcg, find_ecg
from reading_worklist.ecg.captions import Language
from reading_worklist.ecg.drawing import DrawingOptions, draw
from reading_worklist.ecg.measured import EcgMeasured
from reading_worklist.ecg.schemas import EcgRecordView, record_view
from reading_worklist.ecg.view_routes import measured_of
from reading_worklist.problems import Problem
from reading_worklist.services import Asking, Parts
from reading_worklist.workitems.lane import Lane
from reading_worklist.workitems.routes import get_workitem
from reading_worklist.workitems.schemas import WorkitemDetail

router = APIRouter(prefix="/api/workitems", tags=["ecg"])

# Nothing of a patient stays in the browser's cache; an exam's state is another one soon anyway.
_HEADERS: Final = {"Cache-Control": "private, no-store", "Vary": "Accept-Encoding, Cookie"}
# See `routes`: the best level takes four times as long for a sixth less.
_GZIP_FAST: Final = 3


class EcgOpening(BaseModel):
    """The first view of an exam's first ECG.

    page: the SVG that `trace.svg` draws in `language` without any other parameter.
    """

    record: EcgRecordView
    page: str
    analysis: EcgAnalysesView
    measured: EcgMeasured


class ExamOpening(BaseModel):
    """An exam as the reading page first shows it.

    ecg: null for an exam of images, and where no ECG of it can be read.
    """

    workitem: WorkitemDetail
    ecg: EcgOpening | None


_RESPONSES: Final[dict[int | str, dict[str, Any]]] = {HTTPStatus.OK: {"model": ExamOpening}}


@router.get("/{workitem_id}/opening", response_class=Response, responses=_RESPONSES)
def open_exam(
    request: Request,
    workitem_id: UUID,
    scope: Asking,
    services: Parts,
    language: Language = Language.EN,
) -> Response:
    """Return an exam with the first view of its ECG; language: of the words on the drawn page."""
    workitem = get_workitem(workitem_id, scope, services)
    ecg: EcgOpening | None = None
    if workitem.lane is Lane.ECG and (asked := _readable(workitem_id, scope, services)) is not None:
        ecg = EcgOpening(
            record=record_view(asked),
            page=draw(asked.record, DrawingOptions(language=language)).svg,
            analysis=get_ecg_analysis(workitem_id, scope, services),
            measured=measured_of(services, asked),
        )
    content = ExamOpening(workitem=workitem, ecg=ecg).model_dump_json().encode()
    headers = dict(_HEADERS)
    if wants_gzip(request):
        headers["Content-Encoding"] = "gzip"
        content = gzip.compress(content, _GZIP_FAST, mtime=0)
    return Response(content, media_type="application/json", headers=headers)


def _readable(workitem_id: UUID, scope: Asking, services: Parts) -> AskedEcg | None:
    try:
        return find_ecg(services, scope, workitem_id)
    except Problem as problem:
        if problem.status != HTTPStatus.UNPROCESSABLE_ENTITY:
            raise
        return None
