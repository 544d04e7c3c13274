"""Knowing of a recall: who says so, what machines fetched since, and the clock for silence.

Each function works in its caller's transaction and leaves state, audit record and event together.
"""

from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, literal, or_, select, update
from sqlalchemy.orm import Session

from reading_worklist.access.scope import Scope
from reading_worklist.critical_values.clocks import Step
from reading_worklist.critical_values.tables import CriticalContact
from reading_worklist.phone.said import told_by
from reading_worklist.problems import not_found
from reading_worklist.reports.recall_clocks import RecallStep, next_due
from reading_worklist.reports.tables import (
    RecallEscalation,
    RecallRecipient,
    ReportRecall,
    ReportVersion,
)
from reading_worklist.workitems import service as workitems
from reading_worklist.workitems.tables import Workitem
from storage import audit
from storage.audit import Actor
from storage.clock import utc_now
from storage.registry import Role
from storage.report_pulls import ReportPull

SITE_ROLES: Final = (Role.SITE_TECHNICIAN, Role.SITE_DOCTOR)
TELEPHONERS: Final = (Role.WRITER, Role.REVIEWER, Role.DISPATCHER)
"""Who of the centre takes down that somebody of the site knows."""

_CLOCK: Final = audit.system_actor("recall-clock")
# The list of a site's people is kept once, for everything that it has to be told.
_CONTACT_OF: Final = {
    RecallStep.SITE_DUTY_HEAD: Step.SITE_DUTY_HEAD,
    RecallStep.CENTRE: Step.CENTRE_DIRECTOR,
}


def acknowledge(session: Session, scope: Scope, recipient_id: UUID) -> None:
    """Say as somebody of the site that one knows of a recall; once.

    Of a version that one has opened; or, once the site's head was told, for a colleague who does
    not answer. What a machine has is acknowledged by its own delivery, or on the telephone.

    Raises:
        Problem: 403 for other roles, 404 when it is not this person's to acknowledge.
    """
    scope.require(*SITE_ROLES)
    recipient = _locked(
        session,
        scope,
        recipient_id,
        or_(
            RecallRecipient.person_id == scope.person_id,
            and_(
                RecallRecipient.person_id.is_not(None),
                RecallRecipient.level >= int(RecallStep.SITE_DUTY_HEAD),
                literal(Role.SITE_DOCTOR in scope.roles),
            ),
        ),
    )
    role = Role.SITE_DOCTOR if Role.SITE_DOCTOR in scope.roles else Role.SITE_TECHNICIAN
    _take_down(session, scope, recipient, scope.display_name, role.value)


def acknowledge_by_telephone(
    session: Session, scope: Scope, recipient_id: UUID, name: str, role: str
) -> None:
    """Take down as the centre that somebody of the site knows of a recall; once.

    Of a machine it says that people there have put away the old version themselves.

    Raises:
        Problem: 403 for other roles, 404 when it is not visible, 422 without name and role.
    """
    scope.require(*TELEPHONERS)
    given, as_what = told_by(name, role)
    recipient = _locked(session, scope, recipient_id, literal(value=True))
    _take_down(session, scope, recipient, given, as_what)


def run_clock(session: Session, now: datetime, *, limit: int = 100) -> int:
    """Note what machines have fetched since, and tell the next step of what nobody acknowledged.

    Does every step that is due, however late it is called, and each once. Returns how many
    recipients were looked at.
    """
    _settle_pulls(session)
    due = session.execute(
        select(RecallRecipient, ReportRecall)
        .join(ReportRecall, ReportRecall.report_version_id == RecallRecipient.report_version_id)
        .where(RecallRecipient.next_at <= now)
        .order_by(RecallRecipient.next_at)
        .limit(limit)
        .with_for_update(of=RecallRecipient, skip_locked=True)
    ).all()
    for recipient, recall in due:
        item = session.get_one(Workitem, recall.workitem_id)
        while recipient.next_at is not None and recipient.next_at <= now:
            _escalate(session, recipient, recall, item, now)
        workitems.tell(session, item)
    return len(due)


