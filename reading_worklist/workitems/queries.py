"""What the worklist's pages ask, always within the scope of who asks."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias
from urllib.parse import urlencode
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Select, func, or_, select
from sqlalchemy.orm import Session, aliased

from reading_worklist.access.scope import Scope
from reading_worklist.modalities import examined
from reading_worklist.patient_age import Age
from reading_worklist.problems import not_found
from reading_worklist.reports import queries as report_queries
from reading_worklist.reports.states import RevocationState
from reading_worklist.routing.tables import ReadingGroup
from reading_worklist.single_signature.service import in_force
from reading_worklist.volume import queries as volume_queries
from reading_worklist.workitems.lane import Lane
from reading_worklist.workitems.routed import STAGES
from reading_worklist.workitems.rules import allowed_actions
from reading_worklist.workitems.schemas import (
    DeliveryStep,
    GroupName,
    PatientView,
    PersonView,
    SeriesView,
    SiteView,
    StudyView,
    Timeline,
    WorkitemDetail,
    WorkitemView,
)
from reading_worklist.workitems.states import Action, State
from reading_worklist.workitems.tables import Workitem
from storage.clock import utc_now
from storage.database import one_of
from storage.deliveries import deliveries_of_workitem
from storage.index.search import patient_name_begins
from storage.index.tables import Patient, Series, Study, StudyListing
from storage.person_name import display_name, latin_name
from storage.registry import Destination, Organisation, Person

_Holder = aliased(Person)
_Writer = aliased(Person)
_Assignee = aliased(Person)

Line: TypeAlias = tuple[
    Workitem, Study, Patient, Organisation, Person, Person, Person, ReadingGroup
]
"""A workitem with its study, patient, site, holder, writer, assignee and group; the last four may
be missing."""


def detail(session: Session, scope: Scope, workitem_id: UUID) -> WorkitemDetail:
    """Return everything the reading page shows of one workitem.

    Raises:
        Problem: 404 when it does not exist or is not visible.
    """
    row = session.execute(
        rows().where(Workitem.id == workitem_id, scope.sees(Workitem.site_id))
    ).one_or_none()
    if row is None:
        raise not_found("The workitem")
    view = line(row, beside(session, scope, [row]))
    item = row[0]
    alone = (
        item.state is State.CLAIMED
        and item.lane is Lane.ECG
        and in_force(session, item.site_id, utc_now()) is not None
    )
    view.actions = [action.value for action in allowed_actions(item, scope, alone=alone)]
    revocation = report_queries.revocation_view(session, workitem_id)
    proposed = revocation is not None and revocation.state is RevocationState.PROPOSED
    impossible = Action.PROPOSE_REVOCATION if proposed else Action.REVOKE
    view.actions = [one for one in view.actions if one != impossible]
    series = session.scalars(
        select(Series)
        .where(Series.study_id == view.study.id)
        .order_by(Series.series_number.nulls_last(), Series.id)
    ).all()
    return WorkitemDetail(
        **view.model_dump(),
        amending_kind=report_queries.amendment_kind(session, workitem_id)
        if item.amending
        else None,
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
        revocation=revocation,
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
        preliminary_at=item.preliminary_at,
        finalised_at=item.finalised_at,
        delivered_at=item.delivered_at,
        delivery_overdue_at=item.delivery_overdue_at,
        unopened_at=item.unopened_at,
        opened_at=item.opened_at,
        deliveries=delivery_steps(session, item),
    )


def delivery_steps(session: Session, item: Workitem) -> list[DeliveryStep]:
    """Return how the reports of a workitem travel to each destination of its site."""
    names = {
        row.id: row.label
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
        latin_name=latin_name(patient.name),
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
        modalities=examined(study.modalities),
        series_count=study.series_count,
        instance_count=study.sent_count,
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
    found = session.scalars(
        select(Organisation).where(scope.sees(Organisation.id)).order_by(Organisation.code)
    )
    return [site_view(one) for one in found]


def rows() -> Select[*Line]:
    """Return the query for workitems with all that a line of the worklist shows."""
    return (
        select(Workitem, Study, Patient, Organisation, _Holder, _Writer, _Assignee, ReadingGroup)
        .join(Study, Study.id == Workitem.study_id)
        .join(Patient, Patient.id == Study.patient_id)
        .join(Organisation, Organisation.id == Workitem.site_id)
        .join(_Holder, _Holder.id == Workitem.holder_id, isouter=True)
        .join(_Writer, _Writer.id == Workitem.writer_id, isouter=True)
        .join(_Assignee, _Assignee.id == Workitem.assignee_id, isouter=True)
        .join(ReadingGroup, ReadingGroup.id == Workitem.group_id, isouter=True)
    )


@dataclass(frozen=True, slots=True)
class Beside:
    """What is asked for a whole page at once, by study and by patient.

    warnings: of volume checks. priors: how many other studies the patient has.
    """

    warnings: Mapping[UUID, int]
    priors: Mapping[UUID, int]


def beside(session: Session, scope: Scope, found: Sequence[Row[*Line]]) -> Beside:
    """Return what is shown beside the rows of a page."""
    return Beside(
        warnings=volume_queries.warnings_of(session, [row[1].id for row in found]),
        priors=study_counts(session, scope, {row[2].id for row in found}),
    )


def study_counts(session: Session, scope: Scope, patient_ids: Collection[UUID]) -> dict[UUID, int]:
    """Return how many visible studies each of some patients has."""
    counted = session.execute(
        select(StudyListing.patient_id, func.count())
        .where(
            one_of(StudyListing.patient_id, patient_ids),
            StudyListing.modality == "",
            scope.sees(StudyListing.site_id),
        )
        .group_by(StudyListing.patient_id)
    )
    return dict(counted.all())


def line(row: Row[*Line], shown: Beside) -> WorkitemView:
    """Return a row as a line of the worklist, without what somebody may do with it."""
    item, study, patient, site = row[0], row[1], row[2], row[3]
    # Outer joins: the statement's type does not know that these may be missing.
    holder, writer, assignee = _person(row[4]), _person(row[5]), _person(row[6])
    group: ReadingGroup | None = row[7]
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
        warn_at=item.warn_at,
        claim_due_at=item.claim_due_at if item.state is State.QUEUED else None,
        escalated_at=item.escalated_at if item.state is State.QUEUED else None,
        overdue=item.overdue_at is not None,
        group=GroupName(code=group.code, name=group.name, name_en=group.name_en) if group else None,
        rule=item.rule,
        claimed_by=holder,
        written_by=writer,
        assigned_to=assignee if STAGES.get(item.state) is item.assigned_for else None,
        lease_until=item.lease_until,
        late_instances=item.late_instances,
        amending=item.amending,
        preliminary_stands=item.preliminary_stands,
        quality_warnings=shown.warnings.get(study.id, 0),
        priors=max(shown.priors.get(patient.id, 0) - 1, 0),
        actions=[],
        revision=item.revision,
    )


def line_for(scope: Scope, row: Row[*Line], shown: Beside) -> WorkitemView:
    """Return a row as a line of the worklist, with what a person may do with it."""
    view = line(row, shown)
    view.actions = [action.value for action in allowed_actions(row[0], scope)]
    return view


def _person(person: Person | None) -> PersonView | None:
    return PersonView(id=person.id, display_name=person.display_name) if person else None
