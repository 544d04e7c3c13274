"""Key images over HTTP: chosen by whoever writes the report, seen by all of the centre.

    GET    /api/workitems/{id}/key-images                 → KeyImageView[], in their order
    POST   /api/workitems/{id}/key-images  KeyImageBody   → KeyImageView[]
    PUT    /api/workitems/{id}/key-images/order {ids}     → KeyImageView[]
    DELETE /api/workitems/{id}/key-images/{key image}     → KeyImageView[]

Choosing a frame again takes its window anew. Live event: `workitem`.

Problems: 403 forbidden · 404 not-found · 409 wrong-state, not-holder, key-images-changed,
too-many-key-images · 422 not-of-the-exam, cannot-print,
invalid-request.
"""

from http import HTTPStatus
from uuid import UUID

from fastapi import APIRouter

from reading_worklist.changes import changed
from reading_worklist.key_images import pictures, queries, service
from reading_worklist.key_images.schemas import KeyImageBody, KeyImageOrder, KeyImageView
from reading_worklist.services import Asking, Parts
from reading_worklist.workitems.routes import centre

router = APIRouter(prefix="/api/workitems", tags=["reports"])


@router.get("/{workitem_id}/key-images")
def list_key_images(workitem_id: UUID, scope: Asking, services: Parts) -> list[KeyImageView]:
    """Return the images that were chosen for the report, in their order."""
    centre(scope)
    with services.database.transaction() as session:
        return [queries.view(one) for one in queries.of_reading(session, scope, workitem_id)]


@router.post("/{workitem_id}/key-images", status_code=HTTPStatus.CREATED)
def add_key_image(
    workitem_id: UUID, body: KeyImageBody, scope: Asking, services: Parts
) -> list[KeyImageView]:
    """Choose a frame of the exam for the report; of a chosen one its window is taken anew."""
    pictures.require_drawable(services, centre(scope), workitem_id, body)
    lease = services.config.claim_lease
    return changed(list_key_images, workitem_id, scope, services, service.add, body, lease)


@router.put("/{workitem_id}/key-images/order")
def order_key_images(
    workitem_id: UUID, body: KeyImageOrder, scope: Asking, services: Parts
) -> list[KeyImageView]:
    """Put the key images into another order; 409 when somebody has changed them."""
    lease = services.config.claim_lease
    return changed(list_key_images, workitem_id, scope, services, service.order, body.ids, lease)


@router.delete("/{workitem_id}/key-images/{key_image_id}")
def remove_key_image(
    workitem_id: UUID, key_image_id: UUID, scope: Asking, services: Parts
) -> list[KeyImageView]:
    """Take an image out of the report."""
    lease = services.config.claim_lease
    return changed(
        list_key_images, workitem_id, scope, services, service.remove, key_image_id, lease
    )
