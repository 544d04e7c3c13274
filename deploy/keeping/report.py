"""What a verification found, as facts for people and monitors."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from storage.keeping.tables import Verification
from storage.keeping.verification import findings_of


def verification_report(
    session: Session, run_id: UUID, *, shown: int, spool_files: int
) -> dict[str, Any]:
    """Return a run's facts and its first `shown` findings, ready for JSON."""
    run = session.get_one(Verification, run_id)
    return {
        "id": str(run.id),
        "started_at": run.started_at.isoformat(),
        "ended_at": _text(run.ended_at),
        "options": run.options,
        "objects": run.objects,
        "bytes_read": run.bytes_read,
        "derived": run.derived,
        "recent": run.recent,
        "spool_files": spool_files,
        "findings": run.findings,
        "list": [
            {
                "fault": one.fault.value,
                "object_key": one.object_key,
                "holding": one.holding,
                "subject": one.subject,
                "expected": one.expected,
                "found": one.found,
            }
            for one in findings_of(session, run_id, limit=shown)
        ],
    }


def _text(instant: datetime | None) -> str | None:
    return None if instant is None else instant.isoformat()
