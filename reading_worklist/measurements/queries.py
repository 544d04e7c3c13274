"""The measurements of a study, read from the structured reports in it."""

import io
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple, cast
from uuid import UUID

import pydicom
from pydicom import Dataset
from sqlalchemy import select
from sqlalchemy.orm import Session

from reading_worklist.access.scope import Scope
from reading_worklist.key_images.queries import picture_url
from reading_worklist.measurements.content import MeasurementGroup, Reference, measurement_groups
from reading_worklist.measurements.schemas import (
    ConceptView,
    MeasuredImage,
    MeasuredView,
    MeasurementView,
)
from reading_worklist.problems import not_found
from reading_worklist.services import Services
from reading_worklist.workitems.tables import Workitem
from storage.index.tables import Instance, Series, Study
from storage.objects import ObjectKey, ObjectStore
from storage.registry import Organisation

# Enhanced, Comprehensive and Comprehensive 3D SR (PS3.4 §B.5.1.6): those that can hold numbers.
_REPORTS: Final = tuple(f"1.2.840.10008.5.1.4.1.1.88.{number}" for number in (22, 33, 34))
_REPORTS_MAX: Final = 50
_REPORT_BYTES_MAX: Final = 4 << 20
_FAULTS: Final = (ValueError, TypeError, AttributeError, KeyError, IndexError, EOFError)


@dataclass(frozen=True, slots=True)
class _Report:
    sop_instance_uid: str
    received_at: datetime
    object_key: str


class _Image(NamedTuple):
    instance: Instance
    series: Series
    study: Study
    site: Organisation


def measurements(services: Services, scope: Scope, workitem_id: UUID) -> list[MeasurementView]:
    """Return what was measured in a workitem's study, the latest report first.

    Only the latest report tells of a thing that several track by one UID. Reads objects, outside
    of transactions; of reports of more than 4 MiB and beyond the fiftieth nothing is read.

    Raises:
        Problem: 404 when the workitem does not exist or belongs to a site the person does not see.
    """
    with services.database.transaction() as session:
        study_id = session.scalar(
            select(Workitem.study_id).where(
                Workitem.id == workitem_id, scope.sees(Workitem.site_id)
            )
        )
        if study_id is None:
            raise not_found("The workitem")
        reports = _reports(session, study_id)
    found: list[tuple[_Report, MeasurementGroup]] = []
    known: set[str] = set()
    for report in reports:
        groups = _groups(services.objects, report)
        found += [(report, one) for one in groups if one.tracking_uid not in known]
        known |= {one.tracking_uid for one in groups if one.tracking_uid}
    wanted = {one.image.sop_instance_uid for _, one in found if one.image is not None}
    with services.database.transaction() as session:
        images = _images(session, study_id, wanted)
        return [_view(report, one, images) for report, one in found]


def _reports(session: Session, study_id: UUID) -> list[_Report]:
    rows = session.execute(
        select(Instance.sop_instance_uid, Instance.received_at, Instance.object_key)
        .where(
            Instance.study_id == study_id,
            Instance.sop_class_uid.in_(_REPORTS),
            Instance.object_size <= _REPORT_BYTES_MAX,
        )
        .order_by(Instance.received_at.desc(), Instance.id.desc())
        .limit(_REPORTS_MAX)
    )
    return [_Report(*row) for row in rows]


def _groups(objects: ObjectStore, report: _Report) -> Sequence[MeasurementGroup]:
    data = objects.read(ObjectKey.parse(report.object_key))
    try:
        untyped: Any = pydicom
        dataset = cast("Dataset", untyped.dcmread(io.BytesIO(data), force=True))
        return measurement_groups(dataset)
    except _FAULTS:
        # A report that contradicts the standard has nothing to offer; it can be seen in the viewer.
        return ()


def _images(session: Session, study_id: UUID, uids: set[str]) -> Mapping[str, _Image]:
    rows = session.execute(
        select(Instance, Series, Study, Organisation)
        .join(Series, Series.id == Instance.series_id)
        .join(Study, Study.id == Instance.study_id)
        .join(Organisation, Organisation.id == Instance.site_id)
        .where(Instance.study_id == study_id, Instance.sop_instance_uid.in_(uids))
    )
    return {row[0].sop_instance_uid: _Image(*row) for row in rows}


def _view(
    report: _Report, group: MeasurementGroup, images: Mapping[str, _Image]
) -> MeasurementView:
    return MeasurementView(
        report=report.sop_instance_uid,
        stored_at=report.received_at,
        tracking_identifier=group.tracking_identifier,
        tracking_uid=group.tracking_uid,
        finding=ConceptView(**asdict(group.finding)) if group.finding else None,
        site=ConceptView(**asdict(group.site)) if group.site else None,
        values=[
            MeasuredView(concept=ConceptView(**asdict(one.concept)), value=one.value, unit=one.unit)
            for one in group.values
        ],
        image=_image(group.image, images),
    )


def _image(reference: Reference | None, images: Mapping[str, _Image]) -> MeasuredImage | None:
    found = None if reference is None else images.get(reference.sop_instance_uid)
    if reference is None or found is None:
        return None
    return MeasuredImage(
        sop_instance_uid=reference.sop_instance_uid,
        series_number=found.series.series_number,
        instance_number=found.instance.instance_number,
        frame_number=reference.frame_number,
        frame_count=found.instance.number_of_frames or 1,
        picture_url=picture_url(
            found.site.code, found.study, found.series, found.instance, reference.frame_number
        ),
    )
