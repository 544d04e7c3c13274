"""Which instances of a study are ECG waveforms, within the scope of who asks."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from reading_worklist.access.scope import Scope
from reading_worklist.problems import not_found
from reading_worklist.workitems.tables import Workitem
from storage.ecg.dicom_reader import ECG_STORAGE, STANDARD_STORAGE
from storage.index.tables import Instance, Series
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
