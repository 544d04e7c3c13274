"""What people decided about a study's patient, laid over its unchanged objects.

The objects keep what the device wrote. The index says what holds: `Study.patient_id` points to the
patient that was decided, and every query, list and report reads him there. Whoever hands out
headers (metadata, C-MOVE to a workstation) may lay these attributes over what the object says: the
overlay is small, and empty for nearly every study.
"""

from datetime import date
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from storage.identity.tables import CaseState, IdentityCase, IdentityDecision
from storage.index.tables import Patient, Study


def overlay_of(session: Session, study: Study) -> dict[str, str]:
    """Return the attributes that a decision changed, by keyword; empty when none did.

    Values are as in DICOM: PatientID, PatientName (VR PN), PatientSex, PatientBirthDate (VR DA),
    AccessionNumber; "" where the decided patient has none.
    """
    decided = select(IdentityDecision.id).where(IdentityDecision.study_id == study.id).limit(1)
    if session.scalar(decided) is None or session.scalar(_open_case(study)) is not None:
        return {}
    patient = session.get_one(Patient, study.patient_id)
    born = patient.birth_date
    attributes = {
        "PatientID": (study.header_patient_id, patient.local_id or study.header_patient_id),
        "PatientName": (study.header_patient_name, patient.name),
        "PatientSex": (study.header_patient_sex, patient.sex),
        "PatientBirthDate": (
            _date(study.header_patient_birth_date),
            _date(born),
        ),
    }
    changed = {
        name: now or "" for name, (was, now) in attributes.items() if (was or "") != (now or "")
    }
    if changed:
        changed["AccessionNumber"] = study.accession_number or ""
    return changed


def _open_case(study: Study) -> Select[UUID]:
    return select(IdentityCase.id).where(
        IdentityCase.study_id == study.id, IdentityCase.state == CaseState.OPEN
    )


def _date(day: date | None) -> str | None:
    return day.strftime("%Y%m%d") if day is not None else None
