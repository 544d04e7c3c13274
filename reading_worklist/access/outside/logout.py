"""A provider tells that somebody has signed out there: OpenID Connect Back-Channel Logout 1.0.

Its message comes from the provider's server, with no browser and no session of ours, so that
nothing but its signature says whose it is.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any, Final, cast

from joserfc.errors import JoseError
from sqlalchemy import Select, delete, exists, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from reading_worklist.access.outside.providers import CLOCK_SECONDS, Provider, Vouched
from reading_worklist.access.tables import OutsideIdentity, OutsideLogout, WebSession
from reading_worklist.problems import Problem
from storage import audit
from storage.audit import Actor
from storage.clock import utc_now

EVENT: Final = "http://schemas.openid.net/event/backchannel-logout"
TAKEN_FOR: Final = timedelta(minutes=10)
"""How old a message may be. Whoever has found one cannot show it after that, nor twice before."""
_CLOCK: Final = timedelta(seconds=CLOCK_SECONDS)
_TYPES: Final = frozenset({"logout+jwt", "application/logout+jwt", "jwt", ""})
_LONGEST: Final = 255


@dataclass(frozen=True, slots=True)
class LoggedOut:
    """Who has signed out at a provider, or which of its sessions ended; one may be None."""

    subject: str | None
    sid: str | None
    jti: str
    at: datetime


def read_logout_token(provider: Provider, encoded: str, now: datetime) -> LoggedOut:
    """Return what a logout token says (§2.4), validated as §2.6 has it.

    Raises:
        Problem: 400, it is none of this provider for us, or not of now.
        ProviderFailed: the provider cannot be asked for its keys.
    """
    try:
        token = provider.decoded(encoded)
    except (JoseError, ValueError) as error:
        raise _refused("a signature of the provider", type(error).__name__) from error
    claims = cast("Mapping[str, Any]", token.claims)
    kind = str(token.header.get("typ", "")).lower()
    audience = claims.get("aud")
    audiences = cast("list[Any]", audience) if isinstance(audience, list) else [audience]
    events = claims.get("events")
    stated: Mapping[str, Any] = (
        cast("Mapping[str, Any]", events) if isinstance(events, dict) else dict[str, Any]()
    )
    checks = {
        "typ": kind in _TYPES,
        "iss": claims.get("iss") == provider.config.issuer,
        "aud": provider.config.client_id in audiences,
        "events": isinstance(stated.get(EVENT), dict),
        # With one it would be an ID token, which a browser of anybody's has seen.
        "nonce": "nonce" not in claims,
        "jti": _word(claims, "jti") is not None,
        "sub or sid": any(_word(claims, name) is not None for name in ("sub", "sid")),
    }
    wrong = [name for name, right in checks.items() if not right]
    if wrong:
        raise _refused("a logout token for us", ", ".join(wrong))
    at = _moment(claims, "iat")
    end = _moment(claims, "exp") if "exp" in claims else None
    if at is None or not now - TAKEN_FOR <= at <= now + _CLOCK:
        raise _refused("one of the last minutes", "iat")
    if "exp" in claims and (end is None or end <= now - _CLOCK):
        raise _refused("one that is not over", "exp")
    return LoggedOut(_word(claims, "sub"), _word(claims, "sid"), str(claims["jti"]), at)


def end_sessions(session: Session, provider: str, told: LoggedOut, client: str) -> int:
    """End the sessions that a provider's word began and has ended; returns how many.

    Told a second time nothing more is done, and it is refused.

    Raises:
        Problem: 400, this message was here before.
    """
    _one_by_one(session, provider)
    now = utc_now()
    session.execute(
        delete(OutsideLogout).where(OutsideLogout.received_at < now - 2 * (TAKEN_FOR + _CLOCK))
    )
    new = session.execute(
        insert(OutsideLogout)
        .values(
            provider=provider,
            jti_sha256=hashlib.sha256(told.jti.encode()).hexdigest(),
            subject=told.subject,
            sid=told.sid,
            at=told.at,
            received_at=now,
        )
        .on_conflict_do_nothing()
        .returning(OutsideLogout.jti_sha256)
    ).one_or_none()
    if new is None:
        raise _refused("a message that is new", "jti")
    ending = [WebSession.provider == provider, WebSession.ended_at.is_(None)]
    if told.subject is not None:
        ending.append(WebSession.person_id.in_(_person(provider, told.subject)))
    if told.sid is not None:
        named = WebSession.provider_sid == told.sid
        # Which of its sessions ours came from, an ID token without `sid` has not said.
        unnamed = WebSession.provider_sid.is_(None)
        ending.append(named if told.subject is None else or_(named, unnamed))
    ended = session.execute(
        update(WebSession).where(*ending).values(ended_at=now).returning(WebSession.person_id)
    ).all()
    for person_id in sorted({row.person_id for row in ended}):
        audit.record(
            session,
            Actor(person_id=None, organisation_id=None, client=client),
            "session:end_outside",
            subject_kind="person",
            subject_id=person_id,
            detail={
                "provider": provider,
                "ended": sum(row.person_id == person_id for row in ended),
            },
        )
    return len(ended)


def require_standing(session: Session, provider: str, vouched: Vouched) -> None:
    """Pass when the provider has not ended meanwhile what it vouches for.

    Its message may overtake the browser, which is still on its way to us. One that comes while
    this transaction makes a session waits for it.

    Raises:
        Problem: 403, the person has signed out there.
    """
    _one_by_one(session, provider)
    known = [OutsideLogout.provider == provider]
    of_subject = (OutsideLogout.subject == vouched.subject) & (OutsideLogout.at >= vouched.at)
    if vouched.sid is None:
        known.append(of_subject)
    else:
        known.append(
            (OutsideLogout.sid == vouched.sid) | (OutsideLogout.sid.is_(None) & of_subject)
        )
    if session.scalar(select(exists().where(*known))):
        raise Problem(
            HTTPStatus.FORBIDDEN,
            "outside-sign-in-over",
            "Meanwhile somebody signed out at the provider",
            remedy="Begin again on the sign-in page.",
        )


def _one_by_one(session: Session, provider: str) -> None:
    """Let what begins and what ends sessions of a provider wait for each other."""
    key = int.from_bytes(hashlib.sha256(f"outside {provider}".encode()).digest()[:8], signed=True)
    session.execute(select(func.pg_advisory_xact_lock(key)))


def _person(provider: str, subject: str) -> Select[Any]:
    return select(OutsideIdentity.person_id).where(
        OutsideIdentity.provider == provider, OutsideIdentity.subject == subject
    )


def _word(claims: Mapping[str, Any], name: str) -> str | None:
    found = claims.get(name)
    return found if isinstance(found, str) and 0 < len(found) <= _LONGEST else None


def _moment(claims: Mapping[str, Any], name: str) -> datetime | None:
    found = claims.get(name)
    if isinstance(found, bool) or not isinstance(found, int | float):
        return None
    try:
        return datetime.fromtimestamp(found, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _refused(expected: str, found: str) -> Problem:
    return Problem(
        HTTPStatus.BAD_REQUEST,
        "logout-token-refused",
        "This logout token is not taken",
        expected=expected,
        found=found,
        remedy="Let the provider send one for our client, signed with a key that it publishes.",
    )
