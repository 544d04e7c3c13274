"""Roles begin and end with the centre's day, wherever UTC's is."""

from collections.abc import Sequence
from datetime import date

from sqlalchemy import select, update

from storage.civil_day import civil_day
from storage.database import Database
from storage.registry import Membership, valid_memberships
from tests.support.seed import Consortium

# At any moment their days are one or two apart.
FIRST, LAST = "Pacific/Kiritimati", "Etc/GMT+12"


def roles(database: Database, consortium: Consortium) -> Sequence[Membership]:
    with database.transaction() as session:
        return valid_memberships(session, consortium.people["writer"].id)


def day(database: Database) -> date:
    with database.transaction() as session:
        return session.scalars(select(civil_day())).one()


def test_a_role_begins_where_its_day_has_begun(consortium: Consortium) -> None:
    url = consortium.database.url
    ahead, behind = Database(url, time_zone=FIRST), Database(url, time_zone=LAST)
    with consortium.database.transaction() as session:
        session.execute(update(Membership).values(valid_from=day(ahead)))
    assert roles(ahead, consortium)
    assert not roles(behind, consortium)
    ahead.close()
    behind.close()


def test_a_role_ends_where_its_day_has_ended(consortium: Consortium) -> None:
    url = consortium.database.url
    ahead, behind = Database(url, time_zone=FIRST), Database(url, time_zone=LAST)
    with consortium.database.transaction() as session:
        last = day(behind)
        session.execute(update(Membership).values(valid_from=last, valid_until=last))
    assert not roles(ahead, consortium)
    assert roles(behind, consortium)
    ahead.close()
    behind.close()
