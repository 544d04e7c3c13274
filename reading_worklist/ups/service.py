"""What other readers' software can do with a workitem: claim it, go on, give it back."""

from http import HTTPStatus
from typing import Final
from uuid import UUID

from sqlalchemy.orm import Session

from reading_worklist.access.scope import Scope
from reading_worklist.problems import Problem
from reading_worklist.services import WebConfig
from reading_worklist.ups.requests import StateChange, UpsConflict
from reading_worklist.ups.states import StepState, step_state
from reading_worklist.ups.tables import StepTransaction
from reading_worklist.workitems import service as workitems
from reading_worklist.workitems.states import State
from reading_worklist.workitems.tables import Workitem
from storage import audit
from storage.index.tables import Study

INCONSISTENT: Final = "The submitted request is inconsistent with the state of the UPS Instance."
_ALREADY: Final = "The UPS is already in the requested state of {state}."


def change_state(
    session: Session, scope: Scope, workitem_id: UUID, change: StateChange, config: WebConfig
) -> str | None:
    """Change the state of a workitem (PS3.18 §11.7); return the standard's warning, if any.

    IN PROGRESS claims it. COMPLETED is nothing that a request can bring about: the second signature
    does. CANCELED gives what one has claimed back to the queue.

    Raises:
        UpsConflict: 400 for a wrong Transaction UID, 409 when the state does not allow it.
        Problem: 403, 404, and 409 as when claiming in the worklist; 410 for a purged study.
    """
    item = _item(session, scope, workitem_id)
    now = step_state(item)
    if change.state is StepState.IN_PROGRESS:
        if now is not StepState.SCHEDULED:
            raise _conflict(item, "It is not there to be claimed")
        workitems.claim(session, scope, workitem_id, config.claim_lease)
        assert item.claimed_at is not None
        session.merge(
            StepTransaction(
                workitem_id=item.id,
                transaction_uid=change.transaction_uid,
                person_id=scope.person_id,
                claimed_at=item.claimed_at,
            )
        )
        return None
    if now is change.state:
        return _ALREADY.format(state=change.state.value)
    if now is not StepState.IN_PROGRESS:
        raise _conflict(item, f"It is {now.value}")
    _require_transaction(session, scope, item, change.transaction_uid)
    if change.state is StepState.COMPLETED:
        raise _conflict(item, "A reading is completed by the signatures of two doctors")
    workitems.release(session, scope, workitem_id)
    return None


def update(
    session: Session,
    scope: Scope,
    workitem_id: UUID,
    transaction_uid: str | None,
    config: WebConfig,
) -> None:
    """Take an update as a sign that somebody works on what he has claimed (PS3.18 §11.6).

    The lease is renewed; attributes are ours and stay as they are.

    Raises:
        UpsConflict: 400 without the right Transaction UID, 409 when it is not in progress.
        Problem: 403, 404; 410 for a purged study.
    """
    item = _item(session, scope, workitem_id)
    if step_state(item) is not StepState.IN_PROGRESS:
        raise _conflict(item, f"It is {step_state(item).value}")
    if transaction_uid is None:
        raise UpsConflict(
            HTTPStatus.BAD_REQUEST,
            "transaction-uid-missing",
            "The request has no Transaction UID",
            "The Transaction UID is missing.",
            remedy="Send it as the parameter 'transaction-uid'.",
        )
    _require_transaction(session, scope, item, transaction_uid)
    if item.state is not State.CLAIMED:
        raise _conflict(item, "It is under review")
    workitems.claim(session, scope, workitem_id, config.claim_lease)


def request_cancellation(session: Session, scope: Scope, workitem_id: UUID) -> str | None:
    """Ask that a workitem be given back (PS3.18 §11.8); return the standard's warning, if any.

    Whoever holds it is told and decides. What nobody holds is not cancelled by readers: the
    identity desk and retakes do that.

    Raises:
        UpsConflict: 409 when it is not in progress.
        Problem: 404; 410 for a purged study.
    """
    item = _item(session, scope, workitem_id)
    now = step_state(item)
    if now is StepState.CANCELED:
        return _ALREADY.format(state=now.value)
    if now is not StepState.IN_PROGRESS:
        raise _conflict(item, f"It is {now.value}")
    audit.record(
        session,
        scope.actor,
        "workitem:request_cancellation",
        subject_kind="workitem",
        subject_id=item.id,
    )
    workitems.tell(session, item)
    return None


def _item(session: Session, scope: Scope, workitem_id: UUID) -> Workitem:
    item = workitems.locked(session, scope, workitem_id)
    if session.get_one(Study, item.study_id).purged_at is not None:
        raise Problem(
            HTTPStatus.GONE,
            "purged",
            "The study of this workitem was removed by the retention rule",
            remedy="Its reports are kept.",
        )
    return item


def _require_transaction(session: Session, scope: Scope, item: Workitem, uid: str) -> None:
    claimed = session.get(StepTransaction, item.id)
    holds = (
        claimed is not None
        and claimed.transaction_uid == uid
        and claimed.person_id == item.holder_id == scope.person_id
        and claimed.claimed_at == item.claimed_at
    )
    if not holds:
        raise UpsConflict(
            HTTPStatus.BAD_REQUEST,
            "transaction-uid-incorrect",
            "The Transaction UID is not that of the claim that holds now",
            "The Transaction UID is incorrect.",
            remedy="The lease may have ended: claim the workitem again.",
        )


def _conflict(item: Workitem, what: str) -> UpsConflict:
    return UpsConflict(
        HTTPStatus.CONFLICT,
        "wrong-state",
        what,
        INCONSISTENT,
        remedy=f"Its reading is {item.state.value}: retrieve the workitem again.",
    )
