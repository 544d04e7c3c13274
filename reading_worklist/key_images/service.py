"""Choosing images for a report. Whoever may save the draft may choose; each act keeps the lease."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final
from uuid import UUID

from sqlalchemy.orm import Session

from reading_worklist.access.scope import Scope
from reading_worklist.key_images import queries
from reading_worklist.key_images.schemas import KeyImageBody
from reading_worklist.key_images.tables import KeyImage
from reading_worklist.problems import Problem, conflict, not_found
from reading_worklist.workitems import service as workitems
from reading_worklist.workitems.rules import check
from reading_worklist.workitems.states import Action
from reading_worklist.workitems.tables import Workitem
from storage import audit

IMAGES_MAX: Final = 24
"""How many a report takes: two pages of paper."""


def add(
    session: Session, scope: Scope, workitem_id: UUID, body: KeyImageBody, lease: timedelta
) -> None:
    """Choose a frame, at the end of the others; of one that was chosen its window is taken anew.

    Raises:
        Problem: see `rules.check`; 409 when there are too many, 422 when it is none of the exam's.
    """
    item = _writable(session, scope, workitem_id, lease)
    wanted = queries.candidate(session, scope, workitem_id, body)
    if wanted is None:
        raise Problem(
            422,
            "not-of-the-exam",
            "The image does not belong to this exam",
            expected="an image of the study that is read",
            remedy="Choose an image of the study itself; an earlier study has its own report.",
        )
    images = [one.image for one in queries.chosen(session, workitem_id)]
    new = wanted.image
    same = next(
        (
            one
            for one in images
            if one.instance_id == new.instance_id and one.frame_number == new.frame_number
        ),
        None,
    )
    if same is None:
        if len(images) >= IMAGES_MAX:
            raise conflict(
                "too-many-key-images",
                "A report has no place for more images",
                expected=f"at most {IMAGES_MAX}",
                remedy="Remove one first.",
            )
        new.position = images[-1].position + 1 if images else 0
        new.added_by = scope.person_id
        session.add(new)
        same = new
    same.window_center = body.window_center
    same.window_width = body.window_width
    session.flush()
    _record(session, scope, item, "add", {"key_image": str(same.id)})


def remove(
    session: Session, scope: Scope, workitem_id: UUID, key_image_id: UUID, lease: timedelta
) -> None:
    """Take an image out of the report.

    Raises:
        Problem: see `rules.check`; 404 when it is not one of the report's.
    """
    item = _writable(session, scope, workitem_id, lease)
    image = session.get(KeyImage, key_image_id)
    if image is None or image.workitem_id != workitem_id:
        raise not_found("The key image")
    session.delete(image)
    session.flush()
    _record(session, scope, item, "remove", {"key_image": str(key_image_id)})


def order(
    session: Session, scope: Scope, workitem_id: UUID, ids: Sequence[UUID], lease: timedelta
) -> None:
    """Put the images into another order.

    Raises:
        Problem: see `rules.check`; 409 when `ids` are not all of the report's images.
    """
    item = _writable(session, scope, workitem_id, lease)
    images = {one.image.id: one.image for one in queries.chosen(session, workitem_id)}
    if sorted(images) != sorted(ids):
        raise conflict(
            "key-images-changed",
            "The key images have changed in the meantime",
            remedy="Look at them again.",
        )
    for position, one in enumerate(ids):
        images[one].position = position
    session.flush()
    _record(session, scope, item, "order", {"images": len(ids)})


def _writable(session: Session, scope: Scope, workitem_id: UUID, lease: timedelta) -> Workitem:
    item = workitems.locked(session, scope, workitem_id)
    check(item, Action.SAVE_DRAFT, scope)
    workitems.hold(item, scope.person_id, lease)
    return item


def _record(
    session: Session, scope: Scope, item: Workitem, verb: str, detail: dict[str, str | int]
) -> None:
    audit.record(
        session,
        scope.actor,
        f"key_image:{verb}",
        subject_kind="workitem",
        subject_id=item.id,
        detail=detail,
    )
    workitems.tell(session, item)
