"""Writing and reading notes about an exam; each function works in its caller's transaction."""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session, aliased

from reading_worklist import events
from reading_worklist.access.scope import Scope
from reading_worklist.exam_notes.schemas import NoteView, Thread, UnreadThread
from reading_worklist.exam_notes.tables import ExamNote, ExamNoteSight, Side
from reading_worklist.problems import not_found
from reading_worklist.workitems.queries import site_view
from reading_worklist.workitems.tables import Workitem
from storage import audit
from storage.index.tables import Patient, Study
from storage.orders.tables import Order, StudyOrder
from storage.person_name import display_name
from storage.registry import Organisation, OrganisationKind, Person, Role

WRITERS: Final = (
    Role.SITE_TECHNICIAN,
    Role.SITE_DOCTOR,
    Role.WRITER,
    Role.REVIEWER,
    Role.DISPATCHER,
    Role.QUALITY_CONTROLLER,
)
_UNREAD_MAX: Final = 200


@dataclass(frozen=True, slots=True)
class _Exam:
    """An exam by all that is known of it."""

    site_id: UUID
    order_id: UUID | None
    study_id: UUID | None
    workitem_id: UUID | None

    def has(self) -> ColumnElement[bool]:
        return or_(
            *([ExamNote.order_id == self.order_id] if self.order_id else []),
            *([ExamNote.study_id == self.study_id] if self.study_id else []),
        )


def thread(session: Session, scope: Scope, exam_id: UUID) -> Thread:
    """Return the notes about an exam, found by the id of its reading, order or study.

    Raises:
        Problem: 403 for who takes no part in exams, 404 for an unseen exam.
    """
    return _thread(session, _side(scope), _exam(session, scope, exam_id))


def write(session: Session, scope: Scope, exam_id: UUID, text: str) -> Thread:
    """Write a note about an exam, and return the thread. What the other side wrote counts as seen.

    Raises:
        Problem: 403 for who takes no part in exams, 404 for an unseen exam.
    """
    side, exam = _side(scope), _exam(session, scope, exam_id)
    _see(session, scope, side, exam)
    note = ExamNote(
        site_id=exam.site_id,
        order_id=exam.order_id,
        study_id=exam.study_id,
        side=side,
        person_id=scope.person_id,
        organisation_id=scope.organisation_id,
        text=text,
    )
    session.add(note)
    session.flush()
    _told(session, scope, "exam_note:write", exam, {"note": str(note.id), "side": side.value})
    return _thread(session, side, exam)


def see(session: Session, scope: Scope, exam_id: UUID) -> Thread:
    """Note that the asker has read what the other side wrote, and return the thread.

    Raises:
        Problem: 403 for who takes no part in exams, 404 for an unseen exam.
    """
    side, exam = _side(scope), _exam(session, scope, exam_id)
    seen = _see(session, scope, side, exam)
    if seen:
        _told(session, scope, "exam_note:see", exam, {"notes": seen, "side": side.value})
    return _thread(session, side, exam)


def unread(session: Session, scope: Scope) -> list[UnreadThread]:
    """Return the visible exams with notes that nobody of the asker's side has seen, latest first.

    Raises:
        Problem: 403 for who takes no part in exams.
    """
    side = _side(scope)
    rows = session.execute(
        select(ExamNote, Organisation, Order.patient_name, Patient.name, Workitem.id)
        .join(Organisation, Organisation.id == ExamNote.site_id)
        .join(Order, Order.id == ExamNote.order_id, isouter=True)
        .join(StudyOrder, StudyOrder.order_id == ExamNote.order_id, isouter=True)
        .join(
            Study,
            Study.id == func.coalesce(ExamNote.study_id, StudyOrder.study_id),
            isouter=True,
        )
        .join(Patient, Patient.id == Study.patient_id, isouter=True)
        .join(Workitem, Workitem.study_id == Study.id, isouter=True)
        .where(scope.sees(ExamNote.site_id), *_unseen_by(side))
        .order_by(ExamNote.at.desc(), ExamNote.id)
        .limit(_UNREAD_MAX)
    ).all()
    found: dict[UUID, UnreadThread] = {}
    counted: set[UUID] = set()
    for note, site, ordered_name, name, workitem_id in rows:
        # An order of several studies brings a note once for each of them.
        if note.id in counted:
            continue
        counted.add(note.id)
        exam_id = note.exam_id
        if exam_id in found:
            found[exam_id].unread += 1
            continue
        found[exam_id] = UnreadThread(
            exam_id=workitem_id or exam_id,
            workitem_id=workitem_id,
            order_id=note.order_id,
            site=site_view(site),
            patient_name=display_name(name or ordered_name or ""),
            unread=1,
            last_text=note.text,
            last_at=note.at,
        )
    return list(found.values())


