"""Filing the objects of a version, and taking those of the one before out of the archive.

Both happen in the transaction in which the version is issued: nobody finds two that stand, nor a
version without its objects.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from storage.clock import utc_now
from storage.index.ingest import Filing, ingest
from storage.index.received import ReceivedInstance
from storage.index.tables import Instance, Study
from storage.index.withdrawal import take_out
from storage.report_objects.names import ReportObjectKind
from storage.report_objects.tables import ReportObject


@dataclass(frozen=True, slots=True)
class MadeObject:
    """An object of a version whose bytes are durable already."""

    kind: ReportObjectKind
    received: ReceivedInstance


@dataclass(frozen=True, slots=True)
class Version:
    """The version, or the notice of a revoked one, that stands from now on.

    number: of the version; of a notice, the one behind that of the version it revokes.
    """

    id: UUID
    workitem_id: UUID
    study_id: UUID
    number: int


def file(session: Session, version: Version, made: Sequence[MadeObject]) -> None:
    """Make the objects of a version instances of its study; those of earlier ones are so no more.

    To be called first in a transaction: it locks the study, and who files locks the study before
    anything else. The study stays complete, and its reading is told of nothing.
    """
    study = session.scalars(
        select(Study).where(Study.id == version.study_id).with_for_update()
    ).one()
    outcomes = ingest(session, [one.received for one in made])
    # Their UIDs are of this version alone.
    assert all(outcome.filing is not Filing.CONFLICT for outcome in outcomes)
    study.report_object_count += sum(one.filing is Filing.STORED for one in outcomes)
    for one in made:
        session.execute(
            insert(ReportObject)
            .values(_row(study, version, one))
            .on_conflict_do_nothing(index_elements=["site_id", "sop_instance_uid"])
        )
    supersede(
        session,
        study,
        ReportObject.workitem_id == version.workitem_id,
        ReportObject.report_version_id != version.id,
        ReportObject.version_number <= version.number,
        ReportObject.superseded_at.is_(None),
    )


def supersede(session: Session, study: Study, *which: ColumnElement[bool]) -> None:
    """Take objects of a study's reports out of the index; the study is locked by the caller.

    which: conditions on `ReportObject`; none of what they match has been superseded before.
    """
    earlier = session.scalars(
        select(ReportObject).where(*which).order_by(ReportObject.sop_instance_uid)
    ).all()
    for one in earlier:
        one.superseded_at = utc_now()
    # The database lets an instance go only after its report's object is marked.
    session.flush()
    for one in earlier:
        instance = session.execute(
            select(Instance.study_id, Instance.id).where(
                Instance.site_id == one.site_id, Instance.sop_instance_uid == one.sop_instance_uid
            )
        ).one_or_none()
        if instance is not None:
            study.report_object_count -= 1
            take_out(session, *instance)


def forget(session: Session, study_id: UUID) -> None:
    """Drop the rows of a study whose objects go with it."""
    session.execute(delete(ReportObject).where(ReportObject.study_id == study_id))


def _row(study: Study, version: Version, one: MadeObject) -> dict[str, object]:
    received = one.received
    return {
        "site_id": study.site_id,
        "sop_instance_uid": received.header.sop_instance_uid,
        "study_id": study.id,
        "workitem_id": version.workitem_id,
        "report_version_id": version.id,
        "version_number": version.number,
        "kind": one.kind,
        "sop_class_uid": received.header.sop_class_uid,
        "series_instance_uid": received.header.series_instance_uid,
        "object_key": received.object_key,
        "object_size": received.object_size,
        "dataset_sha256": received.dataset_sha256,
        "dataset_offset": received.dataset_offset,
        "filed_at": received.received_at,
    }
