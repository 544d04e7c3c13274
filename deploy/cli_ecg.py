"""`rdc ecg`: how well the ECG measurement measures."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from deploy.cli_session import AsJson, show_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reading_worklist.ecg.scoring.score import Score

ecg = typer.Typer(help="The ECG measurement.", no_args_is_help=True)

Folder = Annotated[
    Path,
    typer.Argument(
        help="Folder of WFDB records with LUDB's or QTDB's annotations",
        exists=True,
        file_okay=False,
    ),
]


@ecg.callback()
def _group() -> None:
    """Keep `score` a command of its own while it is the only one."""


@ecg.command("score")
def score_folder(folder: Folder, *, as_json: AsJson = False) -> None:
    """Score our measurement against the annotations of LUDB, QTDB or records marked alike.

    Exit code 1 when a bound is missed.
    """
    from reading_worklist.ecg.scoring.score import score  # noqa: PLC0415 - `--help` stays quick

    found = score(folder)
    if as_json:
        typer.echo(json.dumps(asdict(found), indent=2))
    else:
        _show(found)
    raise typer.Exit(1 if found.missed else 0)


def _show(found: Score) -> None:
    typer.echo(f"{found.method}, {found.records} records\n")
    show_table(
        ("", "records", "mean ms", "SD ms", "median ms", "near enough", "not measured", "unmarked"),
        [
            (
                interval.name,
                interval.count,
                f"{interval.mean_ms:+.1f}",
                f"{interval.sd_ms:.1f}",
                f"{interval.median_ms:+.1f}",
                f"{interval.within_percent:.1f} % in {interval.within_ms:g} ms",
                _names(interval.not_measured),
                _names(interval.without_reference),
            )
            for interval in found.intervals
        ],
    )
    typer.echo(
        f"\nbeats: {found.beats_marked} marked, {found.beats_missed} missed, "
        f"{found.beats_false} false: Se {found.sensitivity_percent:.2f} %, "
        f"PPV {found.precision_percent:.2f} %"
    )
    typer.echo(f"processor: {found.cpu_mean_ms:.1f} ms a record, at most {found.cpu_max_ms:.1f}")
    typer.echo("bounds: " + ("; ".join(found.missed) or "all kept"))


def _names(records: Sequence[str]) -> str:
    return f"{len(records)} ({', '.join(records)})" if records else "0"
