"""Time stamps over issued reports: which file proves one today, and further stamps in time.

A stamp proves nothing any more when its certificate ends; before that another one is put over
it, as long as the new one lasts longer. A report that the centre stamped because the outside
authority was away gets the outside stamp when that is back. The issued file stays as it is; each
further one begins with the same bytes.
"""

import hashlib
import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, and_, exists, func, or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, aliased

from reading_worklist.problems import Problem
from reading_worklist.reports.documents import StoredPdf, read_pdf, store_pdf
from reading_worklist.reports.tables import ReportVersion
from reading_worklist.signing.credentials import revocations
from reading_worklist.signing.long_term import (
    CENTRE,
    LongTerm,
    Stamped,
    last_stamp,
)
from reading_worklist.signing.tables import ReportTimeStamp
from reading_worklist.signing.verification import signer_serials
from storage import audit
from storage.database import Database
from storage.objects import ObjectStore

RENEWED_BEFORE: Final = timedelta(days=365)
"""How long before its end a stamp is covered by another one."""

_ACTOR: Final = "time stamps"
_log = logging.getLogger(__name__)


def first_row(stamped: Stamped) -> ReportTimeStamp:
    """Return what is recorded of the stamp that a report is issued with."""
    digest = hashlib.sha256(stamped.pdf).hexdigest()
    return ReportTimeStamp(
        original_sha256=digest,
        number=1,
        pdf_sha256=digest,
        stamped_by=stamped.by,
        stamped_at=stamped.at,
        ends_at=stamped.ends_at,
        shortfall=stamped.shortfall,
    )


def newest_file(session: Session, version: ReportVersion) -> tuple[str, str]:
    """Return object key and SHA-256 of the file that proves a version today.

    It begins with the issued one, and has more time stamps where that is old.
    """
    row = session.execute(
        select(ReportTimeStamp.pdf_object_key, ReportTimeStamp.pdf_sha256)
        .where(
            ReportTimeStamp.original_sha256 == version.pdf_sha256,
            ReportTimeStamp.pdf_object_key.is_not(None),
        )
        .order_by(ReportTimeStamp.number.desc())
        .limit(1)
    ).one_or_none()
    if row is None:
        return version.pdf_object_key, version.pdf_sha256
    return row.pdf_object_key or version.pdf_object_key, row.pdf_sha256


def original_of(pdf_sha256: str) -> ColumnElement[bool]:
    """Return the condition that a version was issued as this file, or as what it begins with."""
    return or_(
        ReportVersion.pdf_sha256 == pdf_sha256,
        ReportVersion.pdf_sha256.in_(
            select(ReportTimeStamp.original_sha256).where(ReportTimeStamp.pdf_sha256 == pdf_sha256)
        ),
    )


def renew(
    database: Database, objects: ObjectStore, long_term: LongTerm, *, now: datetime, limit: int
) -> int:
    """Stamp again what is due, up to so many reports; return how many were.

    Due is a report whose newest stamp ends within a year, or lacks the outside authority's. While
    that is away those who lack it go on waiting. A report from before stamps were recorded is
    looked at once.
    """
    with database.transaction() as session:
        unrecorded = _unrecorded(session, limit)
    for original in unrecorded:
        _record_what_is_there(database, objects, original)
    with database.transaction() as session:
        due = _due(session, long_term, now, limit)
    done, away = 0, False
    for version, newest in due:
        ends_soon = newest.ends_at < now + RENEWED_BEFORE
        if away and not ends_soon:
            continue
        try:
            pdf = read_pdf(
                objects, newest.pdf_object_key or version.pdf_object_key, newest.pdf_sha256
            )
        except Problem as error:
            _log.error("a report cannot be stamped again", extra={"why": error.code})
            continue
        with database.transaction() as session:
            revoked = revocations(session, signer_serials(pdf))
        stamped = long_term.stamp(pdf, at=now, revocations=revoked)
        away = bool(stamped.shortfall)
        lasts_longer = ends_soon and stamped.ends_at > newest.ends_at
        comes_from_outside = bool(newest.shortfall) and not away
        if lasts_longer or comes_from_outside:
            stored = store_pdf(objects, version.workitem_id, stamped.pdf, now)
            done += _recorded(database, version, newest, stamped, stored)
    return done


