"""Earlier studies of the patient who is being read, within scope, agreements and a reason.

Studies of the reading's own site are its own. Those of other sites are shown where an agreement of
the day allows it, and where the reader has said why; he is asked once for each reading.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from reading_worklist.access.scope import Scope
from reading_worklist.priors.schemas import (
    Basis,
    OpenedPrior,
    Priors,
    PriorStudy,
    ReasonBody,
    ReasonView,
)
from reading_worklist.priors.tables import PriorAccess
from reading_worklist.problems import Problem, not_found
from reading_worklist.workitems.queries import site_view, viewer_url
from reading_worklist.workitems.tables import Workitem
from storage import audit
from storage.agreements.queries import providers
from storage.agreements.tables import Service
from storage.index.tables import Patient, Series, Study
from storage.patient_links import links
from storage.person_name import display_name
from storage.registry import Organisation, Role

READERS: Final = (Role.WRITER, Role.REVIEWER, Role.EXPERT, Role.QUALITY_CONTROLLER)
_SHOWN_MAX: Final = 200


@dataclass(frozen=True, slots=True)
class _Reading:
    """The workitem that is read, its study, and who its patient is."""

    item: Workitem
    study: Study
    patients: Mapping[UUID, Basis]
    body_parts: frozenset[str]


def shown(session: Session, scope: Scope, workitem_id: UUID) -> Priors:
    """Return the other studies of a reading's patient.

    Raises:
        Problem: 403 for who does not read, 404 for an unseen workitem.
    """
    reading = _reading(session, scope, workitem_id)
    rows = _studies(session, scope, reading)
    reason = _reason(session, scope, workitem_id)
    own = [row for row in rows if row[0].site_id == reading.item.site_id]
    others = [row for row in rows if row[0].site_id != reading.item.site_id]
    agreed = _agreed(session, reading, others)
    allowed = [row for row in others if row[0].site_id in agreed]
    visible = rows if reason else own
    return Priors(
        items=[
            _view(reading, row)
            for row in visible
            if row[0].site_id == reading.item.site_id or row[0].site_id in agreed
        ],
        elsewhere=len(allowed),
        not_agreed=len(others) - len(allowed),
        reason_needed=bool(allowed) and reason is None,
        reason=ReasonView(purpose=reason.purpose, note=reason.note, at=reason.at)
        if reason
        else None,
    )


def give_reason(session: Session, scope: Scope, workitem_id: UUID, body: ReasonBody) -> None:
    """Record why the asker needs other sites' studies for a reading; the first reason stays.

    Raises:
        Problem: 403 for who does not read, 404 for an unseen workitem.
    """
    _reading(session, scope, workitem_id)
    made = session.scalar(
        insert(PriorAccess)
        .values(
            workitem_id=workitem_id,
            person_id=scope.person_id,
            organisation_id=scope.organisation_id,
            purpose=body.purpose,
            note=body.note.strip(),
        )
        .on_conflict_do_nothing(index_elements=["workitem_id", "person_id"])
        .returning(PriorAccess.id)
    )
    if made is not None:
        audit.record(
            session,
            scope.actor,
            "prior:reason",
            subject_kind="workitem",
            subject_id=workitem_id,
            detail={"purpose": body.purpose},
        )


def open_prior(session: Session, scope: Scope, workitem_id: UUID, study_id: UUID) -> OpenedPrior:
    """Return where the viewer shows an earlier study, and record that it was opened.

    Raises:
        Problem: 403 for who does not read, or without a reason for a study of another site; 404
            for what is not among the visible studies of the reading's patient.
    """
    reading = _reading(session, scope, workitem_id)
    found = next((row for row in _studies(session, scope, reading) if row[0].id == study_id), None)
    if found is None:
        raise not_found("The earlier study")
    study, site = found[0], found[2]
    if study.site_id != reading.item.site_id:
        if study.site_id not in _agreed(session, reading, [found]):
            raise not_found("The earlier study")
        if _reason(session, scope, workitem_id) is None:
            raise Problem(
                HTTPStatus.FORBIDDEN,
                "reason-needed",
                "The study is of another site, and it was not said why it is needed",
                expected="a reason, once for this reading",
                remedy="Give the reason, then open it.",
            )
    audit.record(
        session,
        scope.actor,
        "prior:open",
        subject_kind="study",
        subject_id=study.id,
        detail={
            "workitem": str(workitem_id),
            "site": site.code,
            "basis": reading.patients[study.patient_id],
        },
    )
    return OpenedPrior(
        study_id=study.id, viewer_url=viewer_url(study.study_instance_uid, site.code)
    )


def _reading(session: Session, scope: Scope, workitem_id: UUID) -> _Reading:
    scope.require(*READERS)
    row = session.execute(
        select(Workitem, Study)
        .join(Study, Study.id == Workitem.study_id)
        .where(Workitem.id == workitem_id, scope.sees(Workitem.site_id))
    ).one_or_none()
    if row is None:
        raise not_found("The workitem")
    item, study = row
    patients = {
        **{one.id: Basis.DOCUMENT for one in links.same_document(session, study.patient_id)},
        **dict.fromkeys(links.linked(session, study.patient_id), Basis.LINK),
        study.patient_id: Basis.PATIENT,
    }
    parts = session.scalars(
        select(Series.body_part_examined).where(
            Series.study_id == study.id, Series.body_part_examined.is_not(None)
        )
    )
    return _Reading(item, study, patients, frozenset(part for part in parts if part))


def _studies(session: Session, scope: Scope, reading: _Reading) -> list[Row[*tuple[Any, ...]]]:
    parts = (
        select(func.array_agg(Series.body_part_examined.distinct()))
        .where(Series.study_id == Study.id, Series.body_part_examined.is_not(None))
        .correlate(Study)
        .scalar_subquery()
    )
    rows: Sequence[Row[*tuple[Any, ...]]] = session.execute(
        select(Study, Patient, Organisation, Workitem, parts)
        .join(Patient, Patient.id == Study.patient_id)
        .join(Organisation, Organisation.id == Study.site_id)
        .join(Workitem, Workitem.study_id == Study.id, isouter=True)
        .where(
            Study.patient_id.in_(reading.patients),
            Study.id != reading.study.id,
            Study.purged_at.is_(None),
            scope.sees(Study.site_id),
        )
        .order_by(Study.study_date.desc().nulls_last(), Study.study_time.desc(), Study.id.desc())
        .limit(_SHOWN_MAX)
    ).all()
    return list(rows)


def _agreed(
    session: Session, reading: _Reading, rows: Sequence[Row[*tuple[Any, ...]]]
) -> frozenset[UUID]:
    sites = {row[0].site_id for row in rows}
    return providers(session, Service.PRIORS, reading.item.site_id, sites)


def _reason(session: Session, scope: Scope, workitem_id: UUID) -> PriorAccess | None:
    return session.scalar(
        select(PriorAccess).where(
            PriorAccess.workitem_id == workitem_id, PriorAccess.person_id == scope.person_id
        )
    )


def _view(reading: _Reading, row: Row[*tuple[Any, ...]]) -> PriorStudy:
    study: Study = row[0]
    patient: Patient = row[1]
    item: Workitem | None = row[3]
    parts: list[str] = row[4] or []
    return PriorStudy(
        study_id=study.id,
        study_instance_uid=study.study_instance_uid,
        site=site_view(row[2]),
        basis=reading.patients[study.patient_id],
        patient_name=display_name(patient.name),
        patient_id=patient.local_id,
        study_date=study.study_date,
        study_time=study.study_time,
        description=study.study_description,
        accession_number=study.accession_number,
        modalities=study.modalities,
        body_parts=parts,
        series_count=study.series_count,
        instance_count=study.instance_count,
        same_modality=not set(study.modalities).isdisjoint(reading.study.modalities),
        same_body_part=not reading.body_parts.isdisjoint(parts),
        workitem_id=item.id if item else None,
        state=item.state if item else None,
        reported=item is not None and item.report_stands,
    )
