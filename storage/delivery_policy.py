"""When people are told of a report that does not arrive, or that nobody opens."""

from dataclasses import dataclass, fields, replace
from datetime import timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from storage.database import one_of
from storage.deliveries import DeliveryPolicy
from storage.registry.organisations import lineage


@dataclass(frozen=True, slots=True)
class Deadlines:
    """What holds for a site, in minutes; see `storage.deliveries.DeliveryPolicy`.

    The defaults: half an hour without an acknowledgement is what the domain allows; a routine
    report is looked for within a day, a STAT one within the hour.
    """

    silent_minutes: int = 30
    unopened_minutes: int = 24 * 60
    unopened_stat_minutes: int = 60
    always_open: bool = False

    @property
    def silent(self) -> timedelta:
        """How long a destination may be out of reach."""
        return timedelta(minutes=self.silent_minutes)

    def unopened(self, *, stat: bool) -> timedelta:
        """Return how long a report may stay unopened."""
        return timedelta(minutes=self.unopened_stat_minutes if stat else self.unopened_minutes)


def deadlines_of(session: Session, organisation_id: UUID) -> Deadlines:
    """Return the deadlines of an organisation: its own, then those of the ones above it.

    A centre beside its sites counts as above them: what its consortium has holds for all.
    """
    line = [one.id for one in lineage(session, organisation_id)]
    rows = session.scalars(
        select(DeliveryPolicy).where(one_of(DeliveryPolicy.organisation_id, line))
    ).all()
    found = Deadlines()
    for row in sorted(rows, key=lambda one: line.index(one.organisation_id), reverse=True):
        given = {one.name: getattr(row, one.name) for one in fields(Deadlines)}
        found = replace(found, **{name: one for name, one in given.items() if one is not None})
    return found


def set_deadlines(
    session: Session,
    organisation_id: UUID,
    *,
    silent_minutes: int | None,
    unopened_minutes: int | None,
    unopened_stat_minutes: int | None,
    always_open: bool | None,
) -> None:
    """Set what holds for an organisation and all below it; None: as the one above has it."""
    row = session.get(DeliveryPolicy, organisation_id)
    if row is None:
        row = DeliveryPolicy(organisation_id=organisation_id)
        session.add(row)
    row.silent_minutes = silent_minutes
    row.unopened_minutes = unopened_minutes
    row.unopened_stat_minutes = unopened_stat_minutes
    row.always_open = always_open
    session.flush()
