"""Whose a study may be by decision: a known patient of its site, a new one, one of its own."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID, uuid4

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from reading_worklist.problems import Problem, not_found
from storage.identity.comparison import Person as DescribedPerson
from storage.index.tables import Patient, Study
from storage.person_name import search_keys


@dataclass(frozen=True, slots=True)
class NewPatient:
    """A patient of the site that the index does not know yet; name as in the VR PN."""

    local_id: str
    name: str
    sex: str | None
    birth_date: date | None


def patient_of(session: Session, site_id: UUID, described: DescribedPerson) -> UUID:
    """Return the site's patient with this id, made when the index does not know him."""
    session.execute(
        insert(Patient)
        .values(
            id=uuid4(),
            site_id=site_id,
            local_id=described.local_id,
            name=described.name,
            name_original=described.name.encode(),
            name_guessed=False,
            name_keys=search_keys(described.name),
            sex=described.sex,
            birth_date=described.birth_date,
        )
        .on_conflict_do_nothing(index_elements=["site_id", "local_id"])
    )
    return session.scalars(
        select(Patient.id).where(Patient.site_id == site_id, Patient.local_id == described.local_id)
    ).one()


def own_patient(session: Session, study: Study) -> UUID:
    """Return a new patient without an id, described as the header of the study has him."""
    patient = Patient(
        site_id=study.site_id,
        local_id=None,
        name=study.header_patient_name,
        name_original=study.header_patient_name.encode(),
        name_guessed=study.header_name_guessed,
        name_keys=search_keys(study.header_patient_name),
        sex=study.header_patient_sex,
        birth_date=study.header_patient_birth_date,
    )
    session.add(patient)
    session.flush()
    return patient.id


def known_patient(session: Session, site_id: UUID, patient_id: UUID) -> Patient:
    """Return a patient of the site.

    Raises:
        Problem: 404 when the site has no such patient.
    """
    found = session.scalar(
        select(Patient).where(Patient.id == patient_id, Patient.site_id == site_id)
    )
    if found is None:
        raise not_found("The patient")
    return found


def new_patient(session: Session, site_id: UUID, new: NewPatient) -> Patient:
    """Return a patient just made.

    Raises:
        Problem: 409 when the site has one with this id.
    """
    taken = session.scalar(
        select(func.count())
        .select_from(Patient)
        .where(Patient.site_id == site_id, Patient.local_id == new.local_id)
    )
    if taken:
        raise Problem(
            409,
            "patient-exists",
            "The site has a patient with this id",
            expected="an id that no patient of the site has",
            remedy="Choose that patient from the list, or give the right id.",
        )
    made = patient_of(
        session,
        site_id,
        DescribedPerson(new.local_id, new.name, new.sex, new.birth_date),
    )
    return session.get_one(Patient, made)
