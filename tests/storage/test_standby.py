"""Reads at a standby: nothing old is ever shown, and a standby that fails is nobody's failure."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing

import psycopg
import pytest
from sqlalchemy import func, make_url, select, text
from sqlalchemy.exc import DBAPIError, InternalError
from sqlalchemy.orm import Session

from deploy.doctor import standby as doctor_of_standby
from deploy.doctor.findings import Severity
from deploy.embedded.postgres import EmbeddedPostgres
from deploy.settings import load
from storage import audit
from storage.audit import AuditRecord
from storage.database import Database
from storage.index.tables import Study
from storage.standby import StandbyReads, StandbyState, attempt, standing_of
from storage.walls import within
from tests.e2e.system import wait_for
from tests.support.seed import Consortium
from tests.support.standby import (
    StreamingStandby,
    commit_to_disk,
    following,
    new_word,
    wait_until,
)

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def standby(postgres: EmbeddedPostgres) -> Iterator[StreamingStandby]:
    with following(postgres) as made:
        yield made


@pytest.fixture
def database(
    database_url: str, postgres: EmbeddedPostgres, consortium_database: str
) -> Iterator[Database]:
    commit_to_disk(postgres, database_url)
    with closing(Database(database_url)) as opened:
        yield opened


@pytest.fixture
def reads(
    database: Database, database_url: str, standby: StreamingStandby
) -> Iterator[StandbyReads]:
    with closing(StandbyReads(database, standby.url(database_url))) as opened:
        wait_until(opened, StandbyState.FIT)
        yield opened


def write(database: Database) -> str:
    word = new_word()
    with database.transaction() as session:
        audit.record(
            session,
            audit.Actor(person_id=None, organisation_id=None, client="test"),
            "test:write",
            subject_kind="test",
            subject_id=word,
        )
    return word


def state_of(database: Database, standby: StreamingStandby) -> StandbyState:
    return standing_of(database, standby.url(database.url), patience=0.2)[0]


def is_written(session: Session, word: str) -> bool:
    return session.scalar(select(func.count()).where(AuditRecord.subject_id == word)) == 1


def at_standby(session: Session) -> bool:
    return bool(session.scalar(text("SELECT pg_is_in_recovery()")))


def test_who_reads_sees_what_was_written_a_moment_ago(
    reads: StandbyReads, database: Database
) -> None:
    answered = 0
    for _ in range(100):
        word = write(database)
        with reads.transaction() as session:
            assert is_written(session, word)
            answered += at_standby(session)
        with reads.reading() as connection:
            found = select(func.count()).where(AuditRecord.subject_id == word)
            assert connection.scalar(found) == 1
    # On a busy machine it is late now and then, and the primary answers.
    assert answered > 30


@pytest.mark.usefixtures("reads")
def test_what_is_written_through_it_is_refused(
    database_url: str, standby: StreamingStandby
) -> None:
    # Also where the address leads to a server that takes writes, after a failover for example.
    for url in (standby.url(database_url), database_url):
        with closing(Database(url, pool_size=1, reads_only=True)) as place:
            with pytest.raises(InternalError) as refused:
                write(place)
            assert isinstance(refused.value.orig, psycopg.errors.ReadOnlySqlTransaction)


def test_sites_are_kept_apart_there_as_well(reads: StandbyReads, database: Database) -> None:
    consortium = Consortium(database)
    consortium.complete_study()
    wait_until(reads, StandbyState.FIT)
    for site, seen in ((consortium.east.id, 1), (consortium.west.id, 0)):
        with within([site]), reads.transaction() as session:
            wall = session.scalar(text("SELECT current_user"))
            assert (wall, session.scalar(select(func.count()).select_from(Study))) == (
                "rdc_site",
                seen,
            )


def test_a_standby_that_replays_no_more_is_not_asked(
    reads: StandbyReads, database: Database, standby: StreamingStandby
) -> None:
    standby.pause()
    try:
        for word in [write(database) for _ in range(5)]:
            with reads.transaction() as session:
                assert is_written(session, word)
                assert not at_standby(session)
        wait_until(reads, StandbyState.BEHIND)
        assert state_of(database, standby) is StandbyState.BEHIND
    finally:
        standby.resume()
    wait_until(reads, StandbyState.FIT)


def test_nobody_notices_that_a_standby_dies_and_comes_back(
    reads: StandbyReads, database: Database, standby: StreamingStandby
) -> None:
    def work_while_it_dies() -> bool | None:
        with reads.transaction() as session:
            # On a busy machine it is late now and then, and the primary answers.
            if not at_standby(session):
                return None
            standby.kill()
            session.execute(text("SELECT 1"))
            return True

    with attempt() as tried:
        with pytest.raises(DBAPIError):
            wait_for("work at the standby", work_while_it_dies)
        assert tried.failed
        # The work is begun again, and this time at the primary, whatever the watch says.
        word = write(database)
        with reads.transaction() as session:
            assert is_written(session, word)
            assert not at_standby(session)
    # Connections that have died in the pool fail nobody, even before the watch has looked.
    reads.watch._state = StandbyState.FIT  # pyright: ignore[reportPrivateUsage]
    with reads.transaction() as session:
        assert is_written(session, word)
    wait_until(reads, StandbyState.AWAY)
    assert state_of(database, standby) is StandbyState.AWAY
    [told] = doctor_of_standby.look(
        load(database_url=database.url, database_read_url=standby.url(database.url))
    )
    assert (told.severity, told.what[:15]) == (Severity.WARNING, "does not answer")
    standby.start()
    wait_until(reads, StandbyState.FIT)
    assert state_of(database, standby) is StandbyState.FIT


def test_a_server_of_another_history_is_not_asked(
    postgres: EmbeddedPostgres,
    new_database: Callable[..., AbstractContextManager[str]],
) -> None:
    with (
        new_database() as url,
        following(postgres) as promoted,
        following(postgres) as left,
    ):
        commit_to_disk(postgres, url)
        promoted.promote()
        with closing(Database(url)) as before, closing(Database(promoted.url(url))) as now:
            # The primary of before goes on, and the other standby follows it: lost commits.
            lost = [write(before) for _ in range(20)][-1]
            for place in (left, promoted):
                with closing(StandbyReads(now, place.url(url))) as reads:
                    wait_until(reads, StandbyState.FOREIGN)
                    reads.watch._state = StandbyState.FIT  # pyright: ignore[reportPrivateUsage]
                    with reads.transaction() as session:
                        assert not at_standby(session)
                        assert not is_written(session, lost)


def test_another_standby_is_found_when_the_first_becomes_a_primary(
    postgres: EmbeddedPostgres, new_database: Callable[..., AbstractContextManager[str]]
) -> None:
    with (
        new_database() as url,
        following(postgres) as first,
        following(postgres) as second,
        closing(Database(url)) as primary,
    ):
        commit_to_disk(postgres, url)
        both = (
            make_url(first.url(url))
            .update_query_dict({"host": f"{first.directory},{second.directory}"})
            .update_query_dict({"target_session_attrs": "standby"})
            .render_as_string(hide_password=False)
        )
        with closing(StandbyReads(primary, both)) as reads:

            def there() -> bool | None:
                with reads.transaction() as session, reads.reading() as connection:
                    found = connection.scalar(text("SELECT pg_is_in_recovery()"))
                    return (found and at_standby(session)) or None

            # Not at once: on a busy machine it is late now and then, and the primary answers.
            wait_for("reads at one standby", there, timeout=20.0)
            first.promote()
            wait_for("reads at the other standby", there, timeout=20.0)
