"""What an expert sees of other people's patients: the studies of consultations that are open."""

from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, false, select
from sqlalchemy.orm import InstrumentedAttribute

from reading_worklist.consultations.states import SHARED
from reading_worklist.consultations.tables import Consultation
from reading_worklist.workitems.tables import Workitem
from storage.index.tables import Instance, Patient, Study, StudyListing
from storage.registry import Organisation


def shared_studies(person_id: UUID) -> Select[UUID]:
    """Return the query for the ids of the studies that are shared with an expert now."""
    return (
        select(Workitem.study_id)
        .join(Consultation, Consultation.workitem_id == Workitem.id)
        .where(Consultation.invitee_id == person_id, Consultation.state.in_(SHARED))
    )


def is_shared(
    site_id: InstrumentedAttribute[UUID] | InstrumentedAttribute[UUID | None], person_id: UUID
) -> ColumnElement[bool]:
    """Return the SQL condition that a row is of a study that is shared with an expert now.

    site_id: the row's column of its site, by which it is known what kind of row it is. A row that
        is no part of a study is never shared.
    """
    studies = shared_studies(person_id)
    of_row: dict[Any, ColumnElement[bool]] = {
        Study: Study.id.in_(studies),
        StudyListing: StudyListing.study_id.in_(studies),
        Instance: Instance.study_id.in_(studies),
        Workitem: Workitem.study_id.in_(studies),
        Patient: Patient.id.in_(select(Study.patient_id).where(Study.id.in_(studies))),
        Organisation: Organisation.id.in_(select(Study.site_id).where(Study.id.in_(studies))),
    }
    return of_row.get(site_id.class_, false())
