"""What administrators do with people; each function works in its caller's transaction.

A consortium administrator keeps the people of his consortium. A system administrator helps them in:
lifts locks after wrong passwords and ends sessions, and changes nobody. Who has roles in another
consortium as well is changed by neither: a new password here would open what is there.
"""

import secrets
from datetime import date, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import exists, or_, select
from sqlalchemy.orm import Session

from reading_worklist.access import account, second_factor, sessions, throttle
from reading_worklist.access.scope import Scope
from reading_worklist.access.tables import OutsideIdentity
from reading_worklist.people.schemas import IdentityBody, NewPerson, PersonChange, RoleBody
from reading_worklist.problems import conflict, forbidden, not_found
from reading_worklist.signing_approvals import service as signing_approvals
from storage import audit, registry
from storage.civil_day import civil_day
from storage.registry import (
    Membership,
    Organisation,
    Person,
    RegistryRefused,
    Role,
    visible_organisation_ids,
)

ADMINISTRATORS: Final = (Role.CONSORTIUM_ADMIN, Role.SYSTEM_ADMIN)
_PASSWORD_BYTES: Final = 12


def one_time_password() -> str:
    """Return a password that nobody guesses, for somebody to choose his own with."""
    return secrets.token_urlsafe(_PASSWORD_BYTES)


def add(session: Session, scope: Scope, body: NewPerson, password_hash: str) -> Person:
    """Add a person with roles.

    Raises:
        Problem: 403 without the role, 404 for an unknown organisation, 409 for a login that is
            taken or cannot be one.
    """
    scope.require(Role.CONSORTIUM_ADMIN)
    place = _place(session, scope, body.organisation)
    try:
        person = registry.add_person(
            session,
            body.login.strip().lower(),
            body.display_name.strip(),
            password_hash,
            organisation=place,
            roles=sorted(set(body.roles)),
        )
    except RegistryRefused as error:
        raise conflict(
            "login-taken", "This login cannot be used", remedy="Choose another one."
        ) from error
    person.must_change_password = True
    for membership in session.scalars(select(Membership).where(Membership.person_id == person.id)):
        membership.valid_from = body.valid_from or _today(session)
        membership.valid_until = body.valid_until
    session.flush()
    _note(
        session,
        scope,
        "person:add",
        person.id,
        organisation=place.code,
        roles=sorted(role.value for role in set(body.roles)),
        valid_until=None if body.valid_until is None else body.valid_until.isoformat(),
    )
    return person


def change(session: Session, scope: Scope, person_id: UUID, body: PersonChange) -> None:
    """Change a person's name, lock the person out or let him in again.

    A lock ends every session at once.

    Raises:
        Problem: 403 without the role or for oneself, 404 for an unknown person.
    """
    person = _own(session, scope, person_id)
    if body.display_name is not None and body.display_name.strip() != person.display_name:
        person.display_name = body.display_name.strip()
        _note(session, scope, "person:rename", person.id)
    if body.active is not None and body.active != person.active:
        _not_oneself(scope, person_id)
        signing_approvals.withdraw(session, scope, person.id)
        person.active = body.active
        if not body.active:
            sessions.end_all(session, person.id)
        _note(session, scope, "person:unlock" if body.active else "person:lock", person.id)


def give_role(session: Session, scope: Scope, person_id: UUID, body: RoleBody) -> None:
    """Give a role, or change its dates.

    Raises:
        Problem: 403 without the role, 404 for an unknown person or organisation, 409 for one that
            an identity provider decides about.
    """
    person = _own(session, scope, person_id)
    place = _place(session, scope, body.organisation)
    held = session.get(Membership, (person.id, place.id, body.role), with_for_update=True)
    new = held is None
    if held is None:
        held = Membership(person_id=person.id, organisation_id=place.id, role=body.role)
        session.add(held)
    elif held.provider is not None and _holds(held, _today(session)):
        raise conflict(
            "role-of-provider",
            "This role holds by the word of an identity provider",
            remedy="Have it changed there.",
        )
    if _is_own_administration(scope, person_id, place, body.role):
        raise _own_administration()
    if body.valid_from is not None or new:
        held.valid_from = body.valid_from or _today(session)
    held.valid_until = body.valid_until
    held.provider = None
    session.flush()
    _note(
        session,
        scope,
        "person:give_role",
        person.id,
        organisation=place.code,
        role=body.role.value,
        valid_from=held.valid_from.isoformat(),
        valid_until=None if body.valid_until is None else body.valid_until.isoformat(),
    )


