"""What is done with machines' tokens; each function works in its caller's transaction.

A system administrator looks after machines and makes their tokens. A consortium administrator sees
them and can stop one: a leak does not wait for a colleague.
"""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from reading_worklist.access.scope import Scope
from reading_worklist.access.sites import visible_site, visible_sites
from reading_worklist.machine_tokens.schemas import (
    NewToken,
    Revocation,
    Rotation,
    TokenConcern,
    TokenDevice,
    TokenSite,
    TokenState,
    TokenView,
)
from reading_worklist.problems import conflict, not_found
from storage import audit, registry
from storage.clock import utc_now
from storage.database import one_of
from storage.registry import (
    Device,
    MachineProof,
    MachineToken,
    Person,
    RegistryRefused,
    Role,
)
from storage.registry.tokens import IssuedToken

KEEPERS: Final = (Role.SYSTEM_ADMIN, Role.CONSORTIUM_ADMIN)
MAKER: Final = Role.SYSTEM_ADMIN
EXPIRES_SOON: Final = timedelta(days=14)
UNUSED_AFTER: Final = timedelta(days=1)
"""Who gets a token puts it into his machine on the same day, or has forgotten it."""


def tokens(session: Session, scope: Scope) -> list[TokenView]:
    """Return the tokens of the visible sites: by site, newest first, revoked ones too.

    Raises:
        Problem: 403 for who looks after no machines.
    """
    scope.require(*KEEPERS)
    found = registry.visible_tokens(session, scope.site_ids)
    makers = {row.made_by_id for row, _, _ in found if row.made_by_id is not None}
    names = {
        one.id: one.display_name
        for one in session.scalars(select(Person).where(one_of(Person.id, makers)))
    }
    successors = {
        row.replaces_id: row
        for row, _, _ in reversed(found)
        if row.replaces_id is not None and row.revoked_at is None
    }
    now = utc_now()
    return [
        TokenView(
            id=row.id,
            site_code=site.code,
            site_name=site.name,
            site_name_en=site.name_en,
            device=None if device is None else device.ae_title,
            name=row.name,
            scope=row.scope,
            proof=row.proof,
            certificate_sha256=_certificate(row, device),
            state=(state := state_of(row, device, successors.get(row.id), now)),
            concerns=concerns_of(row, state, successors.get(row.id), now),
            made_at=row.created_at,
            made_by=None if row.made_by_id is None else names.get(row.made_by_id),
            last_used_at=row.last_used_at,
            expires_at=row.expires_at,
            revoked_at=row.revoked_at,
            revoked_reason=row.revoked_reason,
            replaces=row.replaces_id,
        )
        for row, site, device in found
    ]


def sites(session: Session, scope: Scope) -> list[TokenSite]:
    """Return the visible sites by code, each with its devices that are on.

    Raises:
        Problem: 403 for who looks after no machines.
    """
    scope.require(*KEEPERS)
    devices: dict[UUID, list[TokenDevice]] = {}
    for one in session.scalars(
        select(Device).where(scope.sees(Device.site_id), Device.active).order_by(Device.ae_title)
    ):
        devices.setdefault(one.site_id, []).append(
            TokenDevice(
                ae_title=one.ae_title, name=one.name, bound=one.certificate_sha256 is not None
            )
        )
    return [
        TokenSite(
            code=one.code, name=one.name, name_en=one.name_en, devices=devices.get(one.id, [])
        )
        for one in visible_sites(session, scope)
    ]


def make(session: Session, scope: Scope, body: NewToken) -> IssuedToken:
    """Make a token of a visible site.

    Raises:
        Problem: 403 without the role, 404 for a site or device that is not visible, 409 for one
            that cannot be made as it is wanted.
    """
    scope.require(MAKER)
    site = visible_site(session, scope, body.site)
    device = None
    if body.device is not None:
        device = session.scalar(
            select(Device).where(
                Device.ae_title == body.device, Device.site_id == site.id, Device.active
            )
        )
        if device is None:
            raise not_found("The device")
    try:
        issued = registry.issue_token(
            session,
            site,
            body.name,
            body.scope,
            device=device,
            lifetime=timedelta(days=body.days),
            proof=registry.Proof(body.proof, (body.certificate or "").strip() or None),
            made_by=scope.person_id,
        )
    except RegistryRefused as error:
        raise _refused(error) from error
    _note(session, scope, "create", issued.row)
    return issued


