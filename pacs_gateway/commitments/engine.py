"""The commitment engine: decides each request once, and tells the result until it is heard.

Driven by the relay like deliveries, and by the associations of the device
itself: on the one over which it asked, and on any later one, it hears at once.
"""

import logging
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.orm import Session

from pacs_gateway.commitments.examination import examine
from pacs_gateway.commitments.results import Result, Told, tell
from pacs_gateway.config import ReturnsConfig
from storage import attempts
from storage.clock import utc_now
from storage.commitments import (
    Candidate,
    CommitmentReference,
    CommitmentRequest,
    CommitmentState,
    FailureReason,
    candidates,
    is_open,
    outcome_of,
)
from storage.database import Database
from storage.objects import ObjectStore, ObjectStoreError
from storage.registry import Listener, find_listener

CHANNEL: Final = "rdc_commitment"
OWN_ASSOCIATION: Final = "own association"
# How soon a request is looked at again while its instances are on their way.
LOOK_SECONDS: Final = 2.0

_log = logging.getLogger(__name__)

# Tells a result over an association that is there already.
Telling = Callable[[Result], Told]


def due(session: Session, limit: int = 20) -> Sequence[UUID]:
    """Return requests that are due, for `attempt`; each again in half a minute."""
    return attempts.due(session, CommitmentRequest, is_open(), limit)


def attempt(
    request_id: UUID, database: Database, objects: ObjectStore, config: ReturnsConfig
) -> bool:
    """Go on with a request whose time has come; return whether the device has heard it now.

    The result is told over an association of ours, where it is known at which
    address the device listens.
    """
    work = _take(request_id, database, objects, config, only_when_due=True)
    if not isinstance(work, _Reporting):
        return False
    if work.listener is None:
        told = Told(
            heard=False,
            answer="it is not known where the device listens: set it, or let it associate again",
        )
    else:
        told = _guarded(lambda result: tell(result, _known(work.listener), config), work.result)
    _finish(request_id, work, told, OWN_ASSOCIATION, database=database, config=config)
    return told.heard


def attempt_now(
    request_id: UUID,
    database: Database,
    objects: ObjectStore,
    config: ReturnsConfig,
    *,
    telling: Telling,
    by: str,
) -> bool:
    """Go on with a request at once, over an association that is there; see `attempt`.

    Returns whether nothing is left to do on this association: the device has heard it, or its
    answer was no success.
    """
    work = _take(request_id, database, objects, config, only_when_due=False)
    if work is None:
        return False
    if isinstance(work, _Done):
        return True
    told = Told(heard=False, answer="the association ended before the answer")
    try:
        told = telling(work.result)
    finally:
        _finish(request_id, work, told, by, database=database, config=config)
    return True


class _Done:
    """The device has heard the result already, or there is no such request."""


class _Reporting:
    """A leased request whose result is to be told."""

    def __init__(self, lease_token: UUID, result: Result, listener: Listener | None) -> None:
        self.lease_token = lease_token
        self.result = result
        self.listener = listener


def _take(
    request_id: UUID,
    database: Database,
    objects: ObjectStore,
    config: ReturnsConfig,
    *,
    only_when_due: bool,
) -> _Reporting | _Done | None:
    """Lease a request, deciding it first when it is not decided; None when it has to wait."""
    with database.transaction() as session:
        row = session.get(CommitmentRequest, request_id, with_for_update=True)
        if row is None or row.state == CommitmentState.REPORTED:
            return _Done()
        if only_when_due and row.next_attempt_at > utc_now():
            return None
        row = attempts.take(session, CommitmentRequest, request_id, config.lease_seconds)
        if row is None or row.lease_token is None:
            return None
        token = row.lease_token
        undecided = candidates(session, row) if row.state == CommitmentState.EXAMINING else None
        expired = row.examine_until <= utc_now()
    if undecided is not None and not _decide(
        request_id, token, undecided, expired=expired, database=database, objects=objects
    ):
        return None
    with database.transaction() as session:
        row = session.get_one(CommitmentRequest, request_id)
        kept, missing = outcome_of(session, request_id)
        listener = find_listener(session, row.site_id, row.calling_ae_title)
        return _Reporting(token, Result(row.transaction_uid, kept, missing), listener)


def _decide(
    request_id: UUID,
    token: UUID,
    undecided: list[Candidate],
    *,
    expired: bool,
    database: Database,
    objects: ObjectStore,
) -> bool:
    """Decide a leased request if that is possible; else give it back for a later look."""
    try:
        reasons = examine(undecided, objects)
        complete = FailureReason.NO_SUCH_OBJECT_INSTANCE not in reasons.values()
        if not complete and expired:
            # What is not there while nothing can be filed may be in the spool: wait on.
            objects.check()
            complete = True
        error = None
    except ObjectStoreError as problem:
        reasons, complete, error = {}, False, type(problem).__name__
    with database.transaction() as session:
        row = session.get_one(CommitmentRequest, request_id, with_for_update=True)
        if row.lease_token != token or row.state != CommitmentState.EXAMINING:
            return False
        if not complete:
            row.last_error = error
            attempts.give_back(row, after_seconds=LOOK_SECONDS)
            return False
        for position, reason in reasons.items():
            session.execute(
                update(CommitmentReference)
                .where(
                    CommitmentReference.request_id == request_id,
                    CommitmentReference.position == position,
                )
                .values(failure_reason=int(reason))
            )
        row.state = CommitmentState.REPORTING
        row.decided_at = utc_now()
    if reasons:
        _log.warning(
            "storage commitment refused in part",
            extra={
                "request_id": str(request_id),
                "instances": len(undecided),
                "refused": len(reasons),
                "reasons": ", ".join(sorted({f"{int(one):04X}H" for one in reasons.values()})),
            },
        )
    return True


def _guarded(telling: Telling, result: Result) -> Told:
    try:
        return telling(result)
    except Exception as error:  # noqa: BLE001 -- or it would be repeated without back-off
        _log.exception("storage commitment result could not be told")
        return Told(heard=False, answer=f"error of ours: {type(error).__name__}")


def _known(listener: Listener | None) -> Listener:
    assert listener is not None
    return listener


def _finish(
    request_id: UUID,
    work: _Reporting,
    told: Told,
    by: str,
    *,
    database: Database,
    config: ReturnsConfig,
) -> None:
    with database.transaction() as session:
        row = session.get_one(CommitmentRequest, request_id, with_for_update=True)
        if told.heard:
            # A fact, whoever holds the lease by now.
            if row.state != CommitmentState.REPORTED:
                row.state = CommitmentState.REPORTED
                row.reported_at = utc_now()
                row.reported_by = by
            attempts.succeeded(row)
        elif row.lease_token == work.lease_token:
            attempts.failed(
                row,
                told.answer,
                first_seconds=config.first_retry_seconds,
                longest_seconds=config.longest_retry_seconds,
            )
    if not told.heard:
        _log.info(
            "storage commitment result not heard yet",
            extra={"request_id": str(request_id), "answer": told.answer},
        )


def reopened(row: CommitmentRequest, *, wait_seconds: float, hold_seconds: float) -> None:
    """Let a request that the device repeats be decided and told anew, within the transaction."""
    now = utc_now()
    row.state = CommitmentState.EXAMINING
    row.examine_until = now + timedelta(seconds=wait_seconds)
    row.decided_at = row.reported_at = row.reported_by = None
    row.attempts = 0
    attempts.give_back(row, after_seconds=hold_seconds)
