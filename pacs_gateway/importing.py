"""DICOM files of a folder or a disc on the road of what devices send: spool, drain, index.

The spool is one of the importer's own, so that it works beside a running
gateway. Importing again changes nothing: what is filed already is a duplicate.
ECGs in other formats go through the intake of ECG files.
"""

import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Final, Self
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from pacs_gateway.announcements import Announcements
from pacs_gateway.config import EcgIntakeConfig, GatewayConfig
from pacs_gateway.drain import Drain
from pacs_gateway.ecg_intake.engine import attempt
from pacs_gateway.ecg_intake.formats import detect
from pacs_gateway.ecg_intake.workshop import Workshop
from pacs_gateway.inbox import waiting
from pacs_gateway.spool import Spool
from storage.clock import utc_now
from storage.database import Database
from storage.dicom_header import DatasetError, InstanceHeader, read_file_meta, read_header
from storage.ecg_files.formats import EcgFormat
from storage.ecg_files.service import Sender, receive
from storage.ecg_files.tables import EcgFile, EcgFileState, EcgFileWay
from storage.index.tables import Instance, Quarantine
from storage.objects import ObjectStore
from storage.receptions import Origin

CALLING_AE_TITLE: Final = "RDC-IMPORT"
_DIRECTORY_NAME: Final = "DICOMDIR"
_DIRECTORY_CLASS_UID: Final = "1.2.840.10008.1.3.10"
_BATCH: Final = 64
_PIECE_BYTES: Final = 1 << 20
_LOOK_SECONDS: Final = 0.02


class Outcome(StrEnum):
    """What became of one file.

    IGNORED: a DICOMDIR, which only lists other files (PS3.10 §8).
    REFUSED: not a file that can be filed; it stays where it is and nothing of it is kept.
    """

    STORED = "stored"
    DUPLICATE = "duplicate"
    QUARANTINED = "quarantined"
    REFUSED = "refused"
    IGNORED = "ignored"


@dataclass(frozen=True, slots=True)
class FileResult:
    """One file's outcome; `reason` is empty for what was stored or is there already."""

    path: Path
    outcome: Outcome
    reason: str = ""


@dataclass(frozen=True, slots=True)
class _Spooled:
    path: Path
    sop_instance_uid: str
    dataset_sha256: str
    received_at: datetime


def files_below(path: Path) -> Iterator[Path]:
    """Yield the files at or below `path` by name, hidden ones and links left out."""
    if path.is_file():
        yield path
        return
    for entry in sorted(path.iterdir()):
        if entry.name.startswith(".") or entry.is_symlink():
            continue
        if entry.is_dir() or entry.is_file():
            yield from files_below(entry)


