"""An administrator approves, the person makes the key; each function in its caller's transaction.

Neither step is enough. The administrator never sees a PIN. The person shows a second factor that he
had when he was approved: whoever got hold of his password since, and set up a device of his own,
gets no key with it. What an administrator does that could put somebody else into the account (a new
password, a second factor taken away, an identity elsewhere) withdraws the approval.
"""

from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from reading_worklist.access.scope import Scope
from reading_worklist.access.tables import SecondFactor
from reading_worklist.problems import Problem, conflict, forbidden
from reading_worklist.signing import revocation_lists
from reading_worklist.signing.authority import Authority
from reading_worklist.signing.credentials import MadeKey, keep_credential
from reading_worklist.signing.tables import SigningCredential
from reading_worklist.signing_approvals.tables import SigningApproval
from storage import audit
from storage.clock import utc_now
from storage.registry import Membership, Person, Role, valid_memberships

SIGNING_ROLES: Final = frozenset({Role.WRITER, Role.REVIEWER, Role.EXPERT})
LASTS: Final = timedelta(days=7)
"""How long an approval waits for its person."""
PROVED_WITHIN: Final = timedelta(minutes=15)
"""How old the proof of the second factor may be when a key is made."""


def approve(session: Session, scope: Scope, person: Person) -> SigningApproval:
    """Let a person make one signing key, in place of the one in force if there is one.

    Who is approved already is approved anew. The caller has made sure that the asker administers
    this person.

    Raises:
        Problem: 403 for oneself, 409 for who has no role that signs, or no second factor yet.
    """
    if person.id == scope.person_id:
        raise forbidden(
            "Nobody approves himself for signing", remedy="Another administrator does it."
        )
    place = signing_membership(session, person.id)
    if place is None or not person.active:
        raise conflict(
            "no-signing-role",
            "This person signs nothing today",
            expected="one of the roles " + ", ".join(sorted(SIGNING_ROLES)),
            remedy="Give the person such a role first.",
        )
    if _factor_since(session, person.id) is None:
        raise conflict(
            "no-second-factor",
            "This person has not set up a second factor yet",
            remedy="The person sets it up in the own account; then approve.",
        )
    withdraw(session, scope, person.id)
    now = utc_now()
    made = SigningApproval(
        person_id=person.id,
        organisation_id=place.organisation_id,
        approved_by_id=scope.person_id,
        approved_at=now,
        expires_at=now + LASTS,
    )
    session.add(made)
    session.flush()
    _note(session, scope, "signing_key:approve", person.id, approval=str(made.id))
    return made


def withdraw(session: Session, scope: Scope, person_id: UUID) -> bool:
    """Let nobody make a key of a person's approval any more; tells whether there was one."""
    standing = session.scalar(select(SigningApproval).where(*_open(person_id)).with_for_update())
    if standing is None:
        return False
    standing.withdrawn_at = utc_now()
    session.flush()
    _note(session, scope, "signing_key:withdraw", person_id, approval=str(standing.id))
    return True


def approval_of(session: Session, person_id: UUID, now: datetime) -> SigningApproval | None:
    """Return what a person may make a key of at `now`; None: nothing."""
    found = session.scalar(
        select(SigningApproval).where(*_open(person_id), SigningApproval.expires_at > now)
    )
    since = _factor_since(session, person_id)
    if found is None or since is None or since > found.approved_at:
        return None
    return found


def usable(session: Session, scope: Scope, *, locked: bool = False) -> SigningApproval:
    """Return the approval of which the asker makes a key now.

    locked: nobody else may use or withdraw it until the transaction ends.

    Raises:
        Problem: 403, there is none, the role has ended, or the second factor was not proved lately.
    """
    now = utc_now()
    found = approval_of(session, scope.person_id, now)
    if found is not None and locked:
        found = session.scalar(
            select(SigningApproval)
            .where(SigningApproval.id == found.id, *_open(scope.person_id))
            .with_for_update()
        )
    place = signing_membership(session, scope.person_id)
    if found is None or place is None:
        raise forbidden(
            "You are not approved to make a signing key",
            remedy="Ask your consortium administrator.",
        )
    if scope.second_factor_at is None or scope.second_factor_at < now - PROVED_WITHIN:
        raise Problem(
            HTTPStatus.FORBIDDEN,
            "second-factor-to-sign",
            "To make a signing key, prove your second factor now",
            remedy="Give the code of your device.",
        )
    return found


def keep(session: Session, scope: Scope, authority: Authority, key: MadeKey) -> SigningCredential:
    """Take the asker's new key into force; the one before is revoked and said to be.

    Raises:
        Problem: as `usable`; what was approved may have been withdrawn while the key was made.
    """
    approval = usable(session, scope, locked=True)
    credential = keep_credential(session, key, replace=True)
    approval.used_at = utc_now()
    approval.credential_id = credential.id
    session.flush()
    revocation_lists.publish(session, authority, now=utc_now())
    _note(
        session,
        scope,
        "signing_key:issue",
        scope.person_id,
        provider=credential.provider,
        approval=str(approval.id),
        approved_by=str(approval.approved_by_id),
    )
    return credential


def live_key(session: Session, person_id: UUID) -> SigningCredential | None:
    """Return a person's key that is not revoked; None without one."""
    return session.scalar(
        select(SigningCredential).where(
            SigningCredential.person_id == person_id, SigningCredential.revoked_at.is_(None)
        )
    )


def signing_membership(session: Session, person_id: UUID) -> Membership | None:
    """Return the first role with which a person signs today; None: none."""
    found = valid_memberships(session, person_id)
    return next((one for one in found if one.role in SIGNING_ROLES), None)


def _open(person_id: UUID) -> tuple[ColumnElement[bool], ...]:
    return (
        SigningApproval.person_id == person_id,
        SigningApproval.used_at.is_(None),
        SigningApproval.withdrawn_at.is_(None),
    )


def _factor_since(session: Session, person_id: UUID) -> datetime | None:
    return session.scalar(
        select(SecondFactor.confirmed_at).where(SecondFactor.person_id == person_id)
    )


def _note(session: Session, scope: Scope, action: str, person_id: UUID, **detail: object) -> None:
    audit.record(
        session, scope.actor, action, subject_kind="person", subject_id=person_id, detail=detail
    )
