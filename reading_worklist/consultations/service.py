"""What can be done with a consultation.

Functions that take a session work in their caller's transaction and leave state, audit record and
event together. Signing takes time, so `sign_opinion` opens its own transactions around it.
"""

import json
from datetime import date, datetime, timedelta
from http import HTTPStatus
from types import MappingProxyType
from typing import Final
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session

from reading_worklist import events
from reading_worklist.access.scope import Scope
from reading_worklist.changes import state_after
from reading_worklist.consultations.schemas import ApplyBody, OpinionDraft, PractitionerBody
from reading_worklist.consultations.states import (
    TRANSITIONS,
    UNANSWERED,
    ConsultationAction,
    ConsultationState,
)
from reading_worklist.consultations.tables import Consultation, Practitioner, Urgency
from reading_worklist.problems import Problem, conflict, not_found
from reading_worklist.services import Services
from reading_worklist.signing.statements import sign_statement
from reading_worklist.workitems.tables import Workitem
from storage import audit
from storage.audit import Actor
from storage.clock import utc_now
from storage.index.tables import Study
from storage.registry import (
    Membership,
    Organisation,
    Role,
    consortium_of,
    holds_today,
    visible_organisation_ids,
)

APPLICANTS: Final = (Role.SITE_DOCTOR, Role.WRITER, Role.REVIEWER)
ARCHIVISTS: Final = (*APPLICANTS, Role.DISPATCHER)
PRACTICE_YEARS: Final = 3
"""The national rule: who is asked has practised for so long."""

ANSWER_WITHIN: Final = MappingProxyType(
    {Urgency.URGENT: timedelta(minutes=10), Urgency.ROUTINE: timedelta(hours=24)}
)

_CLOCK: Final = audit.system_actor("consultation-clock")


def apply(session: Session, scope: Scope, workitem_id: UUID, body: ApplyBody) -> Consultation:
    """Ask an expert about a case.

    Raises:
        Problem: 403 for other roles; 404 when the workitem is not visible; 422 for somebody who is
            no expert here, has not practised long enough, or is oneself.
    """
    scope.require(*APPLICANTS)
    item = session.scalar(
        select(Workitem).where(Workitem.id == workitem_id, scope.sees(Workitem.site_id))
    )
    if item is None:
        raise not_found("The workitem")
    now = utc_now()
    known = _practitioner(session, scope, body.invitee_id)
    if known is None or body.invitee_id == scope.person_id:
        raise _unfit("Whom you ask is no expert of this consortium, or you yourself")
    if known.practising_since > years_before(now.date(), PRACTICE_YEARS):
        raise _unfit("Whom you ask has not practised for three years yet")
    consultation = Consultation(
        id=uuid4(),
        workitem_id=item.id,
        site_id=item.site_id,
        state=ConsultationState.APPLIED,
        urgency=body.urgency,
        reason=body.reason,
        purpose=body.purpose,
        summary=body.summary,
        specialty=body.specialty,
        consent_basis=body.consent_basis,
        consent_note=body.consent_note,
        applied_by=scope.person_id,
        applied_for=scope.organisation_id,
        applied_at=now,
        due_at=now + ANSWER_WITHIN[body.urgency],
        invitee_id=body.invitee_id,
        invitee_practising_since=known.practising_since,
        revision=0,
    )
    session.add(consultation)
    session.flush()
    _record(session, scope.actor, consultation, "apply")
    return consultation


def accept(session: Session, scope: Scope, consultation_id: UUID) -> Consultation:
    """Agree to give an opinion; what is urgent is looked at now.

    Raises:
        Problem: 404 for anybody but whom was asked, 409 in another state.
    """
    consultation = _invited(session, scope, consultation_id)
    after = state_after(TRANSITIONS, consultation.state, ConsultationAction.ACCEPT)
    now = utc_now()
    consultation.answered_at = now
    _move(session, scope.actor, consultation, ConsultationAction.ACCEPT, after)
    if consultation.urgency is Urgency.URGENT:
        _schedule(session, scope, consultation, now)
    return consultation


def decline(session: Session, scope: Scope, consultation_id: UUID, reason: str) -> Consultation:
    """Refuse to give an opinion.

    Raises:
        Problem: 404 for anybody but whom was asked, 409 in another state.
    """
    consultation = _invited(session, scope, consultation_id)
    after = state_after(TRANSITIONS, consultation.state, ConsultationAction.DECLINE)
    consultation.answered_at = utc_now()
    consultation.decline_reason = reason
    _move(session, scope.actor, consultation, ConsultationAction.DECLINE, after)
    return consultation


