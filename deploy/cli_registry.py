"""`rdc site`, `device`, `destination`, `user`: who takes part in the consortium."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from sqlalchemy.orm import Session

    from deploy.people import AddedPerson
    from deploy.settings import Settings
    from storage.registry import DeviceLimits

sites = typer.Typer(help="Organisations: the consortium, its centre, the sites.")
devices = typer.Typer(help="Machines of a site that may send to us.")
destinations = typer.Typer(help="Where a site wants its reports delivered.")
users = typer.Typer(help="People and what they may do.")

DataDir = Annotated[
    Path | None,
    typer.Option("--data-dir", help="Data directory of the system [RDC_DATA_DIR, ./var]"),
]
Code = Annotated[str, typer.Argument(help="Code of the organisation, such as EAST")]

_MEGABYTE: Final = 1_000_000
ACTOR: Final = "rdc command line"


@contextmanager
def _session(data_dir: Path | None) -> Generator[tuple[Session, Settings]]:
    from deploy.database_access import open_database  # noqa: PLC0415 - `--help` stays quick
    from deploy.settings import load  # noqa: PLC0415

    settings = load(data_dir=data_dir)
    with open_database(settings) as database, database.transaction() as session:
        yield session, settings


def _audit(
    session: Session, action: str, subject_kind: str, subject: object, **detail: object
) -> None:
    from storage import audit  # noqa: PLC0415

    audit.record(
        session,
        audit.system_actor(ACTOR),
        action,
        subject_kind=subject_kind,
        subject_id=subject,
        detail=detail,
    )


def _table(headings: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    from deploy.tables import render  # noqa: PLC0415

    typer.echo(render(headings, rows))


@sites.command("add")
def add_site(
    code: Code,
    *,
    name: Annotated[str, typer.Option(help="Name as it is printed")],
    name_en: Annotated[str, typer.Option(help="Name in English")] = "",
    kind: Annotated[str, typer.Option(help="site, centre or consortium")] = "site",
    parent: Annotated[str | None, typer.Option(help="Code of the organisation above it")] = None,
    data_dir: DataDir = None,
) -> None:
    """Add an organisation: first the consortium, then its centre and sites with --parent."""
    from storage import registry  # noqa: PLC0415

    kinds = [known.value for known in registry.OrganisationKind]
    if kind not in kinds:
        raise registry.RegistryRefused("organisation kind", expected=", ".join(kinds), found=kind)
    with _session(data_dir) as (session, _):
        above = registry.organisation_by_code(session, parent) if parent else None
        added = registry.add_organisation(
            session,
            kind=registry.OrganisationKind(kind),
            code=code,
            name=name,
            name_en=name_en or name,
            parent=above,
        )
        _audit(session, "organisation:add", "organisation", added.id, code=code, kind=kind)
    typer.echo(f"added {kind} {code}")


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
    with _session(data_dir) as (session, _):
        changed = registry.organisation_by_code(session, code)
        above = registry.organisation_by_code(session, parent) if parent else None
        registry.change_organisation(
            session, changed, code=new_code, name=name, name_en=name_en, parent=above
        )
        changes = {what: value for what, value in given.items() if value is not None}
        _audit(session, "organisation:change", "organisation", changed.id, **changes)
    typer.echo(f"changed {new_code or code}")


@sites.command("list")
def list_sites(*, data_dir: DataDir = None) -> None:
    """List the organisations, with the instances kept for each and the space they take."""
    from sqlalchemy import select  # noqa: PLC0415

    from storage.keeping import usage  # noqa: PLC0415
    from storage.registry import Organisation  # noqa: PLC0415

    with _session(data_dir) as (session, _):
        usage.refresh(session)
        kept = usage.totals(session)
        found = session.scalars(select(Organisation).order_by(Organisation.code)).all()
        codes = {row.id: row.code for row in found}
        _table(
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


MaxAssociations = Annotated[
    int | None, typer.Option("--max-associations", help="Associations at once")
]
MaxInstance = Annotated[
    int | None, typer.Option("--max-instance-mib", help="Largest instance, MiB")
]
MaxRate = Annotated[
    int | None, typer.Option("--max-kib-per-second", help="Rate of one association, KiB/s; 0: any")
]
Idle = Annotated[
    int | None,
    typer.Option("--idle-seconds", help="Silence that ends an association; 0: as for all"),
]
Fingerprint = Annotated[
    str | None,
    typer.Option(
        "--certificate",
        help="SHA-256 fingerprint of the TLS certificate it must call with; none: it need not",
    ),
]


def _limits(
    known: DeviceLimits,
    max_associations: int | None,
    max_instance_mib: int | None,
    max_kib_per_second: int | None,
    idle_seconds: int | None,
) -> DeviceLimits:
    """Return the limits with what was given changed; 0 takes one away that need not be."""
    changes: dict[str, int | None] = {}
    if max_associations is not None:
        changes["max_associations"] = max_associations
    if max_instance_mib is not None:
        changes["max_instance_bytes"] = max_instance_mib << 20
    if max_kib_per_second is not None:
        changes["max_bytes_per_second"] = max_kib_per_second << 10 or None
    if idle_seconds is not None:
        changes["idle_seconds"] = idle_seconds or None
    return replace(known, **changes)


def _host_and_port(text: str) -> tuple[str, int]:
    """Return both parts of HOST:PORT; a port that is no number becomes 0, which is refused."""
    host, _, port = text.rpartition(":")
    return host.strip("[]"), int(port) if port.isdecimal() else 0


@devices.command("add")
def add_device(
    site: Code,
    ae_title: Annotated[str, typer.Argument(help="AE title it calls with")],
    *,
    name: Annotated[str, typer.Option(help="What people call it")] = "",
    modality: Annotated[str | None, typer.Option(help="CT, MR, DX, US, ECG …")] = None,
    address: Annotated[
        list[str] | None,
        typer.Option(help="Address or network it calls from; repeat; none: any"),
    ] = None,
    listen: Annotated[
        str | None,
        typer.Option(
            metavar="HOST:PORT",
            help="Where it accepts associations: storage commitment results, C-MOVE",
        ),
    ] = None,
    max_associations: MaxAssociations = None,
    max_instance_mib: MaxInstance = None,
    max_kib_per_second: MaxRate = None,
    idle_seconds: Idle = None,
    certificate: Fingerprint = None,
    data_dir: DataDir = None,
) -> None:
    """Allow a device of a site to send to us."""
    from storage import registry  # noqa: PLC0415

    with _session(data_dir) as (session, _):
        added = registry.add_device(
            session,
            registry.organisation_by_code(session, site),
            ae_title,
            name or ae_title,
            addresses=address or (),
            modality=modality,
            listen=_host_and_port(listen) if listen else None,
            limits=_limits(
                registry.DeviceLimits(),
                max_associations,
                max_instance_mib,
                max_kib_per_second,
                idle_seconds,
            ),
            certificate_sha256=certificate,
        )
        _audit(session, "device:add", "device", added.id, ae_title=added.ae_title, site=site)
    typer.echo(f"device {ae_title} of {site} may send")


@devices.command("limit")
def limit_device(
    ae_title: Annotated[str, typer.Argument(help="AE title of the device")],
    *,
    max_associations: MaxAssociations = None,
    max_instance_mib: MaxInstance = None,
    max_kib_per_second: MaxRate = None,
    idle_seconds: Idle = None,
    certificate: Fingerprint = None,
    data_dir: DataDir = None,
) -> None:
    """Change what a device may take up and the certificate it must call with ('none': free).

    It counts from its next association on.
    """
    from storage import registry  # noqa: PLC0415

    with _session(data_dir) as (session, _):
        device = registry.device_by_ae_title(session, ae_title)
        limits = _limits(
            device.limits, max_associations, max_instance_mib, max_kib_per_second, idle_seconds
        )
        registry.limit_device(device, limits)
        if certificate is not None:
            registry.bind_certificate(device, None if certificate == "none" else certificate)
        bound = device.certificate_sha256
        _audit(
            session, "device:limit", "device", device.id, **asdict(limits), certificate_sha256=bound
        )
    typer.echo(
        f"device {ae_title}: {limits.max_associations} associations, "
        f"instances up to {limits.max_instance_bytes >> 20} MiB, "
        f"{(limits.max_bytes_per_second or 0) >> 10 or 'any'} KiB/s, "
        f"idle {limits.idle_seconds or 'as for all'}, certificate {bound or 'not bound'}"
    )


@devices.command("list")
def list_devices(*, data_dir: DataDir = None) -> None:
    """List the devices."""
    from sqlalchemy import select  # noqa: PLC0415

    from storage.registry import Device, Organisation  # noqa: PLC0415

    with _session(data_dir) as (session, _):
        found = session.execute(
            select(Device, Organisation.code)
            .join(Organisation, Organisation.id == Device.site_id)
            .order_by(Organisation.code, Device.ae_title)
        ).all()
        _table(
            ("site", "AE title", "modality", "addresses", "active", "name"),
            [
                (
                    code,
                    device.ae_title,
                    device.modality or "",
                    ", ".join(device.addresses) or "any",
                    "yes" if device.active else "no",
                    device.name,
                )
                for device, code in found
            ],
        )


@destinations.command("add")
def add_destination(
    site: Code,
    ae_title: Annotated[str, typer.Argument(help="AE title of the site's receiver")],
    host: Annotated[str, typer.Argument(help="Its host name or address")],
    port: Annotated[int, typer.Argument(help="Its port")],
    *,
    notify_availability: Annotated[
        bool,
        typer.Option(
            "--notify-availability",
            help="Tell it also of each complete study that it can be retrieved",
        ),
    ] = False,
    data_dir: DataDir = None,
) -> None:
    """Deliver the site's reports to this DICOM receiver."""
    from storage import registry  # noqa: PLC0415

    with _session(data_dir) as (session, _):
        added = registry.add_dicom_destination(
            session,
            registry.organisation_by_code(session, site),
            ae_title,
            host,
            port,
            notify_availability=notify_availability,
        )
        _audit(session, "destination:add", "destination", added.id, site=site, ae_title=ae_title)
    typer.echo(f"reports of {site} go to {ae_title} at {host}:{port}")


