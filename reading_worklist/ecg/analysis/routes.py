"""The analysis of a workitem's ECGs over HTTP.

    GET /api/workitems/{id}/ecg/quality                        → EcgQualityView  centre and site
    GET /api/workitems/{id}/ecg/thumbnail.svg?instance=        → SVG             centre and site
    GET /api/workitems/{id}/ecg/analysis                       → EcgAnalysesView centre and expert
    PUT /api/workitems/{id}/ecg/measured?instance=  EcgCorrections → EcgAnalysesView  who reads
    GET /api/ecg/critical-list → EcgCriticalListView                          centre
    PUT /api/ecg/critical-list EcgCriticalListBody → EcgCriticalListView      consortium admin

A site learns at once how well it has recorded; hints and suspicions are the centre's until it
tells. Live event: `workitem`, when an analysis or a correction is there.

Problems: 403 forbidden · 404 not-found · 409 wrong-state, not-measured · 422 invalid-request and
what view's routes answer to impossible markers.
"""

from http import HTTPStatus
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Header, Query, Response
from sqlalchemy import select

from reading_worklist.ecg.analysis import queries, service
from reading_worklist.ecg.analysis.analyse import analyse_corrected
from reading_worklist.ecg.analysis.queries import FoundAnalysis
from reading_worklist.ecg.analysis.schemas import (
    EcgAnalysed,
    EcgAnalysesView,
    EcgCriticalListBody,
    EcgCriticalListView,
    EcgHint,
    EcgKeptCorrection,
    EcgListJudged,
    EcgNotJudged,
    EcgQualityView,
)
from reading_worklist.ecg.analysis.tables import EcgAnalysis, EcgCorrection
from reading_worklist.ecg.asking import ecg_problem
from reading_worklist.ecg.measured import EcgCorrections, EcgMeasured
from reading_worklist.ecg.schemas import device_value_view
from reading_worklist.ecg.service import load_record
from reading_worklist.ecg.triage.rulesets import Province, rulesets_for
from reading_worklist.portal.people import SITE_ROLES
from reading_worklist.problems import conflict, not_found
from reading_worklist.services import Asking, Parts
from reading_worklist.workitems.routes import CENTRE_ROLES
from reading_worklist.workitems.states import CLOSED
from reading_worklist.workitems.tables import Workitem
from storage.ecg.errors import EcgError
from storage.ecg.waveform import EcgRecord
from storage.objects import ObjectNotFound, ObjectStore
from storage.registry import Person, Role

router = APIRouter(prefix="/api", tags=["ecg"])

_Instance = Annotated[str | None, Query(max_length=64, pattern=r"^[0-9.]+$")]
_CACHE_CONTROL: Final = "private, no-cache"


@router.get("/workitems/{workitem_id}/ecg/quality")
def get_ecg_quality(workitem_id: UUID, scope: Asking, services: Parts) -> EcgQualityView:
    """Return how well each ECG of an exam was recorded, and why one should be recorded again."""
    scope.require(*CENTRE_ROLES, *SITE_ROLES)
    with services.database.transaction() as session:
        found = queries.of_workitem(session, workitem_id, scope.sees(Workitem.site_id))
        return EcgQualityView(
            state=found.state, ecgs=[queries.checked(one) for one in found.analyses]
        )


@router.get(
    "/workitems/{workitem_id}/ecg/thumbnail.svg",
    response_class=Response,
    responses={
        HTTPStatus.OK: {"content": {"image/svg+xml": {}}, "description": "A few seconds of a lead"},
        HTTPStatus.NOT_MODIFIED: {"description": "It is the one that If-None-Match names"},
    },
)
def get_ecg_thumbnail(
    workitem_id: UUID,
    scope: Asking,
    services: Parts,
    instance: _Instance = None,
    if_none_match: Annotated[str | None, Header()] = None,
) -> Response:
    """Return a small picture of an ECG: `instance`, or the study's first."""
    scope.require(*CENTRE_ROLES, *SITE_ROLES)
    with services.database.transaction() as session:
        found = queries.of_workitem(session, workitem_id, scope.sees(Workitem.site_id))
        row = queries.analysis_of(found, instance).row
    if row.thumbnail is None:
        raise not_found("The picture")
    tag = f'"{row.id}"'
    headers = {"ETag": tag, "Cache-Control": _CACHE_CONTROL}
    if if_none_match is not None and tag in if_none_match:
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    return Response(row.thumbnail, media_type="image/svg+xml", headers=headers)


