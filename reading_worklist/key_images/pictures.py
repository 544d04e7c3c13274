"""Key images as a report prints them: which they are, and what they look like."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final
from uuid import UUID

from sqlalchemy.orm import Session

from reading_worklist.access.scope import Scope
from reading_worklist.dicomweb.instances import FrameLayouts
from reading_worklist.dicomweb.queries import InstanceRecord
from reading_worklist.dicomweb.rendering import JPEG, View, Viewport, Window, render
from reading_worklist.key_images.queries import Chosen, candidate, chosen
from reading_worklist.key_images.schemas import KeyImageBody
from reading_worklist.problems import Problem
from reading_worklist.reports.document import PrintedImage
from reading_worklist.services import Services
from storage.datasets.pixels import BadPixelData, NoPixelData, NoSuchFrame
from storage.objects import ObjectStore

# 56 mm of paper at 290 dpi; a radiograph is not printed to be read.
_SIDE: Final = 640
_QUALITY: Final = 88


@dataclass(frozen=True, slots=True)
class Undrawn:
    """A key image before it is drawn, and the instance it is drawn from."""

    image: PrintedImage
    record: InstanceRecord


def undrawn(session: Session, workitem_id: UUID) -> tuple[Undrawn, ...]:
    """Return the key images of a workitem in their order, without their pictures."""
    return tuple(_undrawn(one) for one in chosen(session, workitem_id))


def require_drawable(
    services: Services, scope: Scope, workitem_id: UUID, body: KeyImageBody
) -> None:
    """Pass when a frame that shall be chosen can be printed: at the signature it would be late.

    Of a frame that is not there nothing is said. Reads objects: call it outside of a transaction.

    Raises:
        Problem: 404 for an unseen workitem, 422 when its pixels cannot be shown.
    """
    with services.database.transaction() as session:
        found = candidate(session, scope, workitem_id, body)
        image = None if found is None else _undrawn(found)
    if image is None:
        return
    try:
        drawn(services.objects, [image])
    except (Problem, BadPixelData, NoPixelData, NoSuchFrame) as error:
        raise Problem(
            422,
            "cannot-print",
            "The image cannot be printed",
            found=error.found,
            remedy="Choose another one, or say in words where it is.",
        ) from error


def _undrawn(one: Chosen) -> Undrawn:
    return Undrawn(
        PrintedImage(
            series_instance_uid=one.series.series_instance_uid,
            sop_instance_uid=one.instance.sop_instance_uid,
            frame_number=one.image.frame_number,
            frame_count=one.instance.number_of_frames or 1,
            series_number=one.series.series_number,
            instance_number=one.instance.instance_number,
            window_center=one.image.window_center,
            window_width=one.image.window_width,
        ),
        InstanceRecord(
            one.instance.id,
            one.site.code,
            one.study.study_instance_uid,
            one.series.series_instance_uid,
            one.instance.sop_instance_uid,
            one.instance.sop_class_uid,
            one.instance.transfer_syntax_uid,
            one.instance.object_key,
            one.instance.object_size,
            one.instance.dataset_sha256,
            one.instance.dataset_offset,
            one.instance.pixel_data_offset,
        ),
    )


def drawn(objects: ObjectStore, images: Sequence[Undrawn]) -> tuple[PrintedImage, ...]:
    """Draw key images; one at a time is in memory. Reads objects: call it outside of a transaction.

    Raises:
        Problem: 422 when the pixels of one cannot be shown.
    """
    layouts = FrameLayouts()
    return tuple(_drawn(objects, layouts, one) for one in images)


def _drawn(objects: ObjectStore, layouts: FrameLayouts, one: Undrawn) -> PrintedImage:
    image, window = one.image, None
    if image.window_center is not None and image.window_width is not None:
        window = Window(image.window_center, image.window_width)
    picture = render(
        objects,
        one.record,
        lambda: layouts.open(objects, one.record),
        number=image.frame_number,
        view=View(window, Viewport(_SIDE, _SIDE), _QUALITY),
        media_type=JPEG,
    )
    return replace(image, picture=picture)
