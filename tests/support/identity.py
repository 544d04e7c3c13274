"""Decisions of the identity desk for tests that have no desk."""

from datetime import date, timedelta
from uuid import UUID

from sqlalchemy import select

from storage import registry
from storage.clock import utc_now
from storage.database import Database
from storage.identity.tables import CaseState, DecisionKind, IdentityCase, IdentityDecision
from storage.index.tables import Patient, Study
from storage.registry import Organisation, Role


def decide(
    database: Database, study_instance_uid: str, local_id: str, name: str, *, born: date
) -> UUID:
    """Correct a study's patient to a new one of its site; returns the patient it had."""
    with database.transaction() as session:
        study = session.scalars(
            select(Study).where(Study.study_instance_uid == study_instance_uid)
        ).one()
        before = study.patient_id
        patient = Patient(
            site_id=study.site_id,
            local_id=local_id,
            name=name,
            name_original=name.encode(),
            sex="F",
            birth_date=born,
        )
        case = IdentityCase(
            study_id=study.id,
            site_id=study.site_id,
            state=CaseState.DECIDED,
            differences=[],
            due_at=utc_now() + timedelta(hours=1),
        )
        site = session.get_one(Organisation, study.site_id)
        person = registry.add_person(
            session, "desk", "调度", "none", organisation=site, roles=(Role.DISPATCHER,)
        )
        session.add_all((patient, case))
        session.flush()
        study.patient_id = patient.id
        session.add(
            IdentityDecision(
                case_id=case.id,
                study_id=study.id,
                kind=DecisionKind.CORRECT,
                reason="test",
                person_id=person.id,
                organisation_id=site.id,
                before={"accession_number": study.accession_number},
                after={},
            )
        )
    return before


def take_back(database: Database, study_instance_uid: str, patient_id: UUID) -> None:
    """Undo the last decision about a study, which gives it back to this patient."""
    with database.transaction() as session:
        newest = select(IdentityDecision).order_by(IdentityDecision.id.desc()).limit(1)
        last = session.scalars(newest).one()
        study = session.scalars(
            select(Study).where(Study.study_instance_uid == study_instance_uid)
        ).one()
        study.patient_id = patient_id
        session.add(
            IdentityDecision(
                case_id=last.case_id,
                study_id=study.id,
                kind=DecisionKind.UNDO,
                reason="test",
                person_id=last.person_id,
                organisation_id=last.organisation_id,
                before={},
                after={},
                undoes=last.id,
            )
        )
