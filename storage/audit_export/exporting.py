"""Sending the trail to a repository elsewhere: in order, from where it stopped, once at a time.

There may be two: an audit record repository that gets all of it, and an event repository that gets
what of it is an event of the walk (`sole`). Each has its own place in the trail.

Only sealed records go: their ids have no gap that could still fill, so one number says how far it
is. Each batch is read, sent without a transaction, and then counted.
"""

import logging
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Final
from uuid import UUID

from sqlalchemy import BigInteger, Select, Uuid, column, literal, select, table, union_all
from sqlalchemy.orm import Mapped, Session, mapped_column

from storage import audit_seals, audit_trail
from storage.audit_export import syslog
from storage.audit_export.messages import About, Source, xml_message
from storage.audit_trail import Entry, Search
from storage.clock import utc_now
from storage.database import Base, Database
from storage.index.tables import Patient, Study
from storage.leases import Candidate
from storage.orders.tables import Order, PerformedStep
from storage.registry import Organisation

NAME: Final = "syslog"
BATCH: Final = 500
_LEASE: Final = timedelta(minutes=2)
# Kind of subject → table, its key, its column for the study. Named here and not imported: one lies
# in a room above.
_OF_STUDIES: Final[Mapping[str, tuple[str, str, str]]] = MappingProxyType(
    {
        "study": ("study", "id", "id"),
        "workitem": ("workitem", "id", "study_id"),
        "report_version": ("issued_report", "report_version_id", "study_id"),
    }
)

_log: Final = logging.getLogger(__name__)


class AuditExport(Base):
    """How far the trail has gone to a repository.

    record_id: the last record that it took. failing_since, error: since when it takes nothing, and
    why; None and empty while it does.
    """

    __tablename__ = "audit_export"

    name: Mapped[str] = mapped_column(primary_key=True)
    record_id: Mapped[int] = mapped_column(BigInteger)
    taken_at: Mapped[datetime]
    failing_since: Mapped[datetime | None]
    error: Mapped[str]


@dataclass(frozen=True, slots=True)
class Feed:
    """What one repository gets of the trail.

    name: of its place and its lease. frame: a record as it is sent there; None: it is not.
    """

    name: str
    frame: Callable[[Entry, Source, About | None], bytes | None]


def _whole_record(entry: Entry, source: Source, about: About | None) -> bytes:
    return syslog.frame(
        xml_message(entry, source, about), at=entry.record.at, machine=source.machine, process="rdc"
    )


TRAIL: Final = Feed(NAME, _whole_record)
"""All of it, for an audit record repository."""


class Exporter:
    """Sends what is due, when this process has the lease."""

    def __init__(
        self,
        database: Database,
        to: syslog.Repository,
        *,
        source: str,
        feed: Feed = TRAIL,
        send: Callable[[syslog.Repository, Sequence[bytes]], None] = syslog.send,
    ) -> None:
        self._database = database
        self._to = to
        self._send = send
        self._source = Source(source, socket.gethostname() or "rdc")
        self._feed = feed
        # The trail's own lease has had this name from the beginning.
        lease = "audit-export" if feed.name == NAME else f"{feed.name}-export"
        self._candidate = Candidate(lease, lasts=_LEASE)

    def run(self, *, batches: int = 20) -> int:
        """Send up to so many batches; return how many messages were taken.

        Never raises for a repository that takes nothing: that is noted for ``rdc doctor``, and the
        next call begins at the same record.
        """
        taken = 0
        for _ in range(batches):
            with self._database.transaction() as session:
                if not self._candidate.holds(session):
                    return taken
                after = _place(session, self._feed.name).record_id
                frames, last = self._due(session, after)
            if last is None:
                break
            try:
                if frames:
                    self._send(self._to, frames)
            except syslog.RepositoryUnavailable as error:
                self._note_failure(error)
                break
            with self._database.transaction() as session:
                place = _place(session, self._feed.name)
                if place.record_id != after:
                    # Somebody took the lease over while we waited; he counts.
                    return taken
                place.record_id, place.taken_at = last, utc_now()
                place.failing_since, place.error = None, ""
            taken += len(frames)
        with self._database.transaction() as session:
            self._candidate.give_up(session)
        return taken

    def _due(self, session: Session, after: int) -> tuple[list[bytes], int | None]:
        """Return the next sealed records as frames, and the last one's id; None when all went."""
        seal = audit_seals.newest(session)
        if seal is None or seal.to_id <= after:
            return [], None
        entries = audit_trail.following(session, after=after, to_id=seal.to_id, limit=BATCH)
        abouts = about(session, entries)
        made = (
            self._feed.frame(entry, self._source, abouts.get(entry.record.id)) for entry in entries
        )
        return [one for one in made if one is not None], entries[-1].record.id if entries else None

    def _note_failure(self, error: syslog.RepositoryUnavailable) -> None:
        with self._database.transaction() as session:
            place = _place(session, self._feed.name)
            if place.failing_since is None:
                _log.warning(
                    "audit repository takes nothing",
                    extra={"feed": self._feed.name, "why": str(error)},
                )
                place.failing_since = utc_now()
            place.error = str(error)


