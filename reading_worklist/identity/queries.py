"""What the identity desk shows, always within the scope of who asks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.orm import Session

from reading_worklist.access.scope import Scope
from reading_worklist.identity.schemas import (
    Candidates,
    CaseDetail,
    CasePage,
    CaseView,
    ComparedRow,
    DecisionView,
    DifferenceView,
    KnownPatient,
    PersonSide,
)
from reading_worklist.orders.queries import order_view
from reading_worklist.orders.schemas import OrderView
from reading_worklist.problems import not_found
from reading_worklist.workitems.queries import matches_text, site_view, study_view, viewer_url
from reading_worklist.workitems.schemas import PersonView
from reading_worklist.workitems.states import Action, next_state
from reading_worklist.workitems.tables import Workitem
from storage.identity.names import names_agree
from storage.identity.tables import CaseState, DecisionKind, IdentityCase, IdentityDecision
from storage.index.tables import Patient, Study
from storage.orders.states import WAITING
from storage.orders.tables import Order, StudyOrder
from storage.orders.words import OrderSource
from storage.person_name import display_name, latin_name
from storage.registry import Organisation, Person

PAGE_SIZE_MAX: Final = 200
_CANDIDATES: Final = 20

_Row = tuple[IdentityCase, Study, Workitem, Organisation]


@dataclass(frozen=True, slots=True)
class CaseFilter:
    """What to show; None is everything."""

    state: CaseState | None = CaseState.OPEN
    site_code: str | None = None


def listed(
    session: Session, scope: Scope, wanted: CaseFilter, *, page: int, page_size: int
) -> CasePage:
    """Return one page of the visible cases: open ones by due time, then the latest decided."""
    visible: list[ColumnElement[bool]] = [scope.sees(IdentityCase.site_id)]
    if wanted.site_code:
        visible.append(Organisation.code == wanted.site_code)
    counted = session.execute(
        select(IdentityCase.state, func.count())
        .join(Organisation, Organisation.id == IdentityCase.site_id)
        .where(*visible)
        .group_by(IdentityCase.state)
    ).all()
    counts = {row[0]: row[1] for row in counted}
    if wanted.state is not None:
        visible.append(IdentityCase.state == wanted.state)
    rows = session.execute(
        _rows()
        .where(*visible)
        .order_by(
            IdentityCase.state.desc(),
            IdentityCase.due_at
            if wanted.state is CaseState.OPEN
            else IdentityCase.opened_at.desc(),
            IdentityCase.id,
        )
        .offset((page - 1) * page_size)
        .limit(page_size)
    ).all()
    decisions = decisions_of(session, [case.id for case, *_ in rows])
    return CasePage(
        items=[
            _view((case, study, item, site), decisions.get(case.id, ()))
            for case, study, item, site in rows
        ],
        total=sum(n for state, n in counts.items() if wanted.state in (None, state)),
        open=counts.get(CaseState.OPEN, 0),
        page=page,
        page_size=page_size,
    )


def detail(session: Session, scope: Scope, case_id: UUID) -> CaseDetail:
    """Return one case with both sides.

    Raises:
        Problem: 404 when it does not exist or is not visible.
    """
    row = _visible(session, scope, case_id)
    case, study, item, site = row
    decisions = decisions_of(session, [case.id]).get(case.id, ())
    view = _view(row, decisions)
    tied = session.execute(
        select(Order, StudyOrder)
        .join(StudyOrder, StudyOrder.order_id == Order.id)
        .where(StudyOrder.study_id == study.id)
    ).one_or_none()
    order, tie = tied if tied is not None else (None, None)
    signed = item.report_stands or next_state(item.state, Action.WITHHOLD) is None
    is_last = _last_case(session, study.id) == case.id
    return CaseDetail(
        **view.model_dump(),
        order=order_view(order, site, [study.study_instance_uid]) if order else None,
        matched_by=tie.matched_by if tie else None,
        exam_state=order.state if order else None,
        rows=_side_by_side(study, order),
        patient=_known(session, session.get_one(Patient, study.patient_id)),
        decisions=list(decisions),
        viewer_url=viewer_url(study.study_instance_uid, site.code),
        can_decide=case.state is CaseState.OPEN,
        can_undo=(
            case.state is CaseState.DECIDED
            and is_last
            and not signed
            and bool(decisions)
            and decisions[-1].kind is not DecisionKind.UNDO
        ),
    )


def candidates(session: Session, scope: Scope, case_id: UUID, text: str | None) -> Candidates:
    """Return orders and patients of the study's site that it may belong to.

    Without `text`: open orders of its modalities, those of the same name or id first, and patients
    of the same name. With it: those whose id, number or name begins so.

    Raises:
        Problem: 404 when the case does not exist or is not visible.
    """
    _, study, _, site = _visible(session, scope, case_id)
    wanted = (text or "").strip()
    of_site = select(Order).where(
        Order.site_id == study.site_id, Order.source != OrderSource.HEADER
    )
    if wanted:
        of_site = of_site.where(
            or_(
                Order.patient_local_id.istartswith(wanted, autoescape=True),
                Order.accession_number.istartswith(wanted, autoescape=True),
                Order.placer_order_number.istartswith(wanted, autoescape=True),
                Order.patient_name.icontains(wanted, autoescape=True),
            )
        )
    else:
        of_site = of_site.where(Order.state.in_(WAITING))
    found = session.scalars(of_site.order_by(Order.requested_at.desc()).limit(200)).all()
    return Candidates(
        orders=_nearest(found, study, site),
        patients=[_known(session, patient) for patient in _patients_like(session, study, wanted)],
    )


def _nearest(orders: Sequence[Order], study: Study, site: Organisation) -> list[OrderView]:
    def distance(order: Order) -> tuple[bool, bool, bool]:
        return (
            order.patient_local_id != study.header_patient_id,
            not names_agree(order.patient_name, study.header_patient_name),
            not any(step.modality in study.modalities for step in order.steps),
        )

    return [order_view(one, site, ()) for one in sorted(orders, key=distance)[:_CANDIDATES]]


def _patients_like(session: Session, study: Study, text: str) -> Sequence[Patient]:
    query = select(Patient).where(Patient.site_id == study.site_id)
    if text:
        matching = (
            select(Study.patient_id)
            .join(Patient, Patient.id == Study.patient_id)
            .where(Study.site_id == study.site_id, matches_text(text))
        )
        query = query.where(
            or_(Patient.id.in_(matching), Patient.local_id.istartswith(text, autoescape=True))
        )
    else:
        query = query.where(
            or_(
                Patient.local_id == study.header_patient_id,
                Patient.name == study.header_patient_name,
            )
        )
    return session.scalars(query.order_by(Patient.created_at).limit(_CANDIDATES)).all()


def _rows() -> Select[*_Row]:
    return (
        select(IdentityCase, Study, Workitem, Organisation)
        .join(Study, Study.id == IdentityCase.study_id)
        .join(Workitem, Workitem.study_id == Study.id)
        .join(Organisation, Organisation.id == IdentityCase.site_id)
    )


def _visible(session: Session, scope: Scope, case_id: UUID) -> _Row:
    row = session.execute(
        _rows().where(IdentityCase.id == case_id, scope.sees(IdentityCase.site_id))
    ).one_or_none()
    if row is None:
        raise not_found("The identity case")
    case, study, item, site = row
    return case, study, item, site


def _last_case(session: Session, study_id: UUID) -> UUID | None:
    return session.scalar(
        select(IdentityDecision.case_id)
        .where(IdentityDecision.study_id == study_id)
        .order_by(IdentityDecision.id.desc())
        .limit(1)
    )


def decisions_of(
    session: Session, case_ids: Sequence[UUID]
) -> Mapping[UUID, Sequence[DecisionView]]:
    """Return the decisions of each case that has any, in the order they were made."""
    rows = session.execute(
        select(IdentityDecision, Person)
        .join(Person, Person.id == IdentityDecision.person_id)
        .where(IdentityDecision.case_id.in_(case_ids))
        .order_by(IdentityDecision.id)
    ).all()
    undone = {decision.undoes for decision, _ in rows}
    found: dict[UUID, list[DecisionView]] = {}
    for decision, person in rows:
        found.setdefault(decision.case_id, []).append(
            DecisionView(
                kind=decision.kind,
                reason=decision.reason,
                person=PersonView(id=person.id, display_name=person.display_name),
                at=decision.at,
                undone=decision.id in undone,
            )
        )
    return found


def _view(row: _Row, decisions: Sequence[DecisionView]) -> CaseView:
    case, study, item, site = row
    return CaseView(
        id=case.id,
        state=case.state,
        site=site_view(site),
        priority=item.priority,
        opened_at=case.opened_at,
        due_at=case.due_at,
        opened_because=case.opened_because,
        differences=[DifferenceView.model_validate(one) for one in case.differences],
        study=study_view(study),
        header=PersonSide(
            local_id=study.header_patient_id,
            name=display_name(study.header_patient_name),
            latin_name=latin_name(study.header_patient_name),
            name_groups=study.header_patient_name,
            name_guessed=study.header_name_guessed,
            sex=study.header_patient_sex,
            birth_date=study.header_patient_birth_date,
        ),
        workitem_id=item.id,
        workitem_state=item.state,
        decision=decisions[-1] if decisions and case.state is CaseState.DECIDED else None,
        revision=case.revision,
    )


def _known(session: Session, patient: Patient) -> KnownPatient:
    studies = session.scalar(
        select(func.count()).select_from(Study).where(Study.patient_id == patient.id)
    )
    return KnownPatient(
        id=patient.id,
        local_id=patient.local_id,
        name=display_name(patient.name),
        latin_name=latin_name(patient.name),
        name_groups=patient.name,
        name_guessed=patient.name_guessed,
        sex=patient.sex,
        birth_date=patient.birth_date,
        study_count=studies or 0,
    )


def _both_scripts(name: str) -> str:
    return f"{display_name(name)} {latin_name(name)}".strip()


def _side_by_side(study: Study, order: Order | None) -> list[ComparedRow]:
    if order is None or order.source is OrderSource.HEADER:
        return []
    modalities = sorted({step.modality for step in order.steps})
    name = names_agree(order.patient_name, study.header_patient_name)
    return [
        _row("patient_id", order.patient_local_id, study.header_patient_id),
        ComparedRow(
            attribute="name",
            ordered=_both_scripts(order.patient_name),
            header=_both_scripts(study.header_patient_name),
            agrees=name,
        ),
        _row("sex", order.patient_sex, study.header_patient_sex),
        _row("birth_date", order.patient_birth_date, study.header_patient_birth_date),
        _row("accession_number", order.accession_number, study.accession_number),
        _row("study_instance_uid", order.study_instance_uid, study.study_instance_uid),
        ComparedRow(
            attribute="modality",
            ordered=", ".join(modalities),
            header=", ".join(study.modalities),
            agrees=not set(modalities).isdisjoint(study.modalities),
        ),
        ComparedRow(
            attribute="procedure",
            ordered=order.procedure_description,
            header=study.study_description,
            agrees=None,
        ),
        ComparedRow(
            attribute="time",
            ordered=_iso(min(step.scheduled_at for step in order.steps)),
            header=_iso(study.first_received_at),
            agrees=None,
        ),
    ]


def _row(attribute: str, ordered: str | date | None, header: str | date | None) -> ComparedRow:
    return ComparedRow.model_validate(
        {
            "attribute": attribute,
            "ordered": None if ordered is None else str(ordered),
            "header": None if header is None else str(header),
            "agrees": None if ordered is None or header is None else ordered == header,
        }
    )


def _iso(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")
