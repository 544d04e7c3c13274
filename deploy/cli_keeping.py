"""`rdc verify`, `rebuild-index`, `backup`, `restore`, `import`: keeping what was received."""

from __future__ import annotations

import json
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

if TYPE_CHECKING:
    from collections.abc import Generator
    from uuid import UUID

    from deploy.settings import Settings
    from storage.database import Database
    from storage.keeping.verification import Tally
    from storage.objects import ObjectStore

EXIT_FINDINGS: Final = 1
_SHOWN: Final = 50
_MEGABYTE: Final = 1_000_000
_SHORT: Final = 40
_PROGRESS_SECONDS: Final = 5.0

DataDir = Annotated[
    Path | None,
    typer.Option("--data-dir", help="Data directory of the system [RDC_DATA_DIR, ./var]"),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table")]
SiteCode = Annotated[str | None, typer.Option("--site", help="Code of one site, such as EAST")]


def install(app: typer.Typer) -> None:
    """Add the commands of this module to `app`."""
    app.command()(verify)
    app.command("rebuild-index")(rebuild_index)


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
    from deploy.keeping.report import spool_files, verification_report  # noqa: PLC0415
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
                session, run, shown=_SHOWN, spool_files=spool_files(settings.data_dir)
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
