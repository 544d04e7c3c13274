"""`rdc device`: the machines of a site."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Annotated, Final

import typer

from deploy.cli_session import Code, DataDir, Fingerprint, note, open_session, show_table

if TYPE_CHECKING:
    from storage.registry import DeviceLimits

_BY_ESCAPE: Final = "ISO 2022 IR 58"
_CHARACTER_SETS: Final = f"GB18030, GBK, ISO_IR 192 or {_BY_ESCAPE}"

devices = typer.Typer(help="Machines of a site that may send to us.")

MaxAssociations = Annotated[
    int | None, typer.Option("--max-associations", help="Associations at once")
]
MaxInstance = Annotated[
    int | None, typer.Option("--max-instance-mib", help="Largest instance, MiB")
]
MaxRate = Annotated[
    int | None,
    typer.Option(
        "--max-kib-per-second", help="Rate of all its associations together, KiB/s; 0: any"
    ),
]
Idle = Annotated[
    int | None,
    typer.Option("--idle-seconds", help="Silence that ends an association; 0: as for all"),
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


def _with_escape(character_set: str) -> str:
    """Return the value of Specific Character Set; its code extensions follow an empty first one."""
    return f"\\{character_set}" if character_set == _BY_ESCAPE else character_set


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
    worklist_character_set: Annotated[
        str | None, typer.Option(help=f"Of its worklist: {_CHARACTER_SETS}; none: pinyin")
    ] = None,
    data_dir: DataDir = None,
) -> None:
    """Allow a device of a site to send to us."""
    from storage import registry  # noqa: PLC0415

    with open_session(data_dir) as (session, _):
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
            worklist_character_set=worklist_character_set and _with_escape(worklist_character_set),
        )
        note(session, "device:add", "device", added.id, ae_title=added.ae_title, site=site)
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

    with open_session(data_dir) as (session, _):
        device = registry.device_by_ae_title(session, ae_title)
        limits = _limits(
            device.limits, max_associations, max_instance_mib, max_kib_per_second, idle_seconds
        )
        registry.limit_device(device, limits)
        if certificate is not None:
            registry.bind_certificate(device, None if certificate == "none" else certificate)
        bound = device.certificate_sha256
        note(
            session, "device:limit", "device", device.id, **asdict(limits), certificate_sha256=bound
        )
    typer.echo(
        f"device {ae_title}: {limits.max_associations} associations, "
        f"instances up to {limits.max_instance_bytes >> 20} MiB, "
        f"{(limits.max_bytes_per_second or 0) >> 10 or 'any'} KiB/s, "
        f"idle {limits.idle_seconds or 'as for all'}, certificate {bound or 'not bound'}"
    )


@devices.command("worklist")
def write_worklist_in(
    ae_title: Annotated[str, typer.Argument(help="AE title of the device")],
    character_set: Annotated[
        str, typer.Argument(help=f"{_CHARACTER_SETS}; 'none': names in pinyin")
    ],
    *,
    data_dir: DataDir = None,
) -> None:
    """Say in which character set a device reads its worklist, when it does not say so itself.

    It counts from its next query on.
    """
    from storage import registry  # noqa: PLC0415

    chosen = None if character_set == "none" else _with_escape(character_set)
    with open_session(data_dir) as (session, _):
        device = registry.device_by_ae_title(session, ae_title)
        registry.write_worklist_in(device, chosen)
        note(session, "device:worklist", "device", device.id, worklist_character_set=chosen)
    typer.echo(f"device {ae_title}: worklist in {chosen or 'pinyin'}")


@devices.command("branch")
def name_branch(
    ae_title: Annotated[str, typer.Argument(help="AE title of the device")],
    branch: Annotated[str, typer.Argument(help="Branch or village clinic it stands in; '': none")],
    *,
    english: Annotated[str, typer.Option("--en", help="The same in English")] = "",
    data_dir: DataDir = None,
) -> None:
    """Print the branch behind the site's name on reports of what this device makes from now on."""
    from storage import registry  # noqa: PLC0415

    with open_session(data_dir) as (session, _):
        device = registry.device_by_ae_title(session, ae_title)
        device.branch, device.branch_en = branch.strip(), english.strip()
        note(session, "device:branch", "device", device.id, branch=branch)
    typer.echo(f"{ae_title}: {branch or 'no branch'}")


@devices.command("list")
def list_devices(*, data_dir: DataDir = None) -> None:
    """List the devices."""
    from sqlalchemy import select  # noqa: PLC0415

    from storage.registry import Device, Organisation  # noqa: PLC0415

    with open_session(data_dir) as (session, _):
        found = session.execute(
            select(Device, Organisation.code)
            .join(Organisation, Organisation.id == Device.site_id)
            .order_by(Organisation.code, Device.ae_title)
        ).all()
        show_table(
            ("site", "AE title", "modality", "addresses", "worklist", "active", "name"),
            [
                (
                    code,
                    device.ae_title,
                    device.modality or "",
                    ", ".join(device.addresses) or "any",
                    device.worklist_character_set or "pinyin",
                    "yes" if device.active else "no",
                    device.name,
                )
                for device, code in found
            ],
        )
