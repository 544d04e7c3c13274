"""`rdc verify`, `rebuild-index`, `backup`, `restore`, `import`: keeping what was received."""

from __future__ import annotations

import json
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from deploy.cli_session import AsJson, DataDir

if TYPE_CHECKING:
    from collections.abc import Generator
    from uuid import UUID

    from deploy.keeping.backup import Copied
    from deploy.settings import Settings
    from storage.database import Database
    from storage.keeping.verification import Tally
    from storage.objects import ObjectStore

EXIT_FINDINGS: Final = 1
_SHOWN: Final = 50
_MEGABYTE: Final = 1_000_000
_SHORT: Final = 40
_PROGRESS_SECONDS: Final = 5.0

SiteCode = Annotated[str | None, typer.Option("--site", help="Code of one site, such as EAST")]


def install(app: typer.Typer) -> None:
    """Add the commands of this module to `app`."""
    app.command()(verify)
    app.command("rebuild-index")(rebuild_index)
    app.command()(backup)
    app.command()(restore)
    app.command("import")(import_files)


@contextmanager
def _archive(data_dir: Path | None) -> Generator[tuple[Settings, Database, ObjectStore]]:
    """Yield settings, database and object store, whether the system runs or not."""
    from deploy.database_access import open_database  # noqa: PLC0415 - `--help` stays quick
    from deploy.settings import load  # noqa: PLC0415
    from storage.objects import open_object_store  # noqa: PLC0415

    settings = load(data_dir=data_dir)
    with open_database(settings) as database:
        yield settings, database, open_object_store(settings.object_store)


def _site_id(database: Database, code: str | None) -> UUID | None:
    from storage.registry import organisation_by_code  # noqa: PLC0415

    if code is None:
        return None
    with database.transaction() as session:
        return organisation_by_code(session, code).id


def _say(line: str) -> None:
    typer.echo(f"rdc: {line}", err=True)


