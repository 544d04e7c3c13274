"""What helps a doctor while he writes, over HTTP.

GET /api/workitems/{id}/checks        → CheckResult
GET /api/workitems/{id}/writing-aids  → WritingAids
GET /api/workitems/{id}/last-normal   → LastNormal, 404 when there is none
GET /api/workitems/{id}/ecg-values    → EcgValues
"""

from uuid import UUID

from fastapi import APIRouter
from sqlalchemy import select
from sqlalchemy.orm import Session

from reading_worklist.access.scope import Scope
from reading_worklist.problems import not_found
from reading_worklist.reports import queries
from reading_worklist.reports.ecg_block import ecg_values
from reading_worklist.reports.exam_facts import known_exam
from reading_worklist.reports.last_normal import last_normal
from reading_worklist.reports.schemas import CheckResult, EcgValues, LastNormal, WritingAids
from reading_worklist.reports.signing_checks import checked, known_keys
from reading_worklist.reports.tables import ReportDraft
from reading_worklist.services import Asking, Parts
from reading_worklist.templates import queries as templates
from reading_worklist.workitems.routes import centre
from reading_worklist.workitems.states import State
from reading_worklist.workitems.tables import Workitem

router = APIRouter(prefix="/api", tags=["reports"])

_UNDER_REVIEW = frozenset({State.WRITTEN, State.REVIEWING, State.PRELIM_ISSUED})


@router.get("/workitems/{workitem_id}/checks")
def check_report(workitem_id: UUID, scope: Asking, services: Parts) -> CheckResult:
    """Return what the checks find in the saved draft, or in what is under review."""
    centre(scope)
    with services.database.transaction() as session:
        item = _visible(session, scope, workitem_id)
        exam = known_exam(session, item)
        if item.state in _UNDER_REVIEW:
            submission = queries.latest_submission(session, workitem_id)
            if submission is not None:
                return CheckResult(
                    revision=None,
                    findings=checked(submission, exam).views(),
                    answered=sorted(known_keys(session, submission.id)),
                )
        draft = session.get(ReportDraft, workitem_id)
        if draft is None:
            return CheckResult(revision=0, findings=[], answered=[])
        return CheckResult(
            revision=draft.revision, findings=checked(draft, exam).views(), answered=[]
        )


@router.get("/workitems/{workitem_id}/writing-aids")
def get_writing_aids(workitem_id: UUID, scope: Asking, services: Parts) -> WritingAids:
    """Return the templates and the codes for an exam."""
    centre(scope)
    with services.database.transaction() as session:
        exam = known_exam(session, _visible(session, scope, workitem_id))
        every = templates.shown(session, scope)
        fitting = templates.fitting(every, exam.kind.modalities, exam.kind.regions, exam.facts.sex)
        offered = {one.id for one in fitting}
        return WritingAids(
            templates=fitting,
            more_templates=[one for one in every if one.id not in offered],
            codes=list(exam.codes),
            laterality=exam.facts.examined.laterality,
        )


@router.get("/workitems/{workitem_id}/last-normal")
def get_last_normal(workitem_id: UUID, scope: Asking, services: Parts) -> LastNormal:
    """Return the text of one's own last normal report of the same kind of exam."""
    centre(scope)
    with services.database.transaction() as session:
        found = last_normal(session, scope, _visible(session, scope, workitem_id))
    if found is None:
        raise not_found("A normal report of yours of this kind of exam")
    return found


@router.get("/workitems/{workitem_id}/ecg-values")
def get_ecg_values(workitem_id: UUID, scope: Asking, services: Parts) -> EcgValues:
    """Return what device and centre measured on the exam's ECG, as its report would have it now.

    Empty for what cannot be read as a waveform.
    """
    centre(scope)
    with services.database.transaction() as session:
        study_id = _visible(session, scope, workitem_id).study_id
    found = ecg_values(services.database, services.objects, study_id, services.config.time_zone)
    return EcgValues.of(found)


def _visible(session: Session, scope: Scope, workitem_id: UUID) -> Workitem:
    item = session.scalar(
        select(Workitem).where(Workitem.id == workitem_id, scope.sees(Workitem.site_id))
    )
    if item is None:
        raise not_found("The workitem")
    return item
