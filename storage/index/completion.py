"""When a study counts as complete: its quiet time has passed without another instance."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from storage import outbox
from storage.clock import utc_now
from storage.index.tables import Study, StudyState
from storage.messages import StudyReceived


def complete_quiet_studies(session: Session, *, limit: int = 100) -> int:
    """Mark up to `limit` studies whose quiet time has passed as complete, and say so in the outbox.

    Several gateways may call this at once; each study is completed by one of
    them. Returns how many were completed.
    """
    now = utc_now()
    due = session.scalars(
        select(Study)
        .where(Study.state == StudyState.RECEIVING, Study.quiet_due_at <= now)
        .order_by(Study.quiet_due_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()
    for study in due:
        study.state = StudyState.COMPLETE
        study.generation += 1
        study.completed_at = now
        outbox.emit(
            session,
            StudyReceived(
                study_id=study.id,
                site_id=study.site_id,
                study_instance_uid=study.study_instance_uid,
                generation=study.generation,
                modalities=tuple(study.modalities),
                instance_count=study.instance_count,
            ),
        )
    return len(due)
