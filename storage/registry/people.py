"""People: who signs in, and what they may do for which organisation."""

from collections.abc import Sequence
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, ForeignKey, and_, false, func, or_, select
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from storage.civil_day import civil_day
from storage.database import Base, Word
from storage.registry.organisations import Organisation
from storage.registry.refusal import RegistryRefused


class Role(StrEnum):
    """What a person may do for an organisation."""

    SITE_TECHNICIAN = "site_technician"
    SITE_DOCTOR = "site_doctor"
    WRITER = "writer"
    REVIEWER = "reviewer"
    EXPERT = "expert"
    QUALITY_CONTROLLER = "quality_controller"
    DISPATCHER = "dispatcher"
    CONSORTIUM_ADMIN = "consortium_admin"
    SYSTEM_ADMIN = "system_admin"
    REGULATOR = "regulator"
    AUDITOR = "auditor"


class Person(Base):
    """Somebody who signs in; what they may do is in their memberships.

    active: False for who has been locked out or has left.
    must_change_password: the password was made by somebody else, and serves to choose one's own.
    """

    __tablename__ = "person"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    login: Mapped[str] = mapped_column(unique=True)
    display_name: Mapped[str]
    password_hash: Mapped[str]
    active: Mapped[bool] = mapped_column(default=True)
    must_change_password: Mapped[bool] = mapped_column(default=False, server_default=false())
    password_changed_at: Mapped[datetime] = mapped_column(server_default=func.now())
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    memberships: Mapped[list["Membership"]] = relationship(back_populates="person")


class Membership(Base):
    """A role of a person at an organisation, for a time.

    valid_until: the last day; None: no end is known.
    provider: the identity provider by whose word it holds; None: an administrator gave it.
    """

    __tablename__ = "membership"

    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"), primary_key=True)
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisation.id"), primary_key=True)
    role: Mapped[Role] = mapped_column(Word(Role), primary_key=True)
    valid_from: Mapped[date] = mapped_column(server_default=func.current_date())
    valid_until: Mapped[date | None]
    provider: Mapped[str | None]
    person: Mapped[Person] = relationship(back_populates="memberships")
    organisation: Mapped[Organisation] = relationship()


def add_person(
    session: Session,
    login: str,
    display_name: str,
    password_hash: str,
    *,
    organisation: Organisation,
    roles: Sequence[Role],
) -> Person:
    """Add a person with `roles` at `organisation`, valid from today.

    Raises:
        RegistryRefused: the login is taken or empty.
    """
    if not login or login != login.strip().lower():
        raise RegistryRefused(
            "login", expected="lower case without surrounding spaces", found=repr(login)
        )
    if session.scalar(select(Person.id).where(Person.login == login)):
        raise RegistryRefused(f"login {login!r} is taken", remedy="Choose another login.")
    person = Person(login=login, display_name=display_name, password_hash=password_hash)
    session.add(person)
    session.flush()
    session.add_all(
        Membership(person_id=person.id, organisation_id=organisation.id, role=role)
        for role in roles
    )
    session.flush()
    return person


def holds_today() -> ColumnElement[bool]:
    """Return the SQL condition that a membership is valid today."""
    today = civil_day()
    return and_(
        Membership.valid_from <= today,
        or_(Membership.valid_until.is_(None), Membership.valid_until >= today),
    )


def valid_memberships(session: Session, person_id: UUID) -> Sequence[Membership]:
    """Return the memberships of a person that hold today, by organisation code and role."""
    return session.scalars(
        select(Membership)
        .join(Organisation)
        .where(Membership.person_id == person_id, holds_today())
        .order_by(Organisation.code, Membership.role)
    ).all()
