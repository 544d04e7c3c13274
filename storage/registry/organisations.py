"""Organisations: a consortium, its centre, its sites, and what is below what."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID, uuid4

from sqlalchemy import ForeignKey, ScalarSelect, Select, and_, case, func, literal, select
from sqlalchemy.orm import Mapped, Session, aliased, mapped_column

from storage.database import Base, Word
from storage.registry.refusal import RegistryRefused


class OrganisationKind(StrEnum):
    """What an organisation is in the consortium; a partner gives it experts and sends nothing."""

    CONSORTIUM = "consortium"
    CENTRE = "centre"
    SITE = "site"
    PARTNER = "partner"


class Organisation(Base):
    """A consortium, its centre, a site or a partner; `parent_id` makes the tree.

    branch, branch_en: which of its campuses it is, as printed on reports; "" for one without any.
    """

    __tablename__ = "organisation"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    kind: Mapped[OrganisationKind] = mapped_column(Word(OrganisationKind))
    parent_id: Mapped[UUID | None] = mapped_column(ForeignKey("organisation.id"))
    code: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    name_en: Mapped[str]
    branch: Mapped[str] = mapped_column(default="", server_default="")
    branch_en: Mapped[str] = mapped_column(default="", server_default="")
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


def add_organisation(
    session: Session,
    *,
    kind: OrganisationKind,
    code: str,
    name: str,
    name_en: str,
    parent: Organisation | None,
) -> Organisation:
    """Add an organisation under `parent`.

    Raises:
        RegistryRefused: the code is taken or is not a plain word for URLs and tables.
    """
    _require_free_code(session, code)
    organisation = Organisation(
        kind=kind, code=code, name=name, name_en=name_en, parent_id=parent.id if parent else None
    )
    session.add(organisation)
    session.flush()
    return organisation


def change_organisation(
    session: Session,
    organisation: Organisation,
    *,
    code: str | None = None,
    name: str | None = None,
    name_en: str | None = None,
    parent: Organisation | None = None,
) -> None:
    """Change what is given of an organisation; None leaves it as it is.

    Raises:
        RegistryRefused: the code cannot be used, or the new place is below the organisation itself.
    """
    if code is not None and code != organisation.code:
        _require_free_code(session, code)
        organisation.code = code
    organisation.name = organisation.name if name is None else name
    organisation.name_en = organisation.name_en if name_en is None else name_en
    if parent is None:
        return
    above: Organisation | None = parent
    while above is not None:
        if above.id == organisation.id:
            raise RegistryRefused(
                f"organisation {organisation.code!r} cannot be below itself",
                remedy="Name another organisation as its parent.",
            )
        above = session.get(Organisation, above.parent_id) if above.parent_id else None
    organisation.parent_id = parent.id


def _require_free_code(session: Session, code: str) -> None:
    if not code or not all(c.isascii() and (c.isalnum() or c in "-_") for c in code):
        raise RegistryRefused(
            "organisation code", expected="letters, digits, '-' and '_'", found=repr(code)
        )
    if session.scalar(select(Organisation.id).where(Organisation.code == code)):
        raise RegistryRefused(f"organisation code {code!r} is taken", remedy="Choose another code.")


def organisation_by_code(session: Session, code: str) -> Organisation:
    """Return the organisation with this code.

    Raises:
        RegistryRefused: there is none.
    """
    found = session.scalar(select(Organisation).where(Organisation.code == code))
    if found is None:
        raise RegistryRefused(
            f"no organisation has the code {code!r}", remedy="List them with 'rdc site list'."
        )
    return found


def lineage(session: Session, organisation_id: UUID) -> list[Organisation]:
    """Return an organisation and those above it, the nearest first."""
    start = select(Organisation.id, Organisation.parent_id, literal(0).label("height"))
    line = start.where(Organisation.id == organisation_id).cte("line", recursive=True)
    above = select(Organisation.id, Organisation.parent_id, line.c.height + 1)
    line = line.union_all(above.join(line, Organisation.id == line.c.parent_id))
    query = select(Organisation).join(line, line.c.id == Organisation.id)
    return list(session.scalars(query.order_by(line.c.height)))


def consortium_of(session: Session, organisation_id: UUID) -> Organisation:
    """Return the consortium an organisation belongs to; without one, the topmost above it."""
    line = lineage(session, organisation_id)
    return next((one for one in line if one.kind is OrganisationKind.CONSORTIUM), line[-1])


def visible_organisation_ids(organisation_id: ScalarSelect[UUID]) -> Select[UUID]:
    """Return the query for the ids of every organisation in the subtree of one, itself included.

    For a centre that is its consortium's subtree: the centre reads for all sites beside it.
    """
    start = aliased(Organisation)
    centre = and_(start.kind == OrganisationKind.CENTRE, start.parent_id.is_not(None))
    root = (
        select(case((centre, start.parent_id), else_=start.id))
        .where(start.id == organisation_id)
        .scalar_subquery()
    )
    tree = select(Organisation.id).where(Organisation.id == root).cte("tree", recursive=True)
    tree = tree.union_all(select(Organisation.id).join(tree, Organisation.parent_id == tree.c.id))
    return select(tree.c.id)


def consortium_site_ids(organisation_id: ScalarSelect[UUID]) -> Select[UUID]:
    """Return the query for the ids of every site of the consortium an organisation belongs to.

    Without one, of the topmost organisation above it; see `consortium_of`.
    """
    one = aliased(Organisation)
    start = select(one.id, one.parent_id, one.kind, literal(0).label("height"))
    line = start.where(one.id == organisation_id).cte("line_of_one", recursive=True)
    above = aliased(Organisation)
    line = line.union_all(
        select(above.id, above.parent_id, above.kind, line.c.height + 1)
        .join(line, above.id == line.c.parent_id)
        .where(line.c.kind != OrganisationKind.CONSORTIUM)
    )
    root = select(line.c.id).order_by(line.c.height.desc()).limit(1).scalar_subquery()
    below = aliased(Organisation)
    tree = select(below.id, below.kind).where(below.id == root).cte("all_of_it", recursive=True)
    child = aliased(Organisation)
    tree = tree.union_all(select(child.id, child.kind).join(tree, child.parent_id == tree.c.id))
    return select(tree.c.id).where(tree.c.kind == OrganisationKind.SITE)


def visible_site_ids(organisation_id: ScalarSelect[UUID]) -> Select[UUID]:
    """Return the query for the ids of every site among the visible organisations of one."""
    return select(Organisation.id).where(
        Organisation.id.in_(visible_organisation_ids(organisation_id)),
        Organisation.kind == OrganisationKind.SITE,
    )