def schedule(session: Session, scope: Scope, consultation_id: UUID, at: datetime) -> Consultation:
    """Say when one will look at it; may be said again.

    Raises:
        Problem: 404 for anybody but whom was asked, 409 in another state.
    """
    consultation = _invited(session, scope, consultation_id)
    _schedule(session, scope, consultation, at)
    return consultation


def save_opinion(
    session: Session, scope: Scope, consultation_id: UUID, text: str, revision: int
) -> OpinionDraft:
    """Keep what the expert has typed so far.

    revision: the one his page started from.

    Raises:
        Problem: 404 for anybody but whom was asked; 409 in another state, or when it was saved
            elsewhere since.
    """
    consultation = _invited(session, scope, consultation_id)
    state_after(TRANSITIONS, consultation.state, ConsultationAction.SIGN_OPINION)
    if consultation.draft_revision != revision:
        raise conflict(
            "stale-draft",
            "The opinion was saved elsewhere in the meantime",
            remedy="Reload the page, then add your changes.",
        )
    consultation.opinion_draft = text
    consultation.draft_revision += 1
    return OpinionDraft(text=text, revision=consultation.draft_revision)


def sign_opinion(
    services: Services, scope: Scope, consultation_id: UUID, opinion: str, signing_pin: str
) -> None:
    """Give one's opinion and sign it, together with the case it is about.

    Raises:
        Problem: 404 for anybody but whom was asked, 409 in another state.
        SigningRefused: the PIN or the key.
    """
    with services.database.transaction() as session:
        consultation = _invited(session, scope, consultation_id)
        state_after(TRANSITIONS, consultation.state, ConsultationAction.SIGN_OPINION)
        study_uid = session.scalars(
            select(Study.study_instance_uid)
            .join(Workitem, Workitem.study_id == Study.id)
            .where(Workitem.id == consultation.workitem_id)
        ).one()
    signer = services.signer(scope, signing_pin)
    now = utc_now()
    content = json.dumps(
        {
            "consultation_id": str(consultation_id),
            "study_instance_uid": study_uid,
            "question": consultation.purpose,
            "opinion": opinion,
            "expert_id": str(scope.person_id),
            "signed_at": now.isoformat(),
        },
        ensure_ascii=False,
        sort_keys=True,
    )
    signature = sign_statement(signer, content.encode())
    with services.database.transaction() as session:
        consultation = _invited(session, scope, consultation_id)
        after = state_after(TRANSITIONS, consultation.state, ConsultationAction.SIGN_OPINION)
        consultation.opinion = opinion
        consultation.opinion_draft = ""
        consultation.opinion_content = content
        consultation.signature = signature
        consultation.signed_at = now
        _move(session, scope.actor, consultation, ConsultationAction.SIGN_OPINION, after)


def archive(session: Session, scope: Scope, consultation_id: UUID) -> Consultation:
    """Put the signed opinion to the case's records.

    Raises:
        Problem: 403 for other roles, 404, 409 before it is signed.
    """
    scope.require(*ARCHIVISTS)
    consultation = _seen(session, scope, consultation_id)
    after = state_after(TRANSITIONS, consultation.state, ConsultationAction.ARCHIVE)
    consultation.archived_at = utc_now()
    _move(session, scope.actor, consultation, ConsultationAction.ARCHIVE, after)
    return consultation


def rate(
    session: Session, scope: Scope, consultation_id: UUID, rating: int, comment: str
) -> Consultation:
    """Say as the applicant how useful it was, from 1 to 5.

    Raises:
        Problem: 403 for anybody but the applicant, 404, 409 before it is archived.
    """
    scope.require(*APPLICANTS)
    consultation = _seen(session, scope, consultation_id)
    if consultation.applied_by != scope.person_id:
        raise Problem(
            HTTPStatus.FORBIDDEN,
            "not-applicant",
            "Only who has asked rates the answer",
            remedy="Leave it to him.",
        )
    after = state_after(TRANSITIONS, consultation.state, ConsultationAction.RATE)
    consultation.rating = rating
    consultation.rating_comment = comment or None
    _move(session, scope.actor, consultation, ConsultationAction.RATE, after)
    return consultation


