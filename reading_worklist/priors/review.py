"""What was opened in an emergency, and what the auditor found of it.

Each function works in its caller's transaction.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Final
from uuid import UUID

from pydantic import BaseModel, Field
from sqlalchemy import exists, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session, aliased

from reading_worklist.access.scope import Scope
from reading_worklist.priors.tables import EmergencyReview, PriorAccess, PriorOpening, Verdict
from reading_worklist.problems import conflict, not_found
from reading_worklist.workitems.tables import Workitem
from storage import audit
from storage.registry import Membership, Organisation, Person, Role, holds_today, lineage

_SHOWN_MAX: Final = 200


class ReviewBody(BaseModel):
    """What the auditor found, and why."""

    verdict: Verdict
    note: Annotated[str, Field(min_length=1, max_length=500)]


class ReviewView(BaseModel):
    """What was found, by whom."""

    verdict: Verdict
    note: str
    by: str
    at: datetime


class EmergencyView(BaseModel):
    """One access in an emergency; no patient is named, the reading leads there.

    opened: how many studies were opened by it. review: None while nobody has judged it.
    """

    id: UUID
    workitem_id: UUID
    person: str
    organisation: str
    organisation_en: str
    site: str
    site_en: str
    note: str
    at: datetime
    until: datetime
    opened: int
    review: ReviewView | None


class Emergencies(BaseModel):
    """Accesses in emergencies, those that wait for a review first, then the latest.

    waiting: how many wait.
    """

    items: list[EmergencyView]
    waiting: int


def auditors_of(session: Session, site_id: UUID) -> Sequence[UUID]:
    """Return who audits a site: of its consortium or anything above it, today."""
    above = [one.id for one in lineage(session, site_id)]
    return session.scalars(
        select(Membership.person_id)
        .distinct()
        .join(Person, Person.id == Membership.person_id)
        .where(
            Membership.organisation_id.in_(above),
            Membership.role == Role.AUDITOR,
            Person.active,
            holds_today(),
        )
    ).all()


def emergencies(session: Session, scope: Scope) -> Emergencies:
    """Return what was opened in emergencies at readings of the visible sites.

    Raises:
        Problem: 403 for who does not audit.
    """
    scope.require(Role.AUDITOR)
    site, judge = aliased(Organisation), aliased(Person)
    opened = (
        select(func.count(PriorOpening.study_id.distinct()))
        .where(
            PriorOpening.workitem_id == PriorAccess.workitem_id,
            PriorOpening.person_id == PriorAccess.person_id,
            PriorOpening.at.between(PriorAccess.at, PriorAccess.until),
        )
        .correlate(PriorAccess)
        .scalar_subquery()
    )
    rows = session.execute(
        select(PriorAccess, Person, Organisation, site, EmergencyReview, judge, opened)
        .join(Workitem, Workitem.id == PriorAccess.workitem_id)
        .join(Person, Person.id == PriorAccess.person_id)
        .join(Organisation, Organisation.id == PriorAccess.organisation_id)
        .join(site, site.id == Workitem.site_id)
        .join(EmergencyReview, EmergencyReview.access_id == PriorAccess.id, isouter=True)
        .join(judge, judge.id == EmergencyReview.person_id, isouter=True)
        .where(PriorAccess.in_emergency, scope.sees(Workitem.site_id))
        .order_by(EmergencyReview.access_id.is_(None).desc(), PriorAccess.at.desc())
        .limit(_SHOWN_MAX)
    ).all()
    waiting = session.scalar(
        select(func.count())
        .select_from(PriorAccess)
        .join(Workitem, Workitem.id == PriorAccess.workitem_id)
        .where(
            PriorAccess.in_emergency,
            scope.sees(Workitem.site_id),
            ~exists().where(EmergencyReview.access_id == PriorAccess.id),
        )
    )
    return Emergencies(
        items=[
            EmergencyView(
                id=access.id,
                workitem_id=access.workitem_id,
                person=person.display_name,
                organisation=organisation.name,
                organisation_en=organisation.name_en,
                site=of_site.name,
                site_en=of_site.name_en,
                note=access.note,
                at=access.at,
                until=access.until,
                opened=count,
                review=_found(review, by),
            )
            for access, person, organisation, of_site, review, by, count in rows
        ],
        waiting=waiting or 0,
    )


def _found(review: EmergencyReview | None, by: Person | None) -> ReviewView | None:
    if review is None or by is None:
        return None
    return ReviewView(verdict=review.verdict, note=review.note, by=by.display_name, at=review.at)


def judge(session: Session, scope: Scope, access_id: UUID, body: ReviewBody) -> None:
    """Record what the auditor found of an access; it is said once.

    Raises:
        Problem: 403 for who does not audit, 404 for an unseen access, 409 when it was judged, or
            when it is the auditor's own.
    """
    scope.require(Role.AUDITOR)
    access = session.scalar(
        select(PriorAccess)
        .join(Workitem, Workitem.id == PriorAccess.workitem_id)
        .where(PriorAccess.id == access_id, PriorAccess.in_emergency, scope.sees(Workitem.site_id))
    )
    if access is None:
        raise not_found("The access")
    if access.person_id == scope.person_id:
        raise conflict(
            "own-access",
            "Nobody judges what he has opened himself",
            expected="another auditor",
            found="yours",
            remedy="Ask another auditor of the consortium.",
        )
    said = session.execute(
        insert(EmergencyReview)
        .values(
            access_id=access_id,
            verdict=body.verdict,
            note=body.note,
            person_id=scope.person_id,
            organisation_id=scope.organisation_id,
        )
        .on_conflict_do_nothing()
        .returning(EmergencyReview.access_id)
    ).one_or_none()
    if said is None:
        raise conflict(
            "judged",
            "The access has been judged",
            expected="one that waits",
            found="a review",
            remedy="Reload the list.",
        )
    audit.record(
        session,
        scope.actor,
        "prior:emergency_review",
        subject_kind="prior_access",
        subject_id=access_id,
        detail={"verdict": body.verdict.value},
    )