def end_role(
    session: Session, scope: Scope, person_id: UUID, organisation: str, role: Role
) -> None:
    """End a role now, in sessions that are open as well.

    Raises:
        Problem: 403 without the role or for one's own administration, 404 for an unknown one.
    """
    person = _own(session, scope, person_id)
    place = _place(session, scope, organisation)
    held = session.get(Membership, (person.id, place.id, role), with_for_update=True)
    if held is None:
        raise not_found("This role")
    if _is_own_administration(scope, person_id, place, role):
        raise _own_administration()
    # The last day is counted, so that of a role that ends now is the day before.
    ended = _today(session) - timedelta(days=1)
    if held.valid_until is None or held.valid_until > ended:
        held.valid_until = ended
        _note(
            session,
            scope,
            "person:end_role",
            person.id,
            organisation=place.code,
            role=role.value,
        )


def lift_wait(session: Session, scope: Scope, person_id: UUID) -> None:
    """Let somebody try again at once who gave too many wrong passwords.

    Raises:
        Problem: 403 without the role, 404 for an unknown person.
    """
    person = known(session, scope, person_id)
    if throttle.lift(session, person.login):
        _note(session, scope, "person:lift_wait", person.id)


def reset_password(session: Session, scope: Scope, person_id: UUID, password_hash: str) -> None:
    """Give a person a password to choose his own with, and sign him out everywhere.

    Raises:
        Problem: 403 without the role, 404 for an unknown person.
    """
    person = _own(session, scope, person_id)
    signing_approvals.withdraw(session, scope, person.id)
    account.set_password(session, person.id, password_hash, history=_KEPT, must_change=True)
    sessions.end_all(session, person.id)
    throttle.lift(session, person.login)
    _note(session, scope, "person:renew", person.id, signing_key=False)


_KEPT: Final = 24


def reset_second_factor(session: Session, scope: Scope, person_id: UUID) -> None:
    """Take a lost second factor away, and sign the person out everywhere.

    Raises:
        Problem: 403 without the role or for oneself, 404 for an unknown person or one without.
    """
    person = _own(session, scope, person_id)
    _not_oneself(scope, person_id)
    if not second_factor.remove(session, person.id):
        raise not_found("A second factor of this person")
    signing_approvals.withdraw(session, scope, person.id)
    sessions.end_all(session, person.id)
    _note(session, scope, "second_factor:reset", person.id)


def approve_signing(session: Session, scope: Scope, person_id: UUID) -> None:
    """Let a person make a signing key in the own account.

    Raises:
        Problem: 403 without the role or for oneself, 404 for an unknown person, 409 for who signs
            nothing or has no second factor.
    """
    signing_approvals.approve(session, scope, _own(session, scope, person_id))


def withdraw_signing(session: Session, scope: Scope, person_id: UUID) -> None:
    """Let a person make no key of the last approval any more.

    Raises:
        Problem: 403 without the role, 404 for an unknown person or one who was not approved.
    """
    person = _own(session, scope, person_id)
    if not signing_approvals.withdraw(session, scope, person.id):
        raise not_found("An approval of this person")


def end_sessions(session: Session, scope: Scope, person_id: UUID) -> None:
    """Sign a person out everywhere.

    Raises:
        Problem: 403 without the role, 404 for an unknown person.
    """
    person = known(session, scope, person_id)
    ended = sessions.end_all(session, person.id)
    _note(session, scope, "session:end_all", person.id, ended=ended)


def end_session(session: Session, scope: Scope, person_id: UUID, session_id: str) -> None:
    """Sign a person out at one place.

    Raises:
        Problem: 403 without the role, 404 for an unknown person or session.
    """
    person = known(session, scope, person_id)
    account.end_session(session, scope, person.id, session_id)


