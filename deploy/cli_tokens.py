"""`rdc token`, `rdc device token`, `rdc site token`: what machines show to be let in over HTTP."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Final, Literal
from uuid import UUID

import typer

from deploy.cli_session import Code, DataDir, Fingerprint, note, open_session, show_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.orm import Session

    from storage.registry import Device, MachineToken, Organisation
    from storage.registry.tokens import IssuedToken

_DAYS: Final = 365
_OVERLAP_DAYS: Final = 7

device_tokens = typer.Typer(help="Tokens of one device, for HTTPS.")
all_tokens = typer.Typer(help="Tokens of every site and device.")
site_tokens = typer.Typer(help="Tokens of a site's software, for HTTPS.")

Days = Annotated[
    int, typer.Option("--days", min=0, help="Days until it is over; 0: never, which is unwise")
]
Overlap = Annotated[
    int, typer.Option("--overlap-days", min=0, help="Days that the old one is taken beside it")
]
Scope = Annotated[
    Literal["ecg-files", "fhir", "reports"],
    typer.Option(
        "--for",
        help="What it is good for: sending ECG files, reading reports over FHIR,"
        " or fetching them as JSON and PDF",
    ),
]
Proof = Annotated[
    Literal["bearer", "certificate", "both"],
    typer.Option(
        "--proof",
        help="What the machine shows: the token, a TLS client certificate in its place, or both",
    ),
]
Reason = Annotated[str, typer.Option("--reason", help="Why, for the audit trail")]
TokenId = Annotated[str, typer.Argument(help="Id of the token, as the list shows it")]
AeTitleArgument = Annotated[str, typer.Argument(help="AE title of the device")]


@device_tokens.command("create")
def create_device_token(
    ae_title: AeTitleArgument,
    *,
    scope: Scope = "ecg-files",
    days: Days = _DAYS,
    proof: Proof = "bearer",
    data_dir: DataDir = None,
) -> None:
    """Make a token for a device; it is printed once and not kept.

    The certificate of a device is the one that it is bound to for DICOM: see `device limit`.
    """
    from storage import registry  # noqa: PLC0415

    with open_session(data_dir) as (session, _):
        device = registry.device_by_ae_title(session, ae_title)
        site = session.get_one(registry.Organisation, device.site_id)
        issued = registry.issue_token(
            session,
            site,
            device.name or ae_title,
            registry.MachineScope(scope),
            device=device,
            lifetime=_lifetime(days),
            proof=registry.Proof(registry.MachineProof(proof)),
        )
        _note(session, "create", issued.row)
    _show(issued)


@site_tokens.command("create")
def create_site_token(
    site: Code,
    name: Annotated[str, typer.Argument(help="What people call the machine or software")],
    *,
    scope: Scope = "ecg-files",
    days: Days = _DAYS,
    proof: Proof = "bearer",
    certificate: Fingerprint = None,
    data_dir: DataDir = None,
) -> None:
    """Make a token for software of a site; it is printed once and not kept."""
    from storage import registry  # noqa: PLC0415

    with open_session(data_dir) as (session, _):
        organisation = registry.organisation_by_code(session, site)
        issued = registry.issue_token(
            session,
            organisation,
            name,
            registry.MachineScope(scope),
            lifetime=_lifetime(days),
            proof=registry.Proof(registry.MachineProof(proof), certificate),
        )
        _note(session, "create", issued.row)
    _show(issued)


@all_tokens.command("rotate")
@device_tokens.command("rotate")
@site_tokens.command("rotate")
def rotate(
    token: TokenId,
    *,
    days: Annotated[
        int, typer.Option("--days", min=1, help="Days until the new one is over")
    ] = _DAYS,
    overlap_days: Overlap = _OVERLAP_DAYS,
    certificate: Fingerprint = None,
    data_dir: DataDir = None,
) -> None:
    """Make a token's successor; the old one is taken for a while, until the machine has it."""
    from storage import registry  # noqa: PLC0415

    with open_session(data_dir) as (session, _):
        issued = registry.rotate_token(
            session,
            _id(token),
            overlap=timedelta(days=overlap_days),
            lifetime=timedelta(days=days),
            certificate=certificate,
        )
        _note(session, "rotate", issued.row)
    _show(issued)


@all_tokens.command("revoke")
@device_tokens.command("revoke")
@site_tokens.command("revoke")
def revoke(token: TokenId, *, reason: Reason = "", data_dir: DataDir = None) -> None:
    """End a token at once."""
    from storage import registry  # noqa: PLC0415

    with open_session(data_dir) as (session, _):
        row = registry.revoke_token(session, _id(token), reason)
        _note(session, "revoke", row, reason=row.revoked_reason)
    typer.echo(f"token {token} is not taken any more")


@site_tokens.command("list")
@device_tokens.command("list")
def list_tokens(site: Code, *, data_dir: DataDir = None) -> None:
    """List the tokens of a site and its devices, newest first; none of them can be shown again."""
    from storage import registry  # noqa: PLC0415

    with open_session(data_dir) as (session, _):
        organisation = registry.organisation_by_code(session, site)
        _show_list(registry.visible_tokens(session, {organisation.id}))


@all_tokens.command("list")
def list_all_tokens(*, data_dir: DataDir = None) -> None:
    """List the tokens of every site, by site and newest first; none of them can be shown again."""
    from storage import registry  # noqa: PLC0415

    with open_session(data_dir) as (session, _):
        _show_list(registry.visible_tokens(session))


def _show_list(found: Sequence[tuple[MachineToken, Organisation, Device | None]]) -> None:
    show_table(
        ("id", "site", "name", "device", "for", "shows", "made", "over", "last used", "state"),
        [
            (
                str(row.id),
                site.code,
                row.name,
                "" if device is None else device.ae_title,
                row.scope.value,
                row.proof.value,
                f"{row.created_at:%Y-%m-%d}",
                f"{row.expires_at:%Y-%m-%d}" if row.expires_at else "never",
                f"{row.last_used_at:%Y-%m-%d %H:%M}" if row.last_used_at else "never",
                _state(row, device),
            )
            for row, site, device in found
        ],
    )


def _state(row: MachineToken, device: Device | None) -> str:
    from storage.clock import utc_now  # noqa: PLC0415

    if row.revoked_at is not None:
        return "revoked"
    if row.expires_at is not None and row.expires_at <= utc_now():
        return "over"
    return "taken" if device is None or device.active else "off"


def _lifetime(days: int) -> timedelta | None:
    return timedelta(days=days) if days else None


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise typer.BadParameter("an id as `list` shows it") from error


def _note(session: Session, verb: str, row: MachineToken, **detail: object) -> None:
    note(
        session,
        f"machine_token:{verb}",
        "machine_token",
        row.id,
        site_id=str(row.site_id),
        name=row.name,
        scope=row.scope.value,
        proof=row.proof.value,
        **detail,
    )


def _show(issued: IssuedToken) -> None:
    typer.echo(
        f"token {issued.row.id}, until {issued.row.expires_at or 'it is revoked'}:", err=True
    )
    if issued.secret is None:
        typer.echo("its machine's certificate is the token", err=True)
    else:
        typer.echo(issued.secret)
