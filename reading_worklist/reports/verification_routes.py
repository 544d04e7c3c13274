"""Is this report what was signed? Asked by the centre for a version, by anybody with the paper.

The paper carries a code and a QR code with the same address. Whoever has it
learns which institutions issued the report, when, and whether its signatures
are valid: nothing of the patient. Whoever has the file may ask with the file.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Final
from uuid import UUID

from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, Depends, Path, Request
from pydantic import BaseModel
from sqlalchemy import select

from reading_worklist.problems import Problem, not_found
from reading_worklist.public_rate import PublicRate
from reading_worklist.reports import queries
from reading_worklist.reports.documents import read_pdf
from reading_worklist.reports.record import says_what_was_signed
from reading_worklist.reports.states import RecallKind
from reading_worklist.reports.tables import ReportRecall, ReportSubmission, ReportVersion
from reading_worklist.reports.time_stamps import newest_file, original_of
from reading_worklist.services import Asking, Parts, Services
from reading_worklist.signing.credentials import holders, revocations
from reading_worklist.signing.fields import SignatureRole
from reading_worklist.signing.verdicts import Reason, Verdict, VerificationReport
from reading_worklist.signing.verification import required_roles, signer_serials, verify
from reading_worklist.typesetting.labels import Language
from reading_worklist.workitems.routes import centre
from storage import walls

router = APIRouter(prefix="/api", tags=["verification"])

# A report with many pictures has a few megabytes.
_FILE_MAX: Final = 32 << 20
# Anybody may ask, and an answer takes a tenth of a second of a processor: others wait in line.
_AT_ONCE: Final = 2

# A hospital's people may share one address; a machine that tries codes gets nowhere.
_BY_CODE: Final = PublicRate("verify", burst=30, per_second=1)
_BY_FILE: Final = PublicRate("verify file", burst=20, per_second=0.5)

_Code = Annotated[str, Path(pattern="^[A-Z0-9]{12}$")]


class SignatureView(BaseModel):
    """One signature and what its verification says.

    signed_at: as its signer claims. proven_at: since when a time stamp proves it to exist.
    """

    role: SignatureRole | None
    verdict: str
    reason: str
    explanation: str
    signer_name: str | None
    organisation: str | None
    certificate_serial: str | None
    signed_at: datetime | None
    proven_at: datetime | None


class VerificationView(BaseModel):
    """What a report's signatures amount to: valid, invalid or indeterminate, and why."""

    verdict: str
    reason: str
    explanation: str
    sha256: str
    verified_at: datetime
    signatures: list[SignatureView]


class PublicVerification(VerificationView):
    """The same for somebody who has the paper, with what tells the report apart.

    title: as printed, in the language of the paper; title_zh, title_en: in each language, as are
        the institutions.
    recalled: whether another version stands in its place, or it is void.
    single_signature_basis: by what one signature is enough; empty where there have to be two.
    """

    title: str
    title_zh: str
    title_en: str
    examining_institution: str
    examining_institution_en: str
    diagnosing_institution: str
    diagnosing_institution_en: str
    version_number: int
    status: str
    issued_at: datetime
    recalled: RecallKind | None
    recalled_at: datetime | None
    single_signature_basis: str


class KnownReport(BaseModel):
    """What the centre's records say of a file: which version it is, and whether it still stands."""

    version_number: int
    status: str
    issued_at: datetime
    recalled: RecallKind | None
    recalled_at: datetime | None


class FileVerification(VerificationView):
    """What a file's signatures amount to. known: None when the centre issued no such file."""

    known: KnownReport | None


@router.get("/reports/{version_id}/verification")
def verify_version(version_id: UUID, scope: Asking, services: Parts) -> VerificationView:
    """Verify the stored document of a signed version."""
    centre(scope)
    with services.database.transaction() as session:
        version = queries.visible_version(session, scope, version_id)
    return _view(_verify(services, version))


@router.get("/verify/{code}", dependencies=[Depends(_BY_CODE)])
@walls.beyond("whoever has the paper may ask about it")
def verify_by_code(code: _Code, services: Parts) -> PublicVerification:
    """Verify a report by the code on its paper; needs no sign-in, tells nothing of patients."""
    with services.database.transaction() as session:
        row = session.execute(
            select(ReportVersion, ReportSubmission, ReportRecall)
            .join(ReportSubmission, ReportSubmission.id == ReportVersion.submission_id)
            .join(ReportRecall, ReportRecall.report_version_id == ReportVersion.id, isouter=True)
            .where(ReportSubmission.verification_code == code)
        ).one_or_none()
    if row is None:
        raise not_found("A signed report with this code")
    version, submission, recall = row
    document = queries.stored_document(submission)
    return PublicVerification(
        **_view(_verify(services, version)).model_dump(),
        title=document.title(submission.language),
        title_zh=document.title(Language.ZH_CN),
        title_en=document.title(Language.EN),
        examining_institution=document.examining.text(Language.ZH_CN),
        examining_institution_en=document.examining.text(Language.EN),
        diagnosing_institution=document.diagnosing.text(Language.ZH_CN),
        diagnosing_institution_en=document.diagnosing.text(Language.EN),
        version_number=version.number,
        status=version.status,
        issued_at=version.issued_at,
        recalled=recall.kind if recall else None,
        recalled_at=recall.recalled_at if recall else None,
        single_signature_basis=document.single_signature_basis,
    )