def register_identity(session: Session, scope: Scope, person_id: UUID, body: IdentityBody) -> None:
    """Say who a person is at an identity provider, so that its word lets him in.

    Raises:
        Problem: 403 without the role, 404 for an unknown person, 409 when somebody has it.
    """
    person = _own(session, scope, person_id)
    email = (body.email or "").strip().lower() or None
    subject = (body.subject or "").strip() or None
    same = [OutsideIdentity.person_id == person.id]
    same += [OutsideIdentity.email == email] if email else []
    same += [OutsideIdentity.subject == subject] if subject else []
    if session.scalar(
        select(OutsideIdentity.id).where(OutsideIdentity.provider == body.provider, or_(*same))
    ):
        raise conflict(
            "identity-registered",
            "This identity, or another of this person, is registered there already",
            remedy="Remove that one first.",
        )
    signing_approvals.withdraw(session, scope, person.id)
    session.add(
        OutsideIdentity(person_id=person.id, provider=body.provider, email=email, subject=subject)
    )
    _note(session, scope, "person:register_identity", person.id, provider=body.provider)


def remove_identity(session: Session, scope: Scope, person_id: UUID, identity_id: UUID) -> None:
    """Let a provider vouch for a person no more; sessions that it began end.

    Raises:
        Problem: 403 without the role, 404 for an unknown one.
    """
    person = _own(session, scope, person_id)
    found = session.get(OutsideIdentity, identity_id)
    if found is None or found.person_id != person.id:
        raise not_found("This identity")
    session.delete(found)
    sessions.end_all(session, person.id)
    _note(session, scope, "person:remove_identity", person.id, provider=found.provider)


def known(session: Session, scope: Scope, person_id: UUID) -> Person:
    """Return a person of what the asker administers.

    Raises:
        Problem: 403 without the role, 404 for an unknown person.
    """
    scope.require(*ADMINISTRATORS)
    person = session.scalar(
        select(Person)
        .where(
            Person.id == person_id,
            exists().where(
                Membership.person_id == Person.id, Membership.organisation_id.in_(ours(scope))
            ),
        )
        .with_for_update()
    )
    if person is None:
        raise not_found("This person")
    return person


def ours(scope: Scope):  # noqa: ANN201 -- a query, whose type is the registry's own
    """Return the query for the organisations that somebody administers."""
    acting = select(Organisation.id).where(Organisation.id == scope.organisation_id)
    return visible_organisation_ids(acting.scalar_subquery())


def _own(session: Session, scope: Scope, person_id: UUID) -> Person:
    """Return a person whom the asker may change: who belongs nowhere else."""
    scope.require(Role.CONSORTIUM_ADMIN)
    person = known(session, scope, person_id)
    elsewhere = session.scalar(
        select(Membership.person_id)
        .where(
            Membership.person_id == person.id,
            Membership.organisation_id.not_in(ours(scope)),
            or_(Membership.valid_until.is_(None), Membership.valid_until >= civil_day()),
        )
        .limit(1)
    )
    if elsewhere is not None:
        raise forbidden(
            "This person has roles in another consortium as well",
            remedy="The machine's owner does it, with 'rdc user'.",
        )
    return person


def _place(session: Session, scope: Scope, code: str) -> Organisation:
    found = session.scalar(
        select(Organisation).where(Organisation.code == code, Organisation.id.in_(ours(scope)))
    )
    if found is None:
        raise not_found(f"The organisation {code!r}")
    return found


def _today(session: Session) -> date:
    return session.execute(select(civil_day())).scalar_one()


def _holds(held: Membership, today: date) -> bool:
    return held.valid_from <= today and (held.valid_until is None or held.valid_until >= today)


def _is_own_administration(scope: Scope, person_id: UUID, place: Organisation, role: Role) -> bool:
    return (
        person_id == scope.person_id
        and place.id == scope.organisation_id
        and role is Role.CONSORTIUM_ADMIN
    )


def _own_administration() -> Exception:
    return forbidden(
        "Nobody changes his own administration", remedy="Another administrator does it."
    )


def _not_oneself(scope: Scope, person_id: UUID) -> None:
    if person_id == scope.person_id:
        raise forbidden("Nobody does this to himself", remedy="Another administrator does it.")


def _note(session: Session, scope: Scope, action: str, person_id: UUID, **detail: object) -> None:
    audit.record(
        session,
        scope.actor,
        action,
        subject_kind="person",
        subject_id=person_id,
        detail=detail,
    )
