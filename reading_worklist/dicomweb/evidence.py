"""What whoever reads a study may add to it: measurements, presentation states, key objects.

Such an instance joins a study that is there already. It is nothing that the study waited for, so a
complete study stays complete, and no report is told that images came late.
"""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from reading_worklist.access.scope import Scope
from reading_worklist.workitems import service as workitems
from reading_worklist.workitems.tables import Workitem
from storage import audit
from storage.dicom_header import InstanceHeader
from storage.index.tables import Patient, Study
from storage.registry import Role

READING_ROLES: Final = (Role.WRITER, Role.REVIEWER)
EVIDENCE_CLASSES: Final = frozenset(
    {
        "1.2.840.10008.5.1.4.1.1.88.22",  # Enhanced SR
        "1.2.840.10008.5.1.4.1.1.88.33",  # Comprehensive SR
        "1.2.840.10008.5.1.4.1.1.88.34",  # Comprehensive 3D SR
        "1.2.840.10008.5.1.4.1.1.88.59",  # Key Object Selection
        "1.2.840.10008.5.1.4.1.1.11.1",  # Grayscale Softcopy Presentation State
    }
)


@dataclass(frozen=True, slots=True)
class StudyRead:
    """A study to which somebody who reads it adds something, with the ids its patient goes by."""

    id: UUID
    patient_ids: frozenset[str | None]


def is_evidence(scope: Scope, header: InstanceHeader) -> bool:
    """Tell whether an instance is of a kind that who sends it makes while reading."""
    return header.sop_class_uid in EVIDENCE_CLASSES and not scope.roles.isdisjoint(READING_ROLES)


def study_read(
    session: Session, scope: Scope, site_id: UUID, study_instance_uid: str, reading: UUID | None
) -> StudyRead | None:
    """Return the study that an instance belongs to; None when the person sees none.

    reading: the workitem under whose root it was sent: then only that one's own study.
    """
    query = (
        select(Study.id, Study.header_patient_id, Patient.local_id)
        .join(Patient, Patient.id == Study.patient_id)
        .where(
            Study.site_id == site_id,
            Study.study_instance_uid == study_instance_uid,
            scope.sees_images(Study.site_id),
        )
    )
    if reading is not None:
        query = query.join(Workitem, Workitem.study_id == Study.id).where(Workitem.id == reading)
    row = session.execute(query).one_or_none()
    # The metadata that the viewer copies shows the patient that the identity desk decided on.
    return None if row is None else StudyRead(row[0], frozenset(row[1:]))


def note(session: Session, scope: Scope, study: StudyRead, header: InstanceHeader) -> None:
    """Record that something was added to a study, and tell the pages that show its reading."""
    audit.record(
        session,
        scope.actor,
        "study:add_evidence",
        subject_kind="study",
        subject_id=study.id,
        detail={"sop_class_uid": header.sop_class_uid, "sop_instance_uid": header.sop_instance_uid},
    )
    item = session.scalar(select(Workitem).where(Workitem.study_id == study.id))
    if item is not None:
        workitems.tell(session, item)
