"""`rdc site`, `user`: who takes part in the consortium."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

import typer

from deploy.cli_session import Code, DataDir, note, open_session, show_table

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from deploy.people import AddedPerson
    from storage.registry import Organisation

sites = typer.Typer(help="Organisations: the consortium, its centre, the sites.")
users = typer.Typer(help="People and what they may do.")

_MEGABYTE: Final = 1_000_000


@sites.command("add")
def add_site(
    code: Code,
    *,
    name: Annotated[str, typer.Option(help="Name as it is printed")],
    name_en: Annotated[str, typer.Option(help="Name in English")] = "",
    kind: Annotated[str, typer.Option(help="site, centre, partner or consortium")] = "site",
    parent: Annotated[str | None, typer.Option(help="Code of the organisation above it")] = None,
    data_dir: DataDir = None,
) -> None:
    """Add an organisation: first the consortium, then its centre and sites with --parent."""
    from storage import registry  # noqa: PLC0415
    from storage.orders import procedures  # noqa: PLC0415

    kinds = [known.value for known in registry.OrganisationKind]
    if kind not in kinds:
        raise registry.RegistryRefused("organisation kind", expected=", ".join(kinds), found=kind)
    with open_session(data_dir) as (session, _):
        above = registry.organisation_by_code(session, parent) if parent else None
        added = registry.add_organisation(
            session,
            kind=registry.OrganisationKind(kind),
            code=code,
            name=name,
            name_en=name_en or name,
            parent=above,
        )
        note(session, "organisation:add", "organisation", added.id, code=code, kind=kind)
        if added.kind is registry.OrganisationKind.CONSORTIUM:
            _take_over_templates(session, added)
            procedures.take_over(session, added.id)
    typer.echo(f"added {kind} {code}")


@sites.command("templates")
def give_templates(code: Code, *, data_dir: DataDir = None) -> None:
    """Give a consortium the shipped report templates that it has never had."""
    from storage import registry  # noqa: PLC0415

    with open_session(data_dir) as (session, _):
        organisation = registry.organisation_by_code(session, code)
        made = _take_over_templates(session, registry.consortium_of(session, organisation.id))
    typer.echo(f"{made} templates are new")


@sites.command("procedures")
def give_procedures(code: Code, *, data_dir: DataDir = None) -> None:
    """Give a consortium the shipped procedures, for orders, that it has never had."""
    from storage import registry  # noqa: PLC0415
    from storage.orders import procedures  # noqa: PLC0415

    with open_session(data_dir) as (session, _):
        organisation = registry.organisation_by_code(session, code)
        consortium = registry.consortium_of(session, organisation.id)
        made = procedures.take_over(session, consortium.id)
    typer.echo(f"{made} procedures are new")


def _take_over_templates(session: Session, consortium: Organisation) -> int:
    from reading_worklist.templates.starter import take_over  # noqa: PLC0415

    return take_over(session, consortium.id)


@sites.command("change")
def change_site(
    code: Code,
    *,
    new_code: Annotated[str | None, typer.Option("--code", help="Another code")] = None,
    name: Annotated[str | None, typer.Option(help="Name as it is printed")] = None,
    name_en: Annotated[str | None, typer.Option(help="Name in English")] = None,
    parent: Annotated[str | None, typer.Option(help="Code of the organisation above it")] = None,
    data_dir: DataDir = None,
) -> None:
    """Change code, names or place of an organisation; what is not given stays."""
    from storage import registry  # noqa: PLC0415

    given = {"code": new_code, "name": name, "name_en": name_en, "parent": parent}
    with open_session(data_dir) as (session, _):
        changed = registry.organisation_by_code(session, code)
        above = registry.organisation_by_code(session, parent) if parent else None
        registry.change_organisation(
            session, changed, code=new_code, name=name, name_en=name_en, parent=above
        )
        changes = {what: value for what, value in given.items() if value is not None}
        note(session, "organisation:change", "organisation", changed.id, **changes)
    typer.echo(f"changed {new_code or code}")


@sites.command("branch")
def name_branch(
    code: Code,
    branch: Annotated[str, typer.Argument(help="Which of its campuses it is; '' for none")],
    *,
    english: Annotated[str, typer.Option("--en", help="The same in English")] = "",
    data_dir: DataDir = None,
) -> None:
    """Print a branch or campus behind the name of an organisation on its reports from now on.

    A site whose branches each have a machine names them with 'rdc device branch'.
    """
    from storage import registry  # noqa: PLC0415

    with open_session(data_dir) as (session, _):
        found = registry.organisation_by_code(session, code)
        found.branch, found.branch_en = branch.strip(), english.strip()
        note(session, "organisation:branch", "organisation", found.id, branch=branch)
        typer.echo(f"{code}: {found.name} {found.branch}".rstrip())


@sites.command("list")
def list_sites(*, data_dir: DataDir = None) -> None:
    """List the organisations, with the instances kept for each and the space they take."""
    from sqlalchemy import select  # noqa: PLC0415

    from storage.keeping import usage  # noqa: PLC0415
    from storage.registry import Organisation  # noqa: PLC0415

    with open_session(data_dir) as (session, _):
        usage.refresh(session)
        kept = usage.totals(session)
        found = session.scalars(select(Organisation).order_by(Organisation.code)).all()
        codes = {row.id: row.code for row in found}
        show_table(
            ("code", "kind", "below", "instances", "MB", "name", "name (en)"),
            [
                (
                    row.code,
                    row.kind,
                    codes[row.parent_id] if row.parent_id else "",
                    kept[row.id][0] if row.id in kept else "",
                    kept[row.id][1] // _MEGABYTE if row.id in kept else "",
                    row.name,
                    row.name_en,
                )
                for row in found
            ],
        )


@users.command("add")
def add_user(
    login: Annotated[str, typer.Argument(help="Name to sign in with, lower case")],
    *,
    name: Annotated[str, typer.Option(help="Name as it is shown and printed")],
    organisation: Annotated[str, typer.Option(help="Code of the organisation")],
    role: Annotated[list[str], typer.Option(help="Role there; repeat for several")],
    data_dir: DataDir = None,
) -> None:
    """Add a person; password and signing PIN are generated and shown this once.

    Writers, reviewers and experts get a signing key and certificate as well.
    """
    from deploy import people, signing  # noqa: PLC0415

    with open_session(data_dir) as (session, settings):
        added = people.add(
            session,
            signing.open_signing_authority(settings),
            login=login,
            display_name=name,
            organisation=organisation,
            roles=role,
        )
        note(
            session, "person:add", "person", added.person_id, organisation=organisation, roles=role
        )
    _show_secrets(login, added)


@users.command("renew")
def renew_user(
    login: Annotated[str, typer.Argument(help="Name to sign in with")],
    *,
    signing_key: Annotated[
        bool, typer.Option("--signing-key", help="Make a new signing key and PIN too")
    ] = False,
    data_dir: DataDir = None,
) -> None:
    """Give a person a new password, for a forgotten one or one that others may know.

    The person is signed out everywhere. With --signing-key the old key is revoked and a new one
    made; reports it signed stay as they are.
    """
    from deploy import people, signing  # noqa: PLC0415

    with open_session(data_dir) as (session, settings):
        renewed = people.renew(
            session,
            signing.open_signing_authority(settings),
            login=login,
            signing_key=signing_key,
        )
        note(session, "person:renew", "person", renewed.person_id, signing_key=signing_key)
    _show_secrets(login, renewed)


def _show_secrets(login: str, person: AddedPerson) -> None:
    typer.echo(f"login      {login}\npassword   {person.password}")
    if person.signing_pin:
        typer.echo(f"PIN        {person.signing_pin}   (for signing reports)")
    typer.echo("Neither is stored readably: note them now.")


@users.command("list")
def list_users(*, data_dir: DataDir = None) -> None:
    """List the people and their roles that hold today."""
    from sqlalchemy import select  # noqa: PLC0415

    from storage.registry import Person, valid_memberships  # noqa: PLC0415

    with open_session(data_dir) as (session, _):
        rows = [
            (
                person.login,
                person.display_name,
                ", ".join(
                    f"{membership.role}@{membership.organisation.code}"
                    for membership in valid_memberships(session, person.id)
                ),
                "yes" if person.active else "no",
            )
            for person in session.scalars(select(Person).order_by(Person.login))
        ]
        show_table(("login", "name", "roles", "active"), rows)
