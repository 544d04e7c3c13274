"""Work that one process of a centre does, whichever it is: a lease on its name.

Several stand ready. Who holds the lease renews it while it works; when it has been silent for as
long as the lease lasts, whatever the reason, another takes over. The database's clock decides, so
those of the machines need not agree.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from sqlalchemy import delete, func, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from storage.database import Base


class Lease(Base):
    """Who does a work, and until when nobody else does."""

    __tablename__ = "lease"

    name: Mapped[str] = mapped_column(primary_key=True)
    holder: Mapped[UUID]
    held_until: Mapped[datetime]


class Candidate:
    """One process that stands ready for a work."""

    def __init__(self, name: str, *, lasts: timedelta) -> None:
        """Stand ready for the work of that name; a lease `lasts` so long without being renewed."""
        self._name = name
        self._lasts = lasts
        self._id = uuid4()

    def holds(self, session: Session) -> bool:
        """Take or renew the lease; tell whether the work is ours until it ends."""
        wanted = insert(Lease).values(
            name=self._name, holder=self._id, held_until=func.now() + self._lasts
        )
        taken = session.scalar(
            wanted.on_conflict_do_update(
                index_elements=[Lease.name],
                set_={"holder": wanted.excluded.holder, "held_until": wanted.excluded.held_until},
                where=or_(Lease.holder == self._id, Lease.held_until <= func.now()),
            ).returning(Lease.holder)
        )
        return taken == self._id

    def give_up(self, session: Session) -> None:
        """Leave the work to another at once; without the lease nothing happens."""
        session.execute(delete(Lease).where(Lease.name == self._name, Lease.holder == self._id))


def share(
    session: Session, works: Sequence[str], holder: UUID, *, lasts: timedelta
) -> Mapping[str, int]:
    """Take or renew a holder's part in works that several may do; return how many do each.

    A part `lasts` so long without being renewed. works: names, in an order that is the same for
    all, none of which begins with another.
    """
    counts: dict[str, int] = {}
    for work in works:
        part = insert(Lease).values(
            name=f"{work} {holder}", holder=holder, held_until=func.now() + lasts
        )
        session.execute(
            part.on_conflict_do_update(
                index_elements=[Lease.name], set_={"held_until": part.excluded.held_until}
            )
        )
        of_work = Lease.name.startswith(f"{work} ", autoescape=True)
        session.execute(delete(Lease).where(of_work, Lease.held_until <= func.now()))
        counts[work] = session.scalar(select(func.count()).select_from(Lease).where(of_work)) or 0
    return counts
