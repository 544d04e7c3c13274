"""The contenders, each a whole running system with its own directory and ports, and what they did.

A stage lives for one world of rows. A contender is started when it is first asked for.
"""

import itertools
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self, TypeVar

import httpx
import psutil
from sqlalchemy import select

from deploy.embedded.processes import ProcessRecord
from deploy.settings import QUIET_SECONDS
from storage.database import Database
from storage.index.tables import Series, Study, StudyState
from tests.bench.data import DataSet, Sender
from tests.bench.row import DCMTK, ORTHANC, RDC, RunFailed
from tests.e2e.system import RunningSystem
from tests.support.orthanc import Orthanc
from tests.support.peers import find_program
from tests.support.ports import free_port
from tests.support.seed import PASSWORD, Consortium

T = TypeVar("T")
DEVICE: Final = "EAST_CT"
_SEND_SECONDS: Final = 600.0
_SEEN_SECONDS: Final = 300.0
_POLL_SECONDS: Final = 0.003
_QUIET_SECONDS: Final = 2.0
_SETTLED_SHARE: Final = 0.08
_SETTLE_SECONDS: Final = 180.0
_LOOK_SECONDS: Final = 0.1
# A world of rows leaves at most about half of it.
_ROOM_BYTES: Final = 20 << 30


def need(program: str, package: str) -> str:
    """Return the path of a program. Raises RunFailed when it is not installed."""
    found = find_program(program)
    if found is None:
        raise RunFailed(f"{program} is not installed (package {package})")
    return found


class Rdc:
    """Our whole system as `rdc up` starts it, with a site, a device and people."""

    def __init__(self, directory: Path, **environment: str) -> None:
        """Start it."""
        directory.mkdir(parents=True)
        self.system = RunningSystem(
            directory,
            ("up",),
            # Studies complete soon after they were sent, so that the work that follows from it is
            # done (see `Stage.settle`) before the next run is measured. An ECG keeps its own.
            RDC_QUIET_SECONDS=json.dumps(
                {**dict.fromkeys(QUIET_SECONDS, _QUIET_SECONDS), "ECG": QUIET_SECONDS["ECG"]}
            ),
            **environment,
        ).start()
        self.database = Database(self.system.state()["database_url"])
        Consortium(self.database)
        self.web = f"{self.system.web}/dicom-web"
        self.dicom = ("127.0.0.1", self.system.dicom_port, "RDC")

    @cached_property
    def client(self) -> httpx.Client:
        """A client that is signed in as a doctor of the centre and keeps its connection."""
        client = httpx.Client(timeout=120)
        answer = client.post(
            f"{self.system.web}/api/session", json={"login": "writer", "password": PASSWORD}
        )
        answer.raise_for_status()
        client.headers["Cookie"] = "; ".join(f"{k}={v}" for k, v in client.cookies.items())
        return client

    def wait_until_prepared(self, study_instance_uid: str) -> None:
        """Return when a study is complete and its metadata is in the object store.

        Raises RunFailed after five minutes.
        """
        deadline = time.monotonic() + _SEEN_SECONDS
        while not self._is_prepared(study_instance_uid):
            if time.monotonic() > deadline:
                raise RunFailed("the metadata of the study was not prepared")
            time.sleep(_LOOK_SECONDS)

    def _is_prepared(self, study_instance_uid: str) -> bool:
        query = (
            select(Series.id, Series.revision, Study.state)
            .join(Study, Study.id == Series.study_id)
            .where(Study.study_instance_uid == study_instance_uid)
        )
        with self.database.transaction() as session:
            series = session.execute(query).all()
        kept = self.system.data_dir / "objects" / "derived" / "series-metadata"
        return bool(series) and all(
            one.state == StudyState.COMPLETE
            and any((kept / str(one.id)).glob(f"{one.revision}-*.json.gz"))
            for one in series
        )

    def part_names(self) -> dict[int, str]:
        """The name of each process that has one of ours, by its pid."""
        records = ProcessRecord.read_all(self.system.data_dir / "run")
        return {record.pid: record.name for record in records}

    def processes(self) -> list[psutil.Process]:
        """Every process of the system."""
        assert self.system.process is not None
        return [psutil.Process(self.system.process.pid), *self.system.children()]

    def stop(self) -> None:
        """End it."""
        self.database.close()
        self.system.stop()


class OrthancPeer:
    """Orthanc as Debian installs it, with the DICOMweb plugin."""

    def __init__(self, directory: Path) -> None:
        """Start it."""
        self.orthanc = Orthanc(need("Orthanc", "orthanc"), directory).start()
        self.web = f"{self.orthanc.web}/dicom-web"
        self.dicom = ("127.0.0.1", self.orthanc.dicom_port, "ORTHANC")

    @cached_property
    def client(self) -> httpx.Client:
        """A client that keeps its connection."""
        return httpx.Client(timeout=120)

    def part_names(self) -> dict[int, str]:
        """Its one process."""
        assert self.orthanc.process is not None
        return {self.orthanc.process.pid: ORTHANC}

    def processes(self) -> list[psutil.Process]:
        """Its one process."""
        assert self.orthanc.process is not None
        return [psutil.Process(self.orthanc.process.pid)]

    def stop(self) -> None:
        """End it."""
        self.orthanc.stop()


