"""WADO-RS: metadata, frames and whole studies, over raw sockets so that the client is no limit."""

import re
import socket
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final
from urllib.parse import urlsplit

from tests.bench.data import CT_EDGE, SMALL_EDGE, DataSet
from tests.bench.row import ORTHANC, RDC, Goal, Measured, Row, Run, RunFailed
from tests.bench.stage import DcmtkStore, OrthancPeer, Rdc, Stage

_ROUNDS: Final = 4
_BUFFER: Final = 4 << 20
_LENGTH: Final = re.compile(rb"\r\ncontent-length:\s*(\d+)", re.IGNORECASE)
_CHUNKED: Final = re.compile(rb"\r\ntransfer-encoding:\s*chunked", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Site:
    """Where a contender's DICOMweb is, and what every request carries."""

    host: str
    port: int
    path: str
    headers: Mapping[str, str]


class Connection:
    """One kept connection that reads answers into one buffer and throws them away."""

    def __init__(self, site: Site) -> None:
        """Connect."""
        self._site = site
        self._socket = socket.create_connection((site.host, site.port), timeout=120)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._buffer = bytearray(_BUFFER)
        self._view = memoryview(self._buffer)

    def get(self, path: str, accept: str) -> int:
        """Ask for a path below the root and return the length of the body.

        Raises RunFailed when the answer is not 200 or 206.
        """
        site = self._site
        lines = [f"GET {site.path}/{path} HTTP/1.1", f"Host: {site.host}:{site.port}"]
        lines += [f"{name}: {value}" for name, value in site.headers.items()]
        lines += [f"Accept: {accept}", "", ""]
        self._socket.sendall("\r\n".join(lines).encode("ascii"))
        head, size = self._head()
        status = head[9:12]
        if status not in (b"200", b"206"):
            raise RunFailed(f"{path} was answered with {status.decode('ascii', 'replace')}")
        length = _LENGTH.search(head)
        if length is not None:
            return self._rest(size, int(length.group(1)))
        if _CHUNKED.search(head):
            return self._chunks(size, len(head) + 4)
        # Orthanc sends a study so: the body ends with the connection (RFC 9112 §6.3).
        while received := self._socket.recv_into(self._view):
            size += received
        return size

    def close(self) -> None:
        """Disconnect."""
        self._socket.close()

    def _head(self) -> tuple[bytes, int]:
        """Return the head of the answer and how many bytes of the body came with it."""
        filled = 0
        while True:
            found = self._buffer.find(b"\r\n\r\n", 0, filled)
            if found >= 0:
                return bytes(self._view[:found]), filled - found - 4
            filled += self._received(self._view[filled:])

    def _rest(self, size: int, length: int) -> int:
        while size < length:
            size += self._received(self._view[: min(length - size, _BUFFER)])
        return length

    def _chunks(self, size: int, start: int) -> int:
        """Read a chunked body to its end and return its length."""
        pending = bytearray(self._view[start : start + size])
        total = 0
        while True:
            line = pending.find(b"\r\n")
            if line >= 0:
                length = int(pending[:line].split(b";")[0], 16)
                if len(pending) >= line + 2 + length + 2:
                    del pending[: line + 2 + length + 2]
                    total += length
                    if not length:
                        return total
                    continue
            pending += self._view[: self._received(self._view)]

    def _received(self, into: memoryview) -> int:
        count = self._socket.recv_into(into)
        if not count:
            raise RunFailed("the server closed the connection within an answer")
        return count


def _site(peer: Rdc | OrthancPeer) -> Site:
    address = urlsplit(peer.web)
    headers = {} if isinstance(peer, OrthancPeer) else {"Cookie": peer.client.headers["Cookie"]}
    return Site(str(address.hostname), int(address.port or 80), address.path, headers)


def prepare_study(stage: Stage, *, instances: int, edge: int) -> None:
    """Have both contenders receive a CT series, and wait until nobody works on it any more."""
    data = DataSet(stage.directory / "data", instances=instances, edge=edge)
    stage.facts["data"] = data
    for contender in (RDC, ORTHANC):
        peer = stage.start(contender)
        assert not isinstance(peer, DcmtkStore)
        stage.send(peer.dicom, data.senders)
        stage.check_complete(peer, data)
    # The rows are about studies that are complete, whose metadata is prepared a moment later.
    for sender in data.senders:
        stage.rdc.wait_until_prepared(sender.study_instance_uid)
    stage.settle()


def _parts(stage: Stage, contender: str) -> tuple[Site, DataSet]:
    peer = stage.start(contender)
    assert not isinstance(peer, DcmtkStore)
    return _site(peer), stage.facts["data"]


def _metadata(stage: Stage, contender: str) -> Measured:
    site, data = _parts(stage, contender)
    connection = Connection(site)
    began = time.perf_counter()
    size = connection.get(
        f"studies/{data.senders[0].study_instance_uid}/metadata", "application/dicom+json"
    )
    seconds = time.perf_counter() - began
    connection.close()
    return Measured(seconds * 1000, {"bytes": size})


def _whole_study(stage: Stage, contender: str) -> Measured:
    site, data = _parts(stage, contender)
    connection = Connection(site)
    began = time.perf_counter()
    size = connection.get(
        f"studies/{data.senders[0].study_instance_uid}",
        'multipart/related; type="application/dicom"; transfer-syntax=*',
    )
    seconds = time.perf_counter() - began
    connection.close()
    return Measured(size / seconds / 1e6, {"bytes": size})


def _frames(stage: Stage, contender: str, *, connections: int) -> Measured:
    site, data = _parts(stage, contender)
    sender = data.senders[0]
    series = f"studies/{sender.study_instance_uid}/series/{sender.series_instance_uid}"
    paths = [f"{series}/instances/{uid}/frames/1" for uid in sender.sop_instance_uids] * _ROUNDS
    opened = [Connection(site) for _ in range(connections)]
    failures: list[RunFailed] = []

    def fetch(connection: Connection, mine: Sequence[str]) -> None:
        try:
            for path in mine:
                connection.get(path, 'multipart/related; type="application/octet-stream"')
        except RunFailed as failure:
            failures.append(failure)

    threads = [
        threading.Thread(target=fetch, args=(connection, paths[number::connections]))
        for number, connection in enumerate(opened)
    ]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - began
    for connection in opened:
        connection.close()
    if failures:
        raise failures[0]
    return Measured(len(paths) / seconds)


def _both(run: Callable[..., Measured], **options: int) -> Mapping[str, Run]:
    return {name: partial(run, contender=name, **options) for name in (RDC, ORTHANC)}


_CT: Final = 250
_LONG_CT: Final = 1500

ROWS: Final = (
    Row(
        "wado-metadata-250",
        "WADO-RS metadata of 250 instances",
        "ms",
        Goal(times=10),
        _both(_metadata),
        higher_is_better=False,
        prepare=partial(prepare_study, instances=_CT, edge=CT_EDGE),
        world="retrieve",
    ),
    Row(
        "wado-frames-1",
        "WADO-RS frames of 525 kB, 1 connection",
        "frames/s",
        Goal(times=1.5),
        _both(_frames, connections=1),
        prepare=partial(prepare_study, instances=_CT, edge=CT_EDGE),
        operations=_CT * _ROUNDS,
        world="retrieve",
    ),
    Row(
        "wado-frames-6",
        "WADO-RS frames of 525 kB, 6 connections",
        "frames/s",
        Goal(times=1.5),
        _both(_frames, connections=6),
        prepare=partial(prepare_study, instances=_CT, edge=CT_EDGE),
        operations=_CT * _ROUNDS,
        world="retrieve",
    ),
    Row(
        "wado-study",
        "WADO-RS whole study of 131 MB",
        "MB/s",
        Goal(times=1.0),
        _both(_whole_study),
        prepare=partial(prepare_study, instances=_CT, edge=CT_EDGE),
        world="retrieve",
    ),
    Row(
        "wado-metadata-1500",
        "WADO-RS metadata of 1500 instances",
        "ms",
        Goal(times=10),
        _both(_metadata),
        higher_is_better=False,
        prepare=partial(prepare_study, instances=_LONG_CT, edge=SMALL_EDGE),
        world="retrieve-1500",
    ),
)
