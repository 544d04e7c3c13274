"""The machines of a site, played: a modality that sends, and a PACS that receives its reports.

For the demonstration and for trying out a new site's connection before its own
machines are there. They speak real DICOM over real associations.
"""

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self, cast

import pydicom
from pydicom.dataset import Dataset
from pynetdicom import evt
from pynetdicom.ae import ApplicationEntity
from pynetdicom.presentation import build_context

from pacs_gateway.associations.requested import request_association, without_delay
from storage.errors import RdcError

_MAXIMUM_PDU: Final = 131072
_CONTEXTS_MAX: Final = 128
_SUCCESS: Final = 0x0000
_VERIFICATION: Final = "1.2.840.10008.1.1"
_ENCAPSULATED_PDF_STORAGE: Final = "1.2.840.10008.5.1.4.1.1.104.1"

# pydicom's reader and pynetdicom's entity are typed in part only.
_read_file = cast("Callable[..., Any]", pydicom.dcmread)  # pyright: ignore[reportUnknownMemberType]
_Entity: Any = ApplicationEntity


class SendFailed(RdcError):
    """The played modality could not send, or an instance was refused."""


@dataclass(frozen=True, slots=True)
class Sent:
    """What was sent: how many instances were acknowledged, in how many seconds."""

    instances: int
    seconds: float


def send(host: str, port: int, *, called: str, calling: str, files: Iterable[Path]) -> Sent:
    """Send Part 10 files by C-STORE over one association, each in the syntax it is stored in.

    Raises:
        SendFailed: no association, or a status other than success.
    """
    paths = list(files)
    syntaxes = {_abstract_and_transfer(path) for path in paths}
    entity = _Entity(ae_title=calling)
    entity.maximum_pdu_size = _MAXIMUM_PDU
    contexts = [build_context(abstract, transfer) for abstract, transfer in sorted(syntaxes)]
    if len(contexts) > _CONTEXTS_MAX:
        raise SendFailed(
            "too many kinds of instances for one association",
            expected=f"at most {_CONTEXTS_MAX}",
            found=str(len(contexts)),
        )
    began = time.monotonic()
    association = request_association(
        entity, host, port, contexts, called_ae_title=called, maximum_pdu=_MAXIMUM_PDU
    )
    if not association.is_established:
        raise SendFailed(
            f"{called} at {host}:{port} does not accept an association from {calling}",
            remedy="Check that the gateway runs and knows the device.",
        )
    try:
        for path in paths:
            asked = time.monotonic()
            status = association.send_c_store(path)
            if getattr(status, "Status", None) != _SUCCESS:
                waited = f"no answer after {time.monotonic() - asked:.0f} s"
                found = f"0x{status.Status:04X}" if "Status" in status else waited
                raise SendFailed(f"{path.name} was not acknowledged", found=found)
    finally:
        association.release()
    return Sent(instances=len(paths), seconds=time.monotonic() - began)


class SitePacs:
    """A site's PACS that takes Encapsulated PDF reports and keeps them as files.

    Use it as a context manager. port 0 takes a free one; `port` tells which. host: the address of
    this machine on which it listens.
    """

    def __init__(
        self, ae_title: str, directory: Path, *, port: int = 0, host: str = "127.0.0.1"
    ) -> None:
        self.ae_title = ae_title
        self._directory = directory
        self._received: dict[str, Path] = {}
        self._changed = threading.Condition()
        self._entity = _Entity(ae_title=ae_title)
        self._entity.maximum_pdu_size = _MAXIMUM_PDU
        self._entity.add_supported_context(_ENCAPSULATED_PDF_STORAGE)
        self._entity.add_supported_context(_VERIFICATION)
        self._address = (host, port)
        self._server: Any = None

    def __enter__(self) -> Self:
        """Listen, on the loopback address unless another was given."""
        self._directory.mkdir(parents=True, exist_ok=True)
        handlers: list[Any] = [
            (evt.EVT_C_STORE, self._on_store),
            (evt.EVT_CONN_OPEN, without_delay),
        ]
        self._server = self._entity.start_server(self._address, block=False, evt_handlers=handlers)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop listening."""
        self._server.shutdown()

    @property
    def port(self) -> int:
        """The port it listens on."""
        return int(self._server.socket.getsockname()[1])

    def report_of(self, study_instance_uid: str, *, timeout: float) -> Dataset | None:
        """Wait `timeout` seconds at most for a report of the study; None when none came."""
        with self._changed:
            self._changed.wait_for(lambda: study_instance_uid in self._received, timeout)
            path = self._received.get(study_instance_uid)
        return _read_file(path) if path else None

    def _on_store(self, event: Any) -> int:  # noqa: ANN401 -- pynetdicom's event has no type
        dataset: Dataset = event.dataset
        dataset.file_meta = event.file_meta
        path = self._directory / f"{len(self._received):06d}.dcm"
        dataset.save_as(path, enforce_file_format=True)
        with self._changed:
            self._received[str(dataset.StudyInstanceUID)] = path
            self._changed.notify_all()
        return _SUCCESS


def pdf_of(report: Dataset) -> bytes:
    """Return the document of an Encapsulated PDF without its padding (PS3.3 C.24.2)."""
    content: bytes = report.EncapsulatedDocument
    length = report.get("EncapsulatedDocumentLength")
    return content[: int(length)] if length is not None else content


def _abstract_and_transfer(path: Path) -> tuple[str, str]:
    meta = _read_file(path, specific_tags=["SOPClassUID"], stop_before_pixels=True).file_meta
    return str(meta.MediaStorageSOPClassUID), str(meta.TransferSyntaxUID)
