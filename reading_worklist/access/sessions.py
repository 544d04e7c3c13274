"""Server-side sessions: sign in, find the scope of a request, sign out."""

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Connection, Select, and_, bindparam, exists, func, select, update
from sqlalchemy.orm import Session, aliased

from reading_worklist.access.passwords import verify_password
from reading_worklist.access.policy import AccessPolicy, Outstanding, Proofs
from reading_worklist.access.scope import Scope
from reading_worklist.access.tables import SecondFactor, WebSession
from reading_worklist.problems import Problem, forbidden
from storage import audit
from storage.clock import utc_now
from storage.registry import (
    Membership,
    Organisation,
    OrganisationKind,
    Person,
    Role,
    consortium_site_ids,
    holds_today,
    valid_memberships,
    visible_site_ids,
)

_TOKEN_BYTES = 32
_SEEN_STEP = timedelta(minutes=1)
# Of a short idle time a minute would be much.
_SEEN_SHARE: Final = 10
_USER_AGENT_LENGTH = 300
LENIENT: Final = AccessPolicy()
"""Demands nothing but the password; for our own command line."""
_ROLE_ENDED: Final = "Your role there has ended. Sign in again, or ask your administrator."
_ENDED: Final = "Your session has ended. Sign in again; your draft is kept."


@dataclass(frozen=True, slots=True)
class SessionLimits:
    """How long a session lasts without a request (idle) and at all (absolute)."""

    idle: timedelta
    absolute: timedelta


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A new session; `token` goes into the cookie and is not kept."""

    token: str
    scope: Scope
    expires_at: datetime


def not_signed_in(remedy: str = "Sign in.") -> Problem:
    """Return the answer for a request without a valid session."""
    return Problem(HTTPStatus.UNAUTHORIZED, "not-signed-in", "You are not signed in", remedy=remedy)


def wrong_credentials() -> Problem:
    """Return the one answer for an unknown login, a wrong password and a closed account."""
    return Problem(
        HTTPStatus.UNAUTHORIZED,
        "wrong-credentials",
        "The login or the password is wrong",
        remedy="Check both; upper and lower case matter in the password.",
    )


def second_factor_required() -> Problem:
    """Return the answer for who gave the right password and no code yet."""
    return Problem(
        HTTPStatus.UNAUTHORIZED,
        "second-factor-required",
        "Your second factor is asked for",
        remedy="Give the code that your device shows, or a recovery code.",
    )


def at_home_only() -> Problem:
    """Return the answer for who comes from afar and has no second factor."""
    return Problem(
        HTTPStatus.FORBIDDEN,
        "second-factor-at-home",
        "From outside of the network nobody comes in without a second factor",
        remedy="Sign in from within the network once and set it up.",
    )


@dataclass(frozen=True, slots=True)
class ActingChoice:
    """An organisation that a person may act for today, and as what, in the order of the words."""

    organisation: Organisation
    roles: tuple[Role, ...]


def stored_password_hash(session: Session, login: str) -> str | None:
    """Return the hash of an active person's password, None when there is no such person."""
    return session.scalar(select(Person.password_hash).where(Person.login == login, Person.active))


def password_matches(stored_hash: str | None, password: str) -> bool:
    """Verify outside of any transaction: hashing takes tens of milliseconds on purpose."""
    return verify_password(stored_hash, password)


def active_person_id(session: Session, login: str) -> UUID:
    """Return whose login it is.

    Raises:
        Problem: 401, nobody's who may sign in.
    """
    person_id = session.scalar(select(Person.id).where(Person.login == login, Person.active))
    if person_id is None:
        raise wrong_credentials()
    return person_id


def note_refusal(session: Session, login: str, client: str, *, proof: str = "password") -> None:
    """Record that somebody gave a wrong proof of who he is, without what was typed."""
    person_id = session.scalar(select(Person.id).where(Person.login == login))
    audit.record(
        session,
        audit.Actor(person_id=None, organisation_id=None, client=client),
        "session:refused",
        subject_kind="person",
        subject_id=person_id or "unknown",
        detail={"proof": proof},
    )


