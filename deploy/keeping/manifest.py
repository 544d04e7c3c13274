"""What a backup consists of: a folder of objects that grows, and snapshots that name them.

::

    DIR/objects/…                     objects under their own keys, shared by all snapshots
    DIR/snapshots/20261122T020000Z/   manifest.json, database.dump, objects.jsonl.gz,
                                      authority/…, spool/…

A snapshot appears under its name when it is whole; before, its name begins with a dot.
"""

import gzip
import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from deploy.errors import DeployError
from storage.keeping.holdings import Expected
from storage.objects import ObjectKey

FORMAT: Final = 1
OBJECTS: Final = "objects"
SNAPSHOTS: Final = "snapshots"
MANIFEST: Final = "manifest.json"
DATABASE: Final = "database.dump"
OBJECT_LIST: Final = "objects.jsonl.gz"
AUTHORITY: Final = "authority"
TLS: Final = "tls"
SPOOL: Final = "spool"
_PIECE: Final = 1 << 20


class BackupUnusable(DeployError):
    """A backup is not there, not whole, or not as it was written."""


@dataclass(frozen=True, slots=True)
class ListedObject:
    """One object of a snapshot, known by digest of its bytes from `dataset_offset` on."""

    key: ObjectKey
    size: int | None
    sha256: str
    dataset_offset: int | None


@dataclass(frozen=True, slots=True)
class KeptFile:
    """A file of a snapshot beside the objects; `path` is relative to the snapshot."""

    path: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a snapshot holds.

    made_at: the moment whose rows the database dump holds, ISO 8601, UTC.
    schema: revision of the migrations.
    objects, bytes: how many objects the list names, and their size together as far as known.
    problems: what could not be copied, by object key; such a backup is kept and says so.
    """

    made_at: str
    schema: str
    objects: int
    bytes: int
    files: list[KeptFile]
    problems: dict[str, str] = field(default_factory=dict[str, str])
    format: int = FORMAT

    def write(self, folder: Path) -> None:
        """Write it into the snapshot's folder."""
        text = json.dumps(asdict(self), ensure_ascii=False, indent=2)
        (folder / MANIFEST).write_text(text, encoding="utf-8")

    @classmethod
    def read(cls, folder: Path) -> "Manifest":
        """Read it from the snapshot's folder.

        Raises:
            BackupUnusable: there is none, or of another format.
        """
        path = folder / MANIFEST
        try:
            found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            if found["format"] != FORMAT:
                raise BackupUnusable(
                    f"the backup in {folder} has another format",
                    expected=str(FORMAT),
                    found=str(found["format"]),
                    remedy="Restore it with the version that wrote it.",
                )
            files = [KeptFile(**one) for one in found.pop("files")]
            return cls(files=files, **found)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise BackupUnusable(
                f"there is no backup in {folder}",
                expected=f"a readable {MANIFEST}",
                found=f"{type(error).__name__}",
                remedy="Name the folder that was given to `rdc backup`.",
            ) from error


def snapshots_in(directory: Path) -> list[Path]:
    """Return the whole snapshots of a backup, the oldest first."""
    folder = directory / SNAPSHOTS
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if not path.name.startswith("."))


def write_list(path: Path, claims: Iterable[list[Expected]]) -> tuple[int, int]:
    """Write the objects that rows name, by key; return their number and size as far as known."""
    count = size = 0
    with gzip.open(path, "wt", encoding="utf-8", compresslevel=3) as file:
        for group in claims:
            one = next((claim for claim in group if claim.sha256), group[0])
            known = max((claim.size or 0 for claim in group), default=0)
            line = [one.object_key, known or None, one.sha256, one.dataset_offset]
            file.write(json.dumps(line, separators=(",", ":")) + "\n")
            count += 1
            size += known
    return count, size


def read_list(snapshot: Path) -> Iterator[ListedObject]:
    """Yield the objects of a snapshot by key in ascending order."""
    with gzip.open(snapshot / OBJECT_LIST, "rt", encoding="utf-8") as file:
        for line in file:
            key, size, sha256, offset = json.loads(line)
            yield ListedObject(ObjectKey(key), size, sha256, offset)


def kept_file(snapshot: Path, path: Path) -> KeptFile:
    """Return a file of the snapshot with its digest."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return KeptFile(str(path.relative_to(snapshot)), path.stat().st_size, digest)


def check_files(snapshot: Path, manifest: Manifest) -> None:
    """Compare the snapshot's files with their digests.

    Raises:
        BackupUnusable: one is missing or changed.
    """
    for one in manifest.files:
        path = snapshot / one.path
        if not path.resolve().is_relative_to(snapshot.resolve()):
            raise BackupUnusable(f"the manifest names a file outside of the backup: {one.path!r}")
        if not path.is_file() or kept_file(snapshot, path) != one:
            raise BackupUnusable(
                f"file {one.path} of the backup is not as it was written",
                expected=f"{one.size} bytes with SHA-256 {one.sha256}",
                found="other bytes" if path.is_file() else "no file",
                remedy="Use another snapshot: `rdc backup DIR --list`.",
            )