def _side(scope: Scope) -> Side:
    scope.require(*WRITERS)
    return Side.SITE if scope.organisation_kind is OrganisationKind.SITE else Side.CENTRE


def _exam(session: Session, scope: Scope, exam_id: UUID) -> _Exam:
    row = session.execute(
        select(Study.site_id, StudyOrder.order_id, Study.id, Workitem.id)
        .join(StudyOrder, StudyOrder.study_id == Study.id, isouter=True)
        .join(Workitem, Workitem.study_id == Study.id, isouter=True)
        .where(
            scope.sees(Study.site_id),
            or_(Workitem.id == exam_id, Study.id == exam_id, StudyOrder.order_id == exam_id),
        )
        .order_by(Study.first_received_at.desc())
        .limit(1)
    ).one_or_none()
    if row is not None:
        return _Exam(*row)
    site_id = session.scalar(
        select(Order.site_id).where(Order.id == exam_id, scope.sees(Order.site_id))
    )
    if site_id is None:
        raise not_found("The exam")
    return _Exam(site_id, exam_id, None, None)


def _thread(session: Session, side: Side, exam: _Exam) -> Thread:
    seer = aliased(Person)
    rows = session.execute(
        select(ExamNote, Person.display_name, Organisation, ExamNoteSight.at, seer.display_name)
        .join(Person, Person.id == ExamNote.person_id)
        .join(Organisation, Organisation.id == ExamNote.organisation_id)
        .join(ExamNoteSight, ExamNoteSight.note_id == ExamNote.id, isouter=True)
        .join(seer, seer.id == ExamNoteSight.person_id, isouter=True)
        .where(exam.has())
        .order_by(ExamNote.at, ExamNote.id)
    ).all()
    notes = [
        NoteView(
            id=note.id,
            side=note.side,
            author=author,
            organisation=organisation.name,
            organisation_en=organisation.name_en,
            text=note.text,
            at=note.at,
            seen_at=seen_at,
            seen_by=seen_by,
        )
        for note, author, organisation, seen_at, seen_by in rows
    ]
    waiting = sum(one.side is not side and one.seen_at is None for one in notes)
    return Thread(side=side, notes=notes, unread=waiting)


def _unseen_by(side: Side) -> tuple[ColumnElement[bool], ...]:
    seen = select(ExamNoteSight.note_id).where(ExamNoteSight.note_id == ExamNote.id).exists()
    return ExamNote.side != side, ~seen


def _see(session: Session, scope: Scope, side: Side, exam: _Exam) -> int:
    """Mark what the other side wrote as seen; returns how much of it was not before."""
    waiting = session.scalars(select(ExamNote.id).where(exam.has(), *_unseen_by(side))).all()
    if not waiting:
        return 0
    # Two people of one side may look at the same moment: the first of them counts.
    session.execute(
        insert(ExamNoteSight)
        .values([{"note_id": one, "person_id": scope.person_id} for one in waiting])
        .on_conflict_do_nothing(index_elements=["note_id"])
    )
    return len(waiting)


def _told(
    session: Session, scope: Scope, action: str, exam: _Exam, detail: dict[str, object]
) -> None:
    """Record a change, and tell the open pages of both sides."""
    kind, subject = ("workitem", exam.workitem_id) if exam.workitem_id else ("order", exam.order_id)
    audit.record(
        session,
        scope.actor,
        action,
        subject_kind=kind if subject else "study",
        subject_id=subject or exam.study_id,
        detail=detail,
    )
    ids = {
        name: str(one)
        for name, one in (
            ("workitem", exam.workitem_id),
            ("order", exam.order_id),
            ("study", exam.study_id),
        )
        if one
    }
    events.publish(session, events.Event("exam_note", exam.site_id, ids))
