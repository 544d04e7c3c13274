"""Who does a work that one process of a centre does."""

from datetime import timedelta

from sqlalchemy import text

from storage.database import Database
from storage.leases import Candidate

LASTS = timedelta(seconds=30)


def holds(database: Database, candidate: Candidate) -> bool:
    with database.transaction() as session:
        return candidate.holds(session)


def test_one_has_it_until_it_is_silent_for_as_long_as_the_lease_lasts(database: Database) -> None:
    one, other = Candidate("clock", lasts=LASTS), Candidate("clock", lasts=LASTS)
    assert holds(database, one)
    assert not holds(database, other)
    assert holds(database, one)
    with database.transaction() as session:
        session.execute(text("UPDATE lease SET held_until = now()"))
    assert holds(database, other)
    assert not holds(database, one)


def test_who_gives_it_up_leaves_it_to_another_and_nobody_elses(database: Database) -> None:
    one, other = Candidate("clock", lasts=LASTS), Candidate("clock", lasts=LASTS)
    assert holds(database, one)
    with database.transaction() as session:
        other.give_up(session)
    assert not holds(database, other)
    with database.transaction() as session:
        one.give_up(session)
    assert holds(database, other)


def test_each_work_has_its_own(database: Database) -> None:
    assert holds(database, Candidate("clock", lasts=LASTS))
    assert holds(database, Candidate("another", lasts=LASTS))
