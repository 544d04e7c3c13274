"""`rdc tls`: certificates of connections from a private authority of the centre's own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from deploy.cli_session import AsJson, DataDir

if TYPE_CHECKING:
    from collections.abc import Sequence

    from deploy.settings import Settings
    from deploy.tls.authority import Issued, PrivateAuthority

tls = typer.Typer(
    help="Encrypted connections: a private authority for devices, browsers and servers of ours.",
    no_args_is_help=True,
)

Hosts = Annotated[
    list[str] | None,
    typer.Option("--host", help="DNS name or IP address that others call it by; once for each"),
]


@tls.command("init")
def make_authority(
    *,
    host: Hosts = None,
    old: Annotated[
        bool, typer.Option("--rsa", help="An RSA key, for modalities that know no elliptic ones")
    ] = False,
    data_dir: DataDir = None,
) -> None:
    """Make the private authority and this centre's own certificate; a second time: only the latter.

    Then `rdc up --tls`, or RDC_TLS=1 for processes started one by one, listens for HTTPS, DICOM and
    MLLP over TLS with it.
    """
    from deploy.tls.revocation import publish  # noqa: PLC0415 - `--help` stays quick
    from deploy.tls.server import issue_server, prepare  # noqa: PLC0415

    settings = _settings(data_dir)
    authority, made = prepare(settings)
    server = issue_server(settings, authority, host or (), old=old)
    listed = publish(authority)
    typer.echo("made the private authority" if made else "the private authority is there already")
    _tell(server)
    typer.echo(f"authority    {authority.certificate}")
    typer.echo(f"revoked      {listed}")
    typer.echo(
        "Give that file to devices and browsers as a trusted authority; its key never leaves this"
        " machine.\nStart with `rdc up --tls`."
    )


@tls.command("issue")
def issue(
    name: Annotated[str, typer.Argument(help="Whose it is, such as a device's AE title")],
    *,
    host: Hosts = None,
    days: Annotated[int | None, typer.Option(help="How long it lasts", min=1, max=3650)] = None,
    old: Annotated[
        bool, typer.Option("--rsa", help="An RSA key, for machines that know no elliptic ones")
    ] = False,
    data_dir: DataDir = None,
) -> None:
    """Issue a certificate: with --host a server's (database, broker, store), else a client's.

    The fingerprint binds a device to it: `rdc device certificate`.
    """
    _tell(_authority(data_dir).issue(name, hosts=host or (), days=days, old=old))


@tls.command("renew")
def renew(
    names: Annotated[list[str] | None, typer.Argument(help="Which; else all that end soon")] = None,
    *,
    within: Annotated[
        int, typer.Option("--within", help="Unless named: those that end within so many days")
    ] = 60,
    data_dir: DataDir = None,
) -> None:
    """Issue certificates anew, with the same names, before they end.

    A running system takes its own up at its next start.
    """
    from datetime import timedelta  # noqa: PLC0415

    from deploy.tls.revocation import publish  # noqa: PLC0415
    from storage.clock import utc_now  # noqa: PLC0415

    authority = _authority(data_dir)
    now = utc_now()
    wanted = names or [
        one.name for one in authority.issued() if one.left(now) < timedelta(days=within)
    ]
    for name in wanted:
        _tell(authority.renew(name))
    typer.echo(f"revoked      {publish(authority)}")
    if not wanted:
        typer.echo(f"none ends within {within} days")


@tls.command("revoke")
def revoke(
    name: Annotated[
        str | None, typer.Argument(help="Whose: all that were issued under the name")
    ] = None,
    *,
    serial: Annotated[
        str | None,
        typer.Option("--serial", help="Of one certificate, as `openssl x509 -serial` tells it"),
    ] = None,
    reason: Annotated[
        str,
        typer.Option(
            "--reason", help="unspecified, key-compromise, superseded or cessation-of-operation"
        ),
    ] = "unspecified",
    data_dir: DataDir = None,
) -> None:
    """Take certificates back, for ever: no listener of ours lets them in from now on.

    Processes on other machines, and a balancer, do so once they have the new list.
    """
    from deploy.tls import REVOKED_FILE, revocation  # noqa: PLC0415

    if (name is None) == (serial is None):
        raise typer.BadParameter("name one: whose certificates, or --serial")
    if reason not in revocation.REASONS:
        raise typer.BadParameter(f"one of {', '.join(revocation.REASONS)}", param_hint="--reason")
    authority = _authority(data_dir)
    if name is not None:
        taken: Sequence[int] = revocation.revoke(authority, name, reason)
    else:
        taken = [_number(serial or "")]
        revocation.revoke_serial(authority, taken[0], reason)
    for one in taken:
        typer.echo(f"revoked      {one:X}")
    typer.echo(f"list         {authority.folder / REVOKED_FILE}")
    typer.echo(
        "Copy it to every other machine that names it (RDC_HTTP_TLS_CRL, RDC_DICOM_TLS_CRL,"
        " RDC_MLLP_TLS_CRL) and to the balancer, which has to be reloaded."
    )


@tls.command("crl")
def make_list(*, data_dir: DataDir = None) -> None:
    """Make the list of revoked certificates anew, before it is out of date."""
    from deploy.tls.revocation import publish  # noqa: PLC0415
    from storage.revocation_lists import RevocationLists  # noqa: PLC0415

    authority = _authority(data_dir)
    path = publish(authority)
    until = RevocationLists(path, authority.certificate).next_update
    typer.echo(f"list         {path}")
    typer.echo(f"until        {until:%Y-%m-%d}")


@tls.command("show")
def show(*, data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """List what the private authority issued, with ends and fingerprints, and what it took back."""
    from deploy.tls.revocation import revoked  # noqa: PLC0415

    authority = _authority(data_dir)
    found, taken = list(authority.issued()), list(revoked(authority))
    if as_json:
        gone = [
            {"name": one.name, "serial": f"{one.serial:X}", "revoked": one.at.isoformat()}
            for one in taken
        ]
        typer.echo(json.dumps([*(_facts(one) for one in found), *gone], indent=2))
        return
    for one in found:
        _tell(one)
    for one in taken:
        typer.echo(f"{one.name or '(unknown)':<12} revoked {one.at:%Y-%m-%d}   {one.serial:X}")


def _number(serial: str) -> int:
    try:
        return int(serial.replace(":", "").removeprefix("serial="), 16)
    except ValueError:
        raise typer.BadParameter("hexadecimal digits", param_hint="--serial") from None


def _settings(data_dir: Path | None) -> Settings:
    from deploy.settings import load  # noqa: PLC0415 - `--help` stays quick

    return load(data_dir=data_dir)


def _authority(data_dir: Path | None) -> PrivateAuthority:
    from deploy.tls.authority import PrivateAuthority  # noqa: PLC0415

    return PrivateAuthority(_settings(data_dir).tls_dir)


def _facts(one: Issued) -> dict[str, object]:
    return {
        "name": one.name,
        "certificate": str(one.certificate),
        "key": str(one.key),
        "hosts": one.hosts,
        "ends": one.ends.isoformat(),
        "fingerprint": one.fingerprint,
    }


def _tell(one: Issued) -> None:
    typer.echo(f"{one.name:<12} until {one.ends:%Y-%m-%d}   {', '.join(one.hosts) or 'client'}")
    typer.echo(f"             certificate {one.certificate}")
    typer.echo(f"             key         {one.key}")
    typer.echo(f"             sha256      {one.fingerprint}")
