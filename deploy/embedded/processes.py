"""Child processes that die with their parent, and what is left of those that did not.

Every long-lived child is started through `launch.py`: in a session of its own,
so that Ctrl-C at the terminal reaches the supervisor alone, and with a
parent-death signal, so that it ends even when the supervisor is killed.
A `ProcessRecord` on disk names each one, so that the next start can end whatever
survived all the same.
"""

import fcntl
import json
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

import psutil

from deploy.errors import AlreadyRunning

LAUNCHER = Path(__file__).with_name("launch.py")
POLL_SECONDS = 0.01


@dataclass(frozen=True)
class Account:
    """An operating-system account that a child runs under, with at most one capability kept."""

    name: str
    uid: int
    gid: int
    capability: int | None = None


@dataclass(frozen=True)
class LaunchSpec:
    """What `launch.py` does to itself before it becomes the program."""

    parent: int
    death_signal: int
    umask: int
    uid: int | None
    gid: int | None
    capability: int | None


def spawn(
    program: Sequence[str | Path],
    *,
    log: IO[bytes] | int,
    death_signal: signal.Signals = signal.SIGTERM,
    account: Account | None = None,
    environment: Mapping[str, str] | None = None,
    directory: Path | None = None,
    inherited: Sequence[int] = (),
) -> subprocess.Popen[bytes]:
    """Start a program that ends when the calling *thread* ends.

    Linux ties the parent-death signal to the thread that forked, so call this
    from a thread that lives as long as the child should; the main thread, as a
    rule. Standard input is closed, standard output and error go to `log`; of other
    open files the child gets those in `inherited`.
    """
    return subprocess.Popen(  # noqa: S603 - the program is one of ours, never user input
        tied(program, death_signal=death_signal, account=account),
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=subprocess.STDOUT,
        env=None if environment is None else dict(environment),
        cwd=directory,
        pass_fds=tuple(inherited),
        start_new_session=True,
    )


def tied(
    program: Sequence[str | Path],
    *,
    death_signal: signal.Signals = signal.SIGTERM,
    account: Account | None = None,
) -> list[str]:
    """Return the command that becomes `program` and gets `death_signal` when its starter ends.

    The starter is the *thread* of this process that starts it (see `spawn`). The program is named
    by its whole path.
    """
    spec = LaunchSpec(
        parent=os.getpid(),
        death_signal=int(death_signal),
        umask=0o077,
        uid=account.uid if account else None,
        gid=account.gid if account else None,
        capability=account.capability if account else None,
    )
    return [
        sys.executable,
        "-I",
        "-S",
        str(LAUNCHER),
        json.dumps(asdict(spec)),
        *(str(part) for part in program),
    ]


def stop_by_steps(
    process: subprocess.Popen[bytes] | psutil.Process, steps: Sequence[tuple[signal.Signals, float]]
) -> None:
    """Send each signal in turn and give it its seconds, until the process is gone.

    The last step should be SIGKILL. Returns at once for a process that has ended.
    """
    for number, seconds in steps:
        try:
            process.send_signal(number)
            process.wait(timeout=seconds)
        except (subprocess.TimeoutExpired, psutil.TimeoutExpired):
            continue
        # The last one is Linux 6.18's word for a process that is being taken away at this moment,
        # which psutil does not know.
        except (psutil.NoSuchProcess, ProcessLookupError, FileNotFoundError):
            return
        else:
            return


@contextmanager
def exclusive(path: Path, what: str) -> Generator[None]:
    """Hold the lock file at `path` for the length of the block.

    The file names the holder's process id. The kernel frees the lock when the
    holder ends, however it ends, so a stale file never blocks anyone.
    Raises AlreadyRunning, naming the holder, when another process has it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+", encoding="ascii") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            handle.seek(0)
            holder = handle.read().strip() or "unknown"
            raise AlreadyRunning(
                f"{what} is already in use",
                expected="a data directory that no other rdc process uses",
                found=f"process {holder} holding {path}",
                remedy="Stop that process first, or name another directory with RDC_DATA_DIR.",
            ) from None
        handle.seek(0)
        handle.truncate()
        handle.write(f"{os.getpid()}\n")
        handle.flush()
        yield


def _birth(pid: int) -> str:
    """Return what tells this process from a later one of the same id.

    On Linux that is the boot and the clock tick since then; a time of day would
    shift whenever the machine's clock is set. Raises psutil.NoSuchProcess.
    """
    if not psutil.LINUX:
        return str(psutil.Process(pid).create_time())
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        # proc(5): after the command in parentheses, starttime is the 20th field.
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError) as error:
        raise psutil.NoSuchProcess(pid) from error
    return f"{boot}/{fields[19]}"


@dataclass(frozen=True)
class ProcessRecord:
    """A child as the next start can recognise it: a process id alone may be reused."""

    name: str
    pid: int
    birth: str

    @classmethod
    def of(cls, name: str, pid: int) -> "ProcessRecord":
        """Describe a running process. Raises psutil.NoSuchProcess when it is gone."""
        return cls(name=name, pid=pid, birth=_birth(pid))

    def find(self) -> psutil.Process | None:
        """Return the process if it still runs and is the same one, else None."""
        try:
            process = psutil.Process(self.pid)
            if _birth(self.pid) != self.birth or process.status() == psutil.STATUS_ZOMBIE:
                return None
        except psutil.NoSuchProcess:
            return None
        return process

    def write(self, directory: Path) -> None:
        """Keep the record as `<name>.pid` in the directory, replacing an older one at once."""
        directory.mkdir(parents=True, exist_ok=True)
        target = directory / f"{self.name}.pid"
        fresh = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
        fresh.write_text(json.dumps(asdict(self)), encoding="ascii")
        fresh.replace(target)

    @classmethod
    def read_all(cls, directory: Path) -> list["ProcessRecord"]:
        """Read every record of the directory, sorted by name; one that is damaged is left out."""
        records: list[ProcessRecord] = []
        for path in sorted(directory.glob("*.pid")):
            try:
                found = json.loads(path.read_text(encoding="ascii"))
                records.append(cls(str(found["name"]), int(found["pid"]), str(found["birth"])))
            except (OSError, ValueError, KeyError, TypeError):
                continue
        return records

    @staticmethod
    def forget(directory: Path, name: str) -> None:
        """Remove the record; absent is fine."""
        (directory / f"{name}.pid").unlink(missing_ok=True)


@contextmanager
def recorded(name: str, directory: Path) -> Generator[None]:
    """Keep the record of this process in the directory while the block runs.

    For a process that its supervisor did not start itself.
    """
    own = ProcessRecord.of(name, os.getpid())
    own.write(directory)
    try:
        yield
    finally:
        # A successor of the same name may have begun already.
        if own in ProcessRecord.read_all(directory):
            ProcessRecord.forget(directory, name)


def wait_until_gone(process: psutil.Process, seconds: float) -> bool:
    """Wait for a process that is not our child; True when it has ended."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            if process.status() == psutil.STATUS_ZOMBIE:
                return True
        except psutil.NoSuchProcess:
            return True
        time.sleep(POLL_SECONDS)
    return False
