"""What site and centre write to each other about an exam, and who sees it."""

from collections.abc import Callable
from uuid import UUID

import pytest
from pydantic import ValidationError
from sqlalchemy import func, select
from sqlalchemy.exc import DBAPIError

from reading_worklist.exam_notes import service
from reading_worklist.exam_notes.schemas import NoteBody, Thread
from reading_worklist.exam_notes.tables import ExamNote, ExamNoteSight, Side
from reading_worklist.problems import Problem
from storage.audit import AuditRecord
from storage.database import Database
from storage.orders.tables import StudyOrder
from storage.orders.words import MatchedBy
from tests.support.orders import order_request, placed
from tests.support.scopes import scope_of
from tests.support.seed import Consortium


@pytest.fixture
def write(database: Database) -> Callable[[str, UUID, str], Thread]:
    def written(login: str, exam_id: UUID, text: str) -> Thread:
        with database.transaction() as session:
            return service.write(session, scope_of(database, login), exam_id, text)

    return written


@pytest.fixture
def read(database: Database) -> Callable[[str, UUID], Thread]:
    def thread(login: str, exam_id: UUID) -> Thread:
        with database.transaction() as session:
            return service.thread(session, scope_of(database, login), exam_id)

    return thread


Write = Callable[[str, UUID, str], Thread]
Read = Callable[[str, UUID], Thread]


def test_a_note_goes_to_the_other_side_and_is_unread_until_somebody_there_saw_it(
    database: Database, consortium: Consortium, write: Write, read: Read
) -> None:
    item = consortium.queued_study()
    own = write("doctor-east", item.workitem_id, "患者不能屏气，图像有运动伪影")
    assert (own.side, own.unread, own.notes[0].seen_at) == (Side.SITE, 0, None)
    theirs = read("writer", item.workitem_id)
    assert (theirs.side, theirs.unread) == (Side.CENTRE, 1)
    assert theirs.notes[0].author == "孙医师"
    with database.transaction() as session:
        (waiting,) = service.unread(session, scope_of(database, "reviewer"))
        assert service.unread(session, scope_of(database, "doctor-east")) == []
    assert (waiting.workitem_id, waiting.unread, waiting.site.code) == (item.workitem_id, 1, "EAST")
    assert waiting.patient_name == "张伟"
    with database.transaction() as session:
        seen = service.see(session, scope_of(database, "writer"), item.workitem_id)
    assert (seen.unread, seen.notes[0].seen_by) == (0, "李书写")
    # Seen once: a second look changes nothing, and a colleague finds nothing unread.
    with database.transaction() as session:
        again = service.see(session, scope_of(database, "reviewer"), item.workitem_id)
        assert service.unread(session, scope_of(database, "reviewer")) == []
        assert session.scalar(select(func.count()).select_from(ExamNoteSight)) == 1
    assert again.notes == seen.notes
    answered = write("writer", item.workitem_id, "已知悉，请尽量重复一次")
    assert [one.side for one in answered.notes] == [Side.SITE, Side.CENTRE]
    assert read("doctor-east", item.workitem_id).unread == 1
    with database.transaction() as session:
        actions = session.scalars(
            select(AuditRecord.action)
            .where(AuditRecord.action.startswith("exam_note"))
            .order_by(AuditRecord.id)
        ).all()
        assert actions == ["exam_note:write", "exam_note:see", "exam_note:write"]


def test_what_was_written_before_the_images_came_is_with_them(
    database: Database, consortium: Consortium, write: Write, read: Read
) -> None:
    order_id = placed(database, order_request(consortium.east)).id
    write("doctor-east", order_id, "孕 12 周，已告知风险")
    item = consortium.queued_study()
    with database.transaction() as session:
        session.add(
            StudyOrder(
                study_id=item.study.id, order_id=order_id, matched_by=MatchedBy.ACCESSION_NUMBER
            )
        )
    assert read("writer", item.workitem_id).unread == 1
    write("writer", item.workitem_id, "收到")
    assert [one.text for one in read("doctor-east", order_id).notes] == [
        "孕 12 周，已告知风险",
        "收到",
    ]
    with database.transaction() as session:
        (waiting,) = service.unread(session, scope_of(database, "doctor-east"))
    assert (waiting.exam_id, waiting.order_id) == (item.workitem_id, order_id)


def test_a_stranger_learns_nothing(
    database: Database, consortium: Consortium, write: Write, read: Read
) -> None:
    item = consortium.queued_study()
    write("doctor-east", item.workitem_id, "x")
    for call in (
        lambda: read("doctor-west", item.workitem_id),
        lambda: write("doctor-west", item.workitem_id, "y"),
    ):
        with pytest.raises(Problem) as problem:
            call()
        assert problem.value.code == "not-found"
    with pytest.raises(Problem) as problem:
        read("head", item.workitem_id)
    assert problem.value.code == "forbidden"
    with database.transaction() as session:
        assert service.unread(session, scope_of(database, "doctor-west")) == []
        assert session.scalar(select(func.count()).select_from(ExamNote)) == 1


def test_a_note_is_text_and_stays_as_it_was_written(
    database: Database, consortium: Consortium, write: Write
) -> None:
    for text in ("", "  \n ", "x" * 2001, "a\x00b"):
        with pytest.raises(ValidationError):
            NoteBody(text=text)
    assert NoteBody(text=" <script>alert(1)</script> ").text == "<script>alert(1)</script>"
    write("doctor-east", consortium.queued_study().workitem_id, "x")
    with pytest.raises(DBAPIError), database.transaction() as session:
        session.scalars(select(ExamNote)).one().text = "y"
