"""Wrong passwords cost time: who guesses is made to wait, longer each time.

Three counts run beside each other: one login from one address, one login from
everywhere, one address for every login. The first is strict; the other two are
wide, since a whole clinic may come from one address, and a stranger must not be able
to lock a doctor out. A try is counted before the password is looked at, in a
transaction of its own, so that many at once give no guess for free. What
is not a login is counted alike: the answer tells nothing of who exists.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Final

from sqlalchemy import case, delete, update
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


def count_try(session: Session, login: str, client: str, *, now: datetime | None = None) -> None:
    """Count one try to sign in, to be committed before the password is looked at.

    Raises:
        Problem: 429, when this login or address has to wait; such a try is not counted.
    """
    now = now or utc_now()
    rules = _rules(login, client)
    blocked: list[datetime] = []
    # Always in the same order: two tries at once never wait for each other.
    for key in sorted(rules):
        over = SignInThrottle.began_at <= now - rules[key].window
        tries = session.execute(
            insert(SignInThrottle)
            .values(key=key, tries=1, began_at=now)
            .on_conflict_do_update(
                index_elements=["key"],
                set_={
                    "tries": case((over, 1), else_=SignInThrottle.tries + 1),
                    "began_at": case((over, now), else_=SignInThrottle.began_at),
                },
                where=SignInThrottle.blocked_until.is_(None)
                | (SignInThrottle.blocked_until <= now),
            )
            .returning(SignInThrottle.tries)
        ).scalar()
        if tries is None:
            blocked.append(session.get_one(SignInThrottle, key).blocked_until or now)
            continue
        wait = rules[key].wait(tries)
        if wait is not None:
            session.execute(
                update(SignInThrottle)
                .where(SignInThrottle.key == key)
                .values(blocked_until=now + wait)
            )
    if blocked:
        raise too_many(max(blocked))


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
