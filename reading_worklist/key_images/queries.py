"""Which images were chosen for a report, in their order."""

from typing import NamedTuple
from urllib.parse import urlencode
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from reading_worklist.access.scope import Scope
from reading_worklist.key_images.schemas import KeyImageBody, KeyImageView
from reading_worklist.key_images.tables import KeyImage
from reading_worklist.problems import not_found
from reading_worklist.workitems.tables import Workitem
from storage.index.tables import Instance, Series, Study
from storage.registry import Organisation


class Chosen(NamedTuple):
    """A key image, the instance it is a frame of, and to what that belongs."""

    image: KeyImage
    instance: Instance
    series: Series
    study: Study
    site: Organisation


def chosen(session: Session, workitem_id: UUID) -> list[Chosen]:
    """Return the key images of a workitem that the caller has found visible, in their order."""
    rows = session.execute(
        select(KeyImage, Instance, Series, Study, Organisation)
        .join(Instance, Instance.id == KeyImage.instance_id)
        .join(Series, Series.id == Instance.series_id)
        .join(Study, Study.id == Instance.study_id)
        .join(Organisation, Organisation.id == Instance.site_id)
        .where(KeyImage.workitem_id == workitem_id)
        .order_by(KeyImage.position, KeyImage.id)
    )
    return [Chosen(*row) for row in rows]


def of_reading(session: Session, scope: Scope, workitem_id: UUID) -> list[Chosen]:
    """Return the key images of a workitem, in their order.

    Raises:
        Problem: 404 when it does not exist or belongs to a site the person does not see.
    """
    require_visible(session, scope, workitem_id)
    return chosen(session, workitem_id)


def require_visible(session: Session, scope: Scope, workitem_id: UUID) -> None:
    """Pass when the person sees the workitem.

    Raises:
        Problem: 404 when it does not exist or belongs to a site the person does not see.
    """
    if not session.scalar(
        select(Workitem.id).where(Workitem.id == workitem_id, scope.sees(Workitem.site_id))
    ):
        raise not_found("The workitem")


def candidate(
    session: Session, scope: Scope, workitem_id: UUID, body: KeyImageBody
) -> Chosen | None:
    """Return a frame as it would be chosen; None when it is none of the exam's.

    Raises:
        Problem: 404 when the workitem is not visible.
    """
    require_visible(session, scope, workitem_id)
    row = session.execute(
        select(Instance, Series, Study, Organisation)
        .join(Series, Series.id == Instance.series_id)
        .join(Study, Study.id == Instance.study_id)
        .join(Organisation, Organisation.id == Instance.site_id)
        .join(Workitem, Workitem.study_id == Study.id)
        .where(Workitem.id == workitem_id, Instance.sop_instance_uid == body.sop_instance_uid)
    ).one_or_none()
    if row is None or not row[0].rows or body.frame_number > (row[0].number_of_frames or 1):
        return None
    image = KeyImage(
        workitem_id=workitem_id,
        instance_id=row[0].id,
        frame_number=body.frame_number,
        window_center=body.window_center,
        window_width=body.window_width,
    )
    return Chosen(image, *row)


def view(one: Chosen) -> KeyImageView:
    """Return a key image as pages show it."""
    image = one.image
    query = ""
    if image.window_center is not None and image.window_width is not None:
        window = f"{image.window_center:.9g},{image.window_width:.9g}"
        query = "?" + urlencode({"window": window}, safe=",")
    return KeyImageView(
        id=image.id,
        sop_instance_uid=one.instance.sop_instance_uid,
        series_instance_uid=one.series.series_instance_uid,
        series_number=one.series.series_number,
        instance_number=one.instance.instance_number,
        frame_number=image.frame_number,
        frame_count=one.instance.number_of_frames or 1,
        window_center=image.window_center,
        window_width=image.window_width,
        added_at=image.added_at,
        picture_url=picture_url(
            one.site.code, one.study, one.series, one.instance, image.frame_number
        )
        + query,
    )


def picture_url(
    site_code: str, study: Study, series: Series, instance: Instance, frame_number: int
) -> str:
    """Return the address of a frame as a picture (PS3.18 §10.4.1.1.3)."""
    return (
        f"/dicom-web/sites/{site_code}/studies/{study.study_instance_uid}"
        f"/series/{series.series_instance_uid}/instances/{instance.sop_instance_uid}"
        f"/frames/{frame_number}/rendered"
    )
