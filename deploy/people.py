"""Adding and renewing people: password, roles, and for those who sign a key under a PIN."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from reading_worklist.access.account import set_password
from reading_worklist.access.passwords import hash_password
from reading_worklist.access.sessions import end_all
from reading_worklist.signing.authority import Authority
from reading_worklist.signing.credentials import issue_credential
from reading_worklist.signing.errors import PinTooWeak
from reading_worklist.signing.pins import check_pin
from reading_worklist.signing_approvals.service import SIGNING_ROLES
from storage import registry
from storage.registry import Person, Role

PASSWORD_BYTES: Final = 12
PIN_DIGITS: Final = 6
# As many as any policy asks for.
HISTORY: Final = 24


@dataclass(frozen=True, slots=True)
class AddedPerson:
    """A person and the secrets shown once; no PIN where no signing key was made."""

    person_id: UUID
    password: str
    signing_pin: str | None


def add(
    session: Session,
    authority: Authority,
    *,
    login: str,
    display_name: str,
    organisation: str,
    roles: Sequence[str],
    password: str | None = None,
    signing_pin: str | None = None,
    one_time: bool = True,
) -> AddedPerson:
    """Add a person with roles at the organisation of that code, in the caller's transaction.

    Password and PIN are generated unless given.
    one_time: the password serves to choose one's own at the first sign-in.
    Raises RegistryRefused for an unknown role or organisation or a taken login,
    PinTooWeak for a given PIN that is not acceptable.
    """
    known = [role.value for role in Role]
    wrong = [role for role in roles if role not in known]
    if wrong or not roles:
        raise registry.RegistryRefused(
            "role", expected="one or more of " + ", ".join(known), found=", ".join(wrong) or "none"
        )
    chosen = [Role(role) for role in roles]
    place = registry.organisation_by_code(session, organisation)
    password = password or secrets.token_urlsafe(PASSWORD_BYTES)
    person = registry.add_person(
        session, login, display_name, hash_password(password), organisation=place, roles=chosen
    )
    person.must_change_password = one_time
    pin = None
    if SIGNING_ROLES.intersection(chosen):
        pin = signing_pin or generate_pin()
        issue_credential(
            session,
            authority,
            person_id=person.id,
            display_name=display_name,
            organisation=place.name,
            pin=pin,
        )
    return AddedPerson(person_id=person.id, password=password, signing_pin=pin)


def renew(session: Session, authority: Authority, *, login: str, signing_key: bool) -> AddedPerson:
    """Give a person a new password, and with `signing_key` a new key under a new PIN.

    Whoever is signed in as that person is signed out; the password serves to choose one's own. The
    old key is revoked, and what it signed keeps its date. For a forgotten password or PIN, or one
    that others may know.
    Raises RegistryRefused when there is no such person or it signs for no organisation.
    """
    person = by_login(session, login)
    password = secrets.token_urlsafe(PASSWORD_BYTES)
    set_password(session, person.id, hash_password(password), history=HISTORY, must_change=True)
    end_all(session, person.id)
    pin = new_key(session, authority, person) if signing_key else None
    return AddedPerson(person_id=person.id, password=password, signing_pin=pin)


def by_login(session: Session, login: str) -> Person:
    """Return a person.

    Raises RegistryRefused when nobody has the login.
    """
    person = session.scalar(select(Person).where(Person.login == login))
    if person is None:
        raise registry.RegistryRefused(
            f"no person has the login {login!r}", remedy="List them with 'rdc user list'."
        )
    return person


def new_key(session: Session, authority: Authority, person: Person) -> str:
    """Make a new sealed key for a person, revoking the one in force; return its PIN.

    Raises RegistryRefused when the person signs for no organisation.
    """
    pin = generate_pin()
    issue_credential(
        session,
        authority,
        person_id=person.id,
        display_name=person.display_name,
        organisation=signs_for(session, person),
        pin=pin,
        replace=True,
    )
    return pin


def signs_for(session: Session, person: Person) -> str:
    """Return the name of the organisation that a person signs reports for.

    Raises RegistryRefused when there is none.
    """
    signing = [m for m in registry.valid_memberships(session, person.id) if m.role in SIGNING_ROLES]
    if not signing:
        raise registry.RegistryRefused(
            f"{person.login!r} signs no reports",
            expected="a role among " + ", ".join(sorted(SIGNING_ROLES)),
            remedy="Give the person such a role first, or renew the password alone.",
        )
    return signing[0].organisation.name


def generate_pin() -> str:
    """Return six random digits that are no simple row."""
    while True:
        pin = "".join(secrets.choice("0123456789") for _ in range(PIN_DIGITS))
        try:
            check_pin(pin)
        except PinTooWeak:
            continue
        return pin
