"""Which order a study answers: by its identifiers, else by patient, modality and time."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from storage.index.tables import Study
from storage.orders.states import WAITING
from storage.orders.tables import Order, ScheduledStep, StudyOrder
from storage.orders.words import MatchedBy, OrderSource

# A patient who has come early or waited a day; an order of another week is another exam.
_BEFORE: Final = timedelta(hours=12)
_AFTER: Final = timedelta(hours=36)
_MOST: Final = 5


@dataclass(frozen=True, slots=True)
class Match:
    """The order that a study seems to answer.

    rivals: how many others of the same patient and modality fit as well.
    """

    order: Order
    matched_by: MatchedBy
    rivals: int = 0


def find_order(session: Session, study: Study) -> Match | None:
    """Return the order of the study's site that it seems to answer, locked; None without one.

    Looked for by Study Instance UID, then by accession number, then, with a PatientID only, among
    the open orders of that patient for one of its modalities that were due from 36 hours before
    to 12 hours after its first instance came; of several the one due nearest to that.
    """
    of_site = (
        select(Order)
        .where(Order.site_id == study.site_id, Order.source != OrderSource.HEADER)
        .with_for_update()
    )
    by_uid = session.scalar(of_site.where(Order.study_instance_uid == study.study_instance_uid))
    if by_uid is not None:
        return Match(by_uid, MatchedBy.STUDY_INSTANCE_UID)
    if study.accession_number:
        by_accession = session.scalar(
            of_site.where(Order.accession_number == study.accession_number)
        )
        if by_accession is not None:
            return Match(by_accession, MatchedBy.ACCESSION_NUMBER)
    if study.header_patient_id is None:
        return None
    came = study.first_received_at
    steps = (
        select(ScheduledStep.order_id)
        .where(
            ScheduledStep.modality.in_(study.modalities),
            ScheduledStep.scheduled_at.between(came - _AFTER, came + _BEFORE),
        )
        .scalar_subquery()
    )
    linked = select(StudyOrder.order_id).where(StudyOrder.order_id == Order.id).exists()
    found = session.scalars(
        of_site.where(
            Order.patient_local_id == study.header_patient_id,
            Order.state.in_(WAITING),
            Order.id.in_(steps),
            ~linked,
        )
        .order_by(Order.id)
        .limit(_MOST)
    ).all()
    if not found:
        return None
    nearest = min(
        found, key=lambda order: min(abs(step.scheduled_at - came) for step in order.steps)
    )
    return Match(nearest, MatchedBy.PATIENT, len(found) - 1)
