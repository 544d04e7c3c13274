"""One quarantined instance over HTTP, for dispatchers and administrators.

    GET  /api/quarantine/{id}                                             → QuarantineDetail
    POST /api/quarantine/{id}/discard | replace | file | undo  {reason}   → QuarantineDetail

`QuarantineDetail.actions` are those possible now. `discard` leaves the newcomer aside, `replace`
(uid_conflict) lets it change places with the filed version, `file` (patient_mismatch) files it in
its study whatever its header says, `undo` takes the last decision back. Nothing is deleted.
Live event: `quarantine` with {id, resolution}.

Problems: 403 forbidden · 404 not-found · 409 wrong-state, other-series, other-versions,
unreadable, changed ·
422 invalid-request.
"""

from uuid import UUID

from fastapi import APIRouter

from reading_worklist.access.masking import shown_to
from reading_worklist.quarantine import queries, service
from reading_worklist.quarantine.schemas import DecisionBody, QuarantineDetail
from reading_worklist.quarantine.tables import QuarantineAction
from reading_worklist.services import Asking, Parts

router = APIRouter(prefix="/api/quarantine", tags=["operations"])


@router.get("/{entry_id}")
def get_quarantined(entry_id: UUID, scope: Asking, services: Parts) -> QuarantineDetail:
    """Return an entry with both versions compared."""
    scope.require(*service.DECIDERS)
    return shown_to(scope, queries.detail(services.database, services.objects, scope, entry_id))


@router.post("/{entry_id}/{action}")
def decide_quarantined(
    entry_id: UUID,
    action: QuarantineAction,
    body: DecisionBody,
    scope: Asking,
    services: Parts,
) -> QuarantineDetail:
    """Decide what becomes of an entry."""
    service.decide(
        services.database,
        services.objects,
        scope,
        entry_id,
        action=action,
        reason=body.reason,
    )
    return shown_to(scope, queries.detail(services.database, services.objects, scope, entry_id))
