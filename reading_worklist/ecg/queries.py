"""Which instances of a study are ECG waveforms, within the scope of who asks."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from reading_worklist.access.scope import Scope
from reading_worklist.priors.grants import granted
from reading_worklist.problems import not_found
from reading_worklist.workitems.tables import Workitem
from storage.ecg.dicom_reader import ECG_STORAGE, STANDARD_STORAGE
from storage.index.tables import Instance, Patient, Series, Study
from storage.objects import ObjectKey


@dataclass(frozen=True, slots=True)
class EcgInstance:
    """A waveform instance in the index and where its bytes are."""

    sop_instance_uid: str
    instance_number: int | None
    object_key: ObjectKey


def waveforms_of_workitem(
    session: Session, scope: Scope, workitem_id: UUID
) -> Sequence[EcgInstance]:
    """Return the waveform instances of a workitem's study, in the order of `waveforms_of_study`.

    Raises:
        Problem: 404 when the workitem does not exist or is not visible.
    """
    study_id = session.scalar(
        select(Workitem.study_id).where(
            Workitem.id == workitem_id, scope.sees_images(Workitem.site_id)
        )
    )
    if study_id is None:
        raise not_found("The workitem")
    return waveforms_of_study(session, study_id)


def waveforms_of_prior(
    session: Session, scope: Scope, workitem_id: UUID, study_id: UUID
) -> Sequence[EcgInstance]:
    """Return the waveform instances of an earlier study that was opened at the reading.

    Raises:
        Problem: 403 for who does not read; 404 when the workitem is not visible, or the study is
            none of its patient's that the asker has opened and may still see.
    """
    if study_id not in granted(session, scope, workitem_id).study_ids:
        raise not_found("The earlier study")
    return waveforms_of_study(session, study_id)


def birth_date(session: Session, workitem_id: UUID, study_id: UUID | None) -> date | None:
    """Return the birth date of the patient of a study, or of the workitem's when study_id is None.

    Whoever calls has decided that the study may be seen.
    """
    of_study = (
        select(Workitem.study_id).where(Workitem.id == workitem_id).scalar_subquery()
        if study_id is None
        else study_id
    )
    return session.scalar(
        select(Patient.birth_date)
        .join(Study, Study.patient_id == Patient.id)
        .where(Study.id == of_study)
    )


def waveforms_of_study(session: Session, study_id: UUID) -> Sequence[EcgInstance]:
    """Return the waveform instances of a study by instance number, then in order of arrival.

    Those of the ECG SOP classes, and private objects that call their modality
    ECG. Whoever calls has decided that the study may be seen.
    """
    private = and_(
        Series.modality == "ECG",
        Instance.sop_class_uid.not_like(f"{STANDARD_STORAGE}%"),
    )
    rows = session.execute(
        select(Instance.sop_instance_uid, Instance.instance_number, Instance.object_key)
        .join(Series, Series.id == Instance.series_id)
        .where(
            Instance.study_id == study_id,
            or_(Instance.sop_class_uid.like(f"{ECG_STORAGE}%"), private),
        )
        .order_by(Instance.instance_number.nulls_last(), Instance.id)
    ).all()
    return [EcgInstance(uid, instance_number, ObjectKey(key)) for uid, instance_number, key in rows]
