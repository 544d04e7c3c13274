"""A patient's own data over HTTP, for consortium administrators.

    POST /api/patient-copies/preview  {site_code, local_id}          → PatientCopyPreview
    POST /api/patient-copies          {site_code, local_id, reason}  → a ZIP archive

Both take the patient's number in the body: numbers of patients do not get into logs of addresses.
The archive is made while it is sent and kept nowhere, so that no second copy of somebody's data
lies about; who wants it again asks again, and both are on record.

Problems: 403 forbidden · 404 not-found · 422 invalid-request, reason-missing.
"""

from datetime import date
from typing import Annotated, Final

from fastapi import APIRouter
from fastapi.responses import Response, StreamingResponse
from pydantic import BaseModel, Field
from sqlalchemy import func, select

from reading_worklist.keeping.schemas import Reason
from reading_worklist.services import Asking, Parts
from reading_worklist.subject_export import service
from storage.index.tables import Study
from storage.person_name import display_name, latin_name
from storage.walls import beyond

router = APIRouter(prefix="/api/patient-copies", tags=["keeping"])

MEDIA_TYPE: Final = "application/zip"


class WhoseCopyBody(BaseModel):
    """A patient, by his number (0010,0020) at a site."""

    site_code: Annotated[str, Field(min_length=1, max_length=64)]
    local_id: Annotated[str, Field(min_length=1, max_length=64)]


class PatientCopyBody(WhoseCopyBody):
    """Whose data are handed over, and why."""

    reason: Reason


class PatientCopyPreview(BaseModel):
    """Who is meant, to be compared with the person who asks before anything is handed over."""

    site_code: str
    local_id: str
    patient_name: str
    patient_latin_name: str
    sex: str
    birth_date: date | None
    studies: int
    last_study_date: date | None


@router.post("/preview")
def preview_patient_copy(body: WhoseCopyBody, scope: Asking, services: Parts) -> PatientCopyPreview:
    """Return who has this number at a visible site, and how much there is of him."""
    with services.database.transaction() as session:
        patient, code = service.find(
            session, scope, site_code=body.site_code, local_id=body.local_id
        )
        studies, last = session.execute(
            select(func.count(), func.max(Study.study_date)).where(Study.patient_id == patient.id)
        ).one()
        return PatientCopyPreview(
            site_code=code,
            local_id=body.local_id,
            patient_name=display_name(patient.name),
            patient_latin_name=latin_name(patient.name),
            sex=patient.sex or "",
            birth_date=patient.birth_date,
            studies=studies,
            last_study_date=last,
        )


@router.post(
    "",
    response_class=StreamingResponse,
    responses={200: {"content": {MEDIA_TYPE: {}}, "description": "The archive"}},
)
def download_patient_copy(body: PatientCopyBody, scope: Asking, services: Parts) -> Response:
    """Hand over everything kept about a patient of a visible site but his images.

    It is recorded with the reason before the first byte is sent.
    """
    with (
        beyond("a patient is found among the asker's sites; what is his, others may have written"),
        services.database.transaction() as session,
    ):
        subject = service.gather(
            session, scope, site_code=body.site_code, local_id=body.local_id, reason=body.reason
        )
    return StreamingResponse(
        service.pieces(subject, services.objects),
        media_type=MEDIA_TYPE,
        headers={
            "Content-Disposition": 'attachment; filename="patient-data.zip"',
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
        },
    )
