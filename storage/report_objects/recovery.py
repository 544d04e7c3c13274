"""Objects of reports that were found in the object store alone, without a row that tells of them.

They say themselves which version they are of: the number of their instance is the version's. Of
which report they are only the database knew; a study has one.
"""

from collections.abc import Collection
from typing import Final
from uuid import UUID

from pydicom.uid import UID, EncapsulatedPDFStorage, KeyObjectSelectionDocumentStorage
from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from storage.index.tables import Instance, Series, Study
from storage.report_objects.names import SOP_CLASSES, ReportObjectKind
from storage.report_objects.service import supersede
from storage.report_objects.tables import ReportObject

_UNKNOWN: Final = UUID(int=0)
_KINDS: Final = {
    EncapsulatedPDFStorage: ReportObjectKind.PDF,
    KeyObjectSelectionDocumentStorage: ReportObjectKind.KEY_OBJECTS,
}


def recover(session: Session, instance_ids: Collection[int]) -> None:
    """Enter instances that we had made of reports; those of all but the last version leave.

    instance_ids: of instances that were filed anew and whose objects say that they are ours; what
        is of another class is passed over.
    """
    found = session.execute(
        select(Instance, Series.series_instance_uid)
        .join(Series, Series.id == Instance.series_id)
        .where(Instance.id.in_(instance_ids), Instance.sop_class_uid.in_(SOP_CLASSES))
        .order_by(Instance.study_id, Instance.id)
    ).all()
    for instance, series_instance_uid in found:
        session.execute(
            insert(ReportObject)
            .values(
                site_id=instance.site_id,
                sop_instance_uid=instance.sop_instance_uid,
                study_id=instance.study_id,
                workitem_id=_UNKNOWN,
                report_version_id=_UNKNOWN,
                version_number=instance.instance_number or 0,
                kind=_KINDS.get(UID(instance.sop_class_uid), ReportObjectKind.STRUCTURED),
                sop_class_uid=instance.sop_class_uid,
                series_instance_uid=series_instance_uid,
                object_key=instance.object_key,
                object_size=instance.object_size,
                dataset_sha256=instance.dataset_sha256,
                dataset_offset=instance.dataset_offset,
                filed_at=instance.received_at,
            )
            .on_conflict_do_nothing(index_elements=["site_id", "sop_instance_uid"])
        )
    for study_id in sorted({instance.study_id for instance, _ in found}):
        study = session.scalars(select(Study).where(Study.id == study_id).with_for_update()).one()
        of_study = (ReportObject.study_id == study_id, ReportObject.superseded_at.is_(None))
        last = session.scalar(select(func.max(ReportObject.version_number)).where(*of_study))
        study.report_object_count = (
            session.scalar(select(func.count()).select_from(ReportObject).where(*of_study)) or 0
        )
        supersede(session, study, *of_study, ReportObject.version_number < last)
