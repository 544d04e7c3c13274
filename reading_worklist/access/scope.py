"""What a person may see and do: the scope of a request.

Every query for patient data goes through `Scope.sees`, or for images through
`Scope.sees_images`, which adds what a consultation shares; there is no third way
to decide what belongs to whom.
"""

from collections.abc import Hashable
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, false, or_
from sqlalchemy.orm import InstrumentedAttribute

from reading_worklist.access.policy import Outstanding
from reading_worklist.consultations.sharing import is_shared
from reading_worklist.problems import forbidden
from storage.audit import Actor
from storage.database import one_of
from storage.registry import OrganisationKind, Role
from storage.walls import Reach, Standing

IMAGE_READERS: Final = (
    Role.SITE_TECHNICIAN,
    Role.SITE_DOCTOR,
    Role.WRITER,
    Role.REVIEWER,
    Role.QUALITY_CONTROLLER,
    Role.DISPATCHER,
    Role.CONSORTIUM_ADMIN,
)
"""Who sees the images of every visible site; auditors, regulators and system administrators do no
clinical reading, and an expert sees what is shared with him."""

_BEYOND_SITES: Final = frozenset({Role.WRITER, Role.REVIEWER, Role.QUALITY_CONTROLLER})
"""Who sees, by a reason, single studies of sites of his consortium that are not his."""

_NARROW: Final = {
    Role.SYSTEM_ADMIN: Standing.OPERATOR,
    Role.AUDITOR: Standing.AUDITOR,
    Role.REGULATOR: Standing.REGULATOR,
}
"""Who treats nobody: whoever is that and nothing else has no part in what is read and written."""


@dataclass(frozen=True, slots=True)
class Scope:
    """A signed-in person acting for one organisation.

    site_ids: the sites whose patients may be seen: one's own, or for the centre those of its
        consortium; none for who is an expert and nothing else.
    client: the network address of the browser.
    second_factor_at: when a second factor was proved last in this session; None: never.
    outstanding: what the person has to do before anything else is done.
    ends_at: when the session ends in any case; None where there is none.
    provider: the identity provider that vouched; None: a password of ours.
    consortium_sites: the sites of the consortium that the organisation belongs to.
    reaches_all: these are all the sites that there are.
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
    second_factor_at: datetime | None = None
    outstanding: Outstanding | None = None
    ends_at: datetime | None = None
    provider: str | None = None
    consortium_sites: frozenset[UUID] = frozenset()
    reaches_all: bool = False

    def sees(
        self, site_id: InstrumentedAttribute[UUID] | InstrumentedAttribute[UUID | None]
    ) -> ColumnElement[bool]:
        """Return the SQL condition that a row's site is visible.

        Nothing is visible without a site.
        """
        return one_of(site_id, self.site_ids)

    def sees_images(
        self, site_id: InstrumentedAttribute[UUID] | InstrumentedAttribute[UUID | None]
    ) -> ColumnElement[bool]:
        """Return the SQL condition that the images of a row's study are visible.

        To `IMAGE_READERS` those of the visible sites; to an expert those of a study about which he
        is asked, as long as that consultation is open. Of `Organisation`: that it has such a study.
        """
        visible = self.sees(site_id) if self._reads_images else false()
        if Role.EXPERT not in self.roles:
            return visible
        return or_(visible, is_shared(site_id, self.person_id))

    @property
    def sight(self) -> Hashable:
        """Return what `sees_images` depends on: the same for two people who see the same."""
        return (
            self.site_ids if self._reads_images else None,
            self.person_id if Role.EXPERT in self.roles else None,
        )

    @property
    def reach(self) -> Reach | None:
        """Return the rows that the database itself keeps this person's transactions to.

        None: every row, and `sees` alone decides; so it is for a centre where no site is of
        another consortium, whose questions wait behind no condition of the database.
        """
        if self.roles <= _NARROW.keys() and len(self.roles) == 1:
            return Reach(self.site_ids, _NARROW[next(iter(self.roles))])
        if Role.EXPERT in self.roles:
            alone = self.roles == frozenset({Role.EXPERT})
            sites = frozenset[UUID]() if alone else self.consortium_sites
            return Reach(sites, Standing.EXPERT, self.person_id)
        if self.organisation_kind is OrganisationKind.SITE and not self.roles & _BEYOND_SITES:
            return Reach(self.site_ids)
        return None if self.reaches_all else Reach(self.consortium_sites)

    @property
    def _reads_images(self) -> bool:
        return not self.roles.isdisjoint(IMAGE_READERS)

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
