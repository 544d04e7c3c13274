"""What the reading view shows beside the trace: median beats, values, what has changed."""

from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response

from reading_worklist.ecg.analysis.queries import kept_corrections, kept_measurement
from reading_worklist.ecg.asking import AskedEcg, Which, WhichEcg, ecg_problem, find_ecg
from reading_worklist.ecg.captions import Language
from reading_worklist.ecg.layout import Gain, LeadOrder, PaperSpeed
from reading_worklist.ecg.measured import (
    EcgCorrections,
    EcgMeasured,
    EcgSerial,
    RecentMeasurements,
    difference_views,
    measured_view,
)
from reading_worklist.ecg.measurement.errors import MarkersImpossible
from reading_worklist.ecg.measurement.results import NO_CORRECTIONS, Corrections, EcgMeasurement
from reading_worklist.ecg.median import Alignment, MedianOptions, draw_median
from reading_worklist.ecg.routes import SVG_RESPONSES, svg_response
from reading_worklist.ecg.serial import serial_differences
from reading_worklist.problems import Problem
from reading_worklist.services import Asking, Parts, Services
from storage.registry import Role

router = APIRouter(prefix="/api/workitems", tags=["ecg"])

_recent: Final = RecentMeasurements()


def median_options(
    speed: PaperSpeed = PaperSpeed.MM_25,
    gain: Gain = Gain.MM_10,
    order: LeadOrder = LeadOrder.STANDARD,
    alignment: Alignment = Alignment.R,
    language: Language = Language.EN,
) -> MedianOptions:
    """Return how the query asks median beats to be drawn."""
    return MedianOptions(speed, gain, order, alignment, language)


@router.get("/{workitem_id}/ecg/measured")
def get_measured(workitem_id: UUID, scope: Asking, services: Parts, which: WhichEcg) -> EcgMeasured:
    """Return what we measure on an ECG, each value or why there is none.

    With what a reader has corrected and kept, and his name.
    """
    return measured_of(services, find_ecg(services, scope, workitem_id, which))


def measured_of(services: Services, ecg: AskedEcg) -> EcgMeasured:
    """Return what is measured on an ECG that may be seen, with what a reader corrected and kept.

    As it was kept at the analysis; measured now where no analysis of this version holds it.
    """
    object_key = ecg.chosen.instance.object_key
    with services.database.transaction() as session:
        found = kept_measurement(session, object_key)
    if found is not None:
        return found
    kept = _kept(services, ecg)
    measured = _recent.measured(object_key, ecg.record, kept.corrections)
    return measured_view(measured, by=kept.by, at=kept.at)


@router.post("/{workitem_id}/ecg/measured")
def measure_corrected(
    workitem_id: UUID, body: EcgCorrections, scope: Asking, services: Parts, which: WhichEcg
) -> EcgMeasured:
    """Measure with points and beats as the reader has set them; nothing is kept."""
    scope.require(Role.WRITER, Role.REVIEWER)
    ecg = find_ecg(services, scope, workitem_id, which)
    try:
        measured = _recent.measured(ecg.chosen.instance.object_key, ecg.record, body.corrections())
    except MarkersImpossible as error:
        raise ecg_problem(error) from error
    return measured_view(measured)


@router.get("/{workitem_id}/ecg/median.svg", response_class=Response, responses=SVG_RESPONSES)
def get_median(  # noqa: PLR0917 -- who asks, for what, drawn how
    request: Request,
    workitem_id: UUID,
    scope: Asking,
    services: Parts,
    which: WhichEcg,
    options: Annotated[MedianOptions, Depends(median_options)],
    against: UUID | None = None,
) -> Response:
    """Draw the median beat of every lead with its points and ST levels, in true millimetres.

    against: an earlier study, opened at this reading, whose first ECG lies over it.
    """
    measured = _measured(services, find_ecg(services, scope, workitem_id, which))
    earlier = (
        None
        if against is None
        else _measured(services, find_ecg(services, scope, workitem_id, Which(prior=against)))
    )
    drawn = draw_median(measured, options, earlier)
    if drawn is None:
        reason = measured.qrs.reason
        raise Problem(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            "no-median-beat",
            "The ECG has no median beat",
            expected="at least three beats of one shape in leads that can be measured",
            found=reason.value if reason else "",
            remedy="Read the rhythm strips.",
        )
    return svg_response(request, drawn.svg)


@router.get("/{workitem_id}/ecg/serial")
def get_serial_differences(
    workitem_id: UUID, scope: Asking, services: Parts, against: UUID, which: WhichEcg
) -> EcgSerial:
    """Return what has changed since an earlier study's ECG, both measured by the same method.

    against: the earlier study, which the asker has opened at this reading.
    """
    now = find_ecg(services, scope, workitem_id, which)
    then = find_ecg(services, scope, workitem_id, Which(prior=against))
    ours, theirs = _measured(services, now), _measured(services, then)
    now_at, then_at = now.chosen.acquired_at, then.chosen.acquired_at
    return EcgSerial(
        method=ours.method,
        version=ours.version,
        now_at=now_at,
        then_at=then_at,
        seconds_between=(now_at - then_at).total_seconds() if now_at and then_at else None,
        differences=difference_views(serial_differences(ours, theirs)),
    )


@dataclass(frozen=True, slots=True)
class _Kept:
    """What a reader has set by hand and kept; nobody and nothing where there is none."""

    corrections: Corrections = NO_CORRECTIONS
    by: str | None = None
    at: datetime | None = None


def _kept(services: Services, ecg: AskedEcg) -> _Kept:
    with services.database.transaction() as session:
        found = kept_corrections(session, ecg.chosen.instance.object_key)
    if found is None:
        return _Kept()
    row, person = found
    body = EcgCorrections.model_validate(row.corrections)
    return _Kept(body.corrections(), person.display_name, row.corrected_at)


def _measured(services: Services, ecg: AskedEcg) -> EcgMeasurement:
    """Return the measurement with what was kept of it: every page shows the same values."""
    kept = _kept(services, ecg)
    return _recent.measured(ecg.chosen.instance.object_key, ecg.record, kept.corrections)
