"""Taking an instance out of the index again: filed by a decision, or of a report recalled since."""

from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from storage.clock import utc_now
from storage.index.tables import Instance, Series, Study, StudyState


def withdraw(session: Session, study_id: UUID, instance_id: int) -> int | None:
    """Remove an instance that a decision had filed; return its series' id when that is gone too.

    See `take_out`. The study becomes complete anew.
    """
    study, gone = _take_out(session, study_id, instance_id)
    study.state = StudyState.RECEIVING
    study.quiet_due_at = utc_now()
    return gone


def take_out(session: Session, study_id: UUID, instance_id: int) -> int | None:
    """Remove an instance from its study; return the id of its series when that is gone with it.

    Its bytes stay where they are. The database lets this pass only while a quarantine entry or a
    superseded report object names the same bytes, so that nothing is ever lost by it.
    """
    return _take_out(session, study_id, instance_id)[1]


def _take_out(session: Session, study_id: UUID, instance_id: int) -> tuple[Study, int | None]:
    # The study first, as everywhere.
    study = session.scalars(select(Study).where(Study.id == study_id).with_for_update()).one()
    instance, series = session.execute(
        select(Instance, Series)
        .join(Series, Series.id == Instance.series_id)
        .where(Instance.id == instance_id, Instance.study_id == study_id)
        .with_for_update()
    ).one()
    study.instance_count -= 1
    study.byte_count -= instance.object_size
    series.instance_count -= 1
    series.byte_count -= instance.object_size
    series.revision += 1
    session.flush()
    session.execute(delete(Instance).where(Instance.id == instance_id))
    session.expunge(instance)
    if series.instance_count:
        return study, None
    series_id = series.id
    study.series_count -= 1
    session.execute(delete(Series).where(Series.id == series_id))
    session.expunge(series)
    left = session.scalars(select(Series.modality).where(Series.study_id == study_id)).all()
    study.modalities = sorted({modality for modality in left if modality})
    return study, series_id
