"""Whether the images of an exam may be deleted from the modality: by index and store."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from reading_worklist.access.scope import Scope
from reading_worklist.portal import finding
from reading_worklist.portal.finding import Found, Kind
from reading_worklist.portal.queries import expected_counts
from reading_worklist.portal.road import KeptFacts, attention_of, judge
from reading_worklist.portal.schemas import KeptView
from reading_worklist.problems import not_found
from reading_worklist.workitems.tables import Workitem
from storage.clock import utc_now
from storage.commitments import CommitmentReference, CommitmentRequest, CommitmentState
from storage.database import Database
from storage.index.completion import missing_instances
from storage.index.tables import Instance, Quarantine, Study, StudyState
from storage.objects import ObjectKey, ObjectStore
from storage.orders.states import PerformedState
from storage.orders.tables import Order, PerformedStep, StudyOrder

_BATCH: Final = 500
_LOOKERS: Final = 8
_ASKED_WITHIN: Final = timedelta(days=7)
"""Until when after a study's first instance devices ask for commitment."""


def kept(database: Database, objects: ObjectStore, scope: Scope, exam_id: UUID) -> KeptView:
    """Return whether the images of a visible exam may be deleted from the modality.

    The store is asked for each of them, unless something else speaks against it already.

    Raises:
        Problem: 404 when the exam does not exist or is another site's.
        ObjectStoreUnavailable: the store cannot be asked.
    """
    with database.transaction() as session:
        found = finding.resolve(session, scope, exam_id)
        if found is None:
            raise not_found("The exam")
        study = _study_of(session, found)
        facts = _facts(session, study)
        study_id = study.id if study else None
    verdict, obstacle = judge(facts)
    checked_at = None
    if obstacle is None and study_id is not None:
        checked_at = utc_now()
        facts = replace(facts, lost=_lost(database, objects, study_id))
        verdict, obstacle = judge(facts)
    return KeptView(
        verdict=verdict,
        obstacle=obstacle,
        received=facts.received,
        expected=facts.expected,
        missing=facts.missing,
        quarantined=facts.quarantined,
        lost=facts.lost or 0,
        committed=facts.committed,
        checked_at=checked_at,
    )


def _study_of(session: Session, found: Found) -> Study | None:
    if found.kind is Kind.STUDY:
        return session.get(Study, found.id)
    if found.kind is Kind.READING:
        return session.scalar(
            select(Study)
            .join(Workitem, Workitem.study_id == Study.id)
            .where(Workitem.id == found.id)
        )
    order = session.get_one(Order, found.id)
    return finding.arriving(session, [order]).get(order.id)


def _facts(session: Session, study: Study | None) -> KeptFacts:
    if study is None:
        return KeptFacts(received=0)
    order = session.scalar(
        select(Order)
        .join(StudyOrder, StudyOrder.order_id == Order.id)
        .where(StudyOrder.study_id == study.id)
    )
    key = (study.site_id, study.study_instance_uid)
    performing = session.scalar(
        select(func.count())
        .select_from(PerformedStep)
        .where(
            PerformedStep.site_id == study.site_id,
            PerformedStep.study_instance_uid == study.study_instance_uid,
            PerformedStep.state == PerformedState.IN_PROGRESS,
        )
    )
    received = session.scalar(
        select(func.count()).select_from(Instance).where(Instance.study_id == study.id)
    )
    quarantined = session.scalar(
        select(func.count())
        .select_from(Quarantine)
        .where(
            Quarantine.site_id == study.site_id,
            Quarantine.detail["study_instance_uid"].astext == study.study_instance_uid,
            Quarantine.resolved_at.is_(None),
        )
    )
    missing = missing_instances(session, study)
    return KeptFacts(
        received=received or 0,
        expected=expected_counts(session, {key}).get(key),
        missing=missing,
        performing=bool(performing),
        receiving=study.state is StudyState.RECEIVING,
        quarantined=quarantined or 0,
        attention=attention_of(order.state if order else None, missing),
        purged=study.purged_at is not None,
        committed=_committed(session, study, received or 0),
    )


def _committed(session: Session, study: Study, received: int) -> bool:
    """Tell whether the site's devices were told of each instance of a study that it is kept."""
    vouched = session.scalar(
        select(func.count(Instance.id.distinct()))
        .select_from(CommitmentRequest)
        .join(CommitmentReference, CommitmentReference.request_id == CommitmentRequest.id)
        .join(Instance, Instance.sop_instance_uid == CommitmentReference.sop_instance_uid)
        .where(
            CommitmentRequest.site_id == study.site_id,
            CommitmentRequest.requested_at.between(
                study.first_received_at - _ASKED_WITHIN, study.last_received_at + _ASKED_WITHIN
            ),
            CommitmentRequest.state != CommitmentState.EXAMINING,
            CommitmentReference.failure_reason.is_(None),
            Instance.site_id == study.site_id,
            Instance.study_id == study.id,
        )
    )
    return bool(received) and vouched == received


def _lost(database: Database, objects: ObjectStore, study_id: UUID) -> int:
    """Count the instances of a study whose object is not in the store as the index has it."""

    def is_lost(row: tuple[str, int]) -> bool:
        stored = objects.stat(ObjectKey.parse(row[0]))
        return stored is None or stored.size != row[1]

    with ThreadPoolExecutor(_LOOKERS, "rdc-kept") as pool:
        return sum(sum(pool.map(is_lost, batch)) for batch in _batches(database, study_id))


def _batches(database: Database, study_id: UUID) -> Iterator[list[tuple[str, int]]]:
    """Yield key and size of the objects of a study, no transaction open meanwhile."""
    after = 0
    while True:
        with database.transaction() as session:
            rows = session.execute(
                select(Instance.id, Instance.object_key, Instance.object_size)
                .where(Instance.study_id == study_id, Instance.id > after)
                .order_by(Instance.id)
                .limit(_BATCH)
            ).all()
        if not rows:
            return
        after = rows[-1].id
        yield [(row.object_key, row.object_size) for row in rows]
