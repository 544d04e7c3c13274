"""The doctor on the audit trail: unsealed records, and a repository that takes nothing."""

from datetime import timedelta

from deploy.doctor import trail
from deploy.doctor.findings import Severity
from storage.audit import record, system_actor
from storage.audit_export.exporting import NAME, AuditExport
from storage.audit_seals import seal_due
from storage.clock import utc_now
from storage.database import Database


def test_a_trail_that_is_not_sealed_or_not_taken_is_told(database: Database) -> None:
    now = utc_now()
    with database.transaction() as session:
        record(session, system_actor("test"), "site:test", subject_kind="site", subject_id=1)
    with database.transaction() as session:
        assert severities(session, now) == [Severity.FINE]
        assert severities(session, now + timedelta(hours=1)) == [Severity.WARNING]
    seal_due(database)
    with database.transaction() as session:
        assert severities(session, now + timedelta(hours=1)) == [Severity.FINE]
        session.add(
            AuditExport(
                name=NAME, record_id=0, taken_at=now, failing_since=now, error="down\n  Found: x"
            )
        )
        session.flush()
        *_, away = trail.look(session, now)
        assert (away.severity, "down Found: x" in away.what) == (Severity.WARNING, True)


def severities(session: object, now: object) -> list[Severity]:
    return [one.severity for one in trail.look(session, now)]  # pyright: ignore[reportArgumentType] -- as given
