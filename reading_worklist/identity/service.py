"""What a dispatcher can decide at the identity desk, and how it is taken back.

The stored objects never change: a decision re-points the index (patient, accession number) and the
tie between study and order, and leaves a row that says what was before. Each function works in its
caller's transaction and leaves decision, states, audit record and event together.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from reading_worklist.access.scope import Scope
from reading_worklist.identity import arrival, cases, patients
from reading_worklist.identity.patients import NewPatient
from reading_worklist.problems import conflict, not_found
from reading_worklist.routing import service as routing
from reading_worklist.workitems import service as workitems
from reading_worklist.workitems.states import Action, State, next_state
from reading_worklist.workitems.tables import Workitem
from storage import audit
from storage.clock import utc_now
from storage.identity.comparison import Difference, against_known, against_order, as_ordered
from storage.identity.tables import CaseState, DecisionKind, IdentityCase, IdentityDecision
from storage.index.tables import Patient, Study
from storage.orders import links
from storage.orders import service as orders
from storage.orders.states import ExamAction, ExamState
from storage.orders.tables import Order, StudyOrder
from storage.orders.words import MatchedBy, OrderSource
from storage.registry import Role

DESK_ROLES: Final = (Role.DISPATCHER,)
DOUBTERS: Final = (*DESK_ROLES, Role.WRITER, Role.REVIEWER)
"""Who may send a study to the desk: who decides there, and who reads it."""


@dataclass(frozen=True, slots=True)
class _Desk:
    """A case and all that a decision about it changes, locked."""

    session: Session
    scope: Scope
    case: IdentityCase
    study: Study
    item: Workitem


def open_by_hand(session: Session, scope: Scope, workitem_id: UUID, reason: str) -> IdentityCase:
    """Open a case about a study whose identity somebody doubts, and hold it.

    A doctor who sees it while reading may do so too, but not over another doctor's claim.

    Raises:
        Problem: 403 for other roles; 404 when the workitem is not visible; 409 when its report is
            signed, a case is open, or another doctor has claimed it.
    """
    scope.require(*DOUBTERS)
    item = workitems.locked(session, scope, workitem_id)
    if _held_by_other(item, scope):
        raise conflict(
            "held-by-other",
            "Another doctor is working on this",
            remedy="Tell the doctor, or the dispatcher.",
        )
    study = _locked_study(session, item.study_id)
    if cases.open_case_of(session, study.id) is not None:
        raise conflict(
            "case-open", "The identity desk has this study already", remedy="Open its case."
        )
    _refuse_signed(item, Action.WITHHOLD)
    order = links.order_of_study(session, study.id)
    differences: Sequence[Difference] = ()
    if order is None:
        order, differences = arrival.settle(session, study)
        orders.move(session, scope.actor, order, ExamAction.RECEIVE)
    elif order.source is not OrderSource.HEADER:
        differences = against_order(study, order)
    return cases.open_case(
        session, scope.actor, study, order, item, differences=differences, because=reason
    )


def may_doubt(item: Workitem, scope: Scope) -> bool:
    """Tell whether a person may send the study of `item` to the desk now."""
    return (
        bool(scope.roles & set(DOUBTERS))
        and not _held_by_other(item, scope)
        and next_state(item.state, Action.WITHHOLD) is not None
    )


def _held_by_other(item: Workitem, scope: Scope) -> bool:
    holds = item.holder_id in (None, scope.person_id)
    return not holds and not scope.roles & set(DESK_ROLES)


def link(
    session: Session, scope: Scope, case_id: UUID, order_id: UUID, reason: str
) -> IdentityCase:
    """Decide that the study answers this order and belongs to its patient.

    Raises:
        Problem: 403, 404; 409 when the case is decided.
    """
    desk = _open(session, scope, case_id)
    order = session.scalar(
        select(Order)
        .where(
            Order.id == order_id,
            Order.site_id == desk.study.site_id,
            Order.source != OrderSource.HEADER,
        )
        .with_for_update()
    )
    if order is None:
        raise not_found("The order")
    before = _standing(desk)
    _retie(desk, order)
    desk.study.patient_id = patients.patient_of(session, desk.study.site_id, as_ordered(order))
    desk.study.accession_number = order.accession_number
    _queue(desk, order)
    return _decided(desk, DecisionKind.LINK, reason, before)


def correct(
    session: Session, scope: Scope, case_id: UUID, patient: UUID | NewPatient, reason: str
) -> IdentityCase:
    """Decide that the study belongs to this patient of its site, known or new.

    The order stays where it is for that patient, and is left to its own study otherwise.

    Raises:
        Problem: 403, 404; 409 when the case is decided, or the new patient's id is taken.
    """
    desk = _open(session, scope, case_id)
    chosen = (
        patients.new_patient(session, desk.study.site_id, patient)
        if isinstance(patient, NewPatient)
        else patients.known_patient(session, desk.study.site_id, patient)
    )
    before = _standing(desk)
    order = links.order_of_study(session, desk.study.id)
    if (
        order is None
        or order.source is OrderSource.HEADER
        or order.patient_local_id != chosen.local_id
    ):
        order = arrival.header_order(session, desk.study)
        _retie(desk, order)
    desk.study.patient_id = chosen.id
    _queue(desk, order)
    return _decided(desk, DecisionKind.CORRECT, reason, before)


def keep(session: Session, scope: Scope, case_id: UUID, reason: str) -> IdentityCase:
    """Decide that the header is right and no order is meant.

    Where the site has given the id of a known patient to another, the study gets a patient of its
    own without an id, so that the two are never joined.

    Raises:
        Problem: 403, 404; 409 when the case is decided.
    """
    desk = _open(session, scope, case_id)
    study = desk.study
    before = _standing(desk)
    order = arrival.header_order(session, study)
    _retie(desk, order)
    if study.header_patient_id is not None:
        known = session.get_one(Patient, study.patient_id)
        if against_known(study, known):
            study.patient_id = patients.own_patient(session, study)
    _queue(desk, order)
    return _decided(desk, DecisionKind.KEEP, reason, before)


def reject(session: Session, scope: Scope, case_id: UUID, reason: str) -> IdentityCase:
    """Send the study back to its site: it is not read, and the exam is to be made or sent again.

    Raises:
        Problem: 403, 404; 409 when the case is decided.
    """
    desk = _open(session, scope, case_id)
    before = _standing(desk)
    order = links.order_of_study(session, desk.study.id)
    if order is not None:
        orders.move(session, scope.actor, order, ExamAction.RETAKE)
        arrival.tell(session, order)
    workitems.withdraw(session, desk.item, scope.actor)
    return _decided(desk, DecisionKind.REJECT, reason, before)


def undo(session: Session, scope: Scope, case_id: UUID, reason: str) -> IdentityCase:
    """Take the last decision of a case back: all is as before it, and the case is open again.

    Raises:
        Problem: 403, 404; 409 when the case is open, another decision about the study came later,
            or a report of it is signed.
    """
    desk = _at_desk(session, scope, case_id)
    last = session.scalars(
        select(IdentityDecision)
        .where(IdentityDecision.study_id == desk.study.id)
        .order_by(IdentityDecision.id.desc())
        .limit(1)
    ).one_or_none()
    if (
        desk.case.state is not CaseState.DECIDED
        or last is None
        or last.case_id != desk.case.id
        or last.kind is DecisionKind.UNDO
        or cases.open_case_of(session, desk.study.id) is not None
    ):
        raise conflict(
            "nothing-to-undo",
            "There is no decision of this case to take back",
            expected="a decided case whose decision is the last one about its study",
            remedy="Reload: somebody may have gone on with it.",
        )
    _refuse_signed(desk.item, Action.WITHHOLD)
    standing = _standing(desk)
    before = last.before
    if standing["order_id"] != before["order_id"]:
        links.unlink(session, scope.actor, desk.study)
        links.link(
            session,
            scope.actor,
            desk.study,
            orders.locked(session, UUID(before["order_id"])),
            MatchedBy(before["matched_by"]),
        )
    desk.study.patient_id = UUID(before["patient_id"])
    desk.study.accession_number = before["accession_number"]
    order = orders.locked(session, UUID(before["order_id"]))
    desk.case.state = CaseState.OPEN
    if links.studies_of(session, order) == 1:
        orders.move(session, scope.actor, order, ExamAction.HOLD)
    workitems.withhold(session, desk.item, scope.actor)
    return _recorded(desk, DecisionKind.UNDO, reason, standing, undoes=last.id)


def _open(session: Session, scope: Scope, case_id: UUID) -> _Desk:
    desk = _at_desk(session, scope, case_id)
    if desk.case.state is not CaseState.OPEN:
        raise conflict(
            "case-decided",
            "The case is decided already",
            expected=CaseState.OPEN.value,
            found=desk.case.state.value,
            remedy="Reload; undo the decision first if it is wrong.",
        )
    return desk


def _at_desk(session: Session, scope: Scope, case_id: UUID) -> _Desk:
    scope.require(*DESK_ROLES)
    # The study first, as everywhere: arrival locks it before anything of it.
    study_id = session.scalar(
        select(IdentityCase.study_id).where(
            IdentityCase.id == case_id, scope.sees(IdentityCase.site_id)
        )
    )
    if study_id is None:
        raise not_found("The identity case")
    study = _locked_study(session, study_id)
    item = session.scalars(
        select(Workitem).where(Workitem.study_id == study_id).with_for_update()
    ).one()
    case = session.scalars(
        select(IdentityCase).where(IdentityCase.id == case_id).with_for_update()
    ).one()
    return _Desk(session, scope, case, study, item)


def _locked_study(session: Session, study_id: UUID) -> Study:
    return session.scalars(select(Study).where(Study.id == study_id).with_for_update()).one()


def _refuse_signed(item: Workitem, action: Action) -> None:
    if next_state(item.state, action) is not None and not item.report_stands:
        return
    raise conflict(
        "report-signed",
        "A report of this study is signed and names its patient",
        expected=" or ".join(state.value for state in State if next_state(state, action)),
        found=item.state.value,
        remedy="Let the report be returned or revoked first.",
    )


def _standing(desk: _Desk) -> dict[str, Any]:
    """Return what a decision may change, as its row keeps it."""
    tie = desk.session.scalars(select(StudyOrder).where(StudyOrder.study_id == desk.study.id)).one()
    return {
        "patient_id": str(desk.study.patient_id),
        "order_id": str(tie.order_id),
        "matched_by": tie.matched_by.value,
        "accession_number": desk.study.accession_number,
    }


def _retie(desk: _Desk, order: Order) -> None:
    current = links.order_of_study(desk.session, desk.study.id)
    if current is not None and current.id == order.id:
        return
    links.unlink(desk.session, desk.scope.actor, desk.study)
    links.link(desk.session, desk.scope.actor, desk.study, order, MatchedBy.DECISION)


def _queue(desk: _Desk, order: Order) -> None:
    """Let exam and workitem go on."""
    actor = desk.scope.actor
    if order.state is ExamState.CANCELLED:
        # Examined although it was cancelled: that is what has been decided.
        orders.move(desk.session, actor, order, ExamAction.HOLD)
    if order.state is ExamState.IDENTITY_HOLD:
        orders.move(desk.session, actor, order, ExamAction.RELEASE)
    orders.move(desk.session, actor, order, ExamAction.RECEIVE)
    orders.move(desk.session, actor, order, ExamAction.QUEUE)
    workitems.resume(desk.session, desk.item, actor)
    routing.route(desk.session, desk.item, actor)
    arrival.tell(desk.session, order)


def _decided(desk: _Desk, kind: DecisionKind, reason: str, before: dict[str, Any]) -> IdentityCase:
    desk.case.state = CaseState.DECIDED
    return _recorded(desk, kind, reason, before)


def _recorded(
    desk: _Desk,
    kind: DecisionKind,
    reason: str,
    before: dict[str, Any],
    *,
    undoes: int | None = None,
) -> IdentityCase:
    case, scope, session = desk.case, desk.scope, desk.session
    case.revision += 1
    session.flush()
    session.add(
        IdentityDecision(
            case_id=case.id,
            study_id=desk.study.id,
            kind=kind,
            reason=reason,
            person_id=scope.person_id,
            organisation_id=scope.organisation_id,
            at=utc_now(),
            before=before,
            after=_standing(desk),
            undoes=undoes,
        )
    )
    session.flush()
    audit.record(
        session,
        scope.actor,
        f"identity:{kind.value}",
        subject_kind="identity_case",
        subject_id=case.id,
        detail={"study_id": str(desk.study.id)},
    )
    cases.tell(session, case)
    return case
