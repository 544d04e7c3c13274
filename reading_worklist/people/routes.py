"""People, for their administrators.

    GET    /api/people                                → PeopleView
    POST   /api/people                                → OneTimePassword
    GET    /api/people/{id}                           → PersonDetail
    PATCH  /api/people/{id} {display_name?, active?}
    PUT    /api/people/{id}/roles                     give a role, or change its dates
    POST   /api/people/{id}/roles/end                 end a role now
    POST   /api/people/{id}/lift-wait
    POST   /api/people/{id}/password                  → OneTimePassword
    POST   /api/people/{id}/second-factor/reset
    POST   /api/people/{id}/signing-approval
    DELETE /api/people/{id}/signing-approval
    DELETE /api/people/{id}/sessions[/{session_id}]
    POST   /api/people/{id}/identities
    DELETE /api/people/{id}/identities/{identity_id}

All others answer with the PersonDetail.
Problems: 403 forbidden · 404 not-found · 409 login-taken, role-of-provider, identity-registered,
no-signing-role, no-second-factor.
"""

from http import HTTPStatus
from uuid import UUID

from fastapi import APIRouter
from sqlalchemy.orm import Session

from reading_worklist.access.passwords import hash_password
from reading_worklist.access.scope import Scope
from reading_worklist.changes import changed
from reading_worklist.people import queries, service
from reading_worklist.people.schemas import (
    IdentityBody,
    NewPerson,
    OneTimePassword,
    PeopleView,
    PersonChange,
    PersonDetail,
    RoleBody,
)
from reading_worklist.services import Asking, Parts, Services
from storage.registry import Role

router = APIRouter(prefix="/api/people", tags=["people"])


@router.get("")
def list_people(scope: Asking, services: Parts) -> PeopleView:
    """Return the people of what one administers."""
    with services.database.transaction() as session:
        return PeopleView(
            people=queries.people(session, scope),
            places=queries.places(session, scope),
            providers=sorted(services.config.identity_providers),
            editable=Role.CONSORTIUM_ADMIN in scope.roles,
        )


@router.post("", status_code=HTTPStatus.CREATED)
def add_person(body: NewPerson, scope: Asking, services: Parts) -> OneTimePassword:
    """Add a person; the password is shown this once."""
    scope.require(Role.CONSORTIUM_ADMIN)
    password = service.one_time_password()
    # Outside of any transaction: hashing takes tens of milliseconds on purpose.
    hashed = hash_password(password)
    with services.database.transaction() as session:
        added = service.add(session, scope, body, hashed)
        return OneTimePassword(
            person=_detail(session, scope, added.id, services), password=password
        )


@router.get("/{person_id}")
def show_person(person_id: UUID, scope: Asking, services: Parts) -> PersonDetail:
    """Return one person with open sessions and identities elsewhere."""
    with services.database.transaction() as session:
        return _detail(session, scope, person_id, services)


@router.patch("/{person_id}")
def change_person(
    person_id: UUID, body: PersonChange, scope: Asking, services: Parts
) -> PersonDetail:
    """Change a name, lock somebody out at once, or let him in again."""
    return changed(show_person, person_id, scope, services, service.change, body)


@router.put("/{person_id}/roles")
def give_role(person_id: UUID, body: RoleBody, scope: Asking, services: Parts) -> PersonDetail:
    """Give a role, or change its dates."""
    return changed(show_person, person_id, scope, services, service.give_role, body)


@router.post("/{person_id}/roles/end")
def end_role(person_id: UUID, body: RoleBody, scope: Asking, services: Parts) -> PersonDetail:
    """End a role now; dates in the request say nothing."""
    return changed(
        show_person, person_id, scope, services, service.end_role, body.organisation, body.role
    )


@router.post("/{person_id}/lift-wait")
def lift_wait(person_id: UUID, scope: Asking, services: Parts) -> PersonDetail:
    """Let somebody try again at once who gave too many wrong passwords."""
    return changed(show_person, person_id, scope, services, service.lift_wait)


@router.post("/{person_id}/password")
def reset_password(person_id: UUID, scope: Asking, services: Parts) -> OneTimePassword:
    """Give a person a password that is shown this once, to choose his own with."""
    scope.require(Role.CONSORTIUM_ADMIN)
    password = service.one_time_password()
    hashed = hash_password(password)
    with services.database.transaction() as session:
        service.reset_password(session, scope, person_id, hashed)
        return OneTimePassword(
            person=_detail(session, scope, person_id, services), password=password
        )


@router.post("/{person_id}/second-factor/reset")
def reset_second_factor(person_id: UUID, scope: Asking, services: Parts) -> PersonDetail:
    """Take a lost second factor away; the person sets up another."""
    return changed(show_person, person_id, scope, services, service.reset_second_factor)


@router.post("/{person_id}/signing-approval")
def approve_signing(person_id: UUID, scope: Asking, services: Parts) -> PersonDetail:
    """Let a person make a signing key, with a PIN of the own choice, in the own account."""
    return changed(show_person, person_id, scope, services, service.approve_signing)


@router.delete("/{person_id}/signing-approval")
def withdraw_signing(person_id: UUID, scope: Asking, services: Parts) -> PersonDetail:
    """Take an approval back of which no key was made yet."""
    return changed(show_person, person_id, scope, services, service.withdraw_signing)


@router.delete("/{person_id}/sessions")
def end_all_sessions(person_id: UUID, scope: Asking, services: Parts) -> PersonDetail:
    """Sign a person out everywhere."""
    return changed(show_person, person_id, scope, services, service.end_sessions)


@router.delete("/{person_id}/sessions/{session_id}")
def end_one_session(
    person_id: UUID, session_id: str, scope: Asking, services: Parts
) -> PersonDetail:
    """Sign a person out at one place."""
    return changed(show_person, person_id, scope, services, service.end_session, session_id)


@router.post("/{person_id}/identities")
def register_identity(
    person_id: UUID, body: IdentityBody, scope: Asking, services: Parts
) -> PersonDetail:
    """Say who a person is at an identity provider."""
    return changed(show_person, person_id, scope, services, service.register_identity, body)


@router.delete("/{person_id}/identities/{identity_id}")
def remove_identity(
    person_id: UUID, identity_id: UUID, scope: Asking, services: Parts
) -> PersonDetail:
    """Let a provider vouch for a person no more."""
    return changed(show_person, person_id, scope, services, service.remove_identity, identity_id)


def _detail(session: Session, scope: Scope, person_id: UUID, services: Services) -> PersonDetail:
    session.flush()
    return queries.person(session, scope, person_id, services.config.session_limits)
