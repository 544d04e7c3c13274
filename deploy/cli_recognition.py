"""`rdc site recognition`: which exams of a site carry the mark of mutual recognition (互认)."""

from __future__ import annotations

from datetime import date
from typing import Annotated
from uuid import UUID

import typer

from deploy.cli_session import Code, DataDir, note, open_session, show_table

recognition = typer.Typer(help="The mark of mutual recognition that a site's exams carry.")


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no day such as 2026-01-31") from None


@recognition.command("grant")
def grant(
    site: Code,
    modality: Annotated[str, typer.Argument(help="CT, MR, DX, US, ECG …")],
    *,
    basis: Annotated[str, typer.Option(help="By which document the site is qualified")],
    since: Annotated[str, typer.Option("--from", help="First day, such as 2026-01-01")],
    until: Annotated[str, typer.Option(help="Last day; none: no end is known")] = "",
    mark: Annotated[str, typer.Option(help="As it is printed")] = "HR",
    data_dir: DataDir = None,
) -> None:
    """Print the mark on reports of a site's exams of a modality that were made on these days."""
    from storage import registry  # noqa: PLC0415

    with open_session(data_dir) as (session, _):
        made = registry.grant_mark(
            session,
            registry.organisation_by_code(session, site),
            modality,
            mark=mark,
            basis=basis,
            valid_from=_day(since),
            valid_until=_day(until) if until else None,
        )
        note(
            session,
            "recognition:grant",
            "recognition_mark",
            made.id,
            site=site,
            modality=made.modality,
            basis=made.basis,
        )
        typer.echo(f"{site}: {made.modality} exams carry {made.mark!r} from {made.valid_from}")


@recognition.command("end")
def end(
    mark_id: Annotated[UUID, typer.Argument(help="Its id, as 'rdc site recognition list' shows")],
    last_day: Annotated[str, typer.Argument(help="The last day on which it holds")],
    reason: Annotated[str, typer.Argument(help="Why, such as a quality check that failed")],
    *,
    data_dir: DataDir = None,
) -> None:
    """End a mark: exams after that day do not carry it; what was printed stays as it is."""
    from storage import registry  # noqa: PLC0415

    with open_session(data_dir) as (session, _):
        found = registry.end_mark(session, mark_id, _day(last_day))
        note(session, "recognition:end", "recognition_mark", mark_id, reason=reason)
        typer.echo(f"{found.modality}: {found.mark} holds until {found.valid_until}")


@recognition.command("list")
def list_marks(*, data_dir: DataDir = None) -> None:
    """List the marks of all sites, those that have ended too."""
    from storage import registry  # noqa: PLC0415

    with open_session(data_dir) as (session, _):
        show_table(
            ("id", "site", "modality", "mark", "from", "until", "basis"),
            [
                (
                    str(one.id),
                    site.code,
                    one.modality,
                    one.mark,
                    str(one.valid_from),
                    str(one.valid_until or ""),
                    one.basis,
                )
                for one, site in registry.marks(session)
            ],
        )
