"""Emergency ECGs over HTTP: their times, who waits, what is back, how often it was in time."""

from datetime import timedelta
from http import HTTPStatus
from typing import Annotated, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query
from pydantic import AwareDatetime

from reading_worklist.ecg.emergency import indicators, queries
from reading_worklist.ecg.emergency.indicators import ChestPainMeasure
from reading_worklist.ecg.emergency.schemas import (
    AnsweredEcgs,
    CountedEcg,
    CountedEcgs,
    EmergencyIndicators,
    EmergencyTimes,
    MomentView,
    WaitingEcgs,
)
from reading_worklist.ecg.emergency.times import (
    CONTACT_TO_ECG,
    ECG_TO_DIAGNOSIS,
    contact_to_ecg,
    diagnosis_in_time,
    ecg_to_diagnosis,
    moments,
)
from reading_worklist.portal.people import SITE_ROLES
from reading_worklist.problems import Problem
from reading_worklist.services import Asking, Parts, Services
from reading_worklist.workitems.queries import site_view
from reading_worklist.workitems.routes import CENTRE_ROLES
from storage import walls
from storage.clock import utc_now
from storage.registry import Role

router = APIRouter(prefix="/api", tags=["ecg"])

_SPAN_MAX: Final = timedelta(days=366)
_WATCHERS: Final = (Role.WRITER, Role.REVIEWER, Role.DISPATCHER)


_CLAIMS: Final = "when an ECG was claimed is in the audit trail, which no site may read"


@router.get("/workitems/{workitem_id}/ecg/emergency")
def get_emergency_times(workitem_id: UUID, scope: Asking, services: Parts) -> EmergencyTimes:
    """Return when what happened to a STAT or chest-pain ECG, and by which clock.

    404 for any other. The site sees those of its own exams.
    """
    scope.require(*CENTRE_ROLES, *SITE_ROLES)
    with walls.beyond(_CLAIMS), services.database.transaction() as session:
        found = queries.of_workitem(session, scope, workitem_id, _zone(services))
    facts = found.facts
    return EmergencyTimes(
        chest_pain=found.chest_pain,
        moments=[
            MomentView(step=one.step, at=one.at, clock=one.clock, doubt=one.doubt)
            for one in moments(facts)
        ],
        contact_to_ecg_seconds=_seconds(contact_to_ecg(facts)),
        contact_to_ecg_limit_seconds=CONTACT_TO_ECG.total_seconds(),
        ecg_to_diagnosis_seconds=_seconds(ecg_to_diagnosis(facts)),
        ecg_to_diagnosis_limit_seconds=ECG_TO_DIAGNOSIS.total_seconds(),
        diagnosis_in_time=diagnosis_in_time(facts, utc_now()),
        diagnosis_due_at=facts.received_at + ECG_TO_DIAGNOSIS,
    )


@router.get("/ecg/emergency/waiting")
def list_waiting_ecgs(scope: Asking, services: Parts) -> WaitingEcgs:
    """Return the STAT ECGs that nobody has claimed, for the alert at the centre."""
    scope.require(*_WATCHERS)
    with services.database.transaction() as session:
        return queries.waiting(session, scope)


@router.get("/ecg/emergency/answered")
def list_answered_ecgs(scope: Asking, services: Parts) -> AnsweredEcgs:
    """Return the site's STAT ECGs whose report is back and unopened, for the alert at the site."""
    scope.require(*SITE_ROLES)
    with services.database.transaction() as session:
        return queries.answered(session, scope)


@router.get("/ecg/emergency/indicators")
def get_emergency_indicators(
    since: Annotated[AwareDatetime, Query()],
    until: Annotated[AwareDatetime, Query()],
    scope: Asking,
    services: Parts,
) -> EmergencyIndicators:
    """Return how often the chest-pain ECGs received in a span of at most a year were in time.

    A share without a denominator is null.
    """
    scope.require(*CENTRE_ROLES, *SITE_ROLES, Role.REGULATOR)
    _check(since, until)
    with walls.beyond(_CLAIMS), services.database.transaction() as session:
        ecgs = queries.chest_pain_ecgs(session, scope, since, until, _zone(services))
    facts = {key: one.facts for key, one in ecgs.items()}
    return indicators.indicators(facts, since, until, utc_now())


@router.get("/ecg/emergency/indicators/exams")
def list_emergency_exams(
    since: Annotated[AwareDatetime, Query()],
    until: Annotated[AwareDatetime, Query()],
    measure: ChestPainMeasure,
    scope: Asking,
    services: Parts,
) -> CountedEcgs:
    """Return the ECGs that a figure of `indicators` counts; for who may see exams."""
    scope.require(*CENTRE_ROLES, *SITE_ROLES)
    _check(since, until)
    with walls.beyond(_CLAIMS), services.database.transaction() as session:
        ecgs = queries.chest_pain_ecgs(session, scope, since, until, _zone(services))
    facts = {key: one.facts for key, one in ecgs.items()}
    chosen = indicators.counted(measure, facts, utc_now())
    return CountedEcgs(
        items=[
            CountedEcg(
                workitem_id=key,
                site=site_view(ecgs[key].site),
                received_at=facts[key].received_at,
                contact_to_ecg_seconds=_seconds(contact_to_ecg(facts[key])),
                ecg_to_diagnosis_seconds=_seconds(ecg_to_diagnosis(facts[key])),
            )
            for key in chosen
        ]
    )


def _check(since: AwareDatetime, until: AwareDatetime) -> None:
    if not timedelta(0) < until - since <= _SPAN_MAX:
        raise Problem(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            "impossible-span",
            "The span of time cannot be looked at",
            expected="an end after the beginning, at most a year later",
        )


def _seconds(span: timedelta | None) -> float | None:
    return None if span is None else span.total_seconds()


def _zone(services: Services) -> ZoneInfo:
    return ZoneInfo(services.config.time_zone)
