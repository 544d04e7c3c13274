"""A real Orthanc, Debian's, with its own directory and ports: a site's PACS, a peer to measure."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import httpx

from deploy.embedded.processes import tied
from tests.support.ports import free_ports

_START_SECONDS: Final = 60.0
_DICOMWEB_PLUGIN: Final = Path("/usr/share/orthanc/plugins/libOrthancDicomWeb.so")


class Orthanc:
    """One Orthanc with Debian's defaults: what a test does not say is left as it is installed.

    Its storage is durable, as it is by default (SyncStorageArea), and DICOMweb is at /dicom-web/.
    """

    def __init__(
        self,
        program: str,
        directory: Path,
        *,
        ae_title: str = "ORTHANC",
        modalities: Mapping[str, tuple[str, str, int]] | None = None,
        **settings: object,
    ) -> None:
        """Prepare; `start` starts it.

        modalities: the peers it knows, by their names in its REST API: AE title, host, port.
        settings: further entries of its configuration.
        """
        self.ae_title = ae_title
        self.directory = directory
        self.dicom_port, self.http_port = free_ports(2)
        self.web = f"http://127.0.0.1:{self.http_port}"
        self._program = program
        self._configuration: dict[str, object] = {
            "Name": "Site PACS",
            "StorageDirectory": str(directory / "storage"),
            "IndexDirectory": str(directory / "storage"),
            "DicomAet": ae_title,
            "DicomPort": self.dicom_port,
            "HttpPort": self.http_port,
            "KeepAlive": True,
            "Plugins": [str(_DICOMWEB_PLUGIN)] if _DICOMWEB_PLUGIN.is_file() else [],
            "DicomWeb": {"Enable": True, "Root": "/dicom-web/"},
            "DicomModalities": {
                name: {"AET": title, "Host": host, "Port": port}
                for name, (title, host, port) in (modalities or {}).items()
            },
            **settings,
        }
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> Self:
        """Start it and wait until it answers."""
        self.directory.mkdir(parents=True, exist_ok=True)
        configuration = self.directory / "orthanc.json"
        configuration.write_text(json.dumps(self._configuration, indent=2))
        with (self.directory / "orthanc.log").open("ab") as log:
            self.process = subprocess.Popen(
                tied([self._program, configuration], death_signal=signal.SIGKILL),
                # Without it DCMTK, on which Orthanc builds, waits 40 ms for each message.
                env={**os.environ, "TCP_NODELAY": "1"},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        deadline = time.monotonic() + _START_SECONDS
        while not self._answers():
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise RuntimeError(f"Orthanc did not start:\n{self.log()[-3000:]}")
            time.sleep(0.1)
        return self

    def log(self) -> str:
        """What it has logged so far."""
        return (self.directory / "orthanc.log").read_text(errors="replace")

    def get(self, path: str) -> Any:  # noqa: ANN401 -- JSON
        """Ask its REST API."""
        answer = httpx.get(self.web + path, timeout=60)
        answer.raise_for_status()
        return answer.json()

    def post(self, path: str, body: object, *, timeout: float = 60.0) -> Any:  # noqa: ANN401 -- JSON
        """Tell its REST API to do something, and wait for the answer."""
        answer = httpx.post(self.web + path, json=body, timeout=timeout)
        assert answer.is_success, f"{answer.status_code}: {answer.text}"
        return answer.json()

    def upload(self, instance: bytes) -> str:
        """Put a Part 10 file into it; returns Orthanc's own id of the instance."""
        answer = httpx.post(f"{self.web}/instances", content=instance, timeout=60)
        answer.raise_for_status()
        return str(answer.json()["ID"])

    def file(self, instance: str) -> bytes:
        """Return the Part 10 file of an instance, by Orthanc's own id."""
        answer = httpx.get(f"{self.web}/instances/{instance}/file", timeout=60)
        answer.raise_for_status()
        return answer.content

    def stop(self) -> None:
        """End it; calling twice is fine."""
        if self.process is None or self.process.poll() is not None:
            return
        self.process.terminate()
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def _answers(self) -> bool:
        try:
            return httpx.get(f"{self.web}/system", timeout=2).is_success
        except httpx.TransportError:
            return False

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()
