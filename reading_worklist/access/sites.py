"""The sites that somebody sees, as those who keep settings of sites ask for them."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from reading_worklist.access.scope import Scope
from reading_worklist.problems import not_found
from storage.registry import Organisation, OrganisationKind


def visible_sites(session: Session, scope: Scope) -> Sequence[Organisation]:
    """Return the visible sites by code."""
    return session.scalars(
        select(Organisation)
        .where(Organisation.kind == OrganisationKind.SITE, scope.sees(Organisation.id))
        .order_by(Organisation.code)
    ).all()


def visible_site(session: Session, scope: Scope, code: str, *, held: bool = False) -> Organisation:
    """Return a visible site.

    held: until the transaction ends, so that two who change what is kept of it see each other's.

    Raises:
        Problem: 404, the same for a foreign and for an unknown site.
    """
    query = select(Organisation).where(
        Organisation.code == code,
        Organisation.kind == OrganisationKind.SITE,
        scope.sees(Organisation.id),
    )
    site = session.scalar(query.with_for_update() if held else query)
    if site is None:
        raise not_found("The site")
    return site
