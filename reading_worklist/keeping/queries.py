"""What the keeping pages show: storage use, verification, rules, due patients, holds, purges."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final, cast
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Select, func, select
from sqlalchemy.orm import Session, aliased

from reading_worklist.access.scope import Scope
from reading_worklist.keeping.retention import MINIMUM_YEARS, due_patients, obstacles
from reading_worklist.keeping.schemas import (
    DuePage,
    DuePatient,
    DueStudy,
    HoldPage,
    HoldView,
    PurgeDetail,
    PurgePage,
    PurgeStudyView,
    PurgeView,
    RetentionRuleView,
    SiteUsage,
    Usage,
    UsageByKind,
    UsageByModality,
    UsageByMonth,
    VerificationView,
)
from reading_worklist.keeping.service import allowed_actions
from reading_worklist.keeping.states import OPEN
from reading_worklist.keeping.tables import (
    LegalHold,
    Purge,
    PurgeStudy,
    RetentionRule,
    StudyFate,
    VisitKind,
)
from reading_worklist.problems import not_found
from storage.index.tables import Patient, Quarantine, Study
from storage.keeping.kept import kept_of
from storage.keeping.tables import StorageUsage
from storage.keeping.usage import refreshed_at
from storage.keeping.verification import latest
from storage.person_name import display_name, latin_name
from storage.registry import Organisation, OrganisationKind, Person

PAGE_SIZE: Final = 50


def usage(session: Session, scope: Scope) -> Usage:
    """Return what each visible site keeps, by site code."""
    sites = session.scalars(_sites(scope)).all()
    return Usage(
        refreshed_at=refreshed_at(session), sites=[_usage_of(session, site) for site in sites]
    )


def _usage_of(session: Session, site: Organisation) -> SiteUsage:
    def grouped(
        column: Any,  # noqa: ANN401 -- a mapped column
    ) -> Sequence[Row[Any, int, int, int]]:
        return session.execute(
            select(
                column,
                func.sum(StorageUsage.series),
                func.sum(StorageUsage.instances),
                func.sum(StorageUsage.bytes),
            )
            .where(StorageUsage.site_id == site.id)
            .group_by(column)
            .order_by(column)
        ).all()

    # A study of two modalities stands in two rows of the rollup, so studies are counted themselves.
    studies = session.scalar(
        select(func.count())
        .select_from(Study)
        .where(Study.site_id == site.id, Study.instance_count > 0)
    )
    aside = session.execute(
        select(func.count(), func.coalesce(func.sum(Quarantine.object_size), 0)).where(
            Quarantine.site_id == site.id, Quarantine.purged_at.is_(None)
        )
    ).one()
    kept = kept_of(session, site.id)
    modalities = [
        UsageByModality(modality=key, series=series, instances=instances, bytes=size)
        for key, series, instances, size in grouped(StorageUsage.modality)
    ]
    months = [
        UsageByMonth(month=key, instances=instances, bytes=size)
        for key, _, instances, size in grouped(StorageUsage.month)
    ]
    return SiteUsage(
        site_code=site.code,
        site_name=site.name,
        site_name_en=site.name_en,
        studies=studies or 0,
        instances=sum(one.instances for one in modalities),
        bytes=sum(one.bytes for one in modalities),
        quarantined_objects=aside[0],
        quarantined_bytes=aside[1],
        by_modality=modalities,
        by_month=months,
        by_kind=[UsageByKind(kind=one.kind, objects=one.objects, bytes=one.bytes) for one in kept],
        counted_at=max((one.counted_at for one in kept), default=None),
    )


def last_verification(session: Session) -> VerificationView | None:
    """Return the last complete verification; None before the first."""
    run = latest(session)
    if run is None or run.ended_at is None:
        return None
    return VerificationView(
        started_at=run.started_at,
        ended_at=run.ended_at,
        sample=run.options.get("sample", 1.0),
        objects=run.objects,
        bytes_read=run.bytes_read,
        findings=run.findings,
    )


def rules(session: Session, scope: Scope) -> list[RetentionRuleView]:
    """Return both rules of each visible site, by site code."""
    set_here: Mapping[tuple[UUID, VisitKind], int] = {
        (rule.site_id, rule.visit_kind): rule.years
        for rule in session.scalars(select(RetentionRule).where(scope.sees(RetentionRule.site_id)))
    }
    return [
        RetentionRuleView(
            site_id=site.id,
            site_code=site.code,
            site_name=site.name,
            site_name_en=site.name_en,
            visit_kind=kind,
            years=set_here.get((site.id, kind), minimum),
            minimum=minimum,
        )
        for site in session.scalars(_sites(scope))
        for kind, minimum in MINIMUM_YEARS.items()
    ]


def due(session: Session, scope: Scope, page: int, today: date | None = None) -> DuePage:
    """Return patients of visible sites whose records need not be kept, the longest due first."""
    found = due_patients(scope.site_ids, today=today)
    total = session.scalar(select(func.count()).select_from(found)) or 0
    rows = session.execute(
        select(Patient, Organisation, found.c.last_visit, found.c.due_on)
        .join(found, found.c.patient_id == Patient.id)
        .join(Organisation, Organisation.id == Patient.site_id)
        .order_by(found.c.due_on, Patient.id)
        .offset((page - 1) * PAGE_SIZE)
        .limit(PAGE_SIZE)
    ).all()
    patients = {patient.id for patient, *_ in rows}
    studies = session.scalars(
        select(Study)
        .where(Study.patient_id.in_(patients), Study.instance_count > 0)
        .order_by(Study.study_date, Study.id)
    ).all()
    against = obstacles(session, [study.id for study in studies])
    items = [
        DuePatient(
            patient_id=patient.id,
            site_code=site.code,
            site_name=site.name,
            site_name_en=site.name_en,
            local_id=patient.local_id,
            patient_name=display_name(patient.name),
            patient_latin_name=latin_name(patient.name),
            last_visit=last_visit,
            due_on=due_on,
            studies=[
                _due_study(study, against.get(study.id, []))
                for study in studies
                if study.patient_id == patient.id
            ],
        )
        for patient, site, last_visit, due_on in rows
    ]
    return DuePage(items=items, total=total, page=page, page_size=PAGE_SIZE)


def _due_study(study: Study, against: list[str]) -> DueStudy:
    return DueStudy(
        study_id=study.id,
        study_instance_uid=study.study_instance_uid,
        study_date=study.study_date,
        study_description=study.study_description,
        modalities=study.modalities,
        instances=study.instance_count,
        bytes=study.byte_count,
        obstacles=against,
    )


def holds(session: Session, scope: Scope, page: int, *, active_only: bool) -> HoldPage:
    """Return the holds of visible sites, newest first."""
    conditions: list[ColumnElement[bool]] = [scope.sees(LegalHold.site_id)]
    if active_only:
        conditions.append(LegalHold.released_at.is_(None))
    setter, releaser = aliased(Person), aliased(Person)
    total = session.scalar(select(func.count()).select_from(LegalHold).where(*conditions)) or 0
    rows = session.execute(
        select(LegalHold, Organisation, Patient, Study, setter, releaser)
        .join(Organisation, Organisation.id == LegalHold.site_id)
        .join(Patient, Patient.id == LegalHold.patient_id)
        .outerjoin(Study, Study.id == LegalHold.study_id)
        .join(setter, setter.id == LegalHold.set_by)
        .outerjoin(releaser, releaser.id == LegalHold.released_by)
        .where(*conditions)
        .order_by(LegalHold.set_at.desc(), LegalHold.id)
        .offset((page - 1) * PAGE_SIZE)
        .limit(PAGE_SIZE)
    ).all()
    items = [
        HoldView(
            id=hold.id,
            site_code=site.code,
            site_name=site.name,
            site_name_en=site.name_en,
            patient_id=patient.id,
            patient_name=display_name(patient.name),
            patient_latin_name=latin_name(patient.name),
            local_id=patient.local_id,
            study_id=hold.study_id,
            study_instance_uid=study.study_instance_uid if study else None,
            reason=hold.reason,
            set_by=by.display_name,
            set_at=hold.set_at,
            released_by=released.display_name if released else None,
            released_at=hold.released_at,
            release_reason=hold.release_reason,
        )
        for hold, site, patient, study, by, released in rows
    ]
    return HoldPage(items=items, total=total, page=page, page_size=PAGE_SIZE)


def purges(session: Session, scope: Scope, page: int, *, open_only: bool) -> PurgePage:
    """Return the purges of visible sites, newest first."""
    conditions: list[ColumnElement[bool]] = [scope.sees(Purge.site_id)]
    if open_only:
        conditions.append(Purge.state.in_(OPEN))
    total = session.scalar(select(func.count()).select_from(Purge).where(*conditions)) or 0
    rows = session.execute(
        _purges()
        .where(*conditions)
        .order_by(Purge.proposed_at.desc(), Purge.id)
        .offset((page - 1) * PAGE_SIZE)
        .limit(PAGE_SIZE)
    ).all()
    items = [_view(session, scope, row) for row in rows]
    return PurgePage(items=items, total=total, page=page, page_size=PAGE_SIZE)


def purge_detail(session: Session, scope: Scope, purge_id: UUID) -> PurgeDetail:
    """Return a purge with its studies.

    Raises:
        Problem: 404 when it is not visible.
    """
    row = session.execute(
        _purges().where(Purge.id == purge_id, scope.sees(Purge.site_id))
    ).one_or_none()
    if row is None:
        raise not_found("The purge")
    rows = session.execute(
        select(PurgeStudy, Study, Patient)
        .join(Study, Study.id == PurgeStudy.study_id)
        .join(Patient, Patient.id == Study.patient_id)
        .where(PurgeStudy.purge_id == purge_id)
        .order_by(PurgeStudy.due_on, PurgeStudy.study_id)
    ).all()
    waiting = [one.study_id for one, *_ in rows if one.fate == StudyFate.WAITING]
    against = obstacles(session, waiting)
    studies = [
        PurgeStudyView(
            study_id=one.study_id,
            study_instance_uid=one.study_instance_uid,
            patient_name=display_name(patient.name),
            patient_latin_name=latin_name(patient.name),
            local_id=patient.local_id,
            study_date=study.study_date,
            study_description=study.study_description,
            modalities=study.modalities,
            due_on=one.due_on,
            instances=one.instances,
            bytes=one.bytes,
            fate=one.fate,
            kept_because=one.kept_because,
            obstacles=against.get(one.study_id, []),
        )
        for one, study, patient in rows
    ]
    return PurgeDetail(**_view(session, scope, row).model_dump(), study_list=studies)


def _purges() -> Select[Purge, Organisation, Person, Person]:
    proposer, decider = aliased(Person), aliased(Person)
    return (
        select(Purge, Organisation, proposer, decider)
        .join(Organisation, Organisation.id == Purge.site_id)
        .join(proposer, proposer.id == Purge.proposed_by)
        .outerjoin(decider, decider.id == Purge.decided_by)
    )


def _view(
    session: Session, scope: Scope, row: Row[Purge, Organisation, Person, Person]
) -> PurgeView:
    purge, site, proposer, _ = row
    # An outer join: the type does not tell that nobody may have decided.
    decider = cast("Person | None", row[3])
    fates = {
        fate: (count, size)
        for fate, count, size in session.execute(
            select(PurgeStudy.fate, func.count(), func.sum(PurgeStudy.bytes))
            .where(PurgeStudy.purge_id == purge.id)
            .group_by(PurgeStudy.fate)
        )
    }
    return PurgeView(
        id=purge.id,
        site_code=site.code,
        site_name=site.name,
        site_name_en=site.name_en,
        state=purge.state,
        reason=purge.reason,
        proposed_by=proposer.display_name,
        proposed_at=purge.proposed_at,
        decided_by=decider.display_name if decider else None,
        decided_at=purge.decided_at,
        comment=purge.comment,
        finished_at=purge.finished_at,
        studies=sum(count for count, _ in fates.values()),
        purged=fates.get(StudyFate.PURGED, (0, 0))[0],
        kept=fates.get(StudyFate.KEPT, (0, 0))[0],
        bytes=sum(size for _, size in fates.values()),
        actions=allowed_actions(purge, scope),
    )


def _sites(scope: Scope) -> Select[Organisation]:
    return (
        select(Organisation)
        .where(Organisation.id.in_(scope.site_ids), Organisation.kind == OrganisationKind.SITE)
        .order_by(Organisation.code)
    )
