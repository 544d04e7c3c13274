"""What can be done about keeping: rules, legal holds, and purges by two people.

Each function is one transaction of its caller: state, audit and message go
together. What follows an approval stands in `removal`.
"""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Final
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from reading_worklist.access.scope import Scope
from reading_worklist.keeping.retention import (
    MINIMUM_YEARS,
    due_patients,
    obstacles,
    open_in_purges,
)
from reading_worklist.keeping.states import PurgeAction, PurgeState, next_state
from reading_worklist.keeping.tables import (
    LegalHold,
    Purge,
    PurgeStudy,
    RetentionRule,
    StudyFate,
    VisitKind,
)
from reading_worklist.problems import Problem, conflict, not_found
from storage import audit, outbox
from storage.audit import Actor
from storage.clock import utc_now
from storage.index.tables import Patient, Study
from storage.messages import PurgeContinues
from storage.registry import Role

LOOKERS: Final = (Role.DISPATCHER, Role.CONSORTIUM_ADMIN, Role.SYSTEM_ADMIN)
"""Who sees storage, holds and purges, and may set a hold: keeping longer harms nobody."""
DECIDERS: Final = (Role.CONSORTIUM_ADMIN, Role.SYSTEM_ADMIN)
"""Who changes rules, releases holds, proposes and decides purges."""


def set_rule(
    session: Session, scope: Scope, site_id: UUID, visit_kind: VisitKind, years: int
) -> None:
    """Let a visible site keep records of a kind of visit for so many years.

    Raises:
        Problem: 403 for the role, 404 for another's site, 422 below the national minimum.
    """
    scope.require(*DECIDERS)
    if site_id not in scope.site_ids:
        raise not_found("The site")
    minimum = MINIMUM_YEARS[visit_kind]
    if years < minimum:
        raise Problem(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            "below-minimum",
            "Records must be kept longer",
            expected=f"at least {minimum} years",
            found=f"{years} years",
            remedy="Enter the national minimum or more.",
        )
    values = {"years": years, "changed_by": scope.person_id, "changed_at": utc_now()}
    session.execute(
        insert(RetentionRule)
        .values(site_id=site_id, visit_kind=visit_kind, **values)
        .on_conflict_do_update(index_elements=["site_id", "visit_kind"], set_=values)
    )
    audit.record(
        session,
        scope.actor,
        "retention_rule:set",
        subject_kind="organisation",
        subject_id=site_id,
        detail={"visit_kind": visit_kind, "years": years},
    )


def set_hold(
    session: Session,
    scope: Scope,
    *,
    patient_id: UUID | None,
    study_id: UUID | None,
    reason: str,
) -> LegalHold:
    """Let nothing of a patient, or one study, be removed until the hold is released.

    Raises:
        Problem: 403 for the role, 404 when it is not visible, 422 when neither is named.
    """
    scope.require(*LOOKERS)
    if (patient_id is None) == (study_id is None):
        raise Problem(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            "invalid-request",
            "A hold is on a patient or on one study",
            expected="patient_id or study_id",
            remedy="Name one of the two.",
        )
    query = select(Patient.id, Patient.site_id).where(scope.sees(Patient.site_id))
    if study_id is not None:
        # The same lock as a purge takes: either it sees this hold, or the study is gone already.
        session.execute(select(Study.id).where(Study.id == study_id).with_for_update())
        query = query.join(Study, Study.patient_id == Patient.id).where(Study.id == study_id)
    else:
        query = query.where(Patient.id == patient_id)
        session.execute(select(Study.id).where(Study.patient_id == patient_id).with_for_update())
    found = session.execute(query).one_or_none()
    if found is None:
        raise not_found("The patient or study")
    hold = LegalHold(
        site_id=found.site_id,
        patient_id=found.id,
        study_id=study_id,
        reason=reason.strip(),
        set_by=scope.person_id,
    )
    session.add(hold)
    session.flush()
    audit.record(
        session,
        scope.actor,
        "legal_hold:set",
        subject_kind="legal_hold",
        subject_id=hold.id,
        detail={
            "patient_id": str(found.id),
            "study_id": None if study_id is None else str(study_id),
        },
    )
    return hold


def release_hold(session: Session, scope: Scope, hold_id: UUID, reason: str) -> None:
    """Release a hold.

    Raises:
        Problem: 403 for the role, 404 when it is not visible, 409 when it is released already.
    """
    scope.require(*DECIDERS)
    hold = session.scalar(
        select(LegalHold)
        .where(LegalHold.id == hold_id, scope.sees(LegalHold.site_id))
        .with_for_update()
    )
    if hold is None:
        raise not_found("The legal hold")
    if hold.released_at is not None:
        raise conflict("released", "The legal hold is released already", remedy="Reload.")
    hold.released_at = utc_now()
    hold.released_by = scope.person_id
    hold.release_reason = reason.strip()
    audit.record(
        session, scope.actor, "legal_hold:release", subject_kind="legal_hold", subject_id=hold_id
    )


