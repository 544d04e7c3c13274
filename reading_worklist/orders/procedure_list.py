"""The list of procedures of a consortium: shown to whoever orders, changed by administrators."""

from typing import Annotated, Final

from fastapi import APIRouter
from fastapi import Path as InPath
from sqlalchemy import select
from sqlalchemy.orm import Session

from reading_worklist.access.scope import Scope
from reading_worklist.orders.schemas import ProcedureBody, ProcedureView
from reading_worklist.orders.service import ORDERING_ROLES
from reading_worklist.services import Asking, Parts
from reading_worklist.workitems.routes import CENTRE_ROLES
from storage import audit
from storage.orders.procedures import Procedure
from storage.registry import Role, consortium_of

router = APIRouter(prefix="/api", tags=["procedures"])

_READERS: Final = (*ORDERING_ROLES, *CENTRE_ROLES)
_Code = Annotated[str, InPath(pattern=r"^[A-Za-z0-9_.-]{1,16}$")]


@router.get("/orders/procedures")
def list_procedures(scope: Asking, services: Parts) -> list[ProcedureView]:
    """Return the procedures to choose from, by modality, the usual ones first."""
    scope.require(*_READERS)
    with services.database.transaction() as session:
        return shown(session, scope, retired=False)


@router.get("/procedures")
def list_all_procedures(scope: Asking, services: Parts) -> list[ProcedureView]:
    """Return all procedures of the consortium, those that are not offered last."""
    scope.require(Role.CONSORTIUM_ADMIN)
    with services.database.transaction() as session:
        return shown(session, scope, retired=True)


@router.put("/procedures/{code}")
def set_procedure(
    code: _Code, body: ProcedureBody, scope: Asking, services: Parts
) -> list[ProcedureView]:
    """Make a procedure or change one; orders that name it stay as they are. Returns the list."""
    with services.database.transaction() as session:
        save(session, scope, code, body)
        return shown(session, scope, retired=True)


def shown(session: Session, scope: Scope, *, retired: bool) -> list[ProcedureView]:
    """Return the procedures of the asker's consortium; `retired` ones as well if asked, last."""
    query = select(Procedure).where(
        Procedure.organisation_id == consortium_of(session, scope.organisation_id).id
    )
    if not retired:
        query = query.where(Procedure.active)
    query = query.order_by(Procedure.active.desc(), Procedure.position, Procedure.code)
    return [
        ProcedureView.model_validate(one, from_attributes=True) for one in session.scalars(query)
    ]


def save(session: Session, scope: Scope, code: str, body: ProcedureBody) -> None:
    """Make a procedure of the asker's consortium, or change what is said of it.

    Raises:
        Problem: 403 without the role.
    """
    scope.require(Role.CONSORTIUM_ADMIN)
    organisation_id = consortium_of(session, scope.organisation_id).id
    procedure = session.scalar(
        select(Procedure)
        .where(Procedure.organisation_id == organisation_id, Procedure.code == code)
        .with_for_update()
    )
    if procedure is None:
        procedure = Procedure(organisation_id=organisation_id, code=code)
        session.add(procedure)
    for name, value in body:
        setattr(procedure, name, value)
    session.flush()
    audit.record(
        session,
        scope.actor,
        "procedure:set",
        subject_kind="procedure",
        subject_id=procedure.id,
        detail={"code": code, **body.model_dump(mode="json")},
    )
