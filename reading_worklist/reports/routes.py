"""Reports over HTTP, for the people of the centre."""

from datetime import datetime
from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from reading_worklist.problems import not_found
from reading_worklist.reports import old_versions, queries, service
from reading_worklist.reports.assembly import ReportText
from reading_worklist.reports.checks.engine import FINDINGS_MAX
from reading_worklist.reports.codes import Codes
from reading_worklist.reports.documents import read_pdf
from reading_worklist.reports.ecg_draft import DraftEcg
from reading_worklist.reports.time_stamps import newest_file
from reading_worklist.services import Asking, Parts
from reading_worklist.typesetting.labels import Language
from reading_worklist.workitems.routes import centre, get_workitem
from reading_worklist.workitems.schemas import WorkitemDetail
from storage.registry import Role

router = APIRouter(prefix="/api", tags=["reports"])

_Text = Annotated[str, Field(max_length=service.TEXT_LENGTH_MAX)]
_Reasons = Annotated[
    dict[
        Annotated[str, Field(max_length=64)],
        Annotated[str, Field(max_length=service.COMMENT_LENGTH_MAX)],
    ],
    Field(max_length=FINDINGS_MAX),
]
_PDF_RESPONSES: dict[int | str, dict[str, object]] = {200: {"content": {"application/pdf": {}}}}


class DraftBody(BaseModel):
    """What the writer has typed; `revision` is the one the page started from, 0 at first.

    template_id: the template that was inserted last; None keeps the one that is known.
    """

    findings: _Text = ""
    impression: _Text = ""
    advice: _Text = ""
    comparison: _Text = ""
    addendum: _Text = ""
    codes: Codes = Codes()
    template_id: UUID | None = None
    ecg: DraftEcg | None = None
    revision: int = Field(ge=0)


class DraftSaved(BaseModel):
    """The draft's new revision, to be sent with the next save."""

    revision: int
    saved_at: datetime


class SubmitBody(BaseModel):
    """The draft's revision that the writer saw, and the PIN of his signing key.

    language: of the printed document's headings.
    reasons: why it is signed over each warning of the checks, by the key of the finding.
    """

    revision: int = Field(ge=0)
    signing_pin: str = Field(max_length=200)
    language: Language = Language.ZH_CN
    reasons: _Reasons = {}


class ReturnBody(BaseModel):
    """Why the report goes back to its writer."""

    comment: str = Field(max_length=service.COMMENT_LENGTH_MAX)


class FinaliseBody(BaseModel):
    """The PIN of the reviewer's signing key, and reasons as in `SubmitBody`."""

    signing_pin: str = Field(max_length=200)
    reasons: _Reasons = {}


@router.put("/workitems/{workitem_id}/draft")
def save_draft(workitem_id: UUID, body: DraftBody, scope: Asking, services: Parts) -> DraftSaved:
    """Save the draft; 409 when it was saved elsewhere since `revision`."""
    written = service.Written(
        ReportText(body.findings, body.impression, body.advice, body.addendum, body.comparison),
        body.codes,
        body.template_id,
        body.ecg,
    )
    saved = service.save_draft(services, scope, workitem_id, written, body.revision)
    return DraftSaved(revision=saved.revision, saved_at=saved.saved_at)


@router.post("/workitems/{workitem_id}/submit")
def submit(workitem_id: UUID, body: SubmitBody, scope: Asking, services: Parts) -> WorkitemDetail:
    """Sign the saved draft as its writer (signature 1) and hand it to review."""
    service.submit(
        services,
        scope,
        workitem_id,
        revision=body.revision,
        signing_pin=body.signing_pin,
        language=body.language,
        reasons=body.reasons,
    )
    return get_workitem(workitem_id, scope, services)


@router.post("/workitems/{workitem_id}/return")
def return_report(
    workitem_id: UUID, body: ReturnBody, scope: Asking, services: Parts
) -> WorkitemDetail:
    """Give the report back to its writer, with the reason."""
    service.give_back(services, scope, workitem_id, body.comment)
    return get_workitem(workitem_id, scope, services)


@router.post("/workitems/{workitem_id}/finalise")
def finalise(
    workitem_id: UUID, body: FinaliseBody, scope: Asking, services: Parts
) -> WorkitemDetail:
    """Sign the report as its reviewer (signature 2) and issue it."""
    service.finalise(services, scope, workitem_id, body.signing_pin, body.reasons)
    return get_workitem(workitem_id, scope, services)


@router.get(
    "/workitems/{workitem_id}/submission.pdf", response_class=Response, responses=_PDF_RESPONSES
)
def get_submission_pdf(workitem_id: UUID, scope: Asking, services: Parts) -> Response:
    """Return the document under review, with the writer's signature."""
    get_workitem(workitem_id, scope, services)
    with services.database.transaction() as session:
        submission = queries.latest_submission(session, workitem_id)
    if submission is None:
        raise not_found("A submitted report")
    return _pdf(read_pdf(services.objects, submission.pdf_object_key, submission.pdf_sha256))


@router.get("/reports/{version_id}/pdf", response_class=Response, responses=_PDF_RESPONSES)
def get_report_pdf(version_id: UUID, scope: Asking, services: Parts) -> Response:
    """Return a signed report that stands; one that does not any more to auditors, marked as such.

    What an auditor gets is a copy with a watermark, on which the signatures do not hold.
    """
    if Role.AUDITOR not in scope.roles:
        centre(scope)
    with services.database.transaction() as session:
        version = queries.visible_version(session, scope, version_id)
        old = old_versions.opened(session, scope, version)
        file = newest_file(session, version)
    pdf = read_pdf(services.objects, *file)
    return _pdf(pdf if old is None else old_versions.marked(pdf, old, services.typesetter))


def _pdf(content: bytes) -> Response:
    headers = {"Cache-Control": "private, no-store", "Content-Disposition": "inline"}
    return Response(
        content, status_code=HTTPStatus.OK, media_type="application/pdf", headers=headers
    )