class Importer:
    """Files DICOM files for one site; a context manager that owns its spool meanwhile."""

    def __init__(
        self, config: GatewayConfig, database: Database, objects: ObjectStore, site_id: UUID
    ) -> None:
        """Prepare to import into the site; `config.spool_dir` is the importer's own directory."""
        self._announcements = Announcements()
        self._spool = Spool(
            config.spool_dir,
            reserve_bytes=config.spool_reserve_bytes,
            announce=self._announcements.announce,
        )
        self._drain = Drain(self._announcements, database, objects, config)
        self._spool_dir = config.spool_dir
        self._objects = objects
        self._workshop = Workshop()
        self._ecg_intake = EcgIntakeConfig(config.ae_title, config.spool_dir.parent / "scratch")
        self._database = database
        self._waking = threading.Event()
        self._origin = Origin(
            site_id=site_id,
            device_id=None,
            calling_ae_title=CALLING_AE_TITLE,
            called_ae_title=config.ae_title,
            peer_address="",
        )

    def __enter__(self) -> Self:
        """Take the spool and file what an import that was killed left in it.

        Raises:
            SpoolBusy: another import runs.
        """
        self._drain.start()
        self._spool.open()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Let go of the spool; what is not filed yet is filed by the next import."""
        self._workshop.close()
        self._drain.stop()
        self._spool.close()
        self._announcements.close()

    def run(self, paths: Iterable[Path]) -> Iterator[FileResult]:
        """Import files and yield what became of each, in their order, a batch at a time.

        While database or object store are away it waits.

        Raises:
            SpoolFull: the disk is short of space.
            SpoolFailed: the disk refuses.
        """
        remaining = iter(paths)
        while batch := list(islice(remaining, _BATCH)):
            taken = [self._take(path) for path in batch]
            while waiting(self._spool_dir):
                self._waking.wait(_LOOK_SECONDS)
            spooled = [one for one in taken if isinstance(one, _Spooled)]
            with self._database.transaction() as session:
                known = _Known(session, self._origin.site_id, spooled)
            for one in taken:
                yield known.result(one) if isinstance(one, _Spooled) else one

    def _take(self, path: Path) -> _Spooled | FileResult:
        """Copy a file's dataset into the spool, or say why not."""
        if path.name.upper() == _DIRECTORY_NAME:
            return FileResult(path, Outcome.IGNORED, "a directory of a disc")
        try:
            with path.open("rb") as file:
                meta = read_file_meta(file)
                file.seek(meta.dataset_offset)
                header = read_header(file, meta.transfer_syntax_uid)
                if header.sop_class_uid == _DIRECTORY_CLASS_UID:
                    return FileResult(path, Outcome.IGNORED, "a directory of a disc")
                file.seek(meta.dataset_offset)
                return self._copy(path, file, header, meta.transfer_syntax_uid)
        except DatasetError as error:
            ecg = self._take_ecg_file(path)
            return ecg or FileResult(path, Outcome.REFUSED, f"{error.what}: {error.found}")
        except OSError as error:
            return FileResult(path, Outcome.REFUSED, error.strerror or type(error).__name__)

    def _take_ecg_file(self, path: Path) -> FileResult | None:
        """File an ECG of another format than DICOM; None when it is none.

        Raises:
            ObjectStoreUnavailable: the object store does not answer.
        """
        if detect(path) in {None, EcgFormat.DICOM}:
            return None
        sender = Sender(self._origin.site_id, EcgFileWay.IMPORT, CALLING_AE_TITLE)
        with path.open("rb") as file:
            file_id = receive(self._database, self._objects, sender, file, file_name=path.name)
        settled = attempt(file_id, self._database, self._objects, self._ecg_intake, self._workshop)
        with self._database.transaction() as session:
            row = session.get_one(EcgFile, file_id)
            state, problem = row.state, row.problem or {}
        match state:
            case EcgFileState.FILED | EcgFileState.DOCUMENT:
                outcome = Outcome.STORED if settled is not None else Outcome.DUPLICATE
                return FileResult(path, outcome)
            case EcgFileState.NEEDS_PATIENT:
                reason = "it names no patient: say whose it is on the site's page of ECG files"
                return FileResult(path, Outcome.QUARANTINED, reason)
            case EcgFileState.RECEIVED:
                return FileResult(path, Outcome.QUARANTINED, "it is kept and not looked at yet")
            case EcgFileState.UNREADABLE | EcgFileState.REFUSED:
                said = f"{problem.get('what', '')}: {problem.get('found', '')}"
                kept = state is EcgFileState.UNREADABLE
                return FileResult(path, Outcome.QUARANTINED if kept else Outcome.REFUSED, said)

    def _copy(
        self,
        path: Path,
        file: BinaryIO,
        header: InstanceHeader,
        transfer_syntax_uid: str,
    ) -> _Spooled:
        writer = self._spool.begin(
            self._origin,
            sop_class_uid=header.sop_class_uid,
            sop_instance_uid=header.sop_instance_uid,
            transfer_syntax_uid=transfer_syntax_uid,
        )
        try:
            while piece := file.read(_PIECE_BYTES):
                writer.write(memoryview(piece))
            received_at = utc_now()
            digest = writer.publish(received_at, None).dataset_sha256
            writer.announce()
        except BaseException:
            writer.discard()
            raise
        return _Spooled(path, header.sop_instance_uid, digest, received_at)


class _Known:
    """What index and quarantine say about spooled files after they have been filed."""

    def __init__(self, session: Session, site_id: UUID, spooled: Sequence[_Spooled]) -> None:
        uids = {one.sop_instance_uid for one in spooled}
        digests = {one.dataset_sha256 for one in spooled}
        self._filed = {
            row.sop_instance_uid: row
            for row in session.scalars(
                select(Instance).where(
                    Instance.site_id == site_id, Instance.sop_instance_uid.in_(uids)
                )
            )
        }
        self._aside = {
            row.dataset_sha256: row.reason.value
            for row in session.scalars(
                select(Quarantine).where(
                    Quarantine.site_id == site_id,
                    Quarantine.dataset_sha256.in_(digests),
                    Quarantine.resolved_at.is_(None),
                )
            )
        }

    def result(self, spooled: _Spooled) -> FileResult:
        filed = self._filed.get(spooled.sop_instance_uid)
        digest = spooled.dataset_sha256
        if filed is not None and filed.dataset_sha256 == digest:
            first = filed.received_at == spooled.received_at
            return FileResult(spooled.path, Outcome.STORED if first else Outcome.DUPLICATE)
        reason = self._aside.get(digest, "put aside as unreadable")
        return FileResult(spooled.path, Outcome.QUARANTINED, reason)
