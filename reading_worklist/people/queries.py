"""The people that an administrator sees, as they are shown."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from reading_worklist.access import account, throttle
from reading_worklist.access.account_routes import views
from reading_worklist.access.scope import Scope
from reading_worklist.access.sessions import SessionLimits
from reading_worklist.access.tables import OutsideIdentity, SecondFactor, WebSession
from reading_worklist.people.schemas import (
    IdentityView,
    KeptPerson,
    PersonDetail,
    PlaceView,
    RoleState,
    RoleView,
)
from reading_worklist.people.service import ADMINISTRATORS, known, ours
from reading_worklist.signing.tables import SigningCredential
from reading_worklist.signing_approvals.tables import SigningApproval
from storage.civil_day import civil_day
from storage.clock import utc_now
from storage.database import one_of
from storage.registry import Membership, Organisation, OrganisationKind, Person


def places(session: Session, scope: Scope) -> list[PlaceView]:
    """Return the organisations where the asker gives roles: consortium, centre, then by code.

    Raises:
        Problem: 403 for who administers nobody.
    """
    scope.require(*ADMINISTRATORS)
    order = list(OrganisationKind)
    found = session.scalars(select(Organisation).where(Organisation.id.in_(ours(scope)))).all()
    return [
        PlaceView(code=one.code, name=one.name, name_en=one.name_en, kind=one.kind)
        for one in sorted(found, key=lambda one: (order.index(one.kind), one.code))
    ]


def people(session: Session, scope: Scope) -> list[KeptPerson]:
    """Return the people who have or had a role at what the asker administers, by login.

    Raises:
        Problem: 403 for who administers nobody.
    """
    scope.require(*ADMINISTRATORS)
    return _shown(session, scope, None)


def person(session: Session, scope: Scope, person_id: UUID, limits: SessionLimits) -> PersonDetail:
    """Return one person with open sessions and identities elsewhere.

    Raises:
        Problem: 403 for who administers nobody, 404 for an unknown person.
    """
    known(session, scope, person_id)
    (one,) = _shown(session, scope, person_id)
    identities = session.scalars(
        select(OutsideIdentity)
        .where(OutsideIdentity.person_id == person_id)
        .order_by(OutsideIdentity.provider)
    ).all()
    return PersonDetail(
        **one.model_dump(),
        sessions=views(account.open_sessions(session, person_id, limits)),
        identities=[
            IdentityView(
                id=row.id,
                provider=row.provider,
                email=row.email,
                subject=row.subject,
                linked_at=row.linked_at,
                last_used_at=row.last_used_at,
            )
            for row in identities
        ],
    )


def _shown(session: Session, scope: Scope, person_id: UUID | None) -> list[KeptPerson]:
    query = (
        select(Person, Membership, Organisation)
        .join(Membership, Membership.person_id == Person.id)
        .join(Organisation, Organisation.id == Membership.organisation_id)
        .where(Organisation.id.in_(ours(scope)))
        .order_by(Person.login, Organisation.code, Membership.role)
    )
    if person_id is not None:
        query = query.where(Person.id == person_id)
    today: date = session.execute(select(civil_day())).scalar_one()
    found: dict[UUID, Person] = {}
    roles: dict[UUID, list[RoleView]] = {}
    for one, membership, place in session.execute(query):
        found[one.id] = one
        roles.setdefault(one.id, []).append(_role(membership, place, today))
    ids = list(found)
    now = utc_now()
    elsewhere = set(
        session.scalars(
            select(Membership.person_id).where(
                one_of(Membership.person_id, ids),
                Membership.organisation_id.not_in(ours(scope)),
                or_(Membership.valid_until.is_(None), Membership.valid_until >= today),
            )
        )
    )
    factors = _by_person(
        session.execute(
            select(SecondFactor.person_id, SecondFactor.confirmed_at).where(
                one_of(SecondFactor.person_id, ids)
            )
        ).all()
    )
    seen = _by_person(
        session.execute(
            select(WebSession.person_id, func.max(WebSession.last_seen_at))
            .where(one_of(WebSession.person_id, ids))
            .group_by(WebSession.person_id)
        ).all()
    )
    keys = _by_person(
        session.execute(
            select(SigningCredential.person_id, SigningCredential.not_after).where(
                one_of(SigningCredential.person_id, ids),
                SigningCredential.revoked_at.is_(None),
                SigningCredential.not_after > now,
            )
        ).all()
    )
    approved = _by_person(
        session.execute(
            select(SigningApproval.person_id, SigningApproval.expires_at).where(
                one_of(SigningApproval.person_id, ids),
                SigningApproval.used_at.is_(None),
                SigningApproval.withdrawn_at.is_(None),
                SigningApproval.expires_at > now,
            )
        ).all()
    )
    waiting = _waits(session, found.values(), now)
    return [
        KeptPerson(
            id=one.id,
            login=one.login,
            display_name=one.display_name,
            active=one.active,
            waits_until=waiting.get(one.login),
            one_time_password=one.must_change_password,
            second_factor_since=factors.get(one.id),
            last_seen_at=seen.get(one.id),
            signing_until=keys.get(one.id),
            approved_until=approved.get(one.id),
            elsewhere=one.id in elsewhere,
            roles=roles[one.id],
        )
        for one in found.values()
    ]


def _waits(session: Session, found: Collection[Person], now: datetime) -> Mapping[str, datetime]:
    return throttle.waits(session, [one.login for one in found], now=now)


def _by_person(rows: Sequence[Any]) -> dict[UUID, datetime | None]:
    return {person_id: at for person_id, at in rows}  # noqa: C416 -- rows are no pairs to `dict`


def _role(held: Membership, place: Organisation, today: date) -> RoleView:
    if held.valid_from > today:
        state = RoleState.TO_COME
    elif held.valid_until is not None and held.valid_until < today:
        state = RoleState.ENDED
    else:
        state = RoleState.HOLDS
    return RoleView(
        organisation_code=place.code,
        organisation_name=place.name,
        organisation_name_en=place.name_en,
        role=held.role,
        valid_from=held.valid_from,
        valid_until=held.valid_until,
        provider=held.provider,
        state=state,
    )