@router.get("/workitems/{workitem_id}/ecg/analysis")
def get_ecg_analysis(workitem_id: UUID, scope: Asking, services: Parts) -> EcgAnalysesView:
    """Return quality, values, hints and corrections of each ECG, and the device's own values."""
    scope.require(*CENTRE_ROLES, Role.EXPERT)
    with services.database.transaction() as session:
        found = queries.of_workitem(session, workitem_id, scope.sees_images(Workitem.site_id))
        corrections = [queries.corrections_of(session, one.row.id) for one in found.analyses]
    # The transaction is over: objects are read from here on.
    return EcgAnalysesView(
        state=found.state,
        ecgs=[
            _analysed(one, made, _record(services.objects, one))
            for one, made in zip(found.analyses, corrections, strict=True)
        ],
    )


@router.put("/workitems/{workitem_id}/ecg/measured")
def keep_ecg_corrections(
    workitem_id: UUID,
    body: EcgCorrections,
    scope: Asking,
    services: Parts,
    instance: _Instance = None,
) -> EcgAnalysesView:
    """Measure with points and beats as the reader has set them, and keep both with his name.

    What was measured before stays beside it. New hints raise as those of an arrival do.
    """
    scope.require(*service.READERS)
    with services.database.transaction() as session:
        found = queries.of_workitem(session, workitem_id, scope.sees(Workitem.site_id))
        analysis = queries.analysis_of(found, instance)
        patient = service.patient_facts(session, found.study_id)
        province = service.province_of(session, analysis.row.site_id)
    try:
        record = load_record(services.objects, analysis.object_key)
        made = analyse_corrected(record, patient, rulesets_for(province), body.corrections())
    except EcgError as error:
        raise ecg_problem(error) from error
    if made is None:
        raise conflict(
            "not-measured",
            "This ECG is not measured, so there is nothing to correct",
            expected="a resting ECG with a lead that is fit to be measured",
            remedy="Read the trace itself.",
        )
    measured, triage = made
    with services.database.transaction() as session:
        item = session.scalars(
            select(Workitem).where(Workitem.id == workitem_id).with_for_update()
        ).one()
        if item.state in CLOSED:
            raise conflict(
                "wrong-state",
                "The report is signed",
                expected="a reading that is not signed yet",
                found=item.state,
                remedy="Amend the report, then correct the markers.",
            )
        service.keep_corrections(
            session,
            scope,
            item,
            session.get_one(EcgAnalysis, analysis.row.id),
            body=body,
            measured=measured,
            triage=triage,
        )
    return get_ecg_analysis(workitem_id, scope, services)


@router.get("/ecg/critical-list")
def get_ecg_critical_list(scope: Asking, services: Parts) -> EcgCriticalListView:
    """Return by which province's list of critical values ECGs are judged here, and which exist."""
    scope.require(*CENTRE_ROLES)
    with services.database.transaction() as session:
        return _critical_list(service.province_of(session, scope.organisation_id))


@router.put("/ecg/critical-list")
def set_ecg_critical_list(
    body: EcgCriticalListBody, scope: Asking, services: Parts
) -> EcgCriticalListView:
    """Judge ECGs that arrive from now on by the list of a province."""
    with services.database.transaction() as session:
        service.choose_province(session, scope, body.province)
    return _critical_list(body.province)


def _critical_list(province: Province) -> EcgCriticalListView:
    lists: list[EcgListJudged] = []
    for one in Province:
        *_, own = rulesets_for(one)
        lists.append(
            EcgListJudged(
                province=one,
                cites=own.cites or own.id,
                judged=[rule.code for rule in own.rule if rule.critical],
            )
        )
    return EcgCriticalListView(province=province, lists=lists)


def _record(objects: ObjectStore, found: FoundAnalysis) -> EcgRecord | None:
    try:
        return load_record(objects, found.object_key)
    except (EcgError, ObjectNotFound):
        # The analysis says what is wrong with it; what the device says is then not to be had.
        return None


def _analysed(
    found: FoundAnalysis,
    corrections: list[tuple[EcgCorrection, Person]],
    record: EcgRecord | None,
) -> EcgAnalysed:
    row = found.row
    first = EcgMeasured.model_validate(row.measurement) if row.measurement else None
    measured = queries.measured_with(row, corrections)
    triage = row.triage or {"rulesets": [], "hints": [], "not_judged": []}
    kept: list[EcgKeptCorrection] = []
    if corrections and first is not None:
        triage = corrections[-1][0].triage
        kept = queries.history(first, corrections)
    return EcgAnalysed(
        **queries.checked(found).model_dump(),
        method_version=row.method_version,
        cpu_ms=row.cpu_ms,
        measured=measured,
        original=first if corrections else None,
        corrections=kept,
        rulesets=triage["rulesets"],
        hints=[EcgHint.model_validate(one) for one in triage["hints"]],
        not_judged=[EcgNotJudged.model_validate(one) for one in triage["not_judged"]],
        critical_value_ids=row.critical_value_ids,
        device_measurements=[device_value_view(one) for one in record.measurements]
        if record
        else [],
        device_statements=[one.text for one in record.statements] if record else [],
    )
