"""Wrong passwords cost time: who guesses is made to wait, longer each time.

Three counts run beside each other: one login from one address, one login from
everywhere, one address for every login. The first is strict; the other two are
wide, since a whole clinic may come from one address, and a stranger must not be able
to lock a doctor out. A try is counted before the password is looked at, in a
transaction of its own, so that many at once give no guess for free. What
is not a login is counted alike: the answer tells nothing of who exists.
"""

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Final

from sqlalchemy import case, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from reading_worklist.access.tables import SignInThrottle
from reading_worklist.problems import Problem
from storage.clock import utc_now


@dataclass(frozen=True, slots=True)
class Patience:
    """How many tries are free, and how long one waits after the others.

    first: the wait after the last free try; it doubles with each further one up to `longest`.
    window: tries are counted from the first of them; after so long the count begins anew.
    """

    free: int
    first: timedelta
    longest: timedelta
    window: timedelta

    def wait(self, tries: int) -> timedelta | None:
        """Return how long to wait after so many tries without success; None while they are free."""
        over = tries - self.free
        if over < 0:
            return None
        # Twenty doublings are longer than any limit; many more would not be a timedelta.
        return min(self.longest, self.first * 2 ** min(over, 20))


_LONGEST: Final = timedelta(minutes=15)
_DAY: Final = timedelta(days=1)
LOGIN_AT_ADDRESS: Final = Patience(5, timedelta(seconds=30), _LONGEST, _DAY)
LOGIN: Final = Patience(50, timedelta(minutes=1), _LONGEST, _DAY)
ADDRESS: Final = Patience(200, timedelta(minutes=1), _LONGEST, timedelta(hours=1))


def too_many(until: datetime) -> Problem:
    """Return the answer for who has to wait."""
    seconds = max(1, round((until - utc_now()).total_seconds()))
    return Problem(
        HTTPStatus.TOO_MANY_REQUESTS,
        "too-many-attempts",
        "Too many wrong passwords",
        remedy=f"Wait {seconds} s, then try again; or have your password renewed.",
        members={"locked_until": until.isoformat()},
        retry_after=seconds,
    )


def count_try(
    session: Session, login: str, client: str, *, now: datetime | None = None
) -> Mapping[str, int]:
    """Count one try to sign in, to be committed before the password is looked at.

    Returns what it is counted as, for `take_back`.

    Raises:
        Problem: 429, when this login or address has to wait; such a try is not counted.
    """
    now = now or utc_now()
    rules = _rules(login, client)
    login_keys = dict.fromkeys((_key(login, client), _key(login, "")), _key(login, ""))
    blocked: list[datetime] = []
    counted: dict[str, int] = {}
    # Always in the same order: two tries at once never wait for each other.
    for key in sorted(rules):
        over = SignInThrottle.began_at <= now - rules[key].window
        tries = session.execute(
            insert(SignInThrottle)
            .values(key=key, tries=1, began_at=now, login_key=login_keys.get(key))
            .on_conflict_do_update(
                index_elements=["key"],
                set_={
                    "tries": case((over, 1), else_=SignInThrottle.tries + 1),
                    "began_at": case((over, now), else_=SignInThrottle.began_at),
                    "login_key": login_keys.get(key),
                },
                where=SignInThrottle.blocked_until.is_(None)
                | (SignInThrottle.blocked_until <= now),
            )
            .returning(SignInThrottle.tries)
        ).scalar()
        if tries is None:
            blocked.append(session.get_one(SignInThrottle, key).blocked_until or now)
            continue
        counted[key] = tries
        wait = rules[key].wait(tries)
        if wait is not None:
            session.execute(
                update(SignInThrottle)
                .where(SignInThrottle.key == key)
                .values(blocked_until=now + wait)
            )
    if blocked:
        raise too_many(max(blocked))
    return counted


def take_back(session: Session, counted: Mapping[str, int]) -> None:
    """Take back a try that was no guess: the password was right, and a code is asked for next.

    Only the one try: what was guessed before stays counted, or a code could be guessed for ever
    by whoever knows the password.
    """
    for key in sorted(counted):
        session.execute(
            update(SignInThrottle)
            .where(SignInThrottle.key == key)
            .values(
                tries=SignInThrottle.tries - 1,
                # The wait that this very try began, if nobody tried after it.
                blocked_until=case(
                    (SignInThrottle.tries == counted[key], None),
                    else_=SignInThrottle.blocked_until,
                ),
            )
        )


def waits(session: Session, logins: Collection[str], *, now: datetime) -> dict[str, datetime]:
    """Return until when these logins have to wait somewhere, those that do."""
    by_key = {_key(login, ""): login for login in logins}
    found = session.execute(
        select(SignInThrottle.login_key, func.max(SignInThrottle.blocked_until))
        .where(SignInThrottle.login_key.in_(by_key), SignInThrottle.blocked_until > now)
        .group_by(SignInThrottle.login_key)
    )
    return {by_key[str(key)]: until for key, until in found if until is not None}


def lift(session: Session, login: str) -> bool:
    """Let a login try again at once from everywhere; tells whether anything was counted."""
    lifted = session.execute(
        delete(SignInThrottle)
        .where(SignInThrottle.login_key == _key(login, ""))
        .returning(SignInThrottle.key)
    ).all()
    return bool(lifted)


def forgive(session: Session, login: str, client: str, *, now: datetime | None = None) -> None:
    """Forget the tries of a login, which has just been signed in with, and what is long past.

    Of its address only this one try is forgotten: who knows one password may be guessing others.
    """
    now = now or utc_now()
    session.execute(
        update(SignInThrottle)
        .where(SignInThrottle.key == _key("", client))
        .values(
            tries=SignInThrottle.tries - 1,
            blocked_until=case(
                (SignInThrottle.tries <= ADDRESS.free, None), else_=SignInThrottle.blocked_until
            ),
        )
    )
    session.execute(
        delete(SignInThrottle).where(
            SignInThrottle.key.in_((_key(login, client), _key(login, "")))
            | (SignInThrottle.began_at <= now - _DAY)
        )
    )


def _rules(login: str, client: str) -> dict[str, Patience]:
    return {
        _key(login, client): LOGIN_AT_ADDRESS,
        _key(login, ""): LOGIN,
        _key("", client): ADDRESS,
    }


def _key(login: str, client: str) -> str:
    """Return what is counted; a digest, since people type passwords into the wrong field."""
    return hashlib.sha256(f"{login}\n{client}".encode()).hexdigest()