@destinations.command("list")
def list_destinations(*, data_dir: DataDir = None) -> None:
    """List the receivers of reports."""
    from sqlalchemy import select  # noqa: PLC0415

    from storage.registry import Destination, Organisation  # noqa: PLC0415

    with _session(data_dir) as (session, _):
        found = session.execute(
            select(Destination, Organisation.code)
            .join(Organisation, Organisation.id == Destination.site_id)
            .order_by(Organisation.code, Destination.ae_title)
        ).all()
        _table(
            ("site", "kind", "AE title", "host", "port", "active"),
            [
                (code, row.kind, row.ae_title, row.host, row.port, "yes" if row.active else "no")
                for row, code in found
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
    from deploy import bootstrap, people  # noqa: PLC0415

    with _session(data_dir) as (session, settings):
        added = people.add(
            session,
            bootstrap.open_signing_authority(settings),
            login=login,
            display_name=name,
            organisation=organisation,
            roles=role,
        )
        _audit(
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
    from deploy import bootstrap, people  # noqa: PLC0415

    with _session(data_dir) as (session, settings):
        renewed = people.renew(
            session,
            bootstrap.open_signing_authority(settings),
            login=login,
            signing_key=signing_key,
        )
        _audit(session, "person:renew", "person", renewed.person_id, signing_key=signing_key)
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

    with _session(data_dir) as (session, _):
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
        _table(("login", "name", "roles", "active"), rows)
