"""Watched folders: what a site's software leaves in a directory is taken in and put away.

A file is taken when it has stayed as it is for a while, by a rename into
`.taken`, so that two watchers never take the same one. It ends in `done` or in
`refused`, beside a text that says what became of it. What lies in `.taken`
after a crash is taken in again, which changes nothing that was done.
"""

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from uuid import UUID

from sqlalchemy import null, select

from storage.database import Database
from storage.ecg_files.service import Sender, receive
from storage.ecg_files.tables import EcgFile, EcgFileState, EcgFileWay
from storage.objects import ObjectStore
from storage.registry import Device, Organisation, OrganisationKind

TAKEN: Final = ".taken"
DONE: Final = "done"
REFUSED: Final = "refused"
_UNFINISHED: Final = frozenset({".part", ".partial", ".tmp", ".temp", ".crdownload", ".filepart"})
_AT_ONCE: Final = 100
_CLIENT: Final = "folder"
_PUT_ASIDE: Final = frozenset({EcgFileState.UNREADABLE, EcgFileState.REFUSED})

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Seen:
    size: int
    changed_ns: int
    since: float


@dataclass(frozen=True, slots=True)
class _Result:
    state: EcgFileState
    problem: Mapping[str, str]
    study_instance_uid: str


class WatchedFolder:
    """The folder of a site, or of one of its devices; `look` is called again by one thread."""

    def __init__(
        self,
        whose: str,
        folder: Path,
        database: Database,
        objects: ObjectStore,
        *,
        settle_seconds: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Name the folder; nothing is touched before `look`.

        whose: the code of the site, or that and the device's AE title as `SITE/AE`.
        settle_seconds: how long a file must stay as it is before it is taken.
        """
        self._site_code, _, self._ae_title = whose.partition("/")
        self._folder = folder
        self._database = database
        self._objects = objects
        self._settle_seconds = settle_seconds
        self._clock = clock
        self._seen: dict[Path, _Seen] = {}
        self._waiting: dict[Path, UUID] = {}

    def look(self) -> int:
        """Take what has settled, put away what was settled; return how many files were touched.

        Raises:
            OSError: the folder cannot be used.
            ObjectStoreUnavailable: the object store does not answer; the file stays in `.taken`.
        """
        for name in (TAKEN, DONE, REFUSED):
            (self._folder / name).mkdir(parents=True, exist_ok=True)
        for path in self._settled():
            path.rename(_free(self._folder / TAKEN, path.name))
        taken = [
            path for path in sorted((self._folder / TAKEN).iterdir()) if path not in self._waiting
        ]
        sender = self._sender() if taken else None
        if sender is not None:
            for path in taken[:_AT_ONCE]:
                self._take_in(path, sender)
        return len(taken) + self._put_away()

    def _settled(self) -> list[Path]:
        """Return files that have stayed as they are; empty ones have not begun yet."""
        now = self._clock()
        there: dict[Path, _Seen] = {}
        settled: list[Path] = []
        for path in sorted(self._folder.iterdir())[: 10 * _AT_ONCE]:
            if path.name.startswith(".") or path.suffix.lower() in _UNFINISHED:
                continue
            if path.is_symlink() or not path.is_file():
                continue
            status = path.stat()
            before = self._seen.get(path)
            same = before is not None and (before.size, before.changed_ns) == (
                status.st_size,
                status.st_mtime_ns,
            )
            since = before.since if same and before is not None else now
            there[path] = _Seen(status.st_size, status.st_mtime_ns, since)
            if status.st_size and now - since >= self._settle_seconds:
                settled.append(path)
        self._seen = there
        return settled[:_AT_ONCE]

    def _sender(self) -> Sender | None:
        """Return for whom files are taken in; None, and a line in the log, for who is unknown."""
        site = select(Organisation.id, null()).where(
            Organisation.code == self._site_code, Organisation.kind == OrganisationKind.SITE
        )
        if self._ae_title:
            site = (
                select(Organisation.id, Device.id)
                .join(Device, Device.site_id == Organisation.id)
                .where(
                    Organisation.code == self._site_code,
                    Device.ae_title == self._ae_title,
                    Device.active,
                )
            )
        with self._database.transaction() as session:
            found = session.execute(site).one_or_none()
        if found is None:
            _log.error(
                "a watched folder is of no site, or of no device of it",
                extra={"site": self._site_code, "device": self._ae_title},
            )
            return None
        site_id, device_id = found
        return Sender(site_id, EcgFileWay.FOLDER, _CLIENT, device_id=device_id)

    def _take_in(self, path: Path, sender: Sender) -> None:
        with path.open("rb") as file:
            self._waiting[path] = receive(
                self._database, self._objects, sender, file, file_name=path.name
            )

    def _put_away(self) -> int:
        results = self._results()
        moved = 0
        for path, file_id in list(self._waiting.items()):
            result = results.get(file_id)
            if result is None:
                continue
            folder = self._folder / (REFUSED if result.state in _PUT_ASIDE else DONE)
            target = _free(folder, path.name)
            # The words first: a file that has moved has its text beside it.
            target.with_name(f"{target.name}.txt").write_text(_words(result), encoding="utf-8")
            path.rename(target)
            del self._waiting[path]
            moved += 1
        return moved

    def _results(self) -> dict[UUID, _Result]:
        if not self._waiting:
            return {}
        with self._database.transaction() as session:
            rows = session.execute(
                select(
                    EcgFile.id, EcgFile.state, EcgFile.problem, EcgFile.study_instance_uid
                ).where(
                    EcgFile.id.in_(self._waiting.values()),
                    EcgFile.state != EcgFileState.RECEIVED,
                )
            ).all()
        return {
            row.id: _Result(row.state, row.problem or {}, row.study_instance_uid or "")
            for row in rows
        }


def _free(folder: Path, name: str) -> Path:
    """Return a name in the folder that is not in use."""
    stem, dot, suffix = name.partition(".")
    number = 1
    target = folder / name
    while target.exists():
        number += 1
        target = folder / f"{stem} ({number}){dot}{suffix}"
    return target


def _words(result: _Result) -> str:
    lines = [f"{result.state.value}"]
    if result.state is EcgFileState.NEEDS_PATIENT:
        lines.append("The file names no patient: choose whose it is on the site's portal.")
    if result.study_instance_uid:
        lines.append(f"Study Instance UID: {result.study_instance_uid}")
    parts = ("what", "expected", "found", "remedy")
    lines.extend(f"{part}: {said}" for part in parts if (said := result.problem.get(part)))
    return "\n".join(lines) + "\n"
