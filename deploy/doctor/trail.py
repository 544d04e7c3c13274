"""The audit trail: is it sealed, and does it reach the repository that it goes to."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from deploy.doctor.findings import Finding, fine, warning
from storage import audit_seals
from storage.audit import AuditRecord
from storage.audit_export import sole
from storage.audit_export.exporting import NAME, AuditExport
from storage.clock import utc_now

_SUBJECT: Final = "audit trail"
# Sealed every minute, by a relay that may be starting again.
_SEALED_WITHIN: Final = timedelta(minutes=10)


def look(session: Session, now: datetime | None = None) -> Iterator[Finding]:
    """Look at the youngest seal, and at how far the trail has gone to a repository elsewhere."""
    now = now or utc_now()
    seal = audit_seals.newest(session)
    unsealed = session.scalar(
        select(func.min(AuditRecord.at)).where(AuditRecord.id > (seal.to_id if seal else 0))
    )
    if unsealed is not None and now - unsealed > _SEALED_WITHIN:
        yield warning(
            _SUBJECT,
            f"records since {unsealed:%Y-%m-%d %H:%M} UTC are not sealed",
            "The relay seals them; see that it runs: `rdc status`.",
        )
    else:
        yield fine(_SUBJECT, "sealed")
    for name, setting in ((NAME, "RDC_AUDIT_SYSLOG"), (sole.NAME, "RDC_SOLE_SYSLOG")):
        place = session.get(AuditExport, name)
        if place is not None and place.failing_since is not None:
            yield warning(
                _SUBJECT,
                f"the repository of {setting} takes nothing since"
                f" {place.failing_since:%Y-%m-%d %H:%M} UTC:"
                f" {' '.join(place.error.split())[:300]}",
                f"Mend it, or its address in {setting}; it goes on where it stopped.",
            )
