"""One's own signing key over HTTP.

    GET  /api/account/signing-key         → SigningKeyView
    POST /api/account/signing-key {pin}   → SigningKeyView (201)

Problems: 403 forbidden, second-factor-to-sign · 422 weak-pin · 503 signing-authority-away.
An administrator approves it first: see `people.routes`.
"""

from datetime import datetime
from http import HTTPStatus

from fastapi import APIRouter
from pydantic import BaseModel, Field
from sqlalchemy.orm import Session

from reading_worklist.access.scope import Scope
from reading_worklist.problems import Problem
from reading_worklist.services import Asking, Parts, Services
from reading_worklist.signing.authority import Authority, AuthorityUnreadable
from reading_worklist.signing.credentials import make_key
from reading_worklist.signing.errors import PinTooWeak
from reading_worklist.signing.pins import PIN_LENGTH, check_pin
from reading_worklist.signing_approvals import service
from storage.clock import utc_now
from storage.registry import Organisation

router = APIRouter(prefix="/api/account", tags=["account"])


class SigningKeyView(BaseModel):
    """One's signing key.

    signs: whether one has a role that signs. until: of the key in force; None: there is none.
    elsewhere: it is kept on a token or by a service, with a PIN of theirs.
    locked_until: too many wrong PINs.
    approved_until: until when one may make a new key; None: one may not.
    shortest: characters that a PIN has at least.
    """

    signs: bool
    serial: str | None
    until: datetime | None
    elsewhere: bool
    locked_until: datetime | None
    approved_until: datetime | None
    shortest: int


class PinBody(BaseModel):
    """A PIN of one's own choice."""

    pin: str = Field(max_length=200)


@router.get("/signing-key")
def own_signing_key(scope: Asking, services: Parts) -> SigningKeyView:
    """Tell whether one has a signing key, and whether one may make one."""
    with services.database.transaction() as session:
        return _view(session, scope)


@router.post("/signing-key", status_code=HTTPStatus.CREATED)
def make_own_signing_key(body: PinBody, scope: Asking, services: Parts) -> SigningKeyView:
    """Make a new signing key under a PIN that nobody else knows; an earlier one is revoked."""
    try:
        check_pin(body.pin)
    except PinTooWeak as error:
        raise Problem(
            HTTPStatus.UNPROCESSABLE_ENTITY, "weak-pin", error.what, remedy=error.remedy
        ) from error
    with services.database.transaction() as session:
        approval = service.usable(session, scope)
        organisation = session.get_one(Organisation, approval.organisation_id).name
    authority = _authority(services)
    # Outside of any transaction: sealing takes a good part of a second on purpose.
    key = make_key(
        authority,
        person_id=scope.person_id,
        display_name=scope.display_name,
        organisation=organisation,
        pin=body.pin,
    )
    with services.database.transaction() as session:
        service.keep(session, scope, authority, key)
        return _view(session, scope)


def _authority(services: Services) -> Authority:
    opening = services.config.signing_authority
    try:
        if opening is not None:
            return opening()
    except (AuthorityUnreadable, OSError) as error:
        raise _away() from error
    raise _away()


def _away() -> Problem:
    return Problem(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "signing-authority-away",
        "The centre's signing authority is not on this machine",
        remedy="Have the key issued at the server: rdc signer issue LOGIN.",
    )


def _view(session: Session, scope: Scope) -> SigningKeyView:
    now = utc_now()
    key = service.live_key(session, scope.person_id)
    in_force = key if key is not None and key.not_after > now else None
    approval = service.approval_of(session, scope.person_id, now)
    locked = None if in_force is None else in_force.locked_until
    return SigningKeyView(
        signs=service.signing_membership(session, scope.person_id) is not None,
        serial=None if in_force is None else in_force.serial,
        until=None if in_force is None else in_force.not_after,
        elsewhere=in_force is not None and in_force.key_place is not None,
        locked_until=locked if locked is not None and locked > now else None,
        approved_until=None if approval is None else approval.expires_at,
        shortest=PIN_LENGTH.start,
    )
