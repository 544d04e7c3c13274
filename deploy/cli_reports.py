"""`rdc report verify`: is this file a report as its doctors signed it?"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from deploy.cli_session import AsJson, DataDir

if TYPE_CHECKING:
    from datetime import datetime

    from reading_worklist.signing.verdicts import VerificationReport

reports = typer.Typer(help="Signed reports as files.")

_STAMPS: Final = 1000
_EXIT: Final = {"valid": 0, "invalid": 1, "indeterminate": 2}


@reports.command("verify")
def verify_file(
    files: Annotated[
        list[Path], typer.Argument(exists=True, dir_okay=False, help="PDF files of reports")
    ],
    *,
    trust: Annotated[
        list[Path] | None,
        typer.Option(
            exists=True,
            dir_okay=False,
            help="Certificate (PEM) of an authority whose signatures count; repeat; none: as set",
        ),
    ] = None,
    trust_time: Annotated[
        list[Path] | None,
        typer.Option(
            exists=True,
            dir_okay=False,
            help="Certificate (PEM) of an authority whose time stamps alone count; none: as set",
        ),
    ] = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Verify reports offline, by what is in the file alone: no database, no network.

    Exit code 0: valid. 1: invalid, do not rely on it. 2: it cannot be proven, with the reason. Of
    several files the gravest counts.
    """
    from deploy.settings import load  # noqa: PLC0415
    from deploy.signing import time_anchors, trust_anchors  # noqa: PLC0415 - `--help` stays quick
    from reading_worklist.signing.verification import required_roles, verify  # noqa: PLC0415

    settings = load(data_dir=data_dir)
    anchors = trust_anchors(settings, trust or ())
    clocks = tuple(one.read_text(encoding="ascii") for one in trust_time or ())
    clocks = clocks or time_anchors(settings)
    found: list[tuple[Path, VerificationReport]] = []
    for file in files:
        pdf = file.read_bytes()
        report = verify(pdf, anchors, required=required_roles(pdf), time_anchors=clocks)
        found.append((file, report))
    if as_json:
        typer.echo(json.dumps([_plain(*one) for one in found], ensure_ascii=False, indent=2))
    else:
        typer.echo("\n\n".join(_shown(*one) for one in found))
    verdicts = {report.verdict.value for _, report in found}
    gravest = next(one for one in ("invalid", "indeterminate", "valid") if one in verdicts)
    raise typer.Exit(_EXIT[gravest])


@reports.command("stamp")
def stamp_again(*, data_dir: DataDir = None) -> None:
    """Put further time stamps over reports whose stamp ends or is not of the set authority.

    The system does this by itself every ten minutes.
    """
    from deploy.database_access import open_database  # noqa: PLC0415
    from deploy.settings import load  # noqa: PLC0415
    from deploy.signing import long_term  # noqa: PLC0415
    from reading_worklist.reports import time_stamps  # noqa: PLC0415
    from storage.clock import utc_now  # noqa: PLC0415
    from storage.objects import open_object_store  # noqa: PLC0415

    settings = load(data_dir=data_dir)
    with open_database(settings) as database:
        objects = open_object_store(settings.object_store)
        done = time_stamps.renew(
            database, objects, long_term(settings), now=utc_now(), limit=_STAMPS
        )
        with database.transaction() as session:
            waiting = time_stamps.waiting(session)
    typer.echo(f"stamped again: {done}; waiting for the outside authority: {waiting}")


def _shown(file: Path, report: VerificationReport) -> str:
    from deploy.tables import render  # noqa: PLC0415

    lines = [f"{file}: {report.verdict.value.upper()}", f"  {report.reason.explanation}"]
    lines.append(f"  {report.reason.explanation_zh}")
    if report.signatures:
        table = render(
            ("signature", "by", "of", "signed", "proven since", "certificate", "verdict"),
            [
                (
                    one.role or one.field_name,
                    one.signer_name or "",
                    one.organisation or "",
                    _time(one.signed_at),
                    _time(one.proven_at),
                    one.certificate_serial or "",
                    one.verdict if one.verdict is report.verdict else f"{one.verdict} {one.reason}",
                )
                for one in report.signatures
            ],
        )
        lines += [f"  {line}" for line in table.splitlines()]
    return "\n".join([*lines, f"  SHA-256 {report.sha256}"])


def _time(at: datetime | None) -> str:
    return f"{at.astimezone():%Y-%m-%d %H:%M:%S %z}" if at is not None else "-"


def _plain(file: Path, report: VerificationReport) -> dict[str, Any]:
    return {
        "file": str(file),
        "verdict": report.verdict.value,
        "reason": report.reason.value,
        "explanation": report.reason.explanation,
        "explanation_zh": report.reason.explanation_zh,
        "sha256": report.sha256,
        "verified_at": report.verified_at.isoformat(),
        "signatures": [
            {
                "role": one.role,
                "verdict": one.verdict.value,
                "reason": one.reason.value,
                "signer_name": one.signer_name,
                "organisation": one.organisation,
                "certificate_serial": one.certificate_serial,
                "signed_at": one.signed_at.isoformat() if one.signed_at else None,
                "proven_at": one.proven_at.isoformat() if one.proven_at else None,
            }
            for one in report.signatures
        ],
    }