def sign_in(
    session: Session,
    login: str,
    client: str,
    limits: SessionLimits,
    organisation_code: str | None = None,
    *,
    user_agent: str = "",
    policy: AccessPolicy = LENIENT,
    second_factor: bool = False,
    provider: str | None = None,
    provider_sid: str | None = None,
) -> SignedIn:
    """Start a session for a person whose password has been verified, or who is vouched for.

    organisation_code: for which of their organisations to act; the first by code when not given.
    user_agent: what the browser calls itself.
    second_factor: whether a second factor has been proved as well.
    provider: the identity provider that vouches. provider_sid: its name for its own session.

    Raises:
        Problem: 401 when the person is gone, 403 without a role that is valid today, or from afar
            without a second factor: whoever has the password only could set one up.
    """
    person = session.scalar(select(Person).where(Person.login == login, Person.active))
    if person is None:
        raise wrong_credentials()
    organisation = _chosen(session, person.id, organisation_code)
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    now = utc_now()
    row = WebSession(
        token_sha256=digest(token),
        person_id=person.id,
        organisation_id=organisation.id,
        csrf_token=secrets.token_urlsafe(_TOKEN_BYTES),
        client=client,
        user_agent=user_agent[:_USER_AGENT_LENGTH],
        created_at=now,
        last_seen_at=now,
        expires_at=now + limits.absolute,
        second_factor_at=now if second_factor else None,
        provider=provider,
        provider_sid=provider_sid,
    )
    session.add(row)
    session.flush()
    scope = _load(session, token, client, policy).scope
    if scope.outstanding is Outstanding.ENROL and policy.is_remote(client):
        raise at_home_only()
    audit.record(
        session,
        scope.actor,
        "session:sign_in",
        subject_kind="person",
        subject_id=person.id,
        detail={"second_factor": second_factor, **({"provider": provider} if provider else {})},
    )
    return SignedIn(token=token, scope=scope, expires_at=row.expires_at)


def resume(
    session: Session | Connection,
    token: str,
    client: str,
    limits: SessionLimits,
    policy: AccessPolicy = LENIENT,
    *,
    active: bool = True,
) -> tuple[Scope, datetime]:
    """Return the scope of a session and when it ends.

    active: whether the person is there; what a page asks by itself prolongs nothing.

    Raises:
        Problem: 401 when it is unknown, over, idle for too long, or its role has ended.
    """
    loaded = _load(session, token, client, policy)
    now = utc_now()
    if loaded.expires_at <= now or loaded.last_seen_at + limits.idle <= now:
        raise not_signed_in(_ENDED)
    last_seen_at = loaded.last_seen_at
    if active and now - last_seen_at >= min(_SEEN_STEP, limits.idle / _SEEN_SHARE):
        last_seen_at = now
        session.execute(
            update(WebSession)
            .where(WebSession.token_sha256 == digest(token))
            .values(last_seen_at=now)
        )
    return loaded.scope, min(loaded.expires_at, last_seen_at + limits.idle)


def choices(session: Session, person_id: UUID) -> list[ActingChoice]:
    """Return the organisations that a person may act for today, by code."""
    roles: dict[UUID, list[Role]] = {}
    organisations: dict[UUID, Organisation] = {}
    for membership in valid_memberships(session, person_id):
        organisations[membership.organisation_id] = membership.organisation
        roles.setdefault(membership.organisation_id, []).append(membership.role)
    return [ActingChoice(one, tuple(roles[id_])) for id_, one in organisations.items()]


def act_for(
    session: Session,
    token: str,
    scope: Scope,
    organisation_code: str,
    policy: AccessPolicy = LENIENT,
) -> tuple[Scope, datetime]:
    """Let a session act for another organisation of its person; returns its new scope and its end.

    The CSRF token changes: a page that was opened for the organisation before can do nothing more
    under its old name.

    Raises:
        Problem: 403 when the person has no role there today.
    """
    row = session.get_one(WebSession, digest(token))
    row.organisation_id = _chosen(session, scope.person_id, organisation_code).id
    row.csrf_token = secrets.token_urlsafe(_TOKEN_BYTES)
    session.flush()
    loaded = _load(session, token, scope.client, policy)
    audit.record(
        session,
        loaded.scope.actor,
        "session:act_for",
        subject_kind="person",
        subject_id=scope.person_id,
    )
    return loaded.scope, loaded.expires_at


def _chosen(session: Session, person_id: UUID, code: str | None) -> Organisation:
    for choice in choices(session, person_id):
        if code in (None, choice.organisation.code):
            return choice.organisation
    raise forbidden(
        "You have no role that is valid today", remedy="Ask your consortium administrator."
    )


def sign_out(session: Session, token: str, scope: Scope) -> None:
    """End a session."""
    row = session.get_one(WebSession, digest(token))
    row.ended_at = utc_now()
    audit.record(
        session, scope.actor, "session:sign_out", subject_kind="person", subject_id=scope.person_id
    )


def second_factor_proved(session: Session, token: str) -> None:
    """Note that a session has proved its person's second factor now."""
    session.get_one(WebSession, digest(token)).second_factor_at = utc_now()


