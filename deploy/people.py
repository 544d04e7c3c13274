"""Adding a person: password, roles, and for those who sign a PIN, a key and a certificate."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from sqlalchemy.orm import Session

from reading_worklist.access.passwords import hash_password
from reading_worklist.signing.authority import Authority
from reading_worklist.signing.credentials import check_pin, issue_credential
from reading_worklist.signing.errors import PinTooWeak
from storage import registry
from storage.registry import Role

SIGNING_ROLES: Final = frozenset({Role.WRITER, Role.REVIEWER, Role.EXPERT})
PASSWORD_BYTES: Final = 12
PIN_DIGITS: Final = 6


@dataclass(frozen=True, slots=True)
class AddedPerson:
    """A new person and the secrets shown once; no PIN for those who do not sign."""

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
) -> AddedPerson:
    """Add a person with roles at the organisation of that code, in the caller's transaction.

    Password and PIN are generated unless given.
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


def generate_pin() -> str:
    """Return six random digits that are no simple row."""
    while True:
        pin = "".join(secrets.choice("0123456789") for _ in range(PIN_DIGITS))
        try:
            check_pin(pin)
        except PinTooWeak:
            continue
        return pin
