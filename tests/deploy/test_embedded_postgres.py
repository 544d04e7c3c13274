import os
import signal
import threading
from pathlib import Path

import psutil
import psycopg
import pytest
from sqlalchemy import create_engine, make_url, text

from deploy.embedded.postgres import EmbeddedPostgres
from deploy.embedded.sockets import LONGEST_SOCKET_PATH
from deploy.errors import AlreadyRunning, EmbeddedServerError
from tests.deploy.servers import OwnedServer, eventually, gone


def ask(url: str, question: str) -> object:
    engine = create_engine(url)
    try:
        with engine.begin() as connection:
            return connection.execute(text(question)).scalar()
    finally:
        engine.dispose()


def run(url: str, *statements: str) -> None:
    engine = create_engine(url)
    with engine.begin() as connection:
        for statement in statements:
            connection.execute(text(statement))
    engine.dispose()


def test_what_is_kept_survives_a_restart(tmp_path: Path) -> None:
    with EmbeddedPostgres(tmp_path / "pg") as server:
        run(server.url, "CREATE TABLE kept (word text)", "INSERT INTO kept VALUES ('钟')")
        pid = server.process.pid
    assert not psutil.pid_exists(pid)
    with EmbeddedPostgres(tmp_path / "pg") as server:
        assert ask(server.url, "SELECT word FROM kept") == "钟"


def test_how_it_is_set_up(tmp_path: Path) -> None:
    with EmbeddedPostgres(tmp_path / "pg") as server:
        for name, value in (
            ("fsync", "on"),
            ("full_page_writes", "on"),
            ("data_checksums", "on"),
            ("listen_addresses", ""),
            ("server_encoding", "UTF8"),
            ("TimeZone", "UTC"),
            ("is_superuser", "off"),
        ):
            assert ask(server.url, f"SELECT current_setting('{name}')") == value, name
        assert server.version


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has to step down")
def test_root_steps_down_even_below_a_closed_directory(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    with EmbeddedPostgres(closed / "pg", durable=False) as server:
        assert psutil.Process(server.process.pid).uids().effective != 0
        assert ask(server.url, "SELECT 1") == 1
    assert closed.stat().st_mode & 0o777 == 0o700, "no directory is opened wider for it"


def test_a_path_too_long_for_a_socket(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * LONGEST_SOCKET_PATH) / "pg"
    with EmbeddedPostgres(deep, durable=False) as server:
        socket = Path(str(make_url(server.url).query["host"]))
        assert ask(server.url, "SELECT 1") == 1
        assert socket.stat().st_mode & 0o077 == 0
    assert not socket.exists()


def test_a_second_owner_is_refused(tmp_path: Path) -> None:
    with (
        EmbeddedPostgres(tmp_path / "pg", durable=False) as server,
        pytest.raises(AlreadyRunning) as caught,
    ):
        EmbeddedPostgres(tmp_path / "pg").start()
    assert str(os.getpid()) in str(caught.value)
    assert "RDC_DATA_DIR" in str(caught.value)
    assert server is not None


def test_it_dies_with_its_owner(tmp_path: Path) -> None:
    owned = OwnedServer.start(tmp_path / "pg")
    owned.owner.kill()
    owned.owner.wait()
    assert eventually(lambda: gone(owned.postmaster))


def test_it_recovers_when_owner_and_server_were_killed(tmp_path: Path) -> None:
    owned = OwnedServer.start(tmp_path / "pg")
    run(owned.url, "CREATE TABLE kept (n int)", "INSERT INTO kept VALUES (7)")
    owned.owner.kill()
    owned.postmaster.kill()
    owned.owner.wait()
    with EmbeddedPostgres(tmp_path / "pg") as server:
        assert ask(server.url, "SELECT n FROM kept") == 7


@pytest.mark.slow
def test_it_ends_a_server_that_outlived_its_owner(tmp_path: Path) -> None:
    owned = OwnedServer.start(tmp_path / "pg")
    # Stopped, it cannot act on the signal of its owner's death.
    owned.postmaster.suspend()
    owned.owner.kill()
    owned.owner.wait()
    with EmbeddedPostgres(tmp_path / "pg") as server:
        assert ask(server.url, "SELECT 1") == 1
        assert gone(owned.postmaster)


def test_a_stale_pid_file_that_names_somebody_else_is_no_obstacle(tmp_path: Path) -> None:
    owned = OwnedServer.start(tmp_path / "pg")
    owned.owner.kill()
    owned.postmaster.kill()
    owned.owner.wait()
    pid_file = tmp_path / "pg" / "data" / "postmaster.pid"
    lines = pid_file.read_text().splitlines()
    pid_file.write_text("\n".join([str(os.getppid()), *lines[1:]]) + "\n")
    with EmbeddedPostgres(tmp_path / "pg") as server:
        assert ask(server.url, "SELECT 1") == 1


def test_a_half_made_cluster_is_made_again(tmp_path: Path) -> None:
    half = tmp_path / "pg" / "data.new-dead"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18\n")
    with EmbeddedPostgres(tmp_path / "pg", durable=False) as server:
        assert ask(server.url, "SELECT 1") == 1
    assert not half.exists()


def test_it_starts_again_at_the_same_address_after_a_crash(tmp_path: Path) -> None:
    with EmbeddedPostgres(tmp_path / ("d" * LONGEST_SOCKET_PATH), durable=False) as server:
        url = server.url
        server.process.send_signal(signal.SIGKILL)
        assert eventually(lambda: server.crashed)
        assert server.start() == url
        assert ask(url, "SELECT 1") == 1


def test_a_cluster_of_another_version_is_named(tmp_path: Path) -> None:
    data = tmp_path / "pg" / "data"
    data.mkdir(parents=True)
    (data / "PG_VERSION").write_text("9\n")
    with pytest.raises(EmbeddedServerError, match="found version 9"):
        EmbeddedPostgres(tmp_path / "pg").start()


def test_a_side_thread_may_not_own_it(tmp_path: Path) -> None:
    refused: list[EmbeddedServerError] = []

    def start() -> None:
        try:
            EmbeddedPostgres(tmp_path / "pg").start()
        except EmbeddedServerError as error:
            refused.append(error)

    thread = threading.Thread(target=start)
    thread.start()
    thread.join()
    assert "main thread" in str(refused[0])


def test_the_log_holds_no_values(tmp_path: Path) -> None:
    with EmbeddedPostgres(tmp_path / "pg", durable=False) as server:
        run(server.url, "CREATE TABLE patient (name text PRIMARY KEY)")
        run(server.url, "INSERT INTO patient VALUES ('WANG^XIAO')")
        parameters = make_url(server.url).set(drivername="postgresql").render_as_string()
        with (
            psycopg.connect(parameters) as connection,
            pytest.raises(psycopg.errors.UniqueViolation),
        ):
            connection.execute("INSERT INTO patient VALUES ('WANG^XIAO')")
    log = server.log.read_text()
    assert "duplicate key" in log
    assert "WANG" not in log
