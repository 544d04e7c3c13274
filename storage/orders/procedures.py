"""The procedures that a consortium's sites order: a list to choose from, nothing that restricts.

It is the consortium's own and changed on a page; `procedures.toml` is what a new one begins with.
An order may name any other procedure in free text, and keeps what it says when the list changes.
"""

import tomllib
from dataclasses import dataclass, replace
from enum import StrEnum
from importlib import resources
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from storage import audit
from storage.database import Base, Word
from storage.orders.request import OrderRequest
from storage.orders.tables import Order
from storage.registry import consortium_of


class LateralityRule(StrEnum):
    """Whether the side is said: never, where it matters, or always as for a paired body part."""

    NONE = "none"
    OPTIONAL = "optional"
    REQUIRED = "required"


class Procedure(Base):
    """One procedure of a modality.

    code: short and stable, unique over all modalities of the consortium (VR SH, PS3.5 §6.2).
    body_part: a defined term of Body Part Examined (PS3.16 Annex L).
    contrast: whether it may be made with contrast medium.
    position: among those of its modality, the usual ones first.
    active: whether it is offered.
    """

    __tablename__ = "procedure"
    __table_args__ = (
        UniqueConstraint("organisation_id", "code"),
        CheckConstraint("laterality IN ('none', 'optional', 'required')", name="laterality"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisation.id"))
    code: Mapped[str]
    modality: Mapped[str]
    name: Mapped[str]
    name_en: Mapped[str]
    body_part: Mapped[str]
    laterality: Mapped[LateralityRule] = mapped_column(Word(LateralityRule))
    contrast: Mapped[bool]
    position: Mapped[int]
    active: Mapped[bool] = mapped_column(default=True)


@dataclass(frozen=True, slots=True)
class Shipped:
    """A procedure that a new consortium begins with; see `Procedure`."""

    code: str
    modality: str
    name: str
    name_en: str
    body_part: str
    laterality: LateralityRule
    contrast: bool
    position: int


def shipped() -> list[Shipped]:
    """Return what a new consortium begins with, by modality, the usual ones first."""
    file = resources.files("storage.orders").joinpath("procedures.toml")
    told: list[dict[str, Any]] = tomllib.loads(file.read_text(encoding="utf-8"))["procedure"]
    return [
        Shipped(
            code=one["code"],
            modality=one["modality"],
            name=one["name"],
            name_en=one["name_en"],
            body_part=one["body_part"],
            laterality=LateralityRule(one.get("laterality", LateralityRule.OPTIONAL)),
            contrast=one.get("contrast", False),
            position=place,
        )
        for place, one in enumerate(told)
    ]


def take_over(session: Session, organisation_id: UUID) -> int:
    """Give a consortium the shipped procedures that it has never had; return how many are new.

    What it changed or no longer offers stays so.
    """
    query = select(Procedure.code).where(Procedure.organisation_id == organisation_id)
    known = set(session.scalars(query))
    new = [one for one in shipped() if one.code not in known]
    session.add_all(
        Procedure(
            organisation_id=organisation_id,
            code=one.code,
            modality=one.modality,
            name=one.name,
            name_en=one.name_en,
            body_part=one.body_part,
            laterality=one.laterality,
            contrast=one.contrast,
            position=one.position,
        )
        for one in new
    )
    session.flush()
    if new:
        audit.record(
            session,
            audit.system_actor("procedures"),
            "procedure:take_over",
            subject_kind="organisation",
            subject_id=organisation_id,
            detail={"procedures": len(new)},
        )
    return len(new)


def called(session: Session, site_id: UUID, code: str | None) -> Procedure | None:
    """Return the procedure that a code names in the consortium of a site; None when none does.

    In upper or lower case; also one that is no longer offered.
    """
    if not code:
        return None
    return session.scalar(
        select(Procedure)
        .where(
            Procedure.organisation_id == consortium_of(session, site_id).id,
            func.lower(Procedure.code) == code.lower(),
        )
        .order_by(Procedure.code != code)
        .limit(1)
    )


def completed(session: Session, request: OrderRequest, order: Order | None = None) -> OrderRequest:
    """Return the order with what the procedure of its code says and it does not.

    So that a modality shows a name, and rules and templates a body part, where a site's software
    sends a code alone. What the order says stays; so does what was filled into `order`, which it
    repeats or changes, while it asks for the same code.
    """
    if order is not None and order.procedure_code == request.procedure_code:
        request = replace(
            request,
            procedure_description=request.procedure_description or order.procedure_description,
            body_part=request.body_part or order.body_part,
        )
    known = called(session, request.site_id, request.procedure_code)
    if known is None:
        return request
    return replace(
        request,
        procedure_description=request.procedure_description or known.name,
        body_part=request.body_part or known.body_part,
    )
