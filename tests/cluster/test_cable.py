"""A server whose cable is pulled closes nothing: who talks to it has to notice by himself."""

import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from storage import pool
from storage.database import Database
from storage.objects import ObjectKey, ObjectStoreUnavailable, open_object_store, s3_connection
from tests.cluster.network import Network, require_namespaces
from tests.cluster.servers import Postgres
from tests.e2e.system import wait_for

MACHINES = {"db1": "10.77.0.11", "site": "10.77.0.100"}
_NOTICED_SECONDS = 15.0


@pytest.fixture
def network() -> Iterator[Network]:
    require_namespaces()
    with Network(MACHINES) as made, made.inside("site"):
        yield made


@pytest.fixture
def server(network: Network, tmp_path: Path) -> Postgres:
    """A database on another machine; the network ends it."""
    made = Postgres(network, "db1", tmp_path)
    made.create()
    made.start()
    made.make_database("rdc")
    return made


def test_a_query_notices_a_pulled_cable_and_the_server_frees_its_locks(
    network: Network, server: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The same words with less patience.
    quick = {"keepalives_idle": 1, "keepalives_interval": 1, "tcp_user_timeout": 2000}
    monkeypatch.setattr(pool, "LIVENESS", {**pool.LIVENESS, **quick})
    options = pool.OPTIONS
    for name, slow, fast in (
        ("tcp_keepalives_idle", 10, 1),
        ("tcp_keepalives_interval", 3, 1),
        ("tcp_user_timeout", 20_000, 2_000),
    ):
        assert f"{name}={slow}" in options
        options = options.replace(f"{name}={slow}", f"{name}={fast}")
    monkeypatch.setattr(pool, "OPTIONS", options)
    database = Database(Postgres.url(server))
    with database.transaction() as session:
        session.execute(text("CREATE TABLE shared (id int)"))

    def ask() -> None:
        with database.transaction() as session:
            session.execute(text("LOCK TABLE shared"))
            network.cut("db1")
            session.execute(text("SELECT 1"))

    began = time.monotonic()
    with pytest.raises(OperationalError):
        ask()
    assert time.monotonic() - began < _NOTICED_SECONDS

    def free() -> bool | None:
        held = "SELECT count(*) FROM pg_locks WHERE mode = 'AccessExclusiveLock'"
        return True if server.execute(held) == [(0,)] else None

    # By the server's own socket, which needs no cable: it has noticed, too.
    wait_for("the lock to be free", free, timeout=_NOTICED_SECONDS)
    network.mend("db1")
    with database.transaction() as session:
        assert session.scalar(text("SELECT count(*) FROM shared")) == 0
    database.close()


@pytest.mark.slow
def test_who_waits_for_an_s3_store_notices_a_pulled_cable(
    network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    quick = {"TCP_KEEPIDLE": 1, "TCP_KEEPINTVL": 1, "TCP_KEEPCNT": 2, "TCP_USER_TIMEOUT": 2_000}
    assert quick.keys() == s3_connection.LIVENESS.keys()
    monkeypatch.setattr(s3_connection, "LIVENESS", quick)
    address = (MACHINES["db1"], 9000)
    with network.inside("db1"):
        listening = socket.create_server(address)

    def cut_when_asked() -> None:
        with listening.accept()[0] as asking:
            assert asking.recv(1)
            network.cut("db1")
            # Nobody answers; the line falls silent while the one who asked waits.
            ended.wait()

    store = open_object_store(
        "s3://a:b@{}:{}/bucket?secure=0&conditional_writes=0".format(*address)
    )
    began = time.monotonic()
    ended = threading.Event()
    cutting = threading.Thread(target=cut_when_asked)
    cutting.start()
    try:
        with listening, pytest.raises(ObjectStoreUnavailable):
            store.stat(ObjectKey("a"))
    finally:
        ended.set()
        cutting.join()
    # An answer is waited for a minute, and asked for again.
    assert time.monotonic() - began < 2 * _NOTICED_SECONDS
