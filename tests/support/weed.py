"""A real S3 store for tests: `weed mini` of SeaweedFS on ports and in a folder of its own."""

import itertools
import os
import signal
import subprocess
import sysconfig
import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from minio import Minio
from minio.error import MinioException
from urllib3 import PoolManager
from urllib3.exceptions import HTTPError

from deploy.embedded.processes import tied
from tests.support.ports import free_ports

_PORTS = (
    "master.port",
    "master.port.grpc",
    "volume.port",
    "volume.port.grpc",
    "filer.port",
    "filer.port.grpc",
    "admin.port",
    "admin.port.grpc",
    "s3.port",
    "s3.port.grpc",
)
_START_SECONDS = 30
_ATTEMPTS = 3


@dataclass
class Weed:
    """A running store and the keys to it."""

    endpoint: str
    folder: Path
    ports: Sequence[int]
    process: subprocess.Popen[bytes] | None = None
    access_key: str = "rdc-test-key"
    secret_key: str = "rdc/test+secret"
    _numbers: Iterator[int] = field(default_factory=itertools.count)
    _buckets: list[str] = field(default_factory=list)

    def url(self, bucket: str) -> str:
        """The address of a bucket in the form of RDC_OBJECT_STORE_URL."""
        return f"s3://{self.access_key}:rdc%2Ftest%2Bsecret@{self.endpoint}/{bucket}?secure=0"

    @contextmanager
    def bucket(self) -> Generator[str]:
        """The name of an empty bucket, the caller's own until the end of the block.

        Each bucket has volumes of its own, and a store that made them by the hundred, 16 at once,
        has stopped to take anything: emptied ones are lent again.
        """
        name = self._buckets.pop() if self._buckets else f"fresh-{next(self._numbers)}"
        client = self.client()
        if not client.bucket_exists(name):
            client.make_bucket(name)
        yield name
        for item in client.list_objects(name, recursive=True):
            assert item.object_name is not None
            client.remove_object(name, item.object_name)
        self._buckets.append(name)

    def kill(self) -> None:
        """End it at once: nothing in it is worth a graceful end, which takes many seconds."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def start_again(self) -> None:
        """Start it as it was before `kill`, on the same ports and with what it holds."""
        self.process = _start(self.folder, self.ports, self)
        assert _answers(self.process, self), "the store did not start again"

    def client(self) -> Minio:
        """A client of the SDK that gives up quickly."""
        return Minio(
            self.endpoint,
            self.access_key,
            self.secret_key,
            secure=False,
            region="us-east-1",
            http_client=PoolManager(timeout=5, retries=0),
        )


@contextmanager
def running_weed(directory: Path) -> Generator[Weed]:
    """Run a store in `directory` and stop it for sure: also when this process is killed."""
    for attempt in range(1, _ATTEMPTS + 1):
        folder = directory / str(attempt)
        folder.mkdir(parents=True)
        ports = free_ports(len(_PORTS))
        weed = Weed(f"127.0.0.1:{ports[_PORTS.index('s3.port')]}", folder, ports)
        weed.process = _start(folder, ports, weed)
        try:
            if _answers(weed.process, weed):
                yield weed
                return
        finally:
            weed.kill()
        # Another program may have taken a port between choosing and binding it: choose again.
    log = (directory / str(_ATTEMPTS) / "weed.log").read_text(errors="replace")
    raise RuntimeError(f"weed mini did not start; end of its log:\n{log[-2000:]}")


def _start(folder: Path, ports: Sequence[int], weed: Weed) -> subprocess.Popen[bytes]:
    program = Path(sysconfig.get_path("scripts")) / "weed"
    options = [
        f"-dir={folder}",
        "-ip=127.0.0.1",
        "-ip.bind=127.0.0.1",
        "-webdav=false",
        "-admin.ui=false",
        "-s3.port.iceberg=0",
        "-s3.port.lance=0",
        f"-s3.localSocket={folder / 's3.sock'}",
        f"-filer.localSocket={folder / 'filer.sock'}",
        "-master.telemetry=false",
        # Each bucket takes several volumes.
        "-volume.max=1000",
        *(f"-{name}={port}" for name, port in zip(_PORTS, ports, strict=True)),
    ]
    keys = {"AWS_ACCESS_KEY_ID": weed.access_key, "AWS_SECRET_ACCESS_KEY": weed.secret_key}
    with (folder / "weed.log").open("wb") as log:
        return subprocess.Popen(
            tied([program, "mini", *options], death_signal=signal.SIGKILL),
            env={**os.environ, **keys},
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )


def _answers(process: subprocess.Popen[bytes], weed: Weed) -> bool:
    client = weed.client()
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            client.list_buckets()
        except (MinioException, HTTPError):
            time.sleep(0.1)
        else:
            return True
    return False
