"""What is asked of critical values: by the centre of all its sites, by a site of its own."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, TypeAlias
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Row, Select, case, func, select, true
from sqlalchemy.orm import Session, aliased

from reading_worklist.access.scope import Scope
from reading_worklist.critical_values.clocks import NOTIFIED_WITHIN, CriticalClocks, Step, in_time
from reading_worklist.critical_values.rulesets import items_to_read_back
from reading_worklist.critical_values.schemas import (
    ClocksBody,
    Contact,
    CriticalDetail,
    CriticalPage,
    CriticalView,
    NoticeView,
    TellingStep,
)
from reading_worklist.critical_values.states import OPEN, CriticalAction, CriticalState, next_state
from reading_worklist.critical_values.tables import (
    CriticalClock,
    CriticalContact,
    CriticalNotice,
    CriticalValue,
)
from reading_worklist.problems import not_found
from reading_worklist.workitems.queries import patient_view, site_view, study_view
from reading_worklist.workitems.schemas import PersonView
from reading_worklist.workitems.tables import Workitem
from storage.clock import utc_now
from storage.index.tables import Patient, Study
from storage.registry import Organisation, OrganisationKind, Person, Role, lineage

PAGE_SIZE_MAX: Final = 200

_DOCTORS: Final = frozenset({Role.WRITER, Role.REVIEWER})
_CALLERS: Final = _DOCTORS | {Role.DISPATCHER}
_SITE: Final = frozenset({Role.SITE_DOCTOR})
_MAY: Final = {
    CriticalAction.SUPPORT: _DOCTORS,
    CriticalAction.CONFIRM: _DOCTORS,
    CriticalAction.DISMISS: _DOCTORS,
    CriticalAction.CALL: _CALLERS,
    CriticalAction.ACKNOWLEDGE: _CALLERS | _SITE,
    CriticalAction.ACT: _CALLERS | _SITE,
    CriticalAction.CLOSE: _CALLERS,
}
# What a doctor has found is confirmed; what only an analysis suspects is supported first.
_BY_FINDER: Final = {CriticalAction.SUPPORT: False, CriticalAction.CONFIRM: True}
_Finder = aliased(Person)
_Second = aliased(Person)
_Recorder = aliased(Person)
_Closer = aliased(Person)
_Dismisser = aliased(Person)


_Line: TypeAlias = tuple[
    CriticalValue, Study, Patient, Organisation, Person, Person, Person, Person, Person
]
"""With the study's patient and site, and who found it, confirmed it, took down the answer, closed
and dismissed it."""


@dataclass(frozen=True, slots=True)
class CriticalFilter:
    """What to show; None is everything."""

    states: Sequence[CriticalState] = ()
    site_code: str | None = None
    workitem_id: UUID | None = None


def visible(scope: Scope) -> ColumnElement[bool]:
    """Return the SQL condition that a critical value may be seen: a site sees what it was told."""
    told: ColumnElement[bool] = (
        CriticalValue.notified_at.is_not(None)
        if scope.organisation_kind is OrganisationKind.SITE
        else true()
    )
    return scope.sees(CriticalValue.site_id) & told


def listed(
    session: Session, scope: Scope, wanted: CriticalFilter, *, page: int, page_size: int
) -> CriticalPage:
    """Return one page: what nobody has acknowledged, then other open ones, then the closed.

    Open ones are ordered from the oldest, closed ones from the newest.
    """
    conditions = [visible(scope)]
    if wanted.states:
        conditions.append(CriticalValue.state.in_(wanted.states))
    if wanted.site_code:
        conditions.append(Organisation.code == wanted.site_code)
    if wanted.workitem_id is not None:
        conditions.append(CriticalValue.workitem_id == wanted.workitem_id)
    narrowed = _rows().where(*conditions)
    is_open = CriticalValue.state.in_(OPEN)
    total = session.scalar(
        select(func.count())
        .select_from(CriticalValue)
        .join(Organisation, Organisation.id == CriticalValue.site_id)
        .where(*conditions)
    )
    rows = session.execute(
        narrowed.order_by(
            is_open.desc(),
            case((is_open, CriticalValue.acknowledged_at.is_not(None))),
            case((is_open, CriticalValue.found_at)),
            CriticalValue.found_at.desc(),
            CriticalValue.id,
        )
        .offset((page - 1) * page_size)
        .limit(page_size)
    ).all()
    now = utc_now()
    still_open = session.scalar(
        select(func.count()).select_from(CriticalValue).where(visible(scope), is_open)
    )
    return CriticalPage(
        items=[_view(scope, row, now) for row in rows],
        total=total or 0,
        open=still_open or 0,
        page=page,
        page_size=page_size,
    )


def detail(session: Session, scope: Scope, value_id: UUID) -> CriticalDetail:
    """Return one critical value with its notices and the telephone list of its site.

    Raises:
        Problem: 404 when it does not exist or is not visible.
    """
    row = session.execute(_rows().where(CriticalValue.id == value_id, visible(scope))).one_or_none()
    if row is None:
        raise not_found("The critical value")
    view = _view(scope, row, utc_now())
    caller = aliased(Person)
    notices = session.execute(
        select(CriticalNotice, caller)
        .join(caller, caller.id == CriticalNotice.person_id, isouter=True)
        .where(CriticalNotice.critical_value_id == value_id)
        .order_by(CriticalNotice.id)
    )
    return CriticalDetail(
        **view.model_dump(),
        steps=_steps(session, row[0]),
        notices=[
            NoticeView(
                kind=one.kind,
                step=one.step,
                at=one.at,
                by=_person(by) if by else None,
                contact_name=one.contact_name,
                contact_phone=one.contact_phone,
                answered=one.answered,
                note=one.note,
            )
            for one, by in notices
        ],
        contacts=contacts(session, scope, row[0].site_id),
    )


def _steps(session: Session, value: CriticalValue) -> list[TellingStep]:
    if value.notified_at is None:
        return []
    clocks = clocks_of(session, value.site_id)
    return [
        TellingStep(
            step=int(step),
            due_at=clocks.due_at(step, value.notified_at),
            reached=step <= value.level,
        )
        for step in Step
    ]


def contacts(session: Session, scope: Scope, site_id: UUID) -> list[Contact]:
    """Return whom to tell at a site, the first step first.

    Raises:
        Problem: 404 for a site that is not visible.
    """
    if site_id not in scope.site_ids:
        raise not_found("The site")
    rows = session.scalars(
        select(CriticalContact)
        .where(CriticalContact.site_id == site_id)
        .order_by(CriticalContact.step, CriticalContact.position)
    )
    return [
        Contact(step=Step(one.step), name=one.name, role=one.role, phone=one.phone) for one in rows
    ]


def clock_minutes(session: Session, organisation_id: UUID) -> ClocksBody:
    """Return the escalation times that hold for an organisation, in minutes."""
    line = [one.id for one in lineage(session, organisation_id)]
    found = session.scalars(
        select(CriticalClock).where(CriticalClock.organisation_id.in_(line))
    ).all()
    if not found:
        return ClocksBody()
    nearest = min(found, key=lambda one: line.index(one.organisation_id))
    return ClocksBody(
        second_contact=nearest.second_contact,
        duty_head=nearest.duty_head,
        director=nearest.director,
        action=nearest.action,
    )


def clocks_of(session: Session, organisation_id: UUID) -> CriticalClocks:
    """Return the escalation times that hold for an organisation."""
    minutes = clock_minutes(session, organisation_id)
    return CriticalClocks(
        second_contact=timedelta(minutes=minutes.second_contact),
        duty_head=timedelta(minutes=minutes.duty_head),
        director=timedelta(minutes=minutes.director),
        action=timedelta(minutes=minutes.action),
    )


def printed(session: Session, workitem_id: UUID, time_zone: str) -> str:
    """Return the critical findings of a study with who was told and when, for the report."""
    rows = session.scalars(
        select(CriticalValue)
        .where(
            CriticalValue.workitem_id == workitem_id,
            CriticalValue.notified_at.is_not(None),
            CriticalValue.state != CriticalState.DISMISSED,
        )
        .order_by(CriticalValue.found_at)
    )
    zone = ZoneInfo(time_zone)
    lines = [
        f"{one.finding} → {one.acknowledged_name}"
        f" {one.acknowledged_at.astimezone(zone):%Y-%m-%d %H:%M}"
        if one.acknowledged_at is not None
        else one.finding
        for one in rows
    ]
    return "; ".join(lines)


def _rows() -> Select[*_Line]:
    return (
        select(
            CriticalValue,
            Study,
            Patient,
            Organisation,
            _Finder,
            _Second,
            _Recorder,
            _Closer,
            _Dismisser,
        )
        .join(Workitem, Workitem.id == CriticalValue.workitem_id)
        .join(Study, Study.id == Workitem.study_id)
        .join(Patient, Patient.id == Study.patient_id)
        .join(Organisation, Organisation.id == CriticalValue.site_id)
        .join(_Finder, _Finder.id == CriticalValue.found_by, isouter=True)
        .join(_Second, _Second.id == CriticalValue.confirmed_by, isouter=True)
        .join(_Recorder, _Recorder.id == CriticalValue.recorded_by, isouter=True)
        .join(_Closer, _Closer.id == CriticalValue.closed_by, isouter=True)
        .join(_Dismisser, _Dismisser.id == CriticalValue.dismissed_by, isouter=True)
    )


def _view(scope: Scope, row: Row[*_Line], now: datetime) -> CriticalView:
    value, study, patient, site, finder, second, recorder, closer, dismisser = row
    return CriticalView(
        id=value.id,
        workitem_id=value.workitem_id,
        state=value.state,
        finding=value.finding,
        ruleset=value.ruleset,
        rule_code=value.rule_code,
        site=site_view(site),
        patient=patient_view(patient, study),
        study=study_view(study),
        found_by=_person(finder) if finder else None,
        found_at=value.found_at,
        limit_at=value.found_at + NOTIFIED_WITHIN,
        confirmed_by=_person(second) if second else None,
        confirmed_at=value.confirmed_at,
        confirmed_alone=value.confirmed_alone,
        notified_at=value.notified_at,
        level=value.level,
        next_at=value.next_at,
        in_time=in_time(value.found_at, value.acknowledged_at, now),
        acknowledged_name=value.acknowledged_name,
        acknowledged_role=value.acknowledged_role,
        acknowledged_at=value.acknowledged_at,
        recorded_by=_person(recorder) if recorder else None,
        read_back=value.read_back,
        read_back_items=list(items_to_read_back(value.finding, value.ruleset, value.rule_code)),
        action_overdue=value.state is CriticalState.ACKED and value.next_at is None,
        action=value.action,
        actioned_name=value.actioned_name,
        actioned_at=value.actioned_at,
        closed_by=_person(closer) if closer else None,
        closed_at=value.closed_at,
        dismissed_by=_person(dismisser) if dismisser else None,
        dismissed_at=value.dismissed_at,
        dismissal_reason=value.dismissal_reason,
        actions=[
            action.value
            for action, roles in _MAY.items()
            if scope.roles & roles
            and next_state(value.state, action) is not None
            and (action not in _BY_FINDER or _BY_FINDER[action] is (value.found_by is not None))
        ],
        revision=value.revision,
    )


def _person(person: Person) -> PersonView:
    return PersonView(id=person.id, display_name=person.display_name)
