"""The telephone list over HTTP, for whoever of the centre rings a site.

    GET /api/phone-list  → PhoneTask[], the most pressing first

What is said there is taken down where it belongs: POST /api/critical-values/{id}/calls and
…/acknowledge, POST /api/retakes/{id}/calls and …/acknowledge.

Problems: 403 forbidden.
"""

from fastapi import APIRouter

from reading_worklist.critical_values.service import CALLERS
from reading_worklist.phone import queries
from reading_worklist.phone.schemas import PhoneTask
from reading_worklist.services import Asking, Parts

router = APIRouter(prefix="/api", tags=["phone list"])


@router.get("/phone-list")
def get_phone_list(scope: Asking, services: Parts) -> list[PhoneTask]:
    """Return whom to ring now."""
    scope.require(*CALLERS)
    with services.database.transaction() as session:
        return queries.tasks(session, scope)
