"""Asking for a site's test, and what came of it."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, delete, select
from sqlalchemy.orm import Session

from storage import attempts, audit
from storage.audit import Actor
from storage.clock import utc_now
from storage.database import notify
from storage.site_tests.findings import Finding
from storage.site_tests.tables import SiteTest

CHANNEL: Final = "rdc_site_test"
_KEPT: Final = timedelta(days=90)


def ask(session: Session, actor: Actor, site_id: UUID) -> SiteTest:
    """Have a site tested as soon as a worker is free; one that is under way is not begun twice.

    Tests of more than three months ago are forgotten.
    """
    running = session.scalar(
        select(SiteTest).where(SiteTest.site_id == site_id, is_open()).limit(1)
    )
    if running is not None:
        return running
    session.execute(
        delete(SiteTest).where(SiteTest.site_id == site_id, SiteTest.asked_at < utc_now() - _KEPT)
    )
    test = SiteTest(id=uuid4(), site_id=site_id, asked_by=actor.person_id, findings=[])
    session.add(test)
    audit.record(session, actor, "site:test", subject_kind="organisation", subject_id=site_id)
    session.flush()
    notify(session, CHANNEL, str(test.id))
    return test


def latest(session: Session, site_id: UUID) -> SiteTest | None:
    """Return the newest test of a site; None when it was never tested."""
    return session.scalar(
        select(SiteTest)
        .where(SiteTest.site_id == site_id)
        .order_by(SiteTest.asked_at.desc(), SiteTest.id)
        .limit(1)
    )


def is_open() -> ColumnElement[bool]:
    """Return the SQL condition of tests that have not come to their end."""
    return SiteTest.ended_at.is_(None)


def due(session: Session, limit: int = 20) -> Sequence[UUID]:
    """Return tests that wait for a worker; each again in half a minute."""
    return attempts.due(session, SiteTest, is_open(), limit)


def note(session: Session, test_id: UUID, found: Sequence[Finding], *, ended: bool) -> None:
    """Write down what was found so far, and whether that is all."""
    test = session.get_one(SiteTest, test_id, with_for_update=True)
    test.findings = [one.to_json() for one in found]
    if ended:
        test.ended_at = utc_now()
        attempts.succeeded(test)
