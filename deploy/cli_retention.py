"""`rdc retention`, `rdc hold`: how long records stay, what holds them, what may go."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final
from uuid import UUID

import typer

from deploy.cli_session import Code, DataDir, show_table
from deploy.errors import DeployError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sqlalchemy.orm import Session

    from reading_worklist.access.scope import Scope

retention = typer.Typer(
    help="How long records are kept, and what may be removed by two people. Every command acts as "
    "a person: --as LOGIN, whose password is asked for (or is the first line of standard input)."
)
holds = typer.Typer(
    help="Legal holds: what must stay, however old. Every command acts as a person: --as LOGIN, "
    "whose password is asked for (or is the first line of standard input)."
)

As = Annotated[str, typer.Option("--as", metavar="LOGIN", help="Who does it")]
Reason = Annotated[str, typer.Option("--reason", help="Why; it is kept")]
Page = Annotated[int, typer.Option(min=1, help="Page of the list")]
PurgeId = Annotated[UUID, typer.Argument(help="Number of the purge, from `rdc retention purges`")]

_MEGABYTE: Final = 1_000_000
_SHORT: Final = 40


def _given(reason: str) -> str:
    if not reason.strip():
        raise DeployError("the reason is missing", remedy="Say why with --reason.")
    return reason.strip()


def _told(shown: int, total: int, page: int) -> None:
    if shown < total:
        typer.echo(f"page {page}; {total} altogether, more with --page")


@retention.command("rules")
def list_rules(*, login: As, data_dir: DataDir = None) -> None:
    """List for how many years each site keeps the records of each kind of visit."""
    from deploy.signed_in import signed_in  # noqa: PLC0415 - `--help` stays quick
    from reading_worklist.keeping import queries, service  # noqa: PLC0415

    with signed_in(data_dir, login) as (session, scope):
        scope.require(*service.LOOKERS)
        rules = queries.rules(session, scope)
    show_table(
        ("site", "visit", "years", "at least", "name"),
        [
            (one.site_code, one.visit_kind.value, one.years, one.minimum, one.site_name)
            for one in rules
        ],
    )


@retention.command("set")
def set_rule(
    site: Code,
    visit: Annotated[str, typer.Argument(help="outpatient or inpatient")],
    years: Annotated[int, typer.Argument(help="Years after the last visit or discharge")],
    *,
    login: As,
    data_dir: DataDir = None,
) -> None:
    """Let a site keep records longer than the law demands, or as long."""
    from deploy.signed_in import signed_in  # noqa: PLC0415
    from reading_worklist.keeping import lookup, service  # noqa: PLC0415
    from reading_worklist.keeping.tables import VisitKind  # noqa: PLC0415

    kinds = [kind.value for kind in VisitKind]
    if visit not in kinds:
        raise DeployError("there is no such kind of visit", expected=", ".join(kinds), found=visit)
    with signed_in(data_dir, login) as (session, scope):
        site_id = lookup.site_id_of(session, scope, site)
        service.set_rule(session, scope, site_id, VisitKind(visit), years)
    typer.echo(f"{site} keeps {visit} records {years} years")


@retention.command("due")
def list_due(*, login: As, page: Page = 1, data_dir: DataDir = None) -> None:
    """List the studies of patients whose records need not be kept any more, and what is in the way.

    The longest due come first.
    """
    from deploy.signed_in import signed_in  # noqa: PLC0415
    from reading_worklist.keeping import queries, service  # noqa: PLC0415

    with signed_in(data_dir, login) as (session, scope):
        scope.require(*service.LOOKERS)
        found = queries.due(session, scope, page)
    show_table(
        ("site", "patient", "due on", "study", "of", "instances", "MB", "must stay for"),
        [
            (
                patient.site_code,
                patient.local_id or "without id",
                patient.due_on,
                study.study_instance_uid,
                study.study_date or "",
                study.instances,
                study.bytes // _MEGABYTE,
                ", ".join(study.obstacles),
            )
            for patient in found.items
            for study in patient.studies
        ],
    )
    _told(len(found.items), found.total, page)


@retention.command("purges")
def list_purges(
    *,
    login: As,
    every: Annotated[bool, typer.Option("--all", help="Those that have ended too")] = False,
    page: Page = 1,
    data_dir: DataDir = None,
) -> None:
    """List what has been proposed for removal, newest first, and what you may do with it."""
    from deploy.signed_in import signed_in  # noqa: PLC0415
    from reading_worklist.keeping import queries, service  # noqa: PLC0415

    with signed_in(data_dir, login) as (session, scope):
        scope.require(*service.LOOKERS)
        found = queries.purges(session, scope, page, open_only=not every)
    show_table(
        ("purge", "site", "state", "studies", "MB", "proposed by", "reason", "you may"),
        [
            (
                one.id,
                one.site_code,
                one.state.value,
                one.studies,
                one.bytes // _MEGABYTE,
                one.proposed_by,
                one.reason[:_SHORT],
                ", ".join(one.actions),
            )
            for one in found.items
        ],
    )
    _told(len(found.items), found.total, page)


@retention.command("propose")
def propose(
    site: Code,
    study: Annotated[list[str], typer.Argument(help="Study Instance UIDs, from `due`")],
    *,
    login: As,
    reason: Reason,
    data_dir: DataDir = None,
) -> None:
    """Propose to remove studies for good; another administrator has to agree."""
    from deploy.signed_in import signed_in  # noqa: PLC0415
    from reading_worklist.keeping import lookup, service  # noqa: PLC0415

    with signed_in(data_dir, login) as (session, scope):
        wanted = lookup.study_ids_of(session, scope, site, study)
        purge = service.propose(session, scope, wanted, _given(reason)).id
    typer.echo(f"proposed {len(study)} studies of {site} for removal: {purge}")


def _decide(
    data_dir: Path | None,
    login: str,
    act: Callable[[Session, Scope], None],
    done: str,
) -> None:
    from deploy.signed_in import signed_in  # noqa: PLC0415

    with signed_in(data_dir, login) as (session, scope):
        act(session, scope)
    typer.echo(done)


@retention.command("approve")
def approve(
    purge: PurgeId,
    *,
    login: As,
    comment: Annotated[str, typer.Option(help="What is kept with it")] = "",
    data_dir: DataDir = None,
) -> None:
    """Agree to what another administrator proposed. Removing begins at once and is for good."""
    from reading_worklist.keeping import service  # noqa: PLC0415

    _decide(
        data_dir,
        login,
        lambda session, scope: service.approve(session, scope, purge, comment),
        f"{purge} approved: its studies are being removed",
    )


@retention.command("reject")
def reject(purge: PurgeId, *, login: As, reason: Reason, data_dir: DataDir = None) -> None:
    """Refuse what another administrator proposed."""
    from reading_worklist.keeping import service  # noqa: PLC0415

    _decide(
        data_dir,
        login,
        lambda session, scope: service.reject(session, scope, purge, _given(reason)),
        f"{purge} rejected: its studies stay",
    )


@retention.command("withdraw")
def withdraw(
    purge: PurgeId,
    *,
    login: As,
    comment: Annotated[str, typer.Option(help="What is kept with it")] = "",
    data_dir: DataDir = None,
) -> None:
    """Take a proposal back before anything has gone."""
    from reading_worklist.keeping import service  # noqa: PLC0415

    _decide(
        data_dir,
        login,
        lambda session, scope: service.withdraw(session, scope, purge, comment),
        f"{purge} withdrawn: its studies stay",
    )


@holds.command("list")
def list_holds(
    *,
    login: As,
    every: Annotated[bool, typer.Option("--all", help="Released ones too")] = False,
    page: Page = 1,
    data_dir: DataDir = None,
) -> None:
    """List the legal holds, newest first."""
    from deploy.signed_in import signed_in  # noqa: PLC0415
    from reading_worklist.keeping import queries, service  # noqa: PLC0415

    with signed_in(data_dir, login) as (session, scope):
        scope.require(*service.LOOKERS)
        found = queries.holds(session, scope, page, active_only=not every)
    rows: list[tuple[Any, ...]] = [
        (
            one.id,
            one.site_code,
            one.local_id or "without id",
            one.study_instance_uid or "all",
            f"{one.set_at:%Y-%m-%d}",
            one.set_by,
            f"{one.released_at:%Y-%m-%d}" if one.released_at else "",
            one.reason[:_SHORT],
        )
        for one in found.items
    ]
    show_table(("hold", "site", "patient", "study", "set", "by", "released", "reason"), rows)
    _told(len(found.items), found.total, page)


@holds.command("set")
def set_hold(
    site: Code,
    *,
    login: As,
    reason: Reason,
    patient: Annotated[
        str | None, typer.Option(help="Patient ID at the site: all of the patient stays")
    ] = None,
    study: Annotated[str | None, typer.Option(help="Study Instance UID: this study stays")] = None,
    data_dir: DataDir = None,
) -> None:
    """Let nothing of a patient, or one study, be removed until the hold is released."""
    from deploy.signed_in import signed_in  # noqa: PLC0415
    from reading_worklist.keeping import lookup, service  # noqa: PLC0415

    if (patient is None) == (study is None):
        raise DeployError(
            "a hold is on a patient or on one study", remedy="Give one of --patient and --study."
        )
    with signed_in(data_dir, login) as (session, scope):
        hold = service.set_hold(
            session,
            scope,
            patient_id=lookup.patient_id_of(session, scope, site, patient) if patient else None,
            study_id=lookup.study_ids_of(session, scope, site, [study])[0] if study else None,
            reason=_given(reason),
        ).id
    typer.echo(f"held: {hold}")


@holds.command("release")
def release_hold(
    hold: Annotated[UUID, typer.Argument(help="Number of the hold, from `rdc hold list`")],
    *,
    login: As,
    reason: Reason,
    data_dir: DataDir = None,
) -> None:
    """Release a hold: the rules of retention count again."""
    from reading_worklist.keeping import service  # noqa: PLC0415

    _decide(
        data_dir,
        login,
        lambda session, scope: service.release_hold(session, scope, hold, _given(reason)),
        f"{hold} released",
    )
