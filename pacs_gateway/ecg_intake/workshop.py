"""Files of strangers are read in processes of their own, which may be ended at any time.

A parser that loops, or believes a header that claims ten gigabytes, takes its
process with it and nothing else. The processes stay for the next file, since
starting one takes half a second.
"""

import logging
import select
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from pacs_gateway.ecg_intake import workshop_child
from pacs_gateway.ecg_intake.conversion import Conversion, Outcome, Request, out_of_bounds
from pacs_gateway.ecg_intake.formats import detect

_ROOT: Final = Path(__file__).resolve().parents[2]
_COMMAND: Final = (sys.executable, "-m", workshop_child.__name__)
_IDLE: Final = 2
_FILES: Final = 200
"""After so many files a process has done its work: libraries keep what they once allocated."""
_LARGE: Final = 16 << 20
_TRIES: Final = 2
_STOP_SECONDS: Final = 5.0
_MEBIBYTE: Final = 1 << 20

_log = logging.getLogger(__name__)


class _Ended(Exception):
    """The process ended, or had to be, before it answered."""


class Workshop:
    """Converts files in processes of its own; any thread may call it. A context manager."""

    def __init__(
        self,
        *,
        seconds: float = 2.0 * workshop_child.CPU_SECONDS,
        command: Sequence[str] = _COMMAND,
    ) -> None:
        """Prepare; a process is started with the first file.

        seconds: how long one file may take by the clock, and twice the bound of its processor time
            by size on top of it.
        command: the program that reads; it speaks as `workshop_child.serve` does.
        """
        self._command = command
        self._seconds = seconds
        self._idle: list[_Process] = []
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the processes."""
        self.close()

    def warm_up(self) -> None:
        """Have a process ready, so that the first file need not wait for it."""
        process = self._take()
        process.wait_until_ready(self._seconds)
        self._give_back(process)

    def close(self) -> None:
        """End the processes that wait for work."""
        with self._lock:
            idle, self._idle = self._idle, []
        for process in idle:
            process.end()

    def convert(self, source: Path, target: Path, request: Request) -> Conversion:
        """Do as `conversion.convert`; a file that ends its process twice is unreadable.

        Raises:
            OSError: the disk failed, or no process can be started.
        """
        size = source.stat().st_size
        per_mebibyte = 2.0 * workshop_child.CPU_SECONDS_PER_MEBIBYTE
        seconds = self._seconds + per_mebibyte * size / _MEBIBYTE
        line = workshop_child.job(source, target, request)
        for attempt in range(1, _TRIES + 1):
            process = self._take()
            try:
                done = workshop_child.answer(process.ask(line, seconds))
            except (_Ended, ValueError, KeyError) as error:
                process.end()
                _log.warning(
                    "reading an ECG file ended its process",
                    extra={"attempt": attempt, "why": str(error), "bytes": size},
                )
                continue
            if size > _LARGE:
                # It keeps the memory that a long record took; the next file needs none of it.
                process.end()
            else:
                self._give_back(process)
            return done
        return Conversion(
            Outcome.UNREADABLE,
            detect(source),
            problem=out_of_bounds("the process that read it was ended"),
        )

    def _take(self) -> "_Process":
        with self._lock:
            if self._idle:
                return self._idle.pop()
        return _Process(self._command)

    def _give_back(self, process: "_Process") -> None:
        with self._lock:
            if len(self._idle) < _IDLE and process.files < _FILES:
                self._idle.append(process)
                return
        process.end()


class _Process:
    """One process; used by one thread at a time."""

    def __init__(self, command: Sequence[str]) -> None:
        self.files = 0
        self._ready = False
        # An empty environment: what reads strangers' files knows no password. A session of its own:
        # Ctrl-C at our terminal is for us to handle.
        self._process = subprocess.Popen(  # noqa: S603 -- our own program
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=_ROOT,
            env={"OPENBLAS_NUM_THREADS": "1", "PYTHONUTF8": "1"},
            start_new_session=True,
            bufsize=0,
        )

    def wait_until_ready(self, seconds: float) -> None:
        """Wait until the process has loaded what it needs, or for so many seconds."""
        if not self._ready:
            answers = self._process.stdout
            assert answers is not None
            self._ready = bool(select.select([answers], [], [], seconds)[0]) and bool(
                answers.readline()
            )

    def ask(self, line: str, seconds: float) -> str:
        """Return the answer to a line.

        Raises:
            _Ended: there was none within so many seconds.
        """
        self.wait_until_ready(seconds)
        self.files += 1
        given, answers = self._process.stdin, self._process.stdout
        assert given is not None
        assert answers is not None
        try:
            given.write(line.encode() + b"\n")
        except OSError as error:
            raise _Ended("it was gone") from error
        found = bytearray()
        while not found.endswith(b"\n"):
            ready, _, _ = select.select([answers], [], [], seconds)
            if not ready:
                raise _Ended("it took too long")
            piece = answers.read(1 << 16)
            if not piece:
                raise _Ended("it ended")
            found += piece
        return found.decode()

    def end(self) -> None:
        """End the process and wait for it."""
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        self._process.kill()
        self._process.wait(_STOP_SECONDS)
