"""`rdc signer`: people's signing keys and certificates, wherever the keys are kept."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated, Any, Final, cast

import typer

from deploy.cli_session import AsJson, DataDir, note, open_session, show_table

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy.orm import Session

    from deploy.settings import Settings
    from reading_worklist.signing.providers.port import ProviderKind, StoredKey
    from reading_worklist.signing.tables import SigningCredential

signers = typer.Typer(help="Signing keys and certificates of people.")

Login = Annotated[str, typer.Argument(help="Name to sign in with")]
Replace = Annotated[bool, typer.Option("--replace", help="Revoke the key in force first")]

_SAMPLE: Final = b"possession of the key"


@signers.command("list")
def list_signers(*, data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """List the certificates, with where each key is kept and until when it may sign."""
    import json  # noqa: PLC0415 - `--help` stays quick

    from sqlalchemy import select  # noqa: PLC0415

    from reading_worklist.signing.tables import SigningCredential  # noqa: PLC0415
    from storage.registry import Person  # noqa: PLC0415

    with open_session(data_dir) as (session, _):
        found = session.execute(
            select(Person.login, SigningCredential)
            .join(Person, Person.id == SigningCredential.person_id)
            .order_by(Person.login, SigningCredential.created_at)
        ).all()
        rows = [
            (login, one.serial, one.provider, f"{one.not_after:%Y-%m-%d}", _state(one))
            for login, one in found
        ]
    headings = ("login", "certificate", "key", "until", "state")
    if as_json:
        typer.echo(json.dumps([dict(zip(headings, row, strict=True)) for row in rows], indent=2))
    else:
        show_table(headings, rows)


@signers.command("issue")
def issue(login: Login, *, data_dir: DataDir = None) -> None:
    """Make a new key in our database, under a new PIN that is shown this once.

    This renews a certificate that ends, and serves who forgot the PIN: a key in force is revoked,
    and what it signed keeps its date.
    """
    from deploy import people, signing  # noqa: PLC0415

    with open_session(data_dir) as (session, settings):
        authority = signing.open_signing_authority(settings)
        person = people.by_login(session, login)
        pin = people.new_key(session, authority, person)
        _publish(session, settings)
        note(session, "signing_key:issue", "person", person.id, provider="sealed")
    typer.echo(f"login      {login}\nPIN        {pin}   (for signing reports)")
    typer.echo("It is not stored readably: note it now.")


@signers.command("token")
def register_token(
    login: Login,
    *,
    module: Annotated[str, typer.Option(help="Library, as RDC_TOKEN_MODULES names it")],
    token: Annotated[str, typer.Option(help="Label of the person's token")],
    key: Annotated[str, typer.Option(help="CKA_ID of the key pair on it, hexadecimal")],
    replace: Replace = False,
    data_dir: DataDir = None,
) -> None:
    """Certify the key on a person's token (PKCS#11); asks for the token's PIN.

    The key must be there already, and never leaves the token. From now on the token's PIN is the
    person's signing PIN.
    """
    from deploy import people, signing  # noqa: PLC0415
    from deploy.settings import load  # noqa: PLC0415
    from reading_worklist.signing.authority import serial_of  # noqa: PLC0415
    from reading_worklist.signing.providers.port import (  # noqa: PLC0415
        PinRefused,
        ProviderKind,
        StoredKey,
    )

    place = {"module": module, "token": token, "key": key}
    pin: str = typer.prompt("PIN of the token", hide_input=True)
    tokens = signing.open_tokens(load(data_dir=data_dir))
    try:
        public_key: Any = tokens.public_key(place, pin)
    except PinRefused:
        typer.echo("The token refuses this PIN.", err=True)
        raise typer.Exit(1) from None
    with open_session(data_dir) as (session, settings):
        person = people.by_login(session, login)
        organisation = people.signs_for(session, person)
    authority = signing.open_signing_authority(settings)
    certificate = authority.issue(
        public_key,
        person_id=person.id,
        display_name=person.display_name,
        organisation=organisation,
    )
    chain = (certificate, authority.certificate)
    stored = StoredKey(person.id, serial_of(certificate), chain, place=place)
    # Who has the public half only would register somebody else's key.
    asyncio.run(cast("Any", tokens.open(stored, pin)).async_sign_raw(_SAMPLE, "sha256"))
    _register(data_dir, login, ProviderKind.TOKEN, stored, replace=replace)
    typer.echo(f"certificate {stored.serial} for {login}, key on token {token}")


@signers.command("service")
def register_service(
    login: Login,
    *,
    service: Annotated[str, typer.Option(help="Service, as RDC_SIGNING_SERVICES names it")],
    credential: Annotated[str, typer.Option(help="The person's credential there")],
    replace: Replace = False,
    data_dir: DataDir = None,
) -> None:
    """Record that a person's key is kept by a signing service (CSC API), with its certificate.

    The certificate's issuer must be among RDC_TRUST_ANCHORS.
    """
    from deploy import people, signing  # noqa: PLC0415
    from deploy.settings import load  # noqa: PLC0415
    from reading_worklist.signing.authority import serial_of  # noqa: PLC0415
    from reading_worklist.signing.credentials import require_fit  # noqa: PLC0415
    from reading_worklist.signing.providers.port import ProviderKind, StoredKey  # noqa: PLC0415

    place = {"service": service, "credential": credential}
    settings = load(data_dir=data_dir)
    chain = signing.open_signing_services(settings).chain(place)
    require_fit(chain, signing.trust_anchors(settings))
    with open_session(data_dir) as (session, _):
        person_id = people.by_login(session, login).id
    stored = StoredKey(person_id, serial_of(chain[0]), chain, place=place)
    _register(data_dir, login, ProviderKind.SERVICE, stored, replace=replace)
    typer.echo(f"certificate {stored.serial} for {login}, key with service {service}")


@signers.command("revoke")
def revoke(
    login: Login,
    *,
    reason: Annotated[str, typer.Option(help="Why, for the record")],
    data_dir: DataDir = None,
) -> None:
    """Take a person's key out of force, and say so in the list of revoked certificates at once."""
    from deploy import people  # noqa: PLC0415
    from reading_worklist.signing.credentials import revoke_credential  # noqa: PLC0415

    with open_session(data_dir) as (session, settings):
        person = people.by_login(session, login)
        revoke_credential(session, person.id, reason)
        session.flush()
        _publish(session, settings)
        note(session, "signing_key:revoke", "person", person.id, reason=reason)
    typer.echo(f"the signing key of {login} is revoked")


