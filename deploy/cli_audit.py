"""`rdc audit`: is the trail as it was written, and taking it out."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from deploy.cli_session import AsJson, DataDir

audits = typer.Typer(help="The audit trail: who did what, when, for whom, from where.")


@audits.command("verify")
def verify_trail(
    *,
    kept: Annotated[
        str | None,
        typer.Option(help="A seal written down earlier, which must be in the chain"),
    ] = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Hold every record against its seal and every seal against the one before.

    Exit code 1 when something was changed. Write the newest seal down somewhere else, and give it
    with --kept next time: so nobody can replace the whole trail.
    """
    from deploy.database_access import open_database  # noqa: PLC0415 - `--help` stays quick
    from deploy.settings import load  # noqa: PLC0415
    from storage.audit_seals import verify  # noqa: PLC0415

    def progress(records: int) -> None:
        typer.echo(f"rdc: {records} records looked at", err=True)

    with open_database(load(data_dir=data_dir)) as database:
        verdict = verify(database, kept=kept, progress=progress)
    if as_json:
        typer.echo(json.dumps({"whole": verdict.whole, **asdict(verdict)}, ensure_ascii=False))
    else:
        typer.echo(f"records      {verdict.records} under {verdict.seals} seals")
        typer.echo(f"too young    {verdict.unsealed}")
        typer.echo(f"newest seal  {verdict.head}")
        for one in verdict.breaks:
            typer.echo(f"CHANGED      {one.what}")
        if verdict.kept_found is False:
            typer.echo("CHANGED      the seal that was kept is not in the chain")
        typer.echo(
            "whole" if verdict.whole else "NOT WHOLE: keep the database as it is, tell the auditor"
        )
    raise typer.Exit(0 if verdict.whole else 1)


class ExportFormat(StrEnum):
    """How records are written."""

    JSON = "json"
    DICOM = "dicom"


@audits.command("export")
def export_trail(
    file: Annotated[Path, typer.Argument(help="Where to write it; one record a line")],
    *,
    written_as: Annotated[
        ExportFormat,
        typer.Option("--format", help="JSON objects, or audit messages of DICOM PS3.15 A.5 (XML)"),
    ] = ExportFormat.JSON,
    since: Annotated[datetime | None, typer.Option(help="From this UTC time on")] = None,
    until: Annotated[datetime | None, typer.Option(help="Before this UTC time")] = None,
    data_dir: DataDir = None,
) -> None:
    """Write the trail to a file, oldest first, for keeping elsewhere or a regulator's tools."""
    from deploy.database_access import open_database  # noqa: PLC0415 - `--help` stays quick
    from deploy.settings import load  # noqa: PLC0415
    from storage.audit_export.exporting import messages  # noqa: PLC0415
    from storage.audit_trail import Search, lines  # noqa: PLC0415

    search = Search(since=_utc(since), until=_utc(until))
    settings = load(data_dir=data_dir)
    with (
        open_database(settings) as database,
        database.transaction() as session,
        file.open("xb") as output,
    ):
        file.chmod(0o600)
        number = 0
        written = (
            (message + b"\n" for message in messages(session, search, settings.audit_source))
            if written_as is ExportFormat.DICOM
            else (line.encode() for line in lines(session, search))
        )
        for line in written:
            output.write(line)
            number += 1
    typer.echo(f"{number} records")


def _utc(given: datetime | None) -> datetime | None:
    return None if given is None else given.replace(tzinfo=UTC)