class DcmtkStore:
    """DCMTK's storescp: raw files, no index, no fsync. The limit, not a peer."""

    def __init__(self, directory: Path) -> None:
        """Start it."""
        self._directory = directory / "received"
        self._directory.mkdir(parents=True)
        self._forgotten = itertools.count()
        port = free_port()
        self._process = subprocess.Popen(
            [
                *(need("storescp", "dcmtk"), "--fork", "--bit-preserving", "--max-pdu", "131072"),
                *("--output-directory", str(self._directory), str(port)),
            ],
            env=dcmtk_environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self.dicom = ("127.0.0.1", port, "STORESCP")
        _wait_for_port(port)

    def processes(self) -> list[psutil.Process]:
        """The process and what it has forked."""
        own = psutil.Process(self._process.pid)
        return [own, *own.children()]

    def forget(self) -> None:
        """Put away what was received; it is removed at the end of all.

        An ext4 without a journal passes over what was removed in the last minutes, one by one, for
        each file that is made (0.4 ms with a thousand): nobody shall pay for another's removal.
        """
        self._directory.rename(self._directory.with_name(f"forgotten-{next(self._forgotten)}"))
        self._directory.mkdir()

    def stop(self) -> None:
        """End it."""
        self._process.send_signal(signal.SIGTERM)
        self._process.wait()


class Stage:
    """Running contenders and a directory of their own; they end with it."""

    def __init__(self, scratch: Path, *, kept: Path | None = None, **environment: str) -> None:
        """Prepare.

        scratch: where to make the directory, on the disk to be measured. It is removed by who made
            it, when all stages have ended: see `DcmtkStore.forget`. Where room is short, each stage
            removes its own.
        kept: where generated data is kept beyond the stage; None: it is not.
        environment: settings (RDC_…) of our system.
        """
        self._ending = ExitStack()
        self.directory = Path(tempfile.mkdtemp(dir=scratch))
        self._ending.callback(self._make_room)
        self.generated = self.directory if kept is None else kept
        """Where data is made that takes long to make and is not changed by what is measured."""
        self._environment = environment
        self._started: dict[str, Any] = {}
        self.facts: dict[str, Any] = {}
        """What a row's `prepare` leaves for its runs."""

    @property
    def rdc(self) -> Rdc:
        """Our system, started."""
        return self._get(RDC, lambda folder: Rdc(folder, **self._environment))

    @property
    def orthanc(self) -> OrthancPeer:
        """Orthanc, started."""
        return self._get(ORTHANC, OrthancPeer)

    @property
    def dcmtk(self) -> DcmtkStore:
        """DCMTK's storescp, started."""
        return self._get(DCMTK, DcmtkStore)

    def start(self, contender: str) -> "Rdc | OrthancPeer | DcmtkStore":
        """Return the contender of that name, started."""
        return {RDC: lambda: self.rdc, ORTHANC: lambda: self.orthanc, DCMTK: lambda: self.dcmtk}[
            contender
        ]()

    def _make_room(self) -> None:
        if shutil.disk_usage(self.directory).free < _ROOM_BYTES:
            shutil.rmtree(self.directory)

    def _get(self, name: str, start: Callable[[Path], Any]) -> Any:  # noqa: ANN401 -- any contender
        if name not in self._started:
            made = start(self.directory / name)
            self._ending.callback(made.stop)
            self._started[name] = made
        return self._started[name]

    def cpu_seconds(self, contender: str) -> float:
        """CPU time that the contender's processes have used so far, children that ended included.

        A contender that has not been started has used none.
        """
        made = self._started.get(contender)
        return sum(_cpu_seconds(process) for process in made.processes()) if made else 0.0

    def enter(self, part: AbstractContextManager[T]) -> T:
        """Enter a context that is left before the contenders end."""
        return self._ending.enter_context(part)

    def on_end(self, ended: Callable[[], object]) -> None:
        """Call `ended` before the directory is removed."""
        self._ending.callback(ended)

    def settle(self) -> None:
        """Wait until no contender works any more: completion, metadata, thumbnails, housekeeping.

        They would take the processor from whoever is measured next.
        """
        deadline = time.monotonic() + _SETTLE_SECONDS
        # One look after the quiet time has passed, or the completion would come after it.
        span = _QUIET_SECONDS + 1.0 if self._started else 0.0
        while self._started and time.monotonic() < deadline:
            before = sum(self.cpu_seconds(name) for name in self._started)
            time.sleep(span)
            if sum(self.cpu_seconds(name) for name in self._started) - before < (
                _SETTLED_SHARE * span
            ):
                break
        os.sync()

    def send(self, dicom: tuple[str, int, str], senders: Sequence[Sender]) -> float:
        """Send every folder over an association of its own with storescu, all at once.

        Returns the seconds until the last one ended, the start of the programs included.
        Raises RunFailed when one of them was not answered with success throughout.
        """
        host, port, title = dicom
        program = need("storescu", "dcmtk")
        began = time.perf_counter()
        running = [
            subprocess.Popen(
                [
                    *(program, "--scan-directories", "-aet", DEVICE, "-aec", title),
                    *("--max-pdu", "131072", host, str(port), str(one.directory)),
                ],
                env=dcmtk_environment(),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
            )
            for one in senders
        ]
        try:
            errors = [process.communicate(timeout=_SEND_SECONDS)[1] for process in running]
        finally:
            for process in running:
                process.kill()
        seconds = time.perf_counter() - began
        for process, error in zip(running, errors, strict=True):
            if process.returncode or error.strip():
                raise RunFailed(f"storescu ended with {process.returncode}: {error.strip()[-300:]}")
        return seconds

    def wait_until_seen(self, peer: "Rdc | OrthancPeer", senders: Sequence[Sender]) -> None:
        """Return when QIDO-RS shows the last instance of every sender.

        Raises RunFailed after five minutes.
        """
        deadline = time.monotonic() + _SEEN_SECONDS
        for one in senders:
            while not _found(peer, one):
                if time.monotonic() > deadline:
                    raise RunFailed("the last instance did not become visible by QIDO-RS")
                time.sleep(_POLL_SECONDS)

    def check_complete(self, peer: "Rdc | OrthancPeer", data: DataSet) -> None:
        """See that every instance of the data set is there. Raises RunFailed otherwise."""
        deadline = time.monotonic() + _SEEN_SECONDS
        for one in data.senders:
            while (count := _instance_count(peer, one)) != len(one.sop_instance_uids):
                if time.monotonic() > deadline:
                    raise RunFailed(f"{count} of {len(one.sop_instance_uids)} instances are there")
                time.sleep(_LOOK_SECONDS)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ending.close()


class PeakMemory:
    """Watches the resident memory of a contender's processes: the kernel's own high-water marks."""

    def __init__(self, peer: "Rdc | OrthancPeer") -> None:
        """Begin now: earlier peaks do not count where the kernel lets us reset them."""
        self._peer = peer
        self.by_process: dict[str, float] = {}
        self._end = threading.Event()
        for process in peer.processes():
            try:
                Path(f"/proc/{process.pid}/clear_refs").write_text("5", encoding="ascii")
            except OSError:
                continue
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Take the last look."""
        self._end.set()
        self._thread.join()
        self._look()

    @property
    def mebibytes(self) -> float:
        """The most that any one process had, in MiB."""
        return max(self.by_process.values(), default=0.0)

    @property
    def process(self) -> str:
        """Which process that was."""
        return max(self.by_process, key=lambda name: self.by_process[name], default="")

    def _watch(self) -> None:
        while not self._end.wait(_LOOK_SECONDS):
            self._look()

    def _look(self) -> None:
        names = self._peer.part_names()
        for process in self._peer.processes():
            try:
                name = names.get(process.pid) or process.name()
                status = Path(f"/proc/{process.pid}/status").read_text(encoding="utf-8")
            except (OSError, psutil.Error):
                continue
            peak = next((line for line in status.splitlines() if line.startswith("VmHWM")), None)
            if peak is not None:
                mebibytes = int(peak.split()[1]) / 1024
                self.by_process[name] = max(self.by_process.get(name, 0.0), mebibytes)


def dcmtk_environment() -> dict[str, str]:
    """The environment of every program built on DCMTK: without it each message waits 40 ms."""
    return {**os.environ, "TCP_NODELAY": "1"}


def _cpu_seconds(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.Error:
        return 0.0
    return float(times.user + times.system + times.children_user + times.children_system)


def _found(peer: Rdc | OrthancPeer, sender: Sender) -> bool:
    answer = peer.client.get(
        f"{peer.web}/studies/{sender.study_instance_uid}/instances",
        params={"SOPInstanceUID": sender.sop_instance_uids[-1]},
        headers={"Accept": "application/dicom+json"},
    )
    return answer.is_success and bool(answer.content) and bool(answer.json())


def _instance_count(peer: Rdc | OrthancPeer, sender: Sender) -> int:
    """How many instances of the sender's study QIDO-RS says there are."""
    answer = peer.client.get(
        f"{peer.web}/studies",
        params={"StudyInstanceUID": sender.study_instance_uid, "includefield": "00201208"},
        headers={"Accept": "application/dicom+json"},
    )
    found = answer.json() if answer.is_success and answer.content else []
    return int(found[0]["00201208"]["Value"][0]) if found else 0


def _wait_for_port(port: int) -> None:
    deadline = time.monotonic() + 20
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return
