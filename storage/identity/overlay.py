"""What people decided about a study's patient, laid over its unchanged objects.

The objects keep what the device wrote. The index says what holds: `Study.patient_id` points to the
patient that was decided, and every query, list and report reads him there. Whoever hands out
headers (metadata, instances) lays the overlay over what the object says
(`storage.identity.correction`); it is small, and there is none for nearly every study.
"""

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, exists, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from storage.identity.tables import DecisionKind, IdentityDecision
from storage.index.tables import Patient, Study

_OF_PATIENT: Final = (DecisionKind.LINK, DecisionKind.CORRECT, DecisionKind.KEEP)
_MARK_LENGTH: Final = 16


@dataclass(frozen=True, slots=True)
class Overlay:
    """Who a study's patient is by decision.

    attributes: by keyword, as in DICOM: PatientID, PatientName (VR PN), PatientSex,
        PatientBirthDate (VR DA), and AccessionNumber when a decision gave the study another one;
        "" where the decided patient has none. All of them, whether or not the header says the same.
    decided_at: UTC.
    """

    attributes: Mapping[str, str]
    decided_at: datetime

    @property
    def mark(self) -> str:
        """What tells this overlay from every other, for entity tags and keys: 16 hex digits."""
        content = json.dumps([sorted(self.attributes.items()), self.decided_at.isoformat()])
        return hashlib.sha256(content.encode()).hexdigest()[:_MARK_LENGTH]


def was_decided(study_id: InstrumentedAttribute[UUID]) -> ColumnElement[bool]:
    """Return the SQL condition that the desk ever decided about a study: it may have an overlay."""
    return exists().where(IdentityDecision.study_id == study_id)


def overlay_of(session: Session, study_id: UUID) -> Overlay | None:
    """Return the overlay of a study; None when what its header says holds."""
    return overlays_of(session, (study_id,)).get(study_id)


def overlays_of(session: Session, study_ids: Collection[UUID]) -> dict[UUID, Overlay]:
    """Return the overlays of those among the studies that have one.

    It is the last decision about the patient that was not taken back which counts: where the
    header was kept there is none.
    """
    decisions: dict[UUID, list[IdentityDecision]] = {}
    for decision in session.scalars(
        select(IdentityDecision)
        .where(IdentityDecision.study_id.in_(study_ids))
        .order_by(IdentityDecision.id)
    ):
        decisions.setdefault(decision.study_id, []).append(decision)
    standing = {study_id: _standing(of_study) for study_id, of_study in decisions.items()}
    changed = {key: one for key, one in standing.items() if one and one.kind != DecisionKind.KEEP}
    if not changed:
        return {}
    rows = session.execute(
        select(Study.id, Study.accession_number, Patient)
        .join(Patient, Patient.id == Study.patient_id)
        .where(Study.id.in_(changed))
    )
    return {
        study_id: Overlay(
            _attributes(patient, decisions[study_id][0], accession_number), changed[study_id].at
        )
        for study_id, accession_number, patient in rows
    }


def _standing(decisions: Sequence[IdentityDecision]) -> IdentityDecision | None:
    undone = {one.undoes for one in decisions}
    of_patient = (one for one in reversed(decisions) if one.kind in _OF_PATIENT)
    return next((one for one in of_patient if one.id not in undone), None)


def _attributes(
    patient: Patient, first: IdentityDecision, accession_number: str | None
) -> dict[str, str]:
    attributes = {
        "PatientID": patient.local_id or "",
        "PatientName": patient.name,
        "PatientSex": patient.sex or "",
        "PatientBirthDate": _date(patient.birth_date),
    }
    # Before the first decision the study had the accession number of its header.
    if accession_number != first.before["accession_number"]:
        attributes["AccessionNumber"] = accession_number or ""
    return attributes


def _date(day: date | None) -> str:
    return day.strftime("%Y%m%d") if day is not None else ""
