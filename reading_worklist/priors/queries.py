"""Which studies of a reading's patient there are, and which of them the reader may see now.

This is the one place that decides it: the list, the report of a prior, its opening and the images
behind it all ask here, so an ended agreement, a link that was taken back and a reason that has run
out take all of them away together.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session

from reading_worklist.access.scope import Scope
from reading_worklist.modalities import examined
from reading_worklist.priors.schemas import Basis, PriorStudy
from reading_worklist.priors.tables import PriorAccess
from reading_worklist.problems import not_found
from reading_worklist.workitems.queries import site_view
from reading_worklist.workitems.tables import Workitem
from storage.agreements.queries import providers
from storage.agreements.tables import Service
from storage.index.tables import Patient, Series, Study
from storage.patient_links import links
from storage.person_name import display_name
from storage.registry import Organisation, Role, consortium_of, visible_site_ids

READERS: Final = (Role.WRITER, Role.REVIEWER, Role.EXPERT, Role.QUALITY_CONTROLLER)
_SHOWN_MAX: Final = 200


@dataclass(frozen=True, slots=True)
class Reading:
    """The workitem that is read, its study, and who its patient is: patients by what says so."""

    item: Workitem
    study: Study
    patients: Mapping[UUID, Basis]
    body_parts: frozenset[str]


@dataclass(frozen=True, slots=True)
class Prior:
    """Another study of the patient, with its own reading when it was ever queued."""

    study: Study
    patient: Patient
    site: Organisation
    item: Workitem | None
    body_parts: frozenset[str]


@dataclass(frozen=True, slots=True)
class PriorsOfReading:
    """The other studies of a reading's patient, the latest first.

    agreed: the sites that show theirs by an agreement of today. reason: the asker's, while it
        stands. emergency: his reason for sites without an agreement, while it stands.
    """

    reading: Reading
    found: Sequence[Prior]
    agreed: frozenset[UUID]
    reason: PriorAccess | None
    emergency: PriorAccess | None = None

    def is_elsewhere(self, prior: Prior) -> bool:
        """Tell whether a study is of another site than the one that is read."""
        return prior.study.site_id != self.reading.item.site_id

    def is_agreed(self, prior: Prior) -> bool:
        """Tell whether a study may be seen once a reason is given."""
        return (
            not self.is_elsewhere(prior)
            or prior.study.site_id in self.agreed
            or self.emergency is not None
        )

    def is_visible(self, prior: Prior) -> bool:
        """Tell whether a study may be seen now."""
        return (
            not self.is_elsewhere(prior)
            or (self.reason is not None and prior.study.site_id in self.agreed)
            or self.emergency is not None
        )


def priors_of(session: Session, scope: Scope, workitem_id: UUID) -> PriorsOfReading:
    """Return the other studies of a reading's patient and what lets the asker see them.

    Raises:
        Problem: 403 for who does not read, 404 for an unseen workitem.
    """
    reading = reading_of(session, scope, workitem_id)
    found = _studies(session, scope, reading)
    sites = {one.study.site_id for one in found} - {reading.item.site_id}
    return PriorsOfReading(
        reading,
        found,
        providers(session, Service.PRIORS, reading.item.site_id, sites),
        _reason(session, scope, reading, in_emergency=False),
        _reason(session, scope, reading, in_emergency=True),
    )


def reading_of(session: Session, scope: Scope, workitem_id: UUID) -> Reading:
    """Return a reading and who its patient is.

    Raises:
        Problem: 403 for who does not read, 404 for an unseen workitem.
    """
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
    return Reading(item, study, patients, frozenset(part for part in parts if part))


def view(reading: Reading, prior: Prior) -> PriorStudy:
    """Return a study as the page shows it."""
    study, item = prior.study, prior.item
    return PriorStudy(
        study_id=study.id,
        study_instance_uid=study.study_instance_uid,
        site=site_view(prior.site),
        basis=reading.patients[study.patient_id],
        patient_name=display_name(prior.patient.name),
        patient_id=prior.patient.local_id,
        study_date=study.study_date,
        study_time=study.study_time,
        description=study.study_description,
        accession_number=study.accession_number,
        modalities=examined(study.modalities),
        body_parts=sorted(prior.body_parts),
        series_count=study.series_count,
        instance_count=study.sent_count,
        same_modality=not set(examined(study.modalities)).isdisjoint(
            examined(reading.study.modalities)
        ),
        same_body_part=not reading.body_parts.isdisjoint(prior.body_parts),
        lane=item.lane if item else None,
        workitem_id=item.id if item else None,
        state=item.state if item else None,
        reported=item is not None and item.report_stands,
    )


def _studies(session: Session, scope: Scope, reading: Reading) -> list[Prior]:
    parts = (
        select(func.array_agg(Series.body_part_examined.distinct()))
        .where(Series.study_id == Study.id, Series.body_part_examined.is_not(None))
        .correlate(Study)
        .scalar_subquery()
    )
    # A reader of one district also finds what the rest of his consortium has of a patient whom a
    # person has linked. A document that happens to agree is not enough outside his own sites, and
    # nothing leads out of the consortium.
    consortium = select(Organisation.id).where(
        Organisation.id == consortium_of(session, reading.item.site_id).id
    )
    decided = [one for one, basis in reading.patients.items() if basis is not Basis.DOCUMENT]
    beyond = and_(
        Study.patient_id.in_(decided),
        Study.site_id.in_(visible_site_ids(consortium.scalar_subquery())),
    )
    rows = session.execute(
        select(Study, Patient, Organisation, Workitem, parts)
        .join(Patient, Patient.id == Study.patient_id)
        .join(Organisation, Organisation.id == Study.site_id)
        .join(Workitem, Workitem.study_id == Study.id, isouter=True)
        .where(
            Study.patient_id.in_(reading.patients),
            Study.id != reading.study.id,
            Study.purged_at.is_(None),
            or_(scope.sees(Study.site_id), beyond),
        )
        .order_by(Study.study_date.desc().nulls_last(), Study.study_time.desc(), Study.id.desc())
        .limit(_SHOWN_MAX)
    ).all()
    return [
        Prior(study, patient, site, item, frozenset(found or ()))
        for study, patient, site, item, found in rows
    ]


def _reason(
    session: Session, scope: Scope, reading: Reading, *, in_emergency: bool
) -> PriorAccess | None:
    """Return what the asker said for this patient, whichever reading he said it at."""
    own = [one for one, basis in reading.patients.items() if basis is not Basis.DOCUMENT]
    return session.scalar(
        select(PriorAccess)
        .where(
            PriorAccess.patient_id.in_(own),
            PriorAccess.person_id == scope.person_id,
            PriorAccess.organisation_id == scope.organisation_id,
            PriorAccess.in_emergency.is_(in_emergency),
            PriorAccess.until > func.now(),
        )
        .order_by(PriorAccess.until.desc())
        .limit(1)
    )