def rotate(session: Session, scope: Scope, token_id: UUID, body: Rotation) -> IssuedToken:
    """Make a token's successor; the old one is taken beside it for some days.

    Raises:
        Problem: 403 without the role, 404 for an unknown token, 409 for one that was revoked.
    """
    scope.require(MAKER)
    _visible(session, scope, token_id)
    try:
        issued = registry.rotate_token(
            session,
            token_id,
            overlap=timedelta(days=body.overlap_days),
            lifetime=timedelta(days=body.days),
            made_by=scope.person_id,
            certificate=(body.certificate or "").strip() or None,
        )
    except RegistryRefused as error:
        raise _refused(error) from error
    _note(session, scope, "rotate", issued.row, replaces=str(token_id))
    return issued


def revoke(session: Session, scope: Scope, token_id: UUID, body: Revocation) -> None:
    """End a token at once; one that is revoked stays as it was.

    Raises:
        Problem: 403 for who looks after no machines, 404 for an unknown token.
    """
    scope.require(*KEEPERS)
    row = _visible(session, scope, token_id)
    if row.revoked_at is None:
        registry.revoke_token(session, token_id, body.reason)
        _note(session, scope, "revoke", row, reason=body.reason.strip())


def state_of(
    row: MachineToken, device: Device | None, successor: MachineToken | None, now: datetime
) -> TokenState:
    """Return whether a token is taken at `now`."""
    if row.revoked_at is not None:
        return TokenState.REVOKED
    if row.expires_at is not None and row.expires_at <= now:
        return TokenState.OVER
    if device is not None and not device.active:
        return TokenState.OFF
    return TokenState.TAKEN if successor is None else TokenState.REPLACED


def concerns_of(
    row: MachineToken, state: TokenState, successor: MachineToken | None, now: datetime
) -> list[TokenConcern]:
    """Return what somebody should look at; nothing of a token that is not taken."""
    found: list[TokenConcern] = []
    if state not in {TokenState.TAKEN, TokenState.REPLACED}:
        return found
    # A successor that lies unused in a drawer replaces nothing.
    replaced = successor is not None and successor.last_used_at is not None
    if row.expires_at is not None and row.expires_at < now + EXPIRES_SOON and not replaced:
        found.append(TokenConcern.EXPIRING)
    if row.last_used_at is None and row.created_at < now - UNUSED_AFTER:
        found.append(TokenConcern.NEVER_USED)
    return found


def _certificate(row: MachineToken, device: Device | None) -> str | None:
    if row.proof is MachineProof.BEARER:
        return None
    return row.certificate_sha256 or (None if device is None else device.certificate_sha256)


def _visible(session: Session, scope: Scope, token_id: UUID) -> MachineToken:
    row = session.scalar(
        select(MachineToken)
        .where(MachineToken.id == token_id, scope.sees(MachineToken.site_id))
        .with_for_update()
    )
    if row is None:
        raise not_found("This token")
    return row


def _refused(error: RegistryRefused) -> Exception:
    return conflict(
        "token-refused",
        error.what,
        expected=error.expected,
        remedy="Change what is wanted, or make a new token.",
    )


def _note(session: Session, scope: Scope, verb: str, row: MachineToken, **detail: object) -> None:
    audit.record(
        session,
        scope.actor,
        f"machine_token:{verb}",
        subject_kind="machine_token",
        subject_id=row.id,
        detail={
            "site_id": str(row.site_id),
            "name": row.name,
            "scope": row.scope.value,
            "proof": row.proof.value,
            **detail,
        },
    )