def waiting(session: Session) -> int:
    """Return how many reports lack the stamp of the outside authority."""
    later = aliased(ReportTimeStamp)
    return (
        session.scalar(
            select(func.count())
            .select_from(ReportTimeStamp)
            .join(ReportVersion, ReportVersion.pdf_sha256 == ReportTimeStamp.original_sha256)
            .where(ReportTimeStamp.shortfall != "", _is_newest(later))
        )
        or 0
    )


def _is_newest(later: type[ReportTimeStamp]) -> ColumnElement[bool]:
    return ~exists().where(
        later.original_sha256 == ReportTimeStamp.original_sha256,
        later.number > ReportTimeStamp.number,
    )


def _due(
    session: Session, long_term: LongTerm, now: datetime, limit: int
) -> list[tuple[ReportVersion, ReportTimeStamp]]:
    ends_soon = ReportTimeStamp.ends_at < now + RENEWED_BEFORE
    if long_term.outside is None:
        # The centre's own would have to last longer than the one it covers.
        own = long_term.keys.time_stamping.certificate.not_valid_after_utc
        due = and_(ends_soon, ReportTimeStamp.ends_at < own)
    else:
        due = or_(ends_soon, ReportTimeStamp.shortfall != "")
    found = session.execute(
        select(ReportVersion, ReportTimeStamp)
        .join(ReportVersion, ReportVersion.pdf_sha256 == ReportTimeStamp.original_sha256)
        .where(due, _is_newest(aliased(ReportTimeStamp)))
        .order_by(ReportTimeStamp.ends_at, ReportTimeStamp.created_at)
        .limit(limit)
    )
    return [(version, newest) for version, newest in found]


@dataclass(frozen=True, slots=True)
class _Original:
    key: str
    sha256: str
    issued_at: datetime


def _unrecorded(session: Session, limit: int) -> list[_Original]:
    return [
        _Original(key, sha256, issued_at)
        for key, sha256, issued_at in session.execute(
            select(ReportVersion.pdf_object_key, ReportVersion.pdf_sha256, ReportVersion.issued_at)
            .where(~exists().where(ReportTimeStamp.original_sha256 == ReportVersion.pdf_sha256))
            .order_by(ReportVersion.issued_at)
            .limit(limit)
        )
    ]


def _record_what_is_there(database: Database, objects: ObjectStore, original: _Original) -> None:
    """Record the stamp of a report that was issued before stamps were recorded; it may have none.

    One without has ended, so that it is due.
    """
    try:
        found = last_stamp(read_pdf(objects, original.key, original.sha256))
    except Problem as error:
        _log.error("a report cannot be looked at", extra={"why": error.code})
        return
    at = found.at if found else original.issued_at
    row = ReportTimeStamp(
        original_sha256=original.sha256,
        number=1,
        pdf_sha256=original.sha256,
        stamped_by=CENTRE if found else "",
        stamped_at=at,
        ends_at=found.ends_at if found else at,
    )
    _added(database, row)


def _recorded(
    database: Database,
    version: ReportVersion,
    newest: ReportTimeStamp,
    stamped: Stamped,
    stored: StoredPdf,
) -> bool:
    row = ReportTimeStamp(
        original_sha256=version.pdf_sha256,
        number=newest.number + 1,
        pdf_sha256=stored.sha256,
        pdf_object_key=stored.key,
        stamped_by=stamped.by,
        stamped_at=stamped.at,
        ends_at=stamped.ends_at,
        # Its own word is enough where the other's could not be had and the end was near.
        shortfall=stamped.shortfall,
    )
    return _added(database, row, version.id)


def _added(database: Database, row: ReportTimeStamp, version_id: UUID | None = None) -> bool:
    """Add a row unless another process was first."""
    detail = {"number": row.number, "by": row.stamped_by}
    try:
        with database.transaction() as session:
            session.add(row)
            session.flush()
            if version_id is not None:
                audit.record(
                    session,
                    audit.system_actor(_ACTOR),
                    "report:stamp_again",
                    subject_kind="report_version",
                    subject_id=version_id,
                    detail=detail,
                )
    except IntegrityError:
        return False
    return True