def end_all(session: Session, person_id: UUID, *, but: str | None = None) -> int:
    """End a person's sessions; returns how many. but: the token of one that goes on."""
    ended = session.execute(
        update(WebSession)
        .where(
            WebSession.person_id == person_id,
            WebSession.ended_at.is_(None),
            WebSession.token_sha256 != ("" if but is None else digest(but)),
        )
        .values(ended_at=utc_now())
        .returning(WebSession.token_sha256)
    ).all()
    return len(ended)


def csrf_matches(scope: Scope, sent: str | None) -> bool:
    """Tell whether an unsafe request repeats the session's CSRF token.

    Compared in constant time.
    """
    return sent is not None and hmac.compare_digest(scope.csrf_token.encode(), sent.encode())


def digest(token: str) -> str:
    """Return what the database knows of a session's token."""
    return hashlib.sha256(token.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class _Loaded:
    scope: Scope
    expires_at: datetime
    last_seen_at: datetime


def _load(session: Session | Connection, token: str, client: str, policy: AccessPolicy) -> _Loaded:
    """Return a session that has not been ended, with its person's scope, in one query.

    Every request begins with this, a viewer's hundreds of frames among them.
    """
    rows = session.execute(_SESSION, {"token": digest(token)}).all()
    if not rows:
        raise not_signed_in(_ENDED)
    one = rows[0]
    roles = frozenset(row.role for row in rows if row.role is not None)
    if not roles:
        # To sign in again is to act for an organisation where there still is one.
        raise not_signed_in(_ROLE_ENDED)
    consortium_sites = frozenset[UUID](one.consortium_sites or ())
    shown = Proofs(
        roles=roles,
        client=client,
        enrolled=one.enrolled,
        second_factor_at=one.second_factor_at,
        must_change_password=one.must_change_password,
        password_changed_at=None if one.provider else one.password_changed_at,
    )
    scope = Scope(
        person_id=one.person_id,
        login=one.login,
        display_name=one.display_name,
        organisation_id=one.organisation_id,
        organisation_code=one.code,
        organisation_name=one.name,
        organisation_name_en=one.name_en,
        organisation_kind=one.kind,
        roles=roles,
        # An expert sees what is shared with him, wherever he is a member.
        site_ids=frozenset()
        if roles == frozenset({Role.EXPERT})
        else frozenset(one.site_ids or ()),
        csrf_token=one.csrf_token,
        client=client,
        second_factor_at=one.second_factor_at,
        outstanding=policy.outstanding(shown, utc_now()),
        ends_at=one.expires_at,
        provider=one.provider,
        consortium_sites=consortium_sites,
        # Every one of a consortium's sites is a site: as many as there are is all of them.
        reaches_all=len(consortium_sites) == one.all_sites,
    )
    return _Loaded(scope, one.expires_at, one.last_seen_at)


def _session_query() -> Select[*tuple[Any, ...]]:
    of_token = WebSession.token_sha256 == bindparam("token")
    acting = select(WebSession.organisation_id).where(of_token).scalar_subquery()
    sites = visible_site_ids(acting).subquery()
    site_ids = select(func.array_agg(sites.c.id)).scalar_subquery()
    of_consortium = consortium_site_ids(acting).subquery()
    consortium_sites = select(func.array_agg(of_consortium.c.id)).scalar_subquery()
    every = aliased(Organisation)
    all_sites = (
        select(func.count(every.id)).where(every.kind == OrganisationKind.SITE).scalar_subquery()
    )
    enrolled = exists().where(
        SecondFactor.person_id == Person.id, SecondFactor.confirmed_at.is_not(None)
    )
    return (
        select(
            WebSession.csrf_token,
            WebSession.expires_at,
            WebSession.last_seen_at,
            WebSession.second_factor_at,
            WebSession.provider,
            Person.must_change_password,
            Person.password_changed_at,
            enrolled.label("enrolled"),
            Person.id.label("person_id"),
            Person.login,
            Person.display_name,
            Organisation.id.label("organisation_id"),
            Organisation.code,
            Organisation.name,
            Organisation.name_en,
            Organisation.kind,
            Membership.role,
            site_ids.label("site_ids"),
            consortium_sites.label("consortium_sites"),
            all_sites.label("all_sites"),
        )
        .join(Person, Person.id == WebSession.person_id)
        .join(Organisation, Organisation.id == WebSession.organisation_id)
        .join(
            Membership,
            and_(
                Membership.person_id == WebSession.person_id,
                Membership.organisation_id == WebSession.organisation_id,
                holds_today(),
            ),
            isouter=True,
        )
        .where(of_token, WebSession.ended_at.is_(None), Person.active)
    )


_SESSION: Final = _session_query()
