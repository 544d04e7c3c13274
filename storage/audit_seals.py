"""Seals over the audit trail: whoever changes, removes or slips in a record is found out.

The database refuses to change a record, but its owner could lift that guard. So
every minute the records since the last seal get one more: a digest over all of
them, and one over that and the seal before. A record cannot change without the
digest of its seal, nor a seal without all that follow. Whoever may rewrite
everything to the end is found out by a seal that was kept elsewhere: each is
logged, and `rdc audit verify --kept` looks for it.
"""

import hashlib
import json
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple
from uuid import UUID

from psycopg.errors import LockNotAvailable
from sqlalchemy import BigInteger, CheckConstraint, Identity, func, select, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Mapped, Session, mapped_column

from storage.audit import AuditRecord
from storage.clock import utc_now
from storage.database import Base, Database

EVERY: Final = timedelta(minutes=1)
RECORDS_MAX: Final = 20_000
_FIRST: Final = "0" * 64
_ROWS_AT_ONCE: Final = 2000
# Acts wait for us only so long; who holds the table longer makes us try again later.
_LOCK_MILLISECONDS: Final = 200
_SEALING: Final = 0x52444341

_log = logging.getLogger(__name__)


class AuditSeal(Base):
    """A seal over the records after `after_id` up to `to_id`.

    records: how many they are. digest: SHA-256 over them in the order of their ids. previous: the
    seal before. seal: SHA-256 over all of this; what is worth keeping elsewhere.
    """

    __tablename__ = "audit_seal"
    __table_args__ = (CheckConstraint("after_id < to_id", name="range"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    after_id: Mapped[int] = mapped_column(BigInteger, unique=True)
    to_id: Mapped[int] = mapped_column(BigInteger)
    records: Mapped[int]
    digest: Mapped[str]
    previous: Mapped[str] = mapped_column(unique=True)
    sealed_at: Mapped[datetime]
    seal: Mapped[str] = mapped_column(unique=True)


class _Row(NamedTuple):
    id: int
    at: datetime
    action: str
    person_id: UUID | None
    organisation_id: UUID | None
    client: str
    subject_kind: str
    subject_id: str
    detail: dict[str, object]


@dataclass(frozen=True, slots=True)
class Break:
    """Where the trail is not what was sealed.

    seal_id: the first seal that does not fit. what: in words, with the records it covers.
    """

    seal_id: int
    what: str


@dataclass(slots=True)
class Verdict:
    """What `verify` found.

    head: the newest seal. unsealed: records too young to be under one. kept_found: whether the seal
    that was kept elsewhere is in the chain; None when none was given.
    """

    seals: int = 0
    records: int = 0
    unsealed: int = 0
    head: str = ""
    kept_found: bool | None = None
    breaks: list[Break] = field(default_factory=list[Break])

    @property
    def whole(self) -> bool:
        """Whether nothing was changed, as far as can be told."""
        return not self.breaks and self.kept_found is not False


def seal_due(database: Database, now: datetime | None = None) -> AuditSeal | None:
    """Seal what has come since the last seal, when that is a minute ago; return the new one.

    Several processes may call this at once: one of them seals. Of a long trail that was never
    sealed each call takes a part.
    """
    now = now or utc_now()
    with database.transaction() as session:
        last_seal = newest(session)
        if last_seal is not None and now - last_seal.sealed_at < EVERY:
            return None
    to_id = _settled(database)
    if to_id is None:
        return None
    with database.transaction() as session:
        session.execute(select(func.pg_advisory_xact_lock(_SEALING)))
        last_seal = newest(session)
        after = last_seal.to_id if last_seal else 0
        digest, count, last = _digest(session, after, to_id, limit=RECORDS_MAX)
        if not count:
            return None
        made = AuditSeal(
            after_id=after,
            to_id=last,
            records=count,
            digest=digest,
            previous=last_seal.seal if last_seal else _FIRST,
            sealed_at=now,
            seal="",
        )
        made.seal = _seal_of(made)
        session.add(made)
        session.flush()
        session.expunge(made)
    _log.info("audit trail sealed", extra={"to_record": made.to_id, "seal": made.seal})
    return made


def verify(
    database: Database,
    *,
    kept: str | None = None,
    progress: Callable[[int], None] = lambda _records: None,
) -> Verdict:
    """Hold every record against its seal, and every seal against the one before.

    kept: a seal that was kept elsewhere, which must be in the chain. progress: is told how many
    records have been looked at. Memory does not grow with the trail.
    """
    verdict = Verdict(head=_FIRST)
    verdict.kept_found = None if kept is None else False
    after = 0
    with database.transaction() as session:
        for seal in _seals(session):
            verdict.seals += 1
            if seal.seal == kept:
                verdict.kept_found = True
            digest, count, _ = _digest(session, seal.after_id, seal.to_id)
            wrong = _wrong(seal, after, verdict.head, digest, count)
            if wrong:
                covered = f"records {seal.after_id + 1} to {seal.to_id}"
                verdict.breaks.append(
                    Break(
                        seal.id, f"{covered}, sealed {seal.sealed_at:%Y-%m-%d %H:%M} UTC: {wrong}"
                    )
                )
            verdict.records += count
            after, verdict.head = seal.to_id, seal.seal
            progress(verdict.records)
        verdict.unsealed = (
            session.scalar(
                select(func.count()).select_from(AuditRecord).where(AuditRecord.id > after)
            )
            or 0
        )
    return verdict


def _wrong(seal: AuditSeal, after: int, previous: str, digest: str, count: int) -> str:
    """Return what does not fit in a seal, in words; empty when all does."""
    if seal.after_id != after or seal.previous != previous:
        return "a seal before it was removed or exchanged"
    if count != seal.records:
        return f"{seal.records} records were sealed, {count} are there"
    if digest != seal.digest:
        return "a record is not what was sealed"
    if seal.seal != _seal_of(seal):
        return "the seal itself was changed"
    return ""


def _settled(database: Database) -> int | None:
    """Return the last record such that no other with a smaller id can still appear.

    Ids are given when a record is written and show when its transaction ends, in any order. The
    lock waits for those that are writing; None when they take too long. A function of the owner
    takes it (migration 0064): who may only add to a table may not lock it.
    """
    try:
        with database.transaction() as session:
            session.execute(text(f"SET LOCAL lock_timeout = {_LOCK_MILLISECONDS}"))
            return session.scalar(select(func.rdc_settled_audit_record()))
    except OperationalError as error:
        if isinstance(error.orig, LockNotAvailable):
            return None
        raise


def newest(session: Session) -> AuditSeal | None:
    """Return the newest seal, None before the first."""
    return session.scalar(select(AuditSeal).order_by(AuditSeal.id.desc()).limit(1))


def _seals(session: Session) -> Iterator[AuditSeal]:
    last = 0
    while True:
        page = session.scalars(
            select(AuditSeal).where(AuditSeal.id > last).order_by(AuditSeal.id).limit(_ROWS_AT_ONCE)
        ).all()
        yield from page
        if not page:
            return
        last = page[-1].id
        session.expunge_all()


def _digest(
    session: Session, after: int, to_id: int, *, limit: int | None = None
) -> tuple[str, int, int]:
    """Return the digest over the records in a range, how many they are, and the last one's id."""
    hashed = hashlib.sha256()
    count, last = 0, after
    columns = [getattr(AuditRecord, name) for name in _Row._fields]
    query = (
        select(*columns)
        .where(AuditRecord.id > after, AuditRecord.id <= to_id)
        .order_by(AuditRecord.id)
        .limit(limit)
        .execution_options(yield_per=_ROWS_AT_ONCE)
    )
    for found in session.execute(query):
        row = _Row(*found)
        hashed.update(_canonical(row))
        count, last = count + 1, row.id
    return hashed.hexdigest(), count, last


def _canonical(row: _Row) -> bytes:
    """Return a record as bytes that are the same whenever it is read: one line of JSON."""
    values = [
        row.id,
        row.at.astimezone(UTC).isoformat(timespec="microseconds"),
        row.action,
        str(row.person_id),
        str(row.organisation_id),
        row.client,
        row.subject_kind,
        row.subject_id,
        row.detail,
    ]
    return json.dumps(values, ensure_ascii=False, sort_keys=True).encode() + b"\n"


def _seal_of(seal: AuditSeal) -> str:
    at = seal.sealed_at.astimezone(UTC).isoformat(timespec="microseconds")
    parts = (seal.previous, seal.after_id, seal.to_id, seal.records, seal.digest, at)
    return hashlib.sha256("\n".join(str(part) for part in parts).encode()).hexdigest()
