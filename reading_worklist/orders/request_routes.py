"""What was asked for, beside the images that are read."""

from uuid import UUID

from fastapi import APIRouter

from reading_worklist.orders import queries
from reading_worklist.orders.schemas import OrderView
from reading_worklist.services import Asking, Parts
from reading_worklist.workitems.routes import CENTRE_ROLES
from storage.registry import Role

router = APIRouter(prefix="/api/workitems", tags=["orders"])


@router.get("/{workitem_id}/request")
def get_request_of_workitem(workitem_id: UUID, scope: Asking, services: Parts) -> OrderView | None:
    """Return the order that the images answer; null where nobody asked in writing."""
    scope.require(*CENTRE_ROLES, Role.EXPERT)
    with services.database.transaction() as session:
        return queries.of_workitem(session, scope, workitem_id)
