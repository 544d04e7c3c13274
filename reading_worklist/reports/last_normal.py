"""The text of a doctor's own last normal report of the same kind of exam."""

from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from reading_worklist.access.scope import Scope
from reading_worklist.reports.checks.lexicon import lexicon
from reading_worklist.reports.checks.normality import says_normal
from reading_worklist.reports.schemas import LastNormal
from reading_worklist.reports.tables import ReportSubmission
from reading_worklist.workitems.tables import Workitem
from storage.index.tables import Patient, Study

_LOOKED_AT: Final = 200
"""The doctor's newest reports of the modality; older ones are not what is usual any more."""


def last_normal(session: Session, scope: Scope, item: Workitem) -> LastNormal | None:
    """Return it, or None when there is none among the newest reports.

    Of the same kind: a modality in common, the same sex, and the same description or a region of
    the body in common. Normal: coded so, or its impression says so.
    """
    study = session.get_one(Study, item.study_id)
    patient = session.get_one(Patient, study.patient_id)
    regions = lexicon().regions_named(study.study_description or "")
    rows = session.execute(
        select(ReportSubmission, Study.study_description)
        .join(Workitem, Workitem.id == ReportSubmission.workitem_id)
        .join(Study, Study.id == Workitem.study_id)
        .join(Patient, Patient.id == Study.patient_id)
        .where(
            ReportSubmission.writer_id == scope.person_id,
            ReportSubmission.workitem_id != item.id,
            Workitem.lane == item.lane,
            Study.modalities.bool_op("&&")(study.modalities),
            Patient.sex.is_not_distinct_from(patient.sex),
            scope.sees(Workitem.site_id),
        )
        .order_by(ReportSubmission.submitted_at.desc())
        .limit(_LOOKED_AT)
    )
    for submission, description in rows:
        other = lexicon().regions_named(description or "")
        alike = regions & other if regions or other else description == study.study_description
        if alike and _is_normal(submission):
            return LastNormal(
                findings=submission.findings,
                impression=submission.impression,
                advice=submission.advice,
                signed_at=submission.submitted_at,
                description=description or "",
            )
    return None


def _is_normal(submission: ReportSubmission) -> bool:
    codes = submission.codes
    if codes.get("result") == "positive" or codes.get("ecg_class") not in {None, "normal"}:
        return False
    coded = codes.get("result") == "negative" or codes.get("ecg_class") == "normal"
    return coded or says_normal(submission.impression)
