"""`rdc user`, continued: roles with dates, locks, lost proofs, sessions, identities elsewhere."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from deploy.cli_registry import users
from deploy.cli_session import DataDir, note, open_session, show_table

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from storage.registry import Membership, Person

Login = Annotated[str, typer.Argument(help="Name to sign in with")]
At = Annotated[str, typer.Option("--organisation", help="Code of the organisation")]
RoleName = Annotated[str, typer.Option("--role", help="Role there")]
Day = Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="YYYY-MM-DD")]


@users.command("give-role")
def give_role(
    login: Login,
    *,
    organisation: At,
    role: RoleName,
    first: Day = None,
    last: Day = None,
    data_dir: DataDir = None,
) -> None:
    """Give a person a role from --first (today) to --last (open), or change these days."""
    from sqlalchemy import select  # noqa: PLC0415

    from storage import registry  # noqa: PLC0415
    from storage.civil_day import civil_day  # noqa: PLC0415
    from storage.registry import Membership  # noqa: PLC0415

    with open_session(data_dir) as (session, _):
        person, held, key = _membership(session, login, organisation, role)
        if held is None:
            held = Membership(
                person_id=person.id,
                organisation_id=key[0],
                role=key[1],
                valid_from=session.scalars(select(civil_day())).one(),
            )
            session.add(held)
        if first is not None:
            held.valid_from = first.date()
        until = None if last is None else last.date()
        held.valid_until = until
        held.provider = None
        if until is not None and until < held.valid_from:
            raise registry.RegistryRefused(
                "dates of a role", expected="a last day that is not before the first"
            )
        note(
            session,
            "person:give_role",
            "person",
            person.id,
            organisation=organisation,
            role=role,
            valid_from=held.valid_from.isoformat(),
            valid_until=until.isoformat() if until else None,
        )
    typer.echo(f"{login} is {role} at {organisation}")


@users.command("end-role")
def end_role(login: Login, *, organisation: At, role: RoleName, data_dir: DataDir = None) -> None:
    """End a role now; open sessions lose it at once."""
    from datetime import timedelta  # noqa: PLC0415

    from sqlalchemy import select  # noqa: PLC0415

    from storage import registry  # noqa: PLC0415
    from storage.civil_day import civil_day  # noqa: PLC0415

    with open_session(data_dir) as (session, _):
        person, held, _ = _membership(session, login, organisation, role)
        if held is None:
            raise registry.RegistryRefused(
                f"{login!r} is not {role} at {organisation}",
                remedy="List the roles with 'rdc user show'.",
            )
        held.valid_until = session.scalars(select(civil_day())).one() - timedelta(days=1)
        note(session, "person:end_role", "person", person.id, organisation=organisation, role=role)
    typer.echo(f"{login} is {role} at {organisation} no more")


@users.command("show")
def show(login: Login, *, data_dir: DataDir = None) -> None:
    """Show a person's roles with dates, locks, second factor and identities elsewhere."""
    from sqlalchemy import select  # noqa: PLC0415

    from deploy import people  # noqa: PLC0415
    from reading_worklist.access import second_factor, throttle  # noqa: PLC0415
    from reading_worklist.access.tables import OutsideIdentity  # noqa: PLC0415
    from storage.clock import utc_now  # noqa: PLC0415
    from storage.registry import Membership  # noqa: PLC0415

    with open_session(data_dir) as (session, _):
        person = people.by_login(session, login)
        waits = throttle.waits(session, [login], now=utc_now()).get(login)
        set_up = second_factor.is_set_up(session, person.id)
        typer.echo(f"name           {person.display_name}")
        typer.echo(f"may sign in    {'yes' if person.active else 'no: locked out'}")
        typer.echo(f"wrong tries    {f'waits until {waits:%Y-%m-%d %H:%M} UTC' if waits else '-'}")
        typer.echo(f"second factor  {'yes' if set_up else 'no'}")
        for one in session.scalars(
            select(OutsideIdentity).where(OutsideIdentity.person_id == person.id)
        ):
            typer.echo(f"identity       {one.provider}: {one.subject or one.email}")
        held = session.scalars(select(Membership).where(Membership.person_id == person.id)).all()
        show_table(
            ("organisation", "role", "from", "until", "given by"),
            [
                (
                    one.organisation.code,
                    one.role,
                    str(one.valid_from),
                    str(one.valid_until or ""),
                    one.provider or "",
                )
                for one in sorted(held, key=lambda one: (one.organisation.code, one.role))
            ],
        )