def propose(session: Session, scope: Scope, study_ids: Sequence[UUID], reason: str) -> Purge:
    """Propose to remove studies of one site; another person decides.

    Raises:
        Problem: 403 for the role; 404 when one is not visible; 409 `not-purgeable` when something
            stands against one, or they are of several sites.
    """
    scope.require(*DECIDERS)
    wanted = list(dict.fromkeys(study_ids))
    studies = session.scalars(
        select(Study)
        .where(Study.id.in_(wanted), scope.sees(Study.site_id))
        .order_by(Study.id)
        .with_for_update()
    ).all()
    if len(studies) < len(wanted):
        raise not_found("A study")
    sites = {study.site_id for study in studies}
    if len(sites) > 1:
        raise conflict(
            "several-sites", "The studies are of several sites", remedy="Propose site by site."
        )
    against = obstacles(session, wanted)
    for study_id in open_in_purges(session, wanted):
        against.setdefault(study_id, []).append("proposed_already")
    if against:
        words = sorted({word for found in against.values() for word in found})
        raise conflict(
            "not-purgeable",
            f"{len(against)} of the studies must stay",
            found=", ".join(words),
            remedy="Leave them out; the list of due patients says what stands against each.",
        )
    due = due_patients(sites)
    rows = session.execute(
        select(Study.id, due.c.due_on)
        .join(due, due.c.patient_id == Study.patient_id)
        .where(Study.id.in_(wanted))
    )
    due_on = {row[0]: row[1] for row in rows}
    purge = Purge(site_id=sites.pop(), reason=reason.strip(), proposed_by=scope.person_id)
    session.add(purge)
    session.flush()
    session.add_all(
        PurgeStudy(
            purge_id=purge.id,
            study_id=study.id,
            study_instance_uid=study.study_instance_uid,
            due_on=due_on[study.id],
            instances=study.instance_count,
            bytes=study.byte_count,
        )
        for study in studies
    )
    record(session, scope.actor, purge, "propose", studies=len(studies))
    session.flush()
    return purge


def approve(session: Session, scope: Scope, purge_id: UUID, comment: str) -> None:
    """Agree to a purge that somebody else proposed; it begins at once.

    Raises:
        Problem: 403 for the role or for one's own proposal, 404, or 409 for the state.
    """
    purge, after = _decided(session, scope, purge_id, PurgeAction.APPROVE)
    _require_other_person(purge, scope)
    purge.decided_by = scope.person_id
    purge.decided_at = utc_now()
    purge.comment = comment.strip() or None
    purge.state = after
    record(session, scope.actor, purge, "approve")
    outbox.emit(session, PurgeContinues(purge_id=purge.id))


def reject(session: Session, scope: Scope, purge_id: UUID, comment: str) -> None:
    """Refuse a purge that somebody else proposed, with the reason.

    Raises:
        Problem: 403 for the role or for one's own proposal, 404, 409 for the state, or 422 without
            a reason.
    """
    purge, after = _decided(session, scope, purge_id, PurgeAction.REJECT)
    _require_other_person(purge, scope)
    if not comment.strip():
        raise Problem(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            "invalid-request",
            "A rejection needs a reason",
            remedy="Say why in 'comment'.",
        )
    purge.decided_by = scope.person_id
    purge.decided_at = utc_now()
    purge.comment = comment.strip()
    _close(session, purge, after, "not executed: rejected")
    record(session, scope.actor, purge, "reject")


def withdraw(session: Session, scope: Scope, purge_id: UUID, comment: str) -> None:
    """Take a proposal back before anything has gone; whoever may decide may do it.

    Raises:
        Problem: 403 for the role, 404, or 409 for the state.
    """
    purge, after = _decided(session, scope, purge_id, PurgeAction.WITHDRAW)
    purge.comment = comment.strip() or purge.comment
    _close(session, purge, after, "not executed: withdrawn")
    record(session, scope.actor, purge, "withdraw")


def record(session: Session, actor: Actor, purge: Purge, verb: str, **detail: object) -> None:
    """Add the audit record of an act on a purge."""
    audit.record(
        session,
        actor,
        f"purge:{verb}",
        subject_kind="purge",
        subject_id=purge.id,
        detail={"state": purge.state, **detail},
    )


def allowed_actions(purge: Purge, scope: Scope) -> list[PurgeAction]:
    """Return what the person may do with a purge now."""
    if not scope.roles & set(DECIDERS):
        return []
    by_other = {PurgeAction.APPROVE, PurgeAction.REJECT}
    return [
        action
        for action in (PurgeAction.APPROVE, PurgeAction.REJECT, PurgeAction.WITHDRAW)
        if next_state(purge.state, action) is not None
        and not (action in by_other and purge.proposed_by == scope.person_id)
    ]


def _decided(
    session: Session, scope: Scope, purge_id: UUID, action: PurgeAction
) -> tuple[Purge, PurgeState]:
    """Return a visible purge, locked, and the state after `action`."""
    scope.require(*DECIDERS)
    purge = session.scalar(
        select(Purge).where(Purge.id == purge_id, scope.sees(Purge.site_id)).with_for_update()
    )
    if purge is None:
        raise not_found("The purge")
    after = next_state(purge.state, action)
    if after is None:
        raise conflict(
            "wrong-state",
            f"'{action.value}' is not possible now",
            expected=" or ".join(
                state.value for state in PurgeState if next_state(state, action) is not None
            ),
            found=purge.state,
            remedy="Reload: somebody may have decided already.",
        )
    return purge, after


def _require_other_person(purge: Purge, scope: Scope) -> None:
    if purge.proposed_by == scope.person_id:
        raise Problem(
            HTTPStatus.FORBIDDEN,
            "own-proposal",
            "You proposed this purge, so you cannot decide it",
            expected="another administrator",
            remedy="Leave it to another administrator, or withdraw it.",
        )


def _close(session: Session, purge: Purge, state: PurgeState, why: str) -> None:
    """End a purge that removes nothing; its studies may be proposed again."""
    purge.state = state
    purge.finished_at = utc_now()
    session.execute(
        update(PurgeStudy)
        .where(PurgeStudy.purge_id == purge.id, PurgeStudy.fate == StudyFate.WAITING)
        .values(fate=StudyFate.KEPT, kept_because=why)
    )
