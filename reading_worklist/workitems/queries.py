"""What the worklist's pages ask, always within the scope of who asks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, case, func, or_, select
from sqlalchemy.orm import Session, aliased

from reading_worklist.access.scope import Scope
from reading_worklist.patient_age import Age
from reading_worklist.problems import not_found
from reading_worklist.reports import queries as report_queries
from reading_worklist.volume import queries as volume_queries
from reading_worklist.workitems.rules import allowed_actions
from reading_worklist.workitems.schemas import (
    DeliveryStep,
    PatientView,
    PersonView,
    SeriesView,
    SiteView,
    StudyView,
    Timeline,
    WorkitemDetail,
    WorkitemPage,
    WorkitemView,
)
from reading_worklist.workitems.states import State
from reading_worklist.workitems.tables import Lane, Workitem
from storage.deliveries import deliveries_of_workitem
from storage.index.search import patient_name_begins
from storage.index.tables import Patient, Series, Study
from storage.orders.words import Priority
from storage.person_name import display_name
from storage.registry import Destination, Organisation, Person

PAGE_SIZE_MAX: Final = 200
_Holder = aliased(Person)
_Writer = aliased(Person)


@dataclass(frozen=True, slots=True)
class Filter:
    """What to show; None is everything.

    text: looked for in name (Hanzi, pinyin, initials), patient id and accession number.
    """

    lane: Lane | None = None
    states: Sequence[State] = ()
    site_code: str | None = None
    text: str | None = None
    mine: UUID | None = None


def worklist(
    session: Session, scope: Scope, wanted: Filter, *, page: int, page_size: int
) -> WorkitemPage:
    """Return one page, most urgent first: STAT before URGENT before ROUTINE, then by due time."""
    narrowed = _narrowed(scope, wanted)
    counts = session.execute(
        select(Workitem.state, func.count())
        .select_from(Workitem)
        .join(Study)
        .join(Patient)
        .join(Organisation, Organisation.id == Workitem.site_id)
        .where(*narrowed)
        .group_by(Workitem.state)
    ).all()
    shown = [*narrowed, Workitem.state.in_(wanted.states)] if wanted.states else narrowed
    urgency = case({Priority.STAT: 0, Priority.URGENT: 1}, value=Workitem.priority, else_=2)
    rows = session.execute(
        _rows()
        .where(*shown)
        .order_by(urgency, Workitem.due_at, Workitem.id)
        .offset((page - 1) * page_size)
        .limit(page_size)
    ).all()
    by_state = dict.fromkeys(State, 0) | {State(state): number for state, number in counts}
    total = sum(
        number for state, number in by_state.items() if not wanted.states or state in wanted.states
    )
    warnings = volume_queries.warnings_of(session, [study.id for _, study, *_ in rows])
    return WorkitemPage(
        items=[_view(scope, warnings, *row) for row in rows],
        total=total,
        page=page,
        page_size=page_size,
        counts=by_state,
    )


def detail(session: Session, scope: Scope, workitem_id: UUID) -> WorkitemDetail:
    """Return everything the reading page shows of one workitem.

    Raises:
        Problem: 404 when it does not exist or is not visible.
    """
    row = session.execute(
        _rows().where(Workitem.id == workitem_id, scope.sees(Workitem.site_id))
    ).one_or_none()
    if row is None:
        raise not_found("The workitem")
    view = _view(scope, volume_queries.warnings_of(session, [row[1].id]), *row)
    series = session.scalars(
        select(Series)
        .where(Series.study_id == view.study.id)
        .order_by(Series.series_number.nulls_last(), Series.id)
    ).all()
    return WorkitemDetail(
        **view.model_dump(),
        series=[
            SeriesView(
                series_instance_uid=one.series_instance_uid,
                modality=one.modality,
                number=one.series_number,
                description=one.series_description,
                instance_count=one.instance_count,
            )
            for one in series
        ],
        draft=report_queries.draft(session, workitem_id),
        submissions=report_queries.submissions(session, workitem_id),
        versions=report_queries.versions(session, workitem_id),
        viewer_url=viewer_url(view.study.study_instance_uid, view.site.code),
    )


def timeline(session: Session, scope: Scope, workitem_id: UUID) -> Timeline:
    """Return when the exam passed each step of its road.

    Raises:
        Problem: 404 when it does not exist or is not visible.
    """
    found = session.execute(
        select(Workitem, Study)
        .join(Study)
        .where(Workitem.id == workitem_id, scope.sees(Workitem.site_id))
    ).one_or_none()
    if found is None:
        raise not_found("The workitem")
    item, study = found
    return Timeline(
        first_received_at=study.first_received_at,
        last_received_at=study.last_received_at,
        completed_at=study.completed_at,
        queued_at=item.queued_at,
        claimed_at=item.claimed_at,
        submitted_at=item.submitted_at,
        reviewed_at=item.reviewed_at,
        finalised_at=item.finalised_at,
        delivered_at=item.delivered_at,
        opened_at=item.opened_at,
        deliveries=delivery_steps(session, item),
    )


def delivery_steps(session: Session, item: Workitem) -> list[DeliveryStep]:
    """Return how the reports of a workitem travel to each destination of its site."""
    names = {
        row.id: f"{row.ae_title} ({row.host}:{row.port})"
        for row in session.scalars(select(Destination).where(Destination.site_id == item.site_id))
    }
    return [
        DeliveryStep(
            id=row.id,
            destination=names.get(row.destination_id, ""),
            state=row.state,
            attempts=row.attempts,
            created_at=row.created_at,
            delivered_at=row.delivered_at,
            last_error=row.last_error,
        )
        for row in deliveries_of_workitem(session, item.id)
    ]


def viewer_url(study_instance_uid: str, site_code: str) -> str:
    """Return the viewer's address for a study of one site.

    The site keeps apart studies that share a UID.
    """
    return (
        f"/viewer/viewer?{urlencode({'StudyInstanceUIDs': study_instance_uid, 'site': site_code})}"
    )


def site_view(site: Organisation) -> SiteView:
    """Return a site as pages show it."""
    return SiteView(id=site.id, code=site.code, name=site.name, name_en=site.name_en)


def patient_view(patient: Patient, study: Study) -> PatientView:
    """Return a patient as pages show him, with the age on the day of the study."""
    on = study.study_date or study.first_received_at.date()
    return PatientView(
        id=patient.id,
        name=display_name(patient.name),
        name_guessed=patient.name_guessed,
        local_id=patient.local_id,
        sex=patient.sex,
        birth_date=patient.birth_date,
        age=str(Age.between(patient.birth_date, on)) if patient.birth_date else None,
    )


def study_view(study: Study) -> StudyView:
    """Return a study as pages show it."""
    return StudyView(
        id=study.id,
        study_instance_uid=study.study_instance_uid,
        study_date=study.study_date,
        study_time=study.study_time,
        description=study.study_description,
        accession_number=study.accession_number,
        modalities=study.modalities,
        series_count=study.series_count,
        instance_count=study.instance_count,
    )


def matches_text(text: str) -> ColumnElement[bool]:
    """Return the SQL condition that patient id, accession number or name begins with `text`."""
    wanted = text.strip()
    return or_(
        Patient.local_id.istartswith(wanted, autoescape=True),
        Study.accession_number.istartswith(wanted, autoescape=True),
        patient_name_begins(wanted),
    )


def sites(session: Session, scope: Scope) -> list[SiteView]:
    """Return the visible sites by code: what the worklist can be narrowed to."""
    rows = session.scalars(
        select(Organisation).where(scope.sees(Organisation.id)).order_by(Organisation.code)
    )
    return [site_view(one) for one in rows]


def _rows() -> Select[Workitem, Study, Patient, Organisation, Person, Person]:
    return (
        select(Workitem, Study, Patient, Organisation, _Holder, _Writer)
        .join(Study, Study.id == Workitem.study_id)
        .join(Patient, Patient.id == Study.patient_id)
        .join(Organisation, Organisation.id == Workitem.site_id)
        .join(_Holder, _Holder.id == Workitem.holder_id, isouter=True)
        .join(_Writer, _Writer.id == Workitem.writer_id, isouter=True)
    )


def _narrowed(scope: Scope, wanted: Filter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [scope.sees(Workitem.site_id)]
    if wanted.lane is not None:
        conditions.append(Workitem.lane == wanted.lane)
    if wanted.site_code:
        conditions.append(Organisation.code == wanted.site_code)
    if wanted.mine is not None:
        conditions.append(
            or_(
                Workitem.holder_id == wanted.mine,
                and_(Workitem.writer_id == wanted.mine, Workitem.state == State.RETURNED),
            )
        )
    if wanted.text and wanted.text.strip():
        conditions.append(matches_text(wanted.text))
    return conditions


def _view(  # noqa: PLR0917 -- one parameter for each entity of the row
    scope: Scope,
    warnings: Mapping[UUID, int],
    item: Workitem,
    study: Study,
    patient: Patient,
    site: Organisation,
    # Outer joins: the statement's type does not know that these may be missing.
    holder: Person | None,
    writer: Person | None,
) -> WorkitemView:
    return WorkitemView(
        id=item.id,
        lane=item.lane,
        state=item.state,
        priority=item.priority,
        queued_at=item.queued_at,
        due_at=item.due_at,
        site=site_view(site),
        patient=patient_view(patient, study),
        study=study_view(study),
        claimed_by=PersonView(id=holder.id, display_name=holder.display_name) if holder else None,
        written_by=PersonView(id=writer.id, display_name=writer.display_name) if writer else None,
        lease_until=item.lease_until,
        late_instances=item.late_instances,
        quality_warnings=warnings.get(study.id, 0),
        actions=[action.value for action in allowed_actions(item, scope)],
        revision=item.revision,
    )