@router.post(
    "/verify",
    # One byte more, so that our own words tell what is wrong.
    max_body_size=_FILE_MAX + 1,
    dependencies=[Depends(_BY_FILE)],
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"application/pdf": {"schema": {"type": "string", "format": "binary"}}},
        }
    },
)
async def verify_file(request: Request, services: Parts) -> FileVerification:
    """Verify a file that somebody has; needs no sign-in, keeps nothing of it.

    The same file altered in one byte is INVALID; one of another authority is INDETERMINATE.
    """
    pdf = await _bounded_body(request)
    limiter: CapacityLimiter = _limiter_of(request)
    return await to_thread.run_sync(_judge_file, services, pdf, limiter=limiter)


def _limiter_of(request: Request) -> CapacityLimiter:
    state = request.app.state
    if not hasattr(state, "file_verifications"):
        state.file_verifications = CapacityLimiter(_AT_ONCE)
    return state.file_verifications


async def _bounded_body(request: Request) -> bytes:
    received = bytearray()
    async for chunk in request.stream():
        received += chunk
        if len(received) > _FILE_MAX:
            raise Problem(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
                "file-too-large",
                "The file is no report of ours",
                expected=f"at most {_FILE_MAX >> 20} MiB",
                remedy="Choose the report's PDF file.",
            )
    return bytes(received)


@walls.beyond("whoever has the file may ask about it")
def _judge_file(services: Services, pdf: bytes) -> FileVerification:
    with services.database.transaction() as session:
        row = session.execute(
            select(ReportVersion, ReportRecall)
            .join(ReportRecall, ReportRecall.report_version_id == ReportVersion.id, isouter=True)
            .where(original_of(hashlib.sha256(pdf).hexdigest()))
            .limit(1)
        ).one_or_none()
    if row is None:
        report = _verify_file(services, pdf, {}, required_roles(pdf))
        return FileVerification(**_view(report).model_dump(), known=None)
    version, recall = row
    known = KnownReport(
        version_number=version.number,
        status=version.status,
        issued_at=version.issued_at,
        recalled=recall.kind if recall else None,
        recalled_at=recall.recalled_at if recall else None,
    )
    expected = _expected(version)
    report = _verify_file(services, pdf, expected, tuple(expected))
    return FileVerification(**_view(report).model_dump(), known=known)


def _verify(services: Services, version: ReportVersion) -> VerificationReport:
    with services.database.transaction() as session:
        file = newest_file(session, version)
        submission = session.get_one(ReportSubmission, version.submission_id)
    pdf = read_pdf(services.objects, *file)
    expected = _expected(version)
    # A preliminary report has its writer's signature alone, and so has one where that is enough.
    report = _verify_file(services, pdf, expected, tuple(expected))
    if report.verdict is not Verdict.INVALID and not says_what_was_signed(pdf, version, submission):
        changed = Reason.RECORD_CHANGED
        return replace(report, verdict=changed.verdict, reason=changed)
    return report


def _expected(version: ReportVersion) -> Mapping[SignatureRole, UUID]:
    expected = {SignatureRole.WRITER: version.writer_id}
    if version.reviewer_id is not None:
        expected[SignatureRole.REVIEWER] = version.reviewer_id
    return expected


def _verify_file(
    services: Services,
    pdf: bytes,
    expected: Mapping[SignatureRole, UUID],
    required: Sequence[SignatureRole],
) -> VerificationReport:
    serials = signer_serials(pdf)
    with services.database.transaction() as session:
        revoked = revocations(session, serials)
        holding = holders(session, serials)
    return verify(
        pdf,
        services.config.trust_anchors,
        expected=expected,
        required=required,
        revocations=revoked,
        holders=holding,
        time_anchors=services.config.time_anchors,
    )


def _view(report: VerificationReport) -> VerificationView:
    return VerificationView(
        verdict=report.verdict.value,
        reason=report.reason.value,
        explanation=report.reason.explanation,
        sha256=report.sha256,
        verified_at=report.verified_at,
        signatures=[
            SignatureView(
                role=one.role,
                verdict=one.verdict.value,
                reason=one.reason.value,
                explanation=one.reason.explanation,
                signer_name=one.signer_name,
                organisation=one.organisation,
                certificate_serial=one.certificate_serial,
                signed_at=one.signed_at,
                proven_at=one.proven_at,
            )
            for one in report.signatures
        ],
    )