@signers.command("unlock")
def unlock(login: Login, *, data_dir: DataDir = None) -> None:
    """Let a person try the PIN again at once, after too many wrong ones."""
    from deploy import people  # noqa: PLC0415
    from reading_worklist.signing.unlocking import release  # noqa: PLC0415

    with open_session(data_dir) as (session, _):
        person = people.by_login(session, login)
        credential = release(session, person.id)
        note(session, "signing_key:unlock", "signing_credential", credential.id, login=login)
    typer.echo(f"the signing key of {login} is unlocked")


@signers.command("succeed")
def succeed_authority(
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask")] = False,
    data_dir: DataDir = None,
) -> None:
    """Put a new authority in the place of the centre's own: near its end, or when its key is lost.

    What the former one signed stays valid. Doctors sign with the certificates they have until each
    gets one of the new authority with 'rdc signer issue'; the former one revokes none any more.
    Restart every process afterwards, and give the new certificate to whoever verifies elsewhere.
    """
    from sqlalchemy import func, select  # noqa: PLC0415

    from deploy import signing  # noqa: PLC0415
    from reading_worklist.signing.authority import serial_of, succeed  # noqa: PLC0415
    from reading_worklist.signing.service_keys import make_service_keys  # noqa: PLC0415
    from reading_worklist.signing.tables import SigningCredential  # noqa: PLC0415

    if not yes:
        typer.confirm(
            "Make a new authority? Every process has to be restarted after it", abort=True
        )
    with open_session(data_dir) as (session, settings):
        former = serial_of(signing.open_signing_authority(settings).certificate)
        made = succeed(
            settings.authority_dir,
            organisation=settings.authority_organisation,
            name=settings.authority_name,
            status_url=settings.pki_address,
        )
        make_service_keys(settings.authority_dir, made)
        serial = serial_of(made.certificate)
        note(session, "signing_authority:succeed", "signing_authority", serial, former=former)
        waiting = session.scalar(
            select(func.count())
            .select_from(SigningCredential)
            .where(SigningCredential.revoked_at.is_(None))
        )
        _publish(session, settings)
    typer.echo(
        f"the authority is {serial} now, until {made.certificate.not_valid_after_utc:%Y-%m-%d}"
    )
    typer.echo(
        f"{waiting} people have a certificate of {former}: 'rdc signer issue LOGIN' for each"
    )
    typer.echo("Restart every process, and take a backup.")


@signers.command("crl")
def publish(*, data_dir: DataDir = None) -> None:
    """Make the list of revoked certificates now, if it is due.

    The system does that by itself where the authority's passphrase is beside its key.
    """
    with open_session(data_dir) as (session, settings):
        number = _publish(session, settings)
    typer.echo(f"list {number} is made" if number else "the list that holds is fresh")


def _register(
    data_dir: Path | None, login: str, provider: ProviderKind, key: StoredKey, *, replace: bool
) -> None:
    from reading_worklist.signing.credentials import register_credential  # noqa: PLC0415

    with open_session(data_dir) as (session, settings):
        register_credential(
            session,
            person_id=key.person_id,
            provider=provider,
            chain=key.chain,
            place=key.place,
            replace=replace,
        )
        _publish(session, settings)
        note(session, "signing_key:issue", "person", key.person_id, provider=provider, login=login)


def _publish(session: Session, settings: Settings) -> int | None:
    from deploy import signing  # noqa: PLC0415
    from reading_worklist.signing import revocation_lists  # noqa: PLC0415
    from storage.clock import utc_now  # noqa: PLC0415

    authority = signing.open_signing_authority(settings)
    made = revocation_lists.publish(session, authority, now=utc_now())
    return made.number if made else None


def _state(one: SigningCredential) -> str:
    from storage.clock import utc_now  # noqa: PLC0415

    now = utc_now()
    if one.revoked_at is not None:
        return f"revoked {one.revoked_at:%Y-%m-%d} ({one.revocation_reason})"
    if one.not_after <= now:
        return "ended"
    if one.locked_until is not None and one.locked_until > now:
        return f"locked until {one.locked_until.astimezone():%Y-%m-%d %H:%M}"
    return "in force"
