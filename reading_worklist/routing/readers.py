"""Who reads for a consortium."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session

from reading_worklist.access.scope import Scope
from reading_worklist.routing.schemas import ReaderView
from storage.registry import Membership, Organisation, Person, Role, consortium_of, holds_today

READERS: Final = (Role.WRITER, Role.REVIEWER, Role.EXPERT)


def shown(session: Session, scope: Scope) -> list[ReaderView]:
    """Return who reads for the asker's consortium today, by name."""
    organisation_id = consortium_of(session, scope.organisation_id).id
    roles: dict[UUID, set[Role]] = {}
    names: dict[UUID, str] = {}
    for person_id, name, role in session.execute(
        _reading(organisation_id, READERS).order_by(Person.display_name, Person.id)
    ):
        names[person_id] = name
        roles.setdefault(person_id, set()).add(role)
    return [
        ReaderView(id=one, display_name=name, roles=sorted(roles[one]))
        for one, name in names.items()
    ]


def reads_for(
    session: Session, person_id: UUID, organisation_id: UUID, roles: Sequence[Role] = READERS
) -> bool:
    """Tell whether a person has one of these roles today at a consortium or a centre of it."""
    wanted = _reading(organisation_id, roles).where(Person.id == person_id).limit(1)
    return session.execute(wanted).first() is not None


def _reading(organisation_id: UUID, roles: Sequence[Role]) -> Select[UUID, str, Role]:
    return (
        select(Person.id, Person.display_name, Membership.role)
        .join(Membership, Membership.person_id == Person.id)
        .join(Organisation, Organisation.id == Membership.organisation_id)
        .where(
            Person.active,
            Membership.role.in_(roles),
            holds_today(),
            or_(Organisation.id == organisation_id, Organisation.parent_id == organisation_id),
        )
    )