def run_clock(session: Session, now: datetime, *, limit: int = 100) -> int:
    """Mark what was not answered in time, once each; return how many are new."""
    late = session.scalars(
        select(Consultation)
        .where(
            Consultation.overdue_at.is_(None),
            Consultation.state.in_(UNANSWERED),
            Consultation.due_at <= now,
        )
        .order_by(Consultation.due_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()
    for consultation in late:
        consultation.overdue_at = now
        consultation.revision += 1
        session.flush()
        _record(session, _CLOCK, consultation, "overdue")
    return len(late)


def set_practitioner(
    session: Session, scope: Scope, person_id: UUID, body: PractitionerBody
) -> None:
    """Enter a doctor's licence.

    Raises:
        Problem: 403 for anybody but a consortium administrator, 404 for a person elsewhere.
    """
    scope.require(Role.CONSORTIUM_ADMIN)
    if not _belongs(session, scope, person_id):
        raise not_found("The person")
    session.merge(
        Practitioner(
            person_id=person_id, set_by=scope.person_id, set_at=utc_now(), **body.model_dump()
        )
    )
    audit.record(
        session,
        scope.actor,
        "practitioner:set",
        subject_kind="person",
        subject_id=person_id,
        detail={"practising_since": body.practising_since.isoformat()},
    )


def years_before(day: date, years: int) -> date:
    """Return the same day so many years ago; of 29 February the 28th."""
    leap_day = (2, 29)
    if (day.month, day.day) == leap_day:
        day = day.replace(day=28)
    return day.replace(year=day.year - years)


def _schedule(session: Session, scope: Scope, consultation: Consultation, at: datetime) -> None:
    after = state_after(TRANSITIONS, consultation.state, ConsultationAction.SCHEDULE)
    consultation.scheduled_for = at
    _move(session, scope.actor, consultation, ConsultationAction.SCHEDULE, after)


def _practitioner(session: Session, scope: Scope, person_id: UUID) -> Practitioner | None:
    if not _belongs(session, scope, person_id, Role.EXPERT):
        return None
    return session.get(Practitioner, person_id)


def _belongs(session: Session, scope: Scope, person_id: UUID, *roles: Role) -> bool:
    """Tell whether a person is a member, in one of `roles` if any, somewhere in the consortium.

    One question, whoever it is: of somebody elsewhere there is no more to ask than of nobody.
    """
    here = select(Organisation.id).where(
        Organisation.id == consortium_of(session, scope.organisation_id).id
    )
    membership = select(Membership.person_id).where(
        Membership.person_id == person_id,
        Membership.organisation_id.in_(visible_organisation_ids(here.scalar_subquery())),
        holds_today(),
    )
    if roles:
        membership = membership.where(Membership.role.in_(roles))
    return session.scalar(membership.limit(1)) is not None


def _unfit(what: str) -> Problem:
    return Problem(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "unfit-expert",
        what,
        expected=f"an expert with {PRACTICE_YEARS} years of practice",
        remedy="Ask somebody of the list of experts.",
    )


def _invited(session: Session, scope: Scope, consultation_id: UUID) -> Consultation:
    found = session.scalar(
        select(Consultation)
        .where(Consultation.id == consultation_id, Consultation.invitee_id == scope.person_id)
        .with_for_update()
    )
    if found is None:
        raise not_found("The consultation")
    return found


def _seen(session: Session, scope: Scope, consultation_id: UUID) -> Consultation:
    found = session.scalar(
        select(Consultation)
        .where(Consultation.id == consultation_id, scope.sees(Consultation.site_id))
        .with_for_update()
    )
    if found is None:
        raise not_found("The consultation")
    return found


def _move(
    session: Session,
    actor: Actor,
    consultation: Consultation,
    action: ConsultationAction,
    after: ConsultationState,
) -> None:
    before = consultation.state
    consultation.state = after
    consultation.revision += 1
    session.flush()
    _record(session, actor, consultation, action.value, before)


def _record(
    session: Session,
    actor: Actor,
    consultation: Consultation,
    verb: str,
    before: ConsultationState | None = None,
) -> None:
    audit.record(
        session,
        actor,
        f"consultation:{verb}",
        subject_kind="consultation",
        subject_id=consultation.id,
        detail={"from": before, "to": consultation.state},
    )
    data = {"id": str(consultation.id), "state": consultation.state.value}
    told = events.Event("consultation", consultation.site_id, data, consultation.invitee_id)
    events.publish(session, told)
