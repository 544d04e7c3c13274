"""Whom to ring now, within the scope of who asks."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy.orm import Session

from reading_worklist.access.scope import Scope
from reading_worklist.critical_values import queries as critical_values
from reading_worklist.critical_values.clocks import Step
from reading_worklist.critical_values.queries import CriticalFilter
from reading_worklist.critical_values.schemas import Contact, CriticalDetail
from reading_worklist.critical_values.states import UNHEARD, CriticalState
from reading_worklist.critical_values.tables import NoticeKind
from reading_worklist.phone.said import PhoneCall
from reading_worklist.phone.schemas import PhoneMatter, PhoneTask
from reading_worklist.retakes import queries as retakes
from reading_worklist.retakes.queries import RetakeFilter
from reading_worklist.retakes.schemas import RetakeView
from reading_worklist.retakes.states import RetakeReason, RetakeState
from storage.orders.words import Priority

_SHOWN_MAX: Final = 100


def tasks(session: Session, scope: Scope) -> list[PhoneTask]:
    """Return who has to be rung now, the most pressing first.

    Critical values that nobody has acknowledged, then those without an action, then
    retakes that no site has answered in time, and those of STAT exams from the first minute.
    """
    open_values = critical_values.listed(
        session,
        scope,
        CriticalFilter(states=(*UNHEARD, CriticalState.ACKED)),
        page=1,
        page_size=_SHOWN_MAX,
    )
    told = [
        _of_value(critical_values.detail(session, scope, one.id))
        for one in open_values.items
        if one.state in UNHEARD or one.action_overdue
    ]
    waiting = retakes.listed(
        session,
        scope,
        RetakeFilter(states=(RetakeState.REQUESTED,)),
        page=1,
        page_size=_SHOWN_MAX,
    )
    sent_back = [
        _of_retake(one, critical_values.contacts(session, scope, one.site.id))
        for one in waiting.items
        if one.overdue or one.priority is Priority.STAT
    ]
    order = list(PhoneMatter)
    return sorted([*told, *sent_back], key=lambda one: (order.index(one.matter), one.since))


def _of_value(value: CriticalDetail) -> PhoneTask:
    acted = value.state is CriticalState.ACKED
    since = value.acknowledged_at if acted else value.notified_at
    return PhoneTask(
        matter=PhoneMatter.ACTION if acted else PhoneMatter.CRITICAL,
        subject_id=value.id,
        workitem_id=value.workitem_id,
        site=value.site,
        patient=value.patient,
        study=value.study,
        what=value.finding,
        reason_code=None,
        since=since or value.found_at,
        limit_at=None if acted else value.limit_at,
        next_at=value.next_at,
        step=value.level,
        contacts=_nearest_first(value.contacts, value.level),
        calls=[
            PhoneCall(
                at=one.at,
                by=one.by,
                contact_name=one.contact_name or "",
                contact_phone=one.contact_phone or "",
                answered=bool(one.answered),
                note=one.note,
            )
            for one in reversed(value.notices)
            if one.kind is NoticeKind.CALL and one.by is not None
        ],
    )


def _of_retake(retake: RetakeView, contacts: Sequence[Contact]) -> PhoneTask:
    return PhoneTask(
        matter=PhoneMatter.RETAKE,
        subject_id=retake.id,
        workitem_id=retake.workitem_id,
        site=retake.site,
        patient=retake.patient,
        study=retake.study,
        what=retake.reason or (retake.reason_code or RetakeReason.OTHER).value,
        reason_code=retake.reason_code,
        since=retake.requested_at,
        limit_at=retake.due_at,
        next_at=None,
        step=int(Step.FIRST_CONTACT),
        contacts=_nearest_first(contacts, Step.FIRST_CONTACT),
        calls=retake.calls[::-1],
    )


def _nearest_first(contacts: Sequence[Contact], level: int) -> list[Contact]:
    """Return those of the present step, then those told before, then those not told yet."""
    return sorted(contacts, key=lambda one: (one.step > level, abs(int(one.step) - level)))