@users.command("lock")
def lock(login: Login, *, data_dir: DataDir = None) -> None:
    """Lock a person out at once; every session ends."""
    from deploy import people  # noqa: PLC0415
    from reading_worklist.access.sessions import end_all  # noqa: PLC0415

    with open_session(data_dir) as (session, _):
        person = people.by_login(session, login)
        person.active = False
        ended = end_all(session, person.id)
        note(session, "person:lock", "person", person.id)
    typer.echo(f"{login} is locked out; {ended} sessions ended")


@users.command("unlock")
def unlock(login: Login, *, data_dir: DataDir = None) -> None:
    """Let a person in again: after a lock, or after too many wrong passwords."""
    from deploy import people  # noqa: PLC0415
    from reading_worklist.access import throttle  # noqa: PLC0415

    with open_session(data_dir) as (session, _):
        person = people.by_login(session, login)
        person.active = True
        throttle.lift(session, login)
        note(session, "person:unlock", "person", person.id)
    typer.echo(f"{login} may sign in")


@users.command("reset-totp")
def reset_totp(login: Login, *, data_dir: DataDir = None) -> None:
    """Take a lost second factor away; the person is signed out and sets up another."""
    from deploy import people  # noqa: PLC0415
    from reading_worklist.access import second_factor  # noqa: PLC0415
    from reading_worklist.access.sessions import end_all  # noqa: PLC0415
    from storage import registry  # noqa: PLC0415

    with open_session(data_dir) as (session, _):
        person = people.by_login(session, login)
        if not second_factor.remove(session, person.id):
            raise registry.RegistryRefused(f"{login!r} has no second factor")
        end_all(session, person.id)
        note(session, "second_factor:reset", "person", person.id)
    typer.echo(f"{login} has no second factor now")


@users.command("sign-out")
def sign_out(login: Login, *, data_dir: DataDir = None) -> None:
    """End all sessions of a person."""
    from deploy import people  # noqa: PLC0415
    from reading_worklist.access.sessions import end_all  # noqa: PLC0415

    with open_session(data_dir) as (session, _):
        person = people.by_login(session, login)
        ended = end_all(session, person.id)
        note(session, "session:end_all", "person", person.id, ended=ended)
    typer.echo(f"{ended} sessions ended")


@users.command("identity")
def identity(
    login: Login,
    *,
    provider: Annotated[str, typer.Option(help="Provider, as RDC_IDENTITY_PROVIDERS names it")],
    email: Annotated[str | None, typer.Option(help="Address that the provider verifies")] = None,
    subject: Annotated[str | None, typer.Option(help="What the provider calls the person")] = None,
    data_dir: DataDir = None,
) -> None:
    """Register who a person is at an identity provider, in place of what was registered there."""
    from sqlalchemy import delete  # noqa: PLC0415

    from deploy import people  # noqa: PLC0415
    from reading_worklist.access.tables import OutsideIdentity  # noqa: PLC0415

    if not email and not subject:
        raise typer.BadParameter("--email or --subject")
    with open_session(data_dir) as (session, _):
        person = people.by_login(session, login)
        session.execute(
            delete(OutsideIdentity).where(
                OutsideIdentity.person_id == person.id, OutsideIdentity.provider == provider
            )
        )
        session.add(
            OutsideIdentity(
                person_id=person.id,
                provider=provider,
                email=email.strip().lower() if email else None,
                subject=subject,
            )
        )
        note(session, "person:register_identity", "person", person.id, provider=provider)
    typer.echo(f"{provider} vouches for {login}")


def _membership(
    session: Session, login: str, organisation: str, role: str
) -> tuple[Person, Membership | None, tuple[object, object]]:
    from deploy import people  # noqa: PLC0415
    from storage import registry  # noqa: PLC0415
    from storage.registry import Membership, Role  # noqa: PLC0415

    person = people.by_login(session, login)
    place = registry.organisation_by_code(session, organisation)
    if role not in list(Role):
        raise registry.RegistryRefused("role", expected=", ".join(Role), found=role)
    return (
        person,
        session.get(Membership, (person.id, place.id, Role(role)), with_for_update=True),
        (place.id, Role(role)),
    )