def _instant(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter("a date such as 2026-11-01 or a time in ISO 8601") from error
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def verify(
    *,
    site: SiteCode = None,
    since: Annotated[
        str | None, typer.Option(help="Only what was received since, such as 2026-11-01 (UTC)")
    ] = None,
    sample: Annotated[
        float,
        typer.Option(
            min=0.0,
            max=1.0,
            help="Read the bytes of this share of the objects only; all are looked for",
        ),
    ] = 1.0,
    settle: Annotated[
        int,
        typer.Option(min=0, help="Minutes an object may be without a row before it is a finding"),
    ] = 15,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the last run that was interrupted")
    ] = False,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Compare every object with the rows that name it, in both directions; change nothing.

    Looks for rows whose object is missing, unreadable, of another size or with another digest, and
    for objects that no row names. Safe on a running system. The result is kept in the database;
    exit code 1 when there are findings.
    """
    from datetime import timedelta  # noqa: PLC0415

    from deploy.keeping import HOLDINGS  # noqa: PLC0415
    from deploy.keeping.report import verification_report  # noqa: PLC0415
    from pacs_gateway.inbox import waiting  # noqa: PLC0415
    from storage.keeping.verification import Options, Verifier  # noqa: PLC0415

    with _archive(data_dir) as (settings, database, objects):
        options = Options(
            site_id=_site_id(database, site),
            since=None if since is None else _instant(since),
            sample=sample,
            settle=timedelta(minutes=settle),
        )
        began = time.monotonic()

        def progress(tally: Tally) -> None:
            seconds = time.monotonic() - began
            _say(
                f"{tally.objects} objects, {tally.bytes_read // _MEGABYTE} MB read"
                f" in {seconds:.0f} s, {tally.findings} findings"
            )

        run = Verifier(database, objects, HOLDINGS, options).run(progress, resume=resume)
        with database.transaction() as session:
            report = verification_report(
                session, run, shown=_SHOWN, spool_files=waiting(settings.data_dir / "spool")
            )
    typer.echo(json.dumps(report, ensure_ascii=False, indent=2) if as_json else _as_text(report))
    raise typer.Exit(EXIT_FINDINGS if report["findings"] else 0)


def rebuild_index(
    *,
    queue_since: Annotated[
        str | None,
        typer.Option(
            help="Studies last received since are queued for reading (UTC; default: 24 hours ago)"
        ),
    ] = None,
    data_dir: DataDir = None,
) -> None:
    """Make the index again from the objects alone, for when the database is lost.

    Patients, studies, series, instances and the quarantine come back; what is indexed already
    stays as it is, so it can be repeated and run on a live system. People, orders, reports and
    decisions are not in the objects: restore a backup first when there is one. A site that the
    registry does not know gets a made-up entry; give it its name with `rdc site change`.
    """
    from datetime import timedelta  # noqa: PLC0415

    from deploy.tables import render  # noqa: PLC0415
    from pacs_gateway.rebuilding import Rebuilder, Rebuilt  # noqa: PLC0415
    from storage.clock import utc_now  # noqa: PLC0415

    since = utc_now() - timedelta(days=1) if queue_since is None else _instant(queue_since)
    last = time.monotonic()

    def progress(done: Rebuilt) -> None:
        nonlocal last
        if time.monotonic() - last > _PROGRESS_SECONDS:
            _say(f"{done.objects} objects read, {done.filed} filed")
            last = time.monotonic()

    with _archive(data_dir) as (_, database, objects):
        done = Rebuilder(database, objects, announce_since=since).run(progress)
    typer.echo(
        render(
            ("rebuilt", "number"),
            [
                ("objects read", done.objects),
                ("instances filed", done.filed),
                ("in the index already", done.known),
                ("put into quarantine", done.quarantined),
                ("filed without a record of their reception", done.without_record),
                ("refused", len(done.refused)),
            ],
        )
    )
    for code in done.placeholders:
        typer.echo(f"made up the site {code}: name it with `rdc site change {code} …`")
    for key, reason in done.refused.items():
        typer.echo(f"{key}: {reason}", err=True)
    raise typer.Exit(EXIT_FINDINGS if done.refused else 0)


Folder = Annotated[Path, typer.Argument(help="Folder of the backup; on another disk, closed")]


class _Progress:
    """Says every few seconds how far copying is."""

    def __init__(self) -> None:
        self._last = time.monotonic()

    def __call__(self, done: Copied) -> None:
        if time.monotonic() - self._last > _PROGRESS_SECONDS:
            self._last = time.monotonic()
            looked_at = done.copied + done.present + len(done.problems)
            _say(f"{looked_at} of {done.total} objects, {done.bytes // _MEGABYTE} MB copied")


def backup(
    folder: Folder,
    *,
    list_snapshots: Annotated[bool, typer.Option("--list", help="List what is in it")] = False,
    check: Annotated[
        bool, typer.Option("--verify", help="Read all of the newest snapshot and check it")
    ] = False,
    snapshot: Annotated[
        str | None, typer.Option(help="With --verify: another snapshot, by its name")
    ] = None,
    keep: Annotated[
        int | None,
        typer.Option(min=1, help="Then remove all but this many snapshots and what only they need"),
    ] = None,
    data_dir: DataDir = None,
) -> None:
    """Back up database, objects, keys and spool of a running or stopped system.

    Repeated into the same folder it copies only new objects. Everything acknowledged before it
    began is in it. Exit code 1 when an object was missing or damaged; the backup is made all the
    same and names it.
    """
    from deploy.keeping import backup as backups  # noqa: PLC0415
    from deploy.keeping.restore import choose  # noqa: PLC0415

    if list_snapshots:
        _list_snapshots(folder)
        return
    if check:
        chosen = choose(folder, snapshot)
        done = backups.check(folder, chosen, _Progress())
        typer.echo(f"{chosen.name}: {done.present} objects as they were written")
    else:
        began = time.monotonic()
        with _archive(data_dir) as (settings, database, objects):
            made, manifest = backups.make(
                folder,
                database.url,
                objects,
                settings.data_dir,
                _Progress(),
                authority_dir=settings.authority_dir,
            )
        typer.echo(
            f"{made.name}: {manifest.objects} objects, {manifest.bytes // _MEGABYTE} MB,"
            f" database and keys {sum(one.size for one in manifest.files) / _MEGABYTE:.1f} MB,"
            f" in {time.monotonic() - began:.1f} s"
        )
        done = backups.Copied(manifest.objects, problems=manifest.problems)
        if keep is not None:
            snapshots, objects_removed = backups.keep_newest(folder, keep)
            typer.echo(f"removed {snapshots} older snapshots and {objects_removed} objects")
    _tell_problems(done.problems)


def _list_snapshots(folder: Path) -> None:
    from deploy.keeping.manifest import Manifest, snapshots_in  # noqa: PLC0415
    from deploy.tables import render  # noqa: PLC0415

    found = [(path.name, Manifest.read(path)) for path in snapshots_in(folder)]
    rows = [
        (name, one.schema, one.objects, one.bytes // _MEGABYTE, len(one.problems))
        for name, one in found
    ]
    typer.echo(render(("snapshot", "schema", "objects", "MB", "problems"), rows))


def _tell_problems(problems: dict[str, str]) -> None:
    for key, problem in list(problems.items())[:_SHOWN]:
        typer.echo(f"{key}: {problem}", err=True)
    if problems:
        _say(f"{len(problems)} objects are missing or damaged; `rdc verify` names their rows")
        raise typer.Exit(EXIT_FINDINGS)


def restore(
    folder: Folder,
    *,
    snapshot: Annotated[str | None, typer.Option(help="Name of the snapshot; the newest")] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Replace the system that is here already")
    ] = False,
    data_dir: DataDir = None,
) -> None:
    """Bring a system back out of a backup. The system must be stopped.

    Every object is compared with its digest on the way. Interrupted, it goes on when it is
    repeated. Afterwards run `rdc verify`; if the object store outlived the database, also
    `rdc rebuild-index`, which files what came after the backup.
    """
    from deploy import state  # noqa: PLC0415
    from deploy.database_access import reachable_database  # noqa: PLC0415
    from deploy.errors import AlreadyRunning  # noqa: PLC0415
    from deploy.keeping.restore import choose  # noqa: PLC0415
    from deploy.keeping.restore import restore as bring_back  # noqa: PLC0415
    from deploy.settings import load  # noqa: PLC0415
    from storage.objects import open_object_store  # noqa: PLC0415

    settings = load(data_dir=data_dir)
    chosen = choose(folder, snapshot)
    if state.read(settings.run_dir) is not None:
        raise AlreadyRunning(
            "the system that would be replaced is running", remedy="Stop `rdc up` first."
        )
    began = time.monotonic()
    with reachable_database(settings) as found:
        objects = open_object_store(found.object_store)
        done = bring_back(chosen, found, objects, _Progress(), force=force)
    typer.echo(
        f"{chosen.name} restored: {done.copied} objects copied, {done.bytes // _MEGABYTE} MB,"
        f" {done.present} were here, in {time.monotonic() - began:.1f} s"
    )
    _tell_problems(done.problems)


def import_files(
    path: Annotated[Path, typer.Argument(help="A DICOM or ECG file, or a folder with such files")],
    *,
    site: Annotated[str, typer.Option("--site", help="Code of the site it belongs to")],
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """File DICOM files and ECGs of other formats for a site, on the road of what its devices send.

    Works beside a running system. Repeated, it changes nothing. DICOMDIR files are passed over;
    files that cannot be filed are named with the reason and stay where they are. Exit code 1 when
    there are such files, or instances were put into quarantine.
    """
    from deploy.errors import DeployError  # noqa: PLC0415
    from deploy.keeping.importing import import_for  # noqa: PLC0415
    from deploy.tables import render  # noqa: PLC0415
    from pacs_gateway.importing import FileResult  # noqa: PLC0415

    if not path.exists():
        raise DeployError(f"there is nothing at {path}", remedy="Name a file or a folder.")
    last = time.monotonic()
    count = 0

    def progress(result: FileResult) -> None:
        nonlocal last, count
        count += 1
        if result.reason:
            typer.echo(f"{result.path}: {result.outcome.value}: {result.reason}", err=True)
        if time.monotonic() - last > _PROGRESS_SECONDS:
            last = time.monotonic()
            _say(f"{count} files")

    with _archive(data_dir) as (settings, database, objects):
        site_id = _site_id(database, site)
        assert site_id is not None
        numbers, failed = import_for(settings, database, objects, site_id, path, progress)
    table = render(("files", "number"), list(numbers.items()))
    typer.echo(json.dumps(numbers) if as_json else table)
    raise typer.Exit(EXIT_FINDINGS if failed else 0)


def _as_text(report: dict[str, Any]) -> str:
    from deploy.tables import render  # noqa: PLC0415

    facts = [
        ("objects compared", report["objects"]),
        ("bytes read", report["bytes_read"]),
        ("derived, not compared", report["derived"]),
        ("too young to judge", report["recent"]),
        ("in the spool, not filed yet", report["spool_files"]),
        ("findings", report["findings"]),
    ]
    parts = [render(("verified", "number"), facts)]
    if report["list"]:
        rows = [
            (
                one["fault"],
                one["holding"],
                one["object_key"],
                one["expected"][:_SHORT],
                one["found"][:_SHORT],
            )
            for one in report["list"]
        ]
        parts.append(render(("fault", "row of", "object", "expected", "found"), rows))
        hidden = report["findings"] - len(rows)
        if hidden > 0:
            parts.append(f"and {hidden} more; all are in the table verification_finding")
        parts.append("See 'What verify found' in the runbook for each fault's remedy.")
    return "\n\n".join(parts)
