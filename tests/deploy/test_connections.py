"""Connections to the database: how many there may be, and for how long one is waited for."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, nullcontext
from pathlib import Path
from threading import Barrier

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from deploy.connections import ECG_INTAKE, OTHERS, PLAIN, RELAY, of_system, of_web, of_worker
from deploy.doctor import connections
from deploy.doctor.findings import Severity
from deploy.settings import load
from deploy.supervisor import children_of
from storage.database import Database, as_owner
from storage.walls import within

_HELD = text("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'rdc test/9'")


def test_a_system_gets_what_its_processes_may_hold(tmp_path: Path) -> None:
    settings = load(data_dir=tmp_path, gateway_listeners=2, web_processes=2, mllp_port=2575)
    names = [spec.name for spec in children_of(settings)]
    workers = {"messages": 4, "returns": 32, "ecg": 2, "analysis": 1, "preparation": 1}
    shares = [
        *[PLAIN] * 3,  # two that receive and one that files
        PLAIN,  # HL7
        ECG_INTAKE,
        RELAY,
        *[of_web()] * 2,
        *(of_worker(number, settings) for number in workers.values()),
    ]
    assert of_system(names, settings) == sum(one.most for one in shares) + OTHERS
    one = load(data_dir=tmp_path, gateway_listeners=2, web_processes=1, mllp_port=2575)
    fewer = [spec.name for spec in children_of(one)]
    assert of_system(names, settings) - of_system(fewer, one) == of_web().most


def test_nobody_holds_more_than_he_tells(database_url: str) -> None:
    at_once = 6
    together = Barrier(at_once)
    with (
        closing(Database(database_url, pool_size=3, name="test/9")) as database,
        closing(Database(database_url)) as asking,
        ThreadPoolExecutor(at_once) as threads,
    ):

        def work(number: int) -> None:
            whose = within([]) if number < at_once // 2 else nullcontext()
            with whose, database.reading() as connection:
                connection.execute(text("SELECT 1"))
                together.wait(30)

        for first in (0, 2):
            # Each time others are of the site's standing; those before have left theirs behind.
            list(threads.map(work, range(first, first + at_once)))
            with asking.transaction() as session:
                as_owner(session)
                held = session.scalar(_HELD)
            assert 0 < (held or 0) <= database.most_connections(at_once)


def test_the_doctor_adds_up_what_processes_tell(database_url: str) -> None:
    with (
        closing(Database(database_url)) as asking,
        closing(Database(database_url, name=RELAY.told("relay"))) as relay,
    ):
        with relay.reading() as connection:
            connection.execute(text("SELECT 1"))

        def told() -> tuple[Severity, str]:
            with asking.transaction() as session:
                as_owner(session)
                [found] = connections.look(session)
            return found.severity, f"{found.what} {found.remedy}"

        severity, words = told()
        assert severity is Severity.FINE
        assert f"1 processes that are connected may hold {RELAY.most + OTHERS} " in words
        with (
            closing(Database(database_url, name="web-1/5000")) as web,
            web.reading() as connection,
        ):
            connection.execute(text("SELECT 1"))
            severity, words = told()
        assert severity is Severity.WARNING
        assert "max_connections = 50" in words


def test_a_page_does_not_wait_for_ever(database_url: str) -> None:
    def wait(session: Session) -> None:
        session.execute(text("SELECT pg_sleep(20)"))

    def lock(session: Session) -> None:
        session.execute(text("LOCK TABLE lease"))

    with (
        closing(Database(database_url, patience=0.1)) as page,
        closing(Database(database_url)) as other,
        other.transaction() as held,
    ):
        lock(held)
        for what in (wait, lock):
            with pytest.raises(OperationalError), page.transaction() as session:
                what(session)
