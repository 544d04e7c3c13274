"""What is done again and again goes on after a failure, and can be ended at any time."""

import logging
import subprocess
import sys
import threading

import pytest

from pacs_gateway.ticking import Ticking


def test_it_goes_on_after_a_failure_and_ends_when_asked(caplog: pytest.LogCaptureFixture) -> None:
    rounds = threading.Semaphore(0)
    failures = iter([OSError("not now")])

    def work(_stopping: threading.Event) -> None:
        rounds.release()
        for failure in failures:
            raise failure

    ticking = Ticking("a work", work, every=0.001, trouble="cannot be done now")
    with caplog.at_level(logging.WARNING):
        ticking.start()
        for _ in range(3):
            assert rounds.acquire(timeout=10)
        ticking.stop()
    assert [one.getMessage() for one in caplog.records] == ["cannot be done now"]
    assert "a work" not in {thread.name for thread in threading.enumerate()}


def test_a_round_that_could_go_on_is_told_to_end() -> None:
    begun = threading.Event()

    def work(stopping: threading.Event) -> None:
        begun.set()
        stopping.wait()

    ticking = Ticking("a long work", work, every=0.0, trouble="")
    ticking.start()
    assert begun.wait(10)
    ticking.stop()


def test_stopped_before_it_began_nothing_is_waited_for() -> None:
    Ticking("never", lambda _stopping: None, every=1.0, trouble="").stop()


def test_a_process_that_ends_without_stopping_it_ends() -> None:
    program = (
        "from pacs_gateway.ticking import Ticking\n"
        "Ticking('left', lambda stopping: stopping.wait(), every=0.0, trouble='').start()\n"
        "raise SystemExit(7)\n"
    )
    ended = subprocess.run([sys.executable, "-c", program], check=False, timeout=30)
    assert ended.returncode == 7
