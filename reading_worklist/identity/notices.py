"""What the reading page says about whose study it is, within the scope of who asks."""

from collections.abc import Iterator
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from reading_worklist.access.scope import Scope
from reading_worklist.identity.queries import decisions_of
from reading_worklist.identity.schemas import CorrectedValue, DifferenceView, IdentityNotice
from reading_worklist.identity.service import may_doubt
from reading_worklist.problems import not_found
from reading_worklist.workitems.tables import Workitem
from storage.identity.tables import CaseState, DecisionKind, IdentityCase
from storage.index.tables import Patient, Study
from storage.person_name import display_name


def notice(session: Session, scope: Scope, workitem_id: UUID) -> IdentityNotice:
    """Return what is doubted or was corrected about the patient of a workitem.

    Raises:
        Problem: 404 when it does not exist or is not visible.
    """
    found = session.execute(
        select(Workitem, Study, Patient)
        .join(Study, Study.id == Workitem.study_id)
        .join(Patient, Patient.id == Study.patient_id)
        .where(Workitem.id == workitem_id, scope.sees(Workitem.site_id))
    ).one_or_none()
    if found is None:
        raise not_found("The workitem")
    item, study, patient = found
    # The open one, of which there is at most one, before those that were decided.
    case = session.scalar(
        select(IdentityCase)
        .where(IdentityCase.study_id == study.id)
        .order_by(IdentityCase.state.desc(), IdentityCase.opened_at.desc())
        .limit(1)
    )
    can_open = may_doubt(item, scope) and (case is None or case.state is CaseState.DECIDED)
    if case is None:
        return IdentityNotice(
            case_id=None,
            case_state=None,
            opened_because=None,
            differences=[],
            decision=None,
            corrected=[],
            can_open=can_open,
        )
    decisions = decisions_of(session, [case.id]).get(case.id, ())
    last = decisions[-1] if decisions and case.state is CaseState.DECIDED else None
    holds = last if last is not None and last.kind is not DecisionKind.UNDO else None
    return IdentityNotice(
        case_id=case.id,
        case_state=case.state,
        opened_because=case.opened_because,
        differences=[DifferenceView.model_validate(one) for one in case.differences],
        decision=holds,
        corrected=[] if holds is None else list(_corrected(study, patient)),
        can_open=can_open,
    )


def _corrected(study: Study, patient: Patient) -> Iterator[CorrectedValue]:
    if (study.header_patient_id or None) != patient.local_id:
        yield CorrectedValue(
            attribute="patient_id", header=study.header_patient_id, now=patient.local_id
        )
    if study.header_patient_name != patient.name:
        yield CorrectedValue(
            attribute="name",
            header=display_name(study.header_patient_name),
            now=display_name(patient.name),
        )
    if study.header_patient_sex != patient.sex:
        yield CorrectedValue(attribute="sex", header=study.header_patient_sex, now=patient.sex)
    born, now = study.header_patient_birth_date, patient.birth_date
    if born != now:
        yield CorrectedValue(
            attribute="birth_date",
            header=born.isoformat() if born else None,
            now=now.isoformat() if now else None,
        )
