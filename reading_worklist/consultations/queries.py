"""What is asked of consultations: by those who see the site's exams, and by the expert asked."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final, TypeAlias
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Select, case, func, or_, select
from sqlalchemy.orm import Session, aliased

from reading_worklist.access.scope import Scope
from reading_worklist.consultations.schemas import (
    ConsultationPage,
    ConsultationView,
    ExpertView,
    OpinionDraft,
)
from reading_worklist.consultations.service import (
    APPLICANTS,
    ARCHIVISTS,
    PRACTICE_YEARS,
    years_before,
)
from reading_worklist.consultations.states import (
    SHARED,
    UNANSWERED,
    ConsultationAction,
    ConsultationState,
    next_state,
)
from reading_worklist.consultations.tables import Consultation, Practitioner
from reading_worklist.problems import not_found
from reading_worklist.signing.statements import statement_holds
from reading_worklist.workitems.queries import patient_view, site_view, study_view, viewer_url
from reading_worklist.workitems.routes import CENTRE_ROLES
from reading_worklist.workitems.schemas import PersonView
from reading_worklist.workitems.tables import Workitem
from storage.clock import utc_now
from storage.index.tables import Patient, Study
from storage.registry import (
    Membership,
    Organisation,
    Person,
    Role,
    consortium_of,
    holds_today,
)

PAGE_SIZE_MAX: Final = 200

_EXPERTS: Final = frozenset(
    {
        ConsultationAction.ACCEPT,
        ConsultationAction.DECLINE,
        ConsultationAction.SCHEDULE,
        ConsultationAction.SIGN_OPINION,
    }
)
SEERS: Final = frozenset({*CENTRE_ROLES, *APPLICANTS})
"""Who sees the consultations of the sites he sees; anybody else those he is asked in."""
_Applicant = aliased(Person)
_Invitee = aliased(Person)

_Line: TypeAlias = tuple[Consultation, Study, Patient, Organisation, Person, Person, Workitem]
"""With the study's patient and site, who has asked, who is asked, and the workitem."""


@dataclass(frozen=True, slots=True)
class ConsultationFilter:
    """What to show; None is everything."""

    states: Sequence[ConsultationState] = ()
    workitem_id: UUID | None = None
    mine: bool = False


def visible(scope: Scope) -> ColumnElement[bool]:
    """Return the SQL condition that a consultation may be seen: of one's sites, or asked of one.

    An expert sees the cases that are shared with him and nothing else.
    """
    invited = Consultation.invitee_id == scope.person_id
    if not scope.roles & SEERS:
        return invited
    return or_(scope.sees(Consultation.site_id), invited)


def listed(
    session: Session,
    scope: Scope,
    wanted: ConsultationFilter,
    *,
    page: int,
    page_size: int,
    trust_anchors: Sequence[str],
) -> ConsultationPage:
    """Return one page, unanswered ones first by due time, of the others the newest."""
    conditions = [visible(scope)]
    if wanted.states:
        conditions.append(Consultation.state.in_(wanted.states))
    if wanted.workitem_id is not None:
        conditions.append(Consultation.workitem_id == wanted.workitem_id)
    if wanted.mine:
        conditions.append(
            or_(
                Consultation.invitee_id == scope.person_id,
                Consultation.applied_by == scope.person_id,
            )
        )
    waits = Consultation.state.in_(UNANSWERED)
    total = session.scalar(select(func.count()).select_from(Consultation).where(*conditions))
    rows = session.execute(
        _rows()
        .where(*conditions)
        .order_by(
            waits.desc(),
            case((waits, Consultation.due_at)),
            Consultation.applied_at.desc(),
            Consultation.id,
        )
        .offset((page - 1) * page_size)
        .limit(page_size)
    ).all()
    return ConsultationPage(
        items=[_view(scope, row, trust_anchors) for row in rows],
        total=total or 0,
        waiting=_waiting(session, scope),
        page=page,
        page_size=page_size,
    )


def one(
    session: Session, scope: Scope, consultation_id: UUID, trust_anchors: Sequence[str]
) -> ConsultationView:
    """Return one consultation.

    Raises:
        Problem: 404 when it does not exist or is not visible.
    """
    row = session.execute(
        _rows().where(Consultation.id == consultation_id, visible(scope))
    ).one_or_none()
    if row is None:
        raise not_found("The consultation")
    return _view(scope, row, trust_anchors)