def _escalate(
    session: Session,
    recipient: RecallRecipient,
    recall: ReportRecall,
    item: Workitem,
    now: datetime,
) -> None:
    step = RecallStep(recipient.level + 1)
    begun_at = max(recall.recalled_at, recipient.received_at)
    contact = session.scalar(
        select(CriticalContact)
        .where(
            CriticalContact.site_id == item.site_id,
            CriticalContact.step == int(_CONTACT_OF[step]),
        )
        .order_by(CriticalContact.position)
        .limit(1)
    )
    session.add(
        RecallEscalation(
            recipient_id=recipient.id,
            step=int(step),
            at=now,
            contact_name=contact.name if contact else None,
            contact_phone=contact.phone if contact else None,
        )
    )
    recipient.level = int(step)
    recipient.next_at = next_due(recall.kind, step, begun_at)
    _record(session, _CLOCK, recipient, "report:escalate_recall", step=step.name)


def _settle_pulls(session: Session) -> None:
    """Note that machines which fetch reports themselves have fetched what replaces a recalled one.

    That is any later version of the same exam, or the notice that it is void.
    """
    following = (
        select(ReportVersion.id)
        .join(ReportRecall, ReportRecall.workitem_id == ReportVersion.workitem_id)
        .where(
            ReportRecall.report_version_id == RecallRecipient.report_version_id,
            ReportVersion.issued_at >= ReportRecall.recalled_at,
        )
        .correlate(RecallRecipient)
        .union_all(
            select(ReportRecall.revocation_id)
            .where(ReportRecall.report_version_id == RecallRecipient.report_version_id)
            .correlate(RecallRecipient)
        )
    )
    since = (
        select(func.max(ReportPull.taken_at))
        .where(
            ReportPull.report_version_id.in_(following),
            func.concat(ReportPull.channel, ":", ReportPull.machine) == RecallRecipient.machine,
        )
        .correlate(RecallRecipient)
        .scalar_subquery()
    )
    session.execute(
        update(RecallRecipient)
        .where(
            RecallRecipient.told_at.is_(None),
            RecallRecipient.machine.is_not(None),
            since.is_not(None),
        )
        .values(told_at=since, next_at=None)
        .execution_options(synchronize_session=False)
    )


def _locked(
    session: Session, scope: Scope, recipient_id: UUID, condition: ColumnElement[bool]
) -> RecallRecipient:
    recipient = session.scalar(
        select(RecallRecipient)
        .join(ReportRecall, ReportRecall.report_version_id == RecallRecipient.report_version_id)
        .join(Workitem, Workitem.id == ReportRecall.workitem_id)
        .where(RecallRecipient.id == recipient_id, scope.sees(Workitem.site_id), condition)
        .with_for_update(of=RecallRecipient)
    )
    if recipient is None:
        raise not_found("The recall")
    return recipient


def _take_down(
    session: Session, scope: Scope, recipient: RecallRecipient, name: str, role: str
) -> None:
    if recipient.told_at is not None:
        return
    recipient.told_at = utc_now()
    recipient.next_at = None
    recipient.acknowledged_by = scope.person_id
    recipient.acknowledged_for = scope.organisation_id
    recipient.acknowledged_name = name
    recipient.acknowledged_role = role
    _record(session, scope.actor, recipient, "report:acknowledge_recall", role=role)
    item = session.scalars(
        select(Workitem)
        .join(ReportRecall, ReportRecall.workitem_id == Workitem.id)
        .where(ReportRecall.report_version_id == recipient.report_version_id)
    ).one()
    workitems.tell(session, item)


def _record(
    session: Session, actor: Actor, recipient: RecallRecipient, action: str, **detail: str
) -> None:
    audit.record(
        session,
        actor,
        action,
        subject_kind="report_version",
        subject_id=recipient.report_version_id,
        detail={"recipient": str(recipient.id), **detail},
    )
