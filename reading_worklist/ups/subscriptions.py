"""Subscriptions to workitems and what is told to those who have one (PS3.18 §11.10 to §11.13)."""

from collections.abc import Iterable, Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import CursorResult, delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from reading_worklist.access.scope import Scope
from reading_worklist.problems import not_found
from reading_worklist.ups import queries
from reading_worklist.ups.requests import parse_filter, parse_search, workitem_id
from reading_worklist.ups.states import readiness, step_state, step_uid
from reading_worklist.ups.tables import StepSubscription
from reading_worklist.workitems.tables import Workitem
from storage import audit
from storage.identifiers import AeTitle, InvalidIdentifier, Uid

WORKLIST: Final = "1.2.840.10008.5.1.4.34.5"
"""UPS Global Subscription SOP Instance: the worklist as a whole."""
FILTERED: Final = "1.2.840.10008.5.1.4.34.5.1"
"""UPS Filtered Global Subscription SOP Instance: what of the worklist matches a filter."""

_EVENT_CLASS: Final = "1.2.840.10008.5.1.4.34.6.4"
_STATE_REPORT: Final = 1


def subscribe(
    session: Session,
    scope: Scope,
    uid: str,
    ae_title: str,
    parameters: Iterable[tuple[str, str]] = (),
) -> None:
    """Let this person's software of that AE title know of changes; a second time changes nothing.

    parameters: of the query; for a filtered subscription the filter, which takes the place of one
        under the same AE title.

    Raises:
        Problem: 400 when `uid` is no UID or the filter is not understood, 404 when the workitem is
            not visible or `ae_title` is no AE title.
    """
    target = _target(session, scope, uid)
    title = _title(ae_title)
    matching = [list(pair) for pair in parse_filter(parameters)] if target == FILTERED else None
    added = insert(StepSubscription).values(
        person_id=scope.person_id, ae_title=title, target=target, matching=matching
    )
    session.execute(
        added.on_conflict_do_update(
            index_elements=["person_id", "ae_title", "target"],
            set_={"matching": added.excluded.matching},
        )
    )
    _record(session, scope, "subscribe", target, title)


def unsubscribe(session: Session, scope: Scope, uid: str, ae_title: str) -> None:
    """End a subscription.

    Raises:
        Problem: 404 without one.
    """
    title = _title(ae_title)
    gone = session.execute(
        delete(StepSubscription).where(
            StepSubscription.person_id == scope.person_id,
            StepSubscription.ae_title == title,
            StepSubscription.target == uid,
        )
    )
    assert isinstance(gone, CursorResult)
    if not gone.rowcount:
        raise not_found("The subscription")
    _record(session, scope, "unsubscribe", uid, title)


def event_report(
    session: Session, scope: Scope, ae_title: str, changed: UUID, message_id: int
) -> dict[str, Any] | None:
    """Return the UPS State Report of a changed workitem, as DICOM JSON.

    None when it is not visible to the subscriber any more, or not subscribed to.
    """
    item = session.scalar(
        select(Workitem).where(Workitem.id == changed, scope.sees(Workitem.site_id))
    )
    if item is None:
        return None
    uid = step_uid(item)
    wanted = session.scalars(
        select(StepSubscription).where(
            StepSubscription.person_id == scope.person_id,
            StepSubscription.ae_title == ae_title,
            StepSubscription.target.in_((uid, WORKLIST, FILTERED)),
        )
    ).all()
    if not any(one.matching is None or _matches(session, changed, one.matching) for one in wanted):
        return None
    return {
        "00000002": {"vr": "UI", "Value": [_EVENT_CLASS]},
        "00000110": {"vr": "US", "Value": [message_id]},
        "00001000": {"vr": "UI", "Value": [uid]},
        "00001002": {"vr": "US", "Value": [_STATE_REPORT]},
        "00404041": {"vr": "CS", "Value": [readiness(item)]},
        "00741000": {"vr": "CS", "Value": [step_state(item)]},
    }


def _matches(session: Session, changed: UUID, matching: Sequence[Sequence[str]]) -> bool:
    return queries.matches(session, changed, parse_search((name, text) for name, text in matching))


def _target(session: Session, scope: Scope, uid: str) -> str:
    if uid in {WORKLIST, FILTERED}:
        return uid
    found = session.scalar(
        select(Workitem.id).where(Workitem.id == workitem_id(uid), scope.sees(Workitem.site_id))
    )
    if found is None:
        raise not_found("The workitem")
    return Uid.from_uuid(found)


def _title(ae_title: str) -> str:
    try:
        return AeTitle.parse(ae_title)
    except InvalidIdentifier as error:
        raise not_found("The subscriber") from error


def _record(session: Session, scope: Scope, verb: str, target: str, title: str) -> None:
    audit.record(
        session,
        scope.actor,
        f"workitem:{verb}",
        subject_kind="ups_target",
        subject_id=target,
        detail={"ae_title": title},
    )
