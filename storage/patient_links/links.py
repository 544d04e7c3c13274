"""Linking patients, and finding those who are, or may be, the same person.

Nothing is merged: a link says that two patients are one person, and is taken back without a trace
in their studies. Look-alikes are never linked by themselves: twins share birthday and parents.
"""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, and_, case, or_, select
from sqlalchemy.orm import Session

from storage import audit
from storage.audit import Actor
from storage.clock import utc_now
from storage.errors import RdcError
from storage.identity.names import names_agree
from storage.index.tables import Patient
from storage.orders.tables import Order
from storage.orders.words import DocumentKind
from storage.patient_links.tables import PatientLink

_PATIENTS_MAX: Final = 50
_PERSONAL: Final = (
    DocumentKind.RESIDENT_ID,
    DocumentKind.PASSPORT,
    DocumentKind.MILITARY,
    DocumentKind.HK_MACAO,
    DocumentKind.TAIWAN,
)


class LinkRefused(RdcError):
    """Two patients cannot be linked, or are not."""


def link(
    session: Session, actor: Actor, person_id: UUID, pair: tuple[UUID, UUID], reason: str
) -> PatientLink:
    """Decide that two patients are one person.

    Raises:
        LinkRefused: it is one patient, they are linked, or their identity documents differ.
    """
    one, other = sorted(pair)
    if one == other or _linked_pair(session, one, other) is not None:
        raise LinkRefused(
            "the two patients are linked, or one patient",
            expected="two patients who are not linked",
            remedy="Choose another patient.",
        )
    mine, theirs = (_documents(session, patient_id) for patient_id in (one, other))
    shared_kinds = {kind for kind, _ in mine} & {kind for kind, _ in theirs}
    if shared_kinds and not mine & theirs:
        raise LinkRefused(
            "the two patients have different identity documents",
            expected="one number of each kind of document",
            found=", ".join(sorted(shared_kinds)),
            remedy="Correct the wrong document in its order first; twins are two patients.",
        )
    made = PatientLink(one_id=one, other_id=other, reason=reason, linked_by=person_id)
    session.add(made)
    session.flush()
    _record(session, actor, "patient:link", made)
    return made


def unlink(
    session: Session, actor: Actor, person_id: UUID, pair: tuple[UUID, UUID], reason: str
) -> None:
    """Take the decision that two patients are one person back.

    Raises:
        LinkRefused: they are not linked.
    """
    one, other = sorted(pair)
    found = _linked_pair(session, one, other)
    if found is None:
        raise LinkRefused("the two patients are not linked", remedy="Reload the page.")
    found.undone_at = utc_now()
    found.undone_by = person_id
    found.undone_because = reason
    _record(session, actor, "patient:unlink", found)


def linked(session: Session, patient_id: UUID) -> frozenset[UUID]:
    """Return the other patients who by decisions are the same person, over any number of links."""
    start = select(Patient.id).where(Patient.id == patient_id).cte("same", recursive=True)
    neighbour = select(_other_end(start.c.id)).where(
        PatientLink.undone_at.is_(None),
        or_(PatientLink.one_id == start.c.id, PatientLink.other_id == start.c.id),
    )
    same = start.union(neighbour)
    found = session.scalars(select(same.c.id).limit(_PATIENTS_MAX)).all()
    return frozenset(found) - {patient_id}


def same_document(session: Session, patient_id: UUID) -> Sequence[Patient]:
    """Return the other patients with the same identity document and a name that may be the same.

    They are probably the same person, and nobody has decided it.
    """
    patient = session.get_one(Patient, patient_id)
    documents = _documents(session, patient_id)
    if not documents:
        return ()
    rows = session.scalars(
        select(Patient)
        .join(
            Order,
            and_(Order.site_id == Patient.site_id, Order.patient_local_id == Patient.local_id),
        )
        .where(
            Patient.id != patient_id,
            Order.document_flaw.is_(None),
            or_(
                *(
                    and_(Order.document_number == number, Order.document_kind == kind)
                    for kind, number in documents
                )
            ),
        )
        .distinct()
        .limit(_PATIENTS_MAX)
    ).all()
    return [one for one in rows if _may_be(patient, one)]


def _may_be(patient: Patient, other: Patient) -> bool:
    birth_dates = {patient.birth_date, other.birth_date} - {None}
    return names_agree(patient.name, other.name) is not False and len(birth_dates) < 2  # noqa: PLR2004


def _documents(session: Session, patient_id: UUID) -> set[tuple[DocumentKind, str]]:
    """Return the personal documents that orders for a patient name, without contradictory ones."""
    rows = session.execute(
        select(Order.document_kind, Order.document_number)
        .join(
            Patient,
            and_(Order.site_id == Patient.site_id, Order.patient_local_id == Patient.local_id),
        )
        .where(
            Patient.id == patient_id,
            Order.document_kind.in_(_PERSONAL),
            Order.document_number.is_not(None),
            Order.document_flaw.is_(None),
        )
        .distinct()
    )
    return {(kind, number) for kind, number in rows if kind is not None and number is not None}


def _linked_pair(session: Session, one: UUID, other: UUID) -> PatientLink | None:
    return session.scalar(
        select(PatientLink)
        .where(
            PatientLink.one_id == one,
            PatientLink.other_id == other,
            PatientLink.undone_at.is_(None),
        )
        .with_for_update()
    )


def _other_end(patient_id: ColumnElement[UUID]) -> ColumnElement[UUID]:
    return case((PatientLink.one_id == patient_id, PatientLink.other_id), else_=PatientLink.one_id)


def _record(session: Session, actor: Actor, action: str, made: PatientLink) -> None:
    audit.record(
        session,
        actor,
        action,
        subject_kind="patient",
        subject_id=made.one_id,
        detail={"other": str(made.other_id), "link": str(made.id)},
    )
