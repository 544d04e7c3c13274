"""What a person may see and do: the scope of a request.

Every query for patient data goes through `Scope.sees`; there is no second way
to decide what belongs to whom.
"""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement
from sqlalchemy.orm import InstrumentedAttribute

from reading_worklist.problems import forbidden
from storage.audit import Actor
from storage.registry import OrganisationKind, Role


@dataclass(frozen=True, slots=True)
class Scope:
    """A signed-in person acting for one organisation.

    site_ids: the sites whose patients may be seen: one's own, or for the centre those of its
        consortium.
    client: the network address of the browser.
    """

    person_id: UUID
    login: str
    display_name: str
    organisation_id: UUID
    organisation_code: str
    organisation_name: str
    organisation_name_en: str
    organisation_kind: OrganisationKind
    roles: frozenset[Role]
    site_ids: frozenset[UUID]
    csrf_token: str
    client: str

    def sees(
        self, site_id: InstrumentedAttribute[UUID] | InstrumentedAttribute[UUID | None]
    ) -> ColumnElement[bool]:
        """Return the SQL condition that a row's site is visible.

        Nothing is visible without a site.
        """
        condition: ColumnElement[Any] = site_id.in_(self.site_ids)
        return condition

    def require(self, *roles: Role) -> None:
        """Pass when the person has one of `roles`.

        Raises:
            Problem: 403, naming the roles that may.
        """
        if not self.roles & set(roles):
            names = ", ".join(role.value for role in roles)
            raise forbidden(
                f"Your role does not allow this; it is for: {names}",
                remedy="Ask your consortium administrator for the role.",
            )

    @property
    def actor(self) -> Actor:
        """Return who acts, for the audit trail."""
        return Actor(
            person_id=self.person_id, organisation_id=self.organisation_id, client=self.client
        )
