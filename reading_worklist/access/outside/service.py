"""Who comes in by the word of a provider: each function works in its caller's transaction.

Nobody is made by a sign-in. An administrator registers who somebody is at a provider, by its
subject or by an e-mail address; at the first sign-in with that address, verified, the subject is
kept, and from then on it alone counts, since addresses are given to somebody else one day.
"""

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from http import HTTPStatus
from typing import Any, Final

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from reading_worklist.access.outside.providers import ProviderConfig, Vouched, values_of
from reading_worklist.access.tables import OutsideIdentity, OutsideSignIn
from reading_worklist.problems import Problem
from storage import audit
from storage.audit import Actor
from storage.civil_day import civil_day
from storage.clock import utc_now
from storage.registry import Membership, Organisation, Person, Role

LASTS: Final = timedelta(minutes=10)
"""How long somebody may take to sign in at a provider."""
_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class Begun:
    """A sign-in that was begun; state: what the browser keeps and the provider repeats."""

    state: str
    nonce: str
    code_verifier: str


def begin(session: Session, provider: str, next_path: str) -> Begun:
    """Begin a sign-in through a provider, to go on to a page of ours; what is past is forgotten."""
    now = utc_now()
    session.execute(delete(OutsideSignIn).where(OutsideSignIn.began_at < now - LASTS))
    begun = Begun(*(secrets.token_urlsafe(_BYTES) for _ in range(3)))
    session.add(
        OutsideSignIn(
            state_sha256=_digest(begun.state),
            provider=provider,
            nonce=begun.nonce,
            code_verifier=begun.code_verifier,
            next_path=next_path,
            began_at=now,
        )
    )
    return begun


def take(session: Session, provider: str, state: str) -> OutsideSignIn:
    """Return a sign-in that was begun with a provider, once.

    Raises:
        Problem: 403, none was begun with this state, or too long ago.
    """
    found = session.scalar(
        delete(OutsideSignIn)
        .where(
            OutsideSignIn.state_sha256 == _digest(state),
            OutsideSignIn.provider == provider,
            OutsideSignIn.began_at >= utc_now() - LASTS,
        )
        .returning(OutsideSignIn)
    )
    if found is None:
        raise Problem(
            HTTPStatus.FORBIDDEN,
            "outside-sign-in-over",
            "This sign-in was not begun here, or too long ago",
            remedy="Begin again on the sign-in page.",
        )
    return found


def person_of(session: Session, provider: str, vouched: Vouched, client: str) -> Person:
    """Return the person whom a provider vouches for.

    Raises:
        Problem: 403, nobody is registered as this subject or with this verified address, or the
            account is closed.
    """
    identity = session.scalar(
        select(OutsideIdentity)
        .where(OutsideIdentity.provider == provider, OutsideIdentity.subject == vouched.subject)
        .with_for_update()
    )
    if identity is None and vouched.email is not None:
        identity = session.scalar(
            select(OutsideIdentity)
            .where(
                OutsideIdentity.provider == provider,
                OutsideIdentity.email == vouched.email,
                OutsideIdentity.subject.is_(None),
            )
            .with_for_update()
        )
    person = None if identity is None else session.get(Person, identity.person_id)
    if identity is None or person is None or not person.active:
        raise Problem(
            HTTPStatus.FORBIDDEN,
            "outside-unknown",
            "Nobody here is registered with this identity",
            remedy="Ask your administrator to register you; then sign in again.",
        )
    now = utc_now()
    if identity.subject is None:
        identity.subject = vouched.subject
        audit.record(
            session,
            Actor(person_id=person.id, organisation_id=None, client=client),
            "person:link_identity",
            subject_kind="person",
            subject_id=person.id,
            detail={"provider": provider},
        )
    identity.linked_at = identity.linked_at or now
    identity.last_used_at = now
    return person


def follow_roles(
    session: Session,
    provider: ProviderConfig,
    person: Person,
    claims: Mapping[str, Any],
    client: str,
) -> None:
    """Let a person have the roles that the provider's claims say, by the installation's rules.

    What an administrator gave stays. Without rules nothing changes.
    """
    if not provider.roles:
        return
    said = {
        (rule.organisation, Role(rule.role))
        for rule in provider.roles
        if rule.value in values_of(claims, rule.claim)
    }
    wanted = {
        (found.id, role)
        for code, role in said
        for found in session.scalars(select(Organisation).where(Organisation.code == code))
    }
    today = session.execute(select(civil_day())).scalar_one()
    held = {
        (one.organisation_id, one.role): one
        for one in session.scalars(
            select(Membership).where(Membership.person_id == person.id).with_for_update()
        )
    }
    changes: list[str] = []
    for key in sorted(wanted, key=str):
        one = held.get(key)
        if one is None:
            session.add(
                Membership(
                    person_id=person.id,
                    organisation_id=key[0],
                    role=key[1],
                    valid_from=today,
                    provider=provider.name,
                )
            )
        elif one.provider == provider.name and not _holds(one, today):
            one.valid_from, one.valid_until = today, None
        else:
            continue
        changes.append(f"+{key[1].value}")
    for key, one in held.items():
        if one.provider == provider.name and key not in wanted and _holds(one, today):
            one.valid_until = today - timedelta(days=1)
            changes.append(f"-{key[1].value}")
    if changes:
        session.flush()
        audit.record(
            session,
            Actor(person_id=None, organisation_id=None, client=client),
            "person:follow_roles",
            subject_kind="person",
            subject_id=person.id,
            detail={"provider": provider.name, "changes": changes},
        )


def _holds(held: Membership, today: date) -> bool:
    return held.valid_from <= today and (held.valid_until is None or held.valid_until >= today)


def _digest(state: str) -> str:
    return hashlib.sha256(state.encode()).hexdigest()
