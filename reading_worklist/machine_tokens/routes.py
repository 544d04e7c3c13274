"""Tokens of the sites' machines over HTTP, for administrators.

    GET  /api/machine-tokens                → TokensView
    POST /api/machine-tokens                → MadeToken (201); system administrators
    POST /api/machine-tokens/{id}/rotate    → MadeToken (201); system administrators
    POST /api/machine-tokens/{id}/revoke    → TokenView

Problems: 403 forbidden · 404 not-found · 409 token-refused.
"""

from http import HTTPStatus
from uuid import UUID

from fastapi import APIRouter, Response
from sqlalchemy.orm import Session

from reading_worklist.access.scope import Scope
from reading_worklist.machine_tokens import service
from reading_worklist.machine_tokens.schemas import (
    MadeToken,
    NewToken,
    Revocation,
    Rotation,
    TokensView,
    TokenView,
)
from reading_worklist.services import Asking, Parts

router = APIRouter(prefix="/api/machine-tokens", tags=["operations"])


@router.get("")
def list_machine_tokens(scope: Asking, services: Parts) -> TokensView:
    """Return the tokens of the visible sites; none of them can be shown again."""
    with services.database.transaction() as session:
        return TokensView(
            tokens=service.tokens(session, scope),
            sites=service.sites(session, scope),
            editable=service.MAKER in scope.roles,
        )


@router.post("", status_code=HTTPStatus.CREATED)
def make_machine_token(
    body: NewToken, scope: Asking, services: Parts, response: Response
) -> MadeToken:
    """Make a token; its secret is shown this once."""
    response.headers["Cache-Control"] = "no-store"
    with services.database.transaction() as session:
        issued = service.make(session, scope, body)
        return MadeToken(token=_view(session, scope, issued.row.id), secret=issued.secret)


@router.post("/{token_id}/rotate", status_code=HTTPStatus.CREATED)
def rotate_machine_token(
    token_id: UUID, body: Rotation, scope: Asking, services: Parts, response: Response
) -> MadeToken:
    """Make a token's successor; the old one is taken beside it for some days."""
    response.headers["Cache-Control"] = "no-store"
    with services.database.transaction() as session:
        issued = service.rotate(session, scope, token_id, body)
        return MadeToken(token=_view(session, scope, issued.row.id), secret=issued.secret)


@router.post("/{token_id}/revoke")
def revoke_machine_token(
    token_id: UUID, body: Revocation, scope: Asking, services: Parts
) -> TokenView:
    """End a token at once."""
    with services.database.transaction() as session:
        service.revoke(session, scope, token_id, body)
        return _view(session, scope, token_id)


def _view(session: Session, scope: Scope, token_id: UUID) -> TokenView:
    session.flush()
    return next(one for one in service.tokens(session, scope) if one.id == token_id)
