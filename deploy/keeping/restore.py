"""`rdc restore`: a system out of a backup, on an empty data directory or over an old one.

Objects come first and the database last, so that an interrupted restore never
leaves rows without their objects; run again, it goes on where it was. What
reached the object store after the backup stays there: `rdc rebuild-index`
files it.
"""

import shutil
from pathlib import Path
from typing import Final

from deploy import bootstrap
from deploy.errors import DeployError
from deploy.keeping.backup import Copied, Progress, copy_objects
from deploy.keeping.database_dump import is_in_use, load, others_connected
from deploy.keeping.manifest import (
    AUTHORITY,
    DATABASE,
    OBJECTS,
    SPOOL,
    TLS,
    BackupUnusable,
    Manifest,
    check_files,
    read_list,
    snapshots_in,
)
from deploy.settings import Settings
from storage import audit
from storage.clock import utc_now
from storage.database import Database
from storage.objects import FilesystemObjectStore, ObjectStore

_FOLDER_MODE: Final = 0o700
_CLOSED_MODE: Final = 0o600


class RestoreRefused(DeployError):
    """There is something here that restoring would destroy."""


def choose(directory: Path, name: str | None) -> Path:
    """Return the snapshot of that name, the newest one when none is given.

    Raises:
        BackupUnusable: there is no such snapshot.
    """
    snapshots = snapshots_in(directory)
    found = [path for path in snapshots if name in (None, path.name)]
    if not found:
        raise BackupUnusable(
            f"no backup {name or ''} in {directory}".replace("  ", " "),
            expected=", ".join(path.name for path in snapshots) or "a folder with snapshots",
            remedy="See `rdc backup DIR --list`.",
        )
    return found[-1]


def restore(
    snapshot: Path,
    settings: Settings,
    objects: ObjectStore,
    progress: Progress,
    *,
    force: bool,
) -> Copied:
    """Bring back a snapshot and return what was copied; its problems were not restored.

    settings: name the database, which answers; nothing else of the system may run.
    force: over a system that is there; its authorities' folders are moved aside.

    Raises:
        RestoreRefused: there is a system, or the database is being used.
        BackupUnusable: a file of the backup has changed since it was written.
    """
    manifest = Manifest.read(snapshot)
    check_files(snapshot, manifest)
    url = bootstrap.database_url(settings)
    _require_free(url, force=force)
    source = FilesystemObjectStore(snapshot.parent.parent / OBJECTS)
    listed = (one for one in read_list(snapshot) if one.key not in manifest.problems)
    done = copy_objects(listed, source, objects, Copied(manifest.objects), progress)
    _restore_keys(snapshot / AUTHORITY, settings.authority_dir)
    _restore_keys(snapshot / TLS, settings.tls_dir)
    _copy_files(snapshot / SPOOL, settings.data_dir / SPOOL)
    load(url, snapshot / DATABASE)
    bootstrap.prepare(settings)
    database = Database(url, pool_size=1)
    try:
        with database.transaction() as session:
            audit.record(
                session,
                audit.system_actor("rdc restore"),
                "system:restore",
                subject_kind="backup",
                subject_id=snapshot.name,
                detail={"objects": manifest.objects, "problems": len(done.problems)},
            )
    finally:
        database.close()
    return done


def _require_free(url: str, *, force: bool) -> None:
    others = others_connected(url)
    if others:
        raise RestoreRefused(
            "the database is being used",
            expected="no other session",
            found=f"{others} sessions",
            remedy="Stop every gateway, worker, relay and web process of this system first.",
        )
    if force:
        return
    if is_in_use(url):
        raise RestoreRefused(
            "the database holds a system already",
            expected="an empty database",
            found="organisations in its registry",
            remedy="Restore into another data directory, or repeat with --force to replace it.",
        )


def _restore_keys(source: Path, target: Path) -> None:
    if not source.is_dir() or _same_files(source, target):
        return
    if target.exists():
        # Never lost: reports may have been signed, and certificates issued, under it since.
        target.rename(target.with_name(f"{target.name}.before-{utc_now():%Y%m%dT%H%M%S%fZ}"))
    target.mkdir(mode=_FOLDER_MODE, parents=True)
    _copy_files(source, target)


def _same_files(source: Path, target: Path) -> bool:
    pairs = [
        (path, target / path.relative_to(source)) for path in source.rglob("*") if path.is_file()
    ]
    return all(here.is_file() and here.read_bytes() == kept.read_bytes() for kept, here in pairs)


def _copy_files(source: Path, target: Path) -> None:
    """Copy files that are not there yet; each appears whole under its name."""
    for path in sorted(source.rglob("*")):
        copy = target / path.relative_to(source)
        if not path.is_file() or copy.exists():
            continue
        copy.parent.mkdir(mode=_FOLDER_MODE, parents=True, exist_ok=True)
        fresh = copy.with_name(f".{copy.name}")
        shutil.copyfile(path, fresh)
        fresh.chmod(_CLOSED_MODE)
        fresh.replace(copy)