def about(session: Session, entries: Sequence[Entry]) -> dict[int, About]:
    """Return whose study each record is about, by the record's id; records of none are left out.

    One query for the studies, and one for orders, whose study may not have come yet.
    """
    wanted: dict[str, set[UUID]] = {}
    for entry in entries:
        if entry.record.subject_kind in _OF_STUDIES and (number := _uuid(entry.record.subject_id)):
            wanted.setdefault(entry.record.subject_kind, set()).add(number)
    named = {
        entry.record.id: About(entry.record.subject_id, None)
        for entry in entries
        if entry.record.subject_kind == "dicom_study"
    } | _of_orders(session, entries)
    if not wanted:
        return named
    parts: list[Select[str, UUID, UUID]] = []
    for kind, ids in wanted.items():
        name, key, of_study_column = _OF_STUDIES[kind]
        of = table(name, column(key, Uuid), column(of_study_column, Uuid))
        parts.append(
            select(
                literal(kind).label("kind"),
                of.c[key].label("id"),
                of.c[of_study_column].label("study_id"),
            ).where(of.c[key].in_(ids))
        )
    of_study = union_all(*parts).subquery()
    found = session.execute(
        select(
            of_study.c.kind,
            of_study.c.id,
            Study.study_instance_uid,
            Patient.local_id,
            Organisation.code,
        )
        .join(Study, Study.id == of_study.c.study_id)
        .outerjoin(Patient, Patient.id == Study.patient_id)
        .join(Organisation, Organisation.id == Study.site_id)
    )
    known = {
        (kind, str(row_id)): About(uid, f"{local_id}^^^{code}" if local_id else None)
        for kind, row_id, uid, local_id, code in found
    }
    return named | {
        entry.record.id: known[key]
        for entry in entries
        if (key := (entry.record.subject_kind, entry.record.subject_id)) in known
    }


def _of_orders(session: Session, entries: Sequence[Entry]) -> dict[int, About]:
    """Return whose study the records about orders and performed steps are about."""
    ids: dict[str, set[UUID]] = {"order": set(), "performed_step": set()}
    for entry in entries:
        if entry.record.subject_kind in ids and (number := _uuid(entry.record.subject_id)):
            ids[entry.record.subject_kind].add(number)
    if not any(ids.values()):
        return {}
    ordered = (
        select(
            literal("order"),
            Order.id,
            Order.study_instance_uid,
            Order.patient_local_id,
            Organisation.code,
        )
        .join(Organisation, Organisation.id == Order.site_id)
        .where(Order.id.in_(ids["order"]))
    )
    performed = (
        select(
            literal("performed_step"),
            PerformedStep.id,
            PerformedStep.study_instance_uid,
            Order.patient_local_id,
            Organisation.code,
        )
        .outerjoin(Order, Order.id == PerformedStep.order_id)
        .join(Organisation, Organisation.id == PerformedStep.site_id)
        .where(PerformedStep.id.in_(ids["performed_step"]))
    )
    known = {
        (kind, str(number)): About(uid, f"{local_id}^^^{code}" if local_id else None)
        for kind, number, uid, local_id, code in session.execute(union_all(ordered, performed))
    }
    return {
        entry.record.id: known[key]
        for entry in entries
        if (key := (entry.record.subject_kind, entry.record.subject_id)) in known
    }


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def messages(session: Session, search: Search, source: str) -> Iterator[bytes]:
    """Yield records as audit messages, oldest first; memory does not grow with them."""
    where = Source(source, socket.gethostname() or "rdc")
    after = 0
    while entries := audit_trail.following(session, search, after=after, limit=BATCH):
        abouts = about(session, entries)
        for entry in entries:
            yield xml_message(entry, where, abouts.get(entry.record.id))
        after = entries[-1].record.id
        session.expunge_all()


def _place(session: Session, name: str) -> AuditExport:
    place = session.get(AuditExport, name, with_for_update=True)
    if place is None:
        place = AuditExport(
            name=name, record_id=0, taken_at=utc_now(), failing_since=None, error=""
        )
        session.add(place)
        session.flush()
    return place
