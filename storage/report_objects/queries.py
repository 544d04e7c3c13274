"""What is known of the objects of reports."""

from collections.abc import Collection, Mapping, Sequence
from typing import Final
from uuid import UUID

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from storage.report_objects.names import ReportObjectKind
from storage.report_objects.tables import ReportObject

_ORDER: Final = case(
    {kind: place for place, kind in enumerate(ReportObjectKind)}, value=ReportObject.kind
)


def objects_of(session: Session, report_version_id: UUID) -> Sequence[ReportObject]:
    """Return the objects of a version or notice, the page first, whether or not it stands."""
    return session.scalars(
        select(ReportObject)
        .where(ReportObject.report_version_id == report_version_id)
        .order_by(_ORDER)
    ).all()


def standing_counts(session: Session, study_ids: Collection[UUID]) -> Mapping[UUID, int]:
    """Return how many instances of studies are objects of reports; without those that have none."""
    rows = session.execute(
        select(ReportObject.study_id, func.count())
        .where(ReportObject.study_id.in_(study_ids), ReportObject.superseded_at.is_(None))
        .group_by(ReportObject.study_id)
    )
    return {row[0]: row[1] for row in rows}
