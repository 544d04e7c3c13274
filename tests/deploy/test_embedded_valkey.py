import signal
from pathlib import Path

import psutil
import pytest

from deploy.celery_app import BrokerUnavailable, Wakeups
from deploy.embedded.sockets import LONGEST_SOCKET_PATH
from deploy.embedded.valkey import EmbeddedValkey
from deploy.errors import AlreadyRunning
from tests.deploy.servers import eventually


def test_celery_reaches_it(tmp_path: Path) -> None:
    with EmbeddedValkey(tmp_path / "valkey") as server:
        Wakeups(server.url).check()
        pid = server.process.pid
        assert not psutil.Process(pid).net_connections("tcp"), "no port to clash"
    assert not psutil.pid_exists(pid)


def test_a_path_too_long_for_a_socket(tmp_path: Path) -> None:
    with EmbeddedValkey(tmp_path / ("d" * LONGEST_SOCKET_PATH)) as server:
        Wakeups(server.url).check()


def test_a_second_one_is_refused(tmp_path: Path) -> None:
    with EmbeddedValkey(tmp_path / "valkey"), pytest.raises(AlreadyRunning):
        EmbeddedValkey(tmp_path / "valkey").start()


def test_it_starts_again_at_the_same_address_after_a_crash(tmp_path: Path) -> None:
    with EmbeddedValkey(tmp_path / "valkey") as server:
        url = server.url
        server.process.send_signal(signal.SIGKILL)
        assert eventually(lambda: server.crashed)
        with pytest.raises(BrokerUnavailable):
            Wakeups(url).check()
        assert server.start() == url
        Wakeups(url).check()
