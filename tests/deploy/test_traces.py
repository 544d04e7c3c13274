"""One study, one trace: what each part adds, and that a collector gets it as OTLP."""

import json
from collections.abc import Iterator
from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from deploy.otlp import OtlpSender, encode
from storage import outbox, tracing
from storage.clock import utc_now
from storage.database import Database
from storage.messages import READING_WORKLIST, Message, StudyReceived
from storage.outbox import Handler
from storage.tracing import Span, trace_of
from tests.support.collector import collector
from tests.support.seed import Consortium


def ignore(_session: Session, _message: Message) -> None:
    """Handle a message by doing nothing."""


@pytest.fixture
def spans() -> Iterator[list[Span]]:
    found: list[Span] = []
    tracing.enable(found.append)
    yield found
    tracing.enable(None)


def test_a_studys_trace_is_known_to_whoever_knows_the_study_and_does_not_tell_its_uid() -> None:
    site = uuid4()
    trace, root = trace_of(site, "1.2.3")
    assert trace_of(site, "1.2.3") == (trace, root)
    assert trace_of(uuid4(), "1.2.3")[0] != trace
    assert (len(trace), len(root)) == (32, 16)


def test_completion_and_the_handling_of_its_message_are_in_one_trace(
    database: Database, consortium: Consortium, spans: list[Span]
) -> None:
    study = consortium.complete_study(name="Zhang^San")
    with database.transaction() as session:
        leased = [one for one in outbox.lease_due(session) if one.consumer == READING_WORKLIST]
    for one in leased:
        handlers: dict[type[Message], Handler] = {StudyReceived: ignore}
        assert outbox.handle(database, one.id, one.lease_token, handlers)
    assert [one.name for one in spans] == ["complete", "handle study.received"]
    trace, root = trace_of(study.site_id, study.study_instance_uid)
    assert {(one.trace_id, one.parent_id) for one in spans} == {(trace, root)}
    assert len({one.span_id for one in spans}) == len(spans)
    sent = json.dumps(encode(spans, "worker"))
    assert "Zhang" not in sent
    assert study.study_instance_uid not in sent


def test_what_is_rolled_back_leaves_no_span(database: Database, spans: list[Span]) -> None:
    def noted() -> None:
        tracing.note(uuid4(), "1.2.3", "x", utc_now(), utc_now())

    with database.transaction() as session:
        tracing.after_commit(session, noted)
        with session.begin_nested():
            session.execute(text("SELECT 1"))
        # A savepoint has ended, and nothing is committed.
        session.rollback()
    assert spans == []
    with database.transaction() as session:
        tracing.after_commit(session, noted)
        with session.begin_nested():
            session.execute(text("SELECT 1"))
        assert spans == []
    assert len(spans) == 1


def test_a_collector_gets_the_spans_as_otlp() -> None:
    with collector() as collecting:
        sender = OtlpSender(f"{collecting.url}/", "gateway")
        tracing.enable(sender)
        began = utc_now()
        tracing.note(
            uuid4(), "1.2.3", "file", began, began + timedelta(seconds=2), instances=3, failed=True
        )
        tracing.enable(None)
        sender.close()
    [span] = collecting.spans
    assert (span["name"], span["process"]) == ("file", "gateway")
    assert int(span["endTimeUnixNano"]) - int(span["startTimeUnixNano"]) == 2_000_000_000
    assert span["attributes"] == [{"key": "instances", "value": {"intValue": "3"}}]
    assert span["status"] == {"code": 2}


def test_a_collector_that_is_away_holds_nobody_up() -> None:
    sender = OtlpSender("http://127.0.0.1:1", "gateway")
    tracing.enable(sender)
    tracing.note(uuid4(), "1.2.3", "file", utc_now(), utc_now())
    tracing.enable(None)
    sender.close()
