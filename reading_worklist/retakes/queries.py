"""What is asked of retakes: by the centre of all its sites, by a site of its own."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from sqlalchemy import Row, Select, case, func, or_, select
from sqlalchemy.orm import Session, aliased

from reading_worklist.access.scope import Scope
from reading_worklist.phone.said import PhoneCall
from reading_worklist.problems import not_found
from reading_worklist.retakes.schemas import RetakePage, RetakeView
from reading_worklist.retakes.service import CLOSERS, SITE_ROLES
from reading_worklist.retakes.states import WAITING, RetakeAction, RetakeState, next_state
from reading_worklist.retakes.tables import Retake, RetakeCall
from reading_worklist.workitems.queries import patient_view, site_view, study_view
from reading_worklist.workitems.schemas import PersonView
from reading_worklist.workitems.tables import Workitem
from storage.index.tables import Patient, Study
from storage.registry import Organisation, OrganisationKind, Person

PAGE_SIZE_MAX: Final = 200

_MAY: Final = {
    RetakeAction.ACKNOWLEDGE: frozenset((*SITE_ROLES, *CLOSERS)),
    RetakeAction.BOOK: frozenset(SITE_ROLES),
    RetakeAction.CALL: frozenset(CLOSERS),
    RetakeAction.DECLINE: frozenset(SITE_ROLES),
    RetakeAction.RECEIVE: frozenset(CLOSERS),
    RetakeAction.CLOSE: frozenset(CLOSERS),
    RetakeAction.CANCEL: frozenset(CLOSERS),
}
_Requester = aliased(Person)
_Answerer = aliased(Person)
_NewStudy = aliased(Study)
_NewItem = aliased(Workitem)
_OPEN: Final = WAITING | {RetakeState.RECEIVED}


@dataclass(frozen=True, slots=True)
class RetakeFilter:
    """What to show; None is everything."""

    states: Sequence[RetakeState] = ()
    site_code: str | None = None
    workitem_id: UUID | None = None


def listed(
    session: Session, scope: Scope, wanted: RetakeFilter, *, page: int, page_size: int
) -> RetakePage:
    """Return one page, those that wait first, of these the oldest first."""
    conditions = [scope.sees(Retake.site_id)]
    if wanted.states:
        conditions.append(Retake.state.in_(wanted.states))
    if wanted.site_code:
        conditions.append(Organisation.code == wanted.site_code)
    if wanted.workitem_id is not None:
        came_instead = select(Workitem.study_id).where(Workitem.id == wanted.workitem_id)
        conditions.append(
            or_(
                Retake.workitem_id == wanted.workitem_id,
                Retake.new_study_id == came_instead.scalar_subquery(),
            )
        )
    waits = Retake.state.in_(WAITING)
    total = session.scalar(
        select(func.count())
        .select_from(Retake)
        .join(Organisation, Organisation.id == Retake.site_id)
        .where(*conditions)
    )
    rows = session.execute(
        _rows()
        .where(*conditions)
        .order_by(
            waits.desc(),
            case((waits, Retake.requested_at)),
            Retake.requested_at.desc(),
            Retake.id,
        )
        .offset((page - 1) * page_size)
        .limit(page_size)
    ).all()
    waiting = session.scalar(
        select(func.count())
        .select_from(Retake)
        .where(scope.sees(Retake.site_id), Retake.state.in_(_told(scope)))
    )
    calls = _calls(session, [row[0].id for row in rows])
    return RetakePage(
        items=[_view(scope, row, calls.get(row[0].id, ())) for row in rows],
        total=total or 0,
        waiting=waiting or 0,
        page=page,
        page_size=page_size,
    )


def one(session: Session, scope: Scope, retake_id: UUID) -> RetakeView:
    """Return one retake.

    Raises:
        Problem: 404 when it does not exist or is not visible.
    """
    row = session.execute(
        _rows().where(Retake.id == retake_id, scope.sees(Retake.site_id))
    ).one_or_none()
    if row is None:
        raise not_found("The retake")
    return _view(scope, row, _calls(session, [retake_id]).get(retake_id, ()))


def _told(scope: Scope) -> frozenset[RetakeState]:
    """Return the states in which a retake waits: for the site, or for whoever looks at the new."""
    return WAITING if scope.organisation_kind is OrganisationKind.SITE else _OPEN


def _calls(session: Session, retake_ids: Collection[UUID]) -> Mapping[UUID, list[PhoneCall]]:
    rows = session.execute(
        select(RetakeCall, Person)
        .join(Person, Person.id == RetakeCall.person_id)
        .where(RetakeCall.retake_id.in_(retake_ids))
        .order_by(RetakeCall.id)
    )
    found: dict[UUID, list[PhoneCall]] = {}
    for one, by in rows:
        found.setdefault(one.retake_id, []).append(
            PhoneCall(
                at=one.at,
                by=PersonView(id=by.id, display_name=by.display_name),
                contact_name=one.contact_name,
                contact_phone=one.contact_phone,
                answered=one.answered,
                note=one.note,
            )
        )
    return found


def _rows() -> Select[Retake, Study, Patient, Organisation, Person, Person, Study, Workitem]:
    return (
        select(Retake, Study, Patient, Organisation, _Requester, _Answerer, _NewStudy, _NewItem)
        .join(Study, Study.id == Retake.study_id)
        .join(Patient, Patient.id == Study.patient_id)
        .join(Organisation, Organisation.id == Retake.site_id)
        .join(_Requester, _Requester.id == Retake.requested_by)
        .join(_Answerer, _Answerer.id == Retake.acknowledged_by, isouter=True)
        .join(_NewStudy, _NewStudy.id == Retake.new_study_id, isouter=True)
        .join(_NewItem, _NewItem.study_id == Retake.new_study_id, isouter=True)
    )


def _view(
    scope: Scope,
    row: Row[Retake, Study, Patient, Organisation, Person, Person, Study, Workitem],
    calls: Sequence[PhoneCall],
) -> RetakeView:
    retake, study, patient, site, requester, answerer, new, item = row
    return RetakeView(
        id=retake.id,
        workitem_id=retake.workitem_id,
        order_id=retake.order_id,
        kind=retake.kind,
        state=retake.state,
        priority=retake.priority,
        reason_code=retake.reason_code,
        reason=retake.reason,
        site=site_view(site),
        patient=patient_view(patient, study),
        study=study_view(study),
        requested_by=PersonView(id=requester.id, display_name=requester.display_name),
        requested_at=retake.requested_at,
        called_name=retake.called_name,
        called_phone=retake.called_phone,
        due_at=retake.due_at,
        overdue=retake.overdue_at is not None,
        acknowledged_by=PersonView(id=answerer.id, display_name=answerer.display_name)
        if answerer
        else None,
        acknowledged_at=retake.acknowledged_at,
        acknowledged_name=retake.acknowledged_name,
        acknowledged_role=retake.acknowledged_role,
        answer=retake.answer,
        booked_for=retake.booked_for,
        calls=list(calls),
        new_study_instance_uid=new.study_instance_uid if new else None,
        new_workitem_id=item.id if item else None,
        received_at=retake.received_at,
        ended_at=retake.ended_at,
        actions=[
            action.value
            for action, roles in _MAY.items()
            if scope.roles & roles and next_state(retake.state, action) is not None
        ],
        revision=retake.revision,
    )