def experts(session: Session, scope: Scope) -> list[ExpertView]:
    """Return the experts of this consortium today, by specialty and name."""
    here = consortium_of(session, scope.organisation_id).id
    rows = session.execute(
        select(Person, Organisation, Practitioner)
        .join(Membership, Membership.person_id == Person.id)
        .join(Organisation, Organisation.id == Membership.organisation_id)
        .join(Practitioner, Practitioner.person_id == Person.id, isouter=True)
        .where(Membership.role == Role.EXPERT, holds_today(), Person.active)
        .order_by(Practitioner.specialty.nulls_last(), Person.display_name, Person.id)
    )
    latest = years_before(utc_now().date(), PRACTICE_YEARS)
    found: dict[UUID, ExpertView] = {}
    for person, organisation, known in rows:
        if consortium_of(session, organisation.id).id == here:
            found[person.id] = _expert(person, organisation, known, latest)
    return list(found.values())


def _expert(
    person: Person, organisation: Organisation, known: Practitioner | None, latest: date
) -> ExpertView:
    """Return an expert; `latest`: on which day practice has to have begun by the rule."""
    return ExpertView(
        person=_person(person),
        organisation=organisation.name,
        organisation_en=organisation.name_en,
        title=known.title if known else None,
        specialty=known.specialty if known else None,
        practising_since=known.practising_since if known else None,
        may_be_asked=known is not None and known.practising_since <= latest,
    )


def _waiting(session: Session, scope: Scope) -> int:
    answered = Consultation.state == ConsultationState.OPINION_SIGNED
    late = Consultation.state.in_(UNANSWERED) & Consultation.overdue_at.is_not(None)
    mine = Consultation.state.in_(UNANSWERED) & (Consultation.invitee_id == scope.person_id)
    waits = or_(mine, answered, late) if scope.roles & SEERS else mine
    return (
        session.scalar(select(func.count()).select_from(Consultation).where(visible(scope), waits))
        or 0
    )


def _rows() -> Select[*_Line]:
    return (
        select(Consultation, Study, Patient, Organisation, _Applicant, _Invitee, Workitem)
        .join(Workitem, Workitem.id == Consultation.workitem_id)
        .join(Study, Study.id == Workitem.study_id)
        .join(Patient, Patient.id == Study.patient_id)
        .join(Organisation, Organisation.id == Consultation.site_id)
        .join(_Applicant, _Applicant.id == Consultation.applied_by)
        .join(_Invitee, _Invitee.id == Consultation.invitee_id)
    )


def _view(
    scope: Scope,
    row: Row[*_Line],
    trust_anchors: Sequence[str],
) -> ConsultationView:
    this, study, patient, site, applicant, invitee, item = row
    sees_images = this.site_id in scope.site_ids or this.state in SHARED
    signed = this.opinion_content is not None and this.signature is not None
    return ConsultationView(
        id=this.id,
        workitem_id=this.workitem_id,
        state=this.state,
        urgency=this.urgency,
        reason=this.reason,
        purpose=this.purpose,
        summary=this.summary,
        specialty=this.specialty,
        consent_basis=this.consent_basis,
        consent_note=this.consent_note,
        site=site_view(site),
        patient=patient_view(patient, study),
        study=study_view(study),
        lane=item.lane,
        viewer_url=viewer_url(study.study_instance_uid, site.code) if sees_images else None,
        applied_by=_person(applicant),
        applied_at=this.applied_at,
        due_at=this.due_at,
        overdue=this.overdue_at is not None,
        invitee=_person(invitee),
        answered_at=this.answered_at,
        decline_reason=this.decline_reason,
        scheduled_for=this.scheduled_for,
        opinion=this.opinion,
        draft=OpinionDraft(text=this.opinion_draft, revision=this.draft_revision)
        if _may_sign(scope, this)
        else None,
        signed_at=this.signed_at,
        signature_holds=statement_holds(
            (this.opinion_content or "").encode(), this.signature or b"", trust_anchors
        )
        if signed
        else None,
        archived_at=this.archived_at,
        rating=this.rating,
        rating_comment=this.rating_comment,
        actions=[
            action.value
            for action in ConsultationAction
            if next_state(this.state, action) is not None and _may(scope, this, action)
        ],
        revision=this.revision,
    )


def _may(scope: Scope, this: Consultation, action: ConsultationAction) -> bool:
    if action in _EXPERTS:
        return this.invitee_id == scope.person_id
    if this.site_id not in scope.site_ids:
        return False
    if action is ConsultationAction.RATE:
        return this.applied_by == scope.person_id
    return bool(scope.roles & set(ARCHIVISTS))


def _may_sign(scope: Scope, this: Consultation) -> bool:
    action = ConsultationAction.SIGN_OPINION
    return next_state(this.state, action) is not None and _may(scope, this, action)


def _person(person: Person) -> PersonView:
    return PersonView(id=person.id, display_name=person.display_name)
