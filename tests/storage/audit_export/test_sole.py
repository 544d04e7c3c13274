"""Steps of an exam's walk as IHE SOLE events: which records, which code, about whose study."""

import ast
import re
from pathlib import Path
from uuid import uuid4

import pytest
from lxml import etree  # pyright: ignore[reportAttributeAccessIssue] -- without stubs

from storage import audit_trail
from storage.audit import AuditRecord, record, system_actor
from storage.audit_export import sole
from storage.audit_export.exporting import AuditExport, Exporter, about
from storage.audit_export.messages import About, Source
from storage.audit_export.sole import FEED, STEPS, Step, step_of
from storage.audit_seals import seal_due
from storage.audit_trail import Search
from storage.database import Database
from storage.orders.states import ExamAction
from tests.storage.audit_export.test_syslog import receiving
from tests.storage.audit_export.test_vocabulary import SCHEMA, entry, syntax_trees
from tests.support.orders import order_request, placed
from tests.support.seed import Consortium

SOURCE = Source("centre-1", "host-1")


def test_each_step_is_an_act_of_ours_and_each_code_one_step() -> None:
    verbs = {
        node.value
        for tree in syntax_trees()
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    for act in STEPS:
        subject, _, verb = act.partition(":")
        assert {act, verb} & verbs or {f"{subject}:", verb} <= verbs, f"nobody records {act}"
    # An exam's own acts are all decided, sent or not.
    told = {f"order:{one.value}" for one in ExamAction} - STEPS.keys()
    assert told == {"order:change", "order:queue", "order:release", "order:unlink"}
    codes = [one.value.value for one in Step]
    assert len(set(codes)) == len(codes)
    assert all(re.fullmatch(r"RID\d+", one) for one in codes)


@pytest.mark.parametrize(
    ("action", "detail", "step"),
    [
        ("order:check_in", {"from": "REQUESTED", "to": "CHECKED_IN"}, Step.ARRIVED),
        ("performed_step:end", {"state": "COMPLETED"}, Step.IMAGED),
        ("performed_step:end", {"state": "DISCONTINUED"}, Step.ENDED_EARLY),
        ("workitem:claim", {"from": "QUEUED", "to": "CLAIMED"}, Step.READING),
        # The lease of who has it already.
        ("workitem:claim", {"from": "CLAIMED", "to": "CLAIMED"}, None),
        ("workitem:submit", {}, None),
        ("session:sign_in", {}, None),
    ],
)
def test_a_record_tells_of_one_step_or_none(
    action: str, detail: dict[str, object], step: Step | None
) -> None:
    made = AuditRecord(action=action, detail=detail)
    assert step_of(made) is step


def test_an_event_is_an_audit_message_under_the_profiles_name_and_the_steps_code() -> None:
    told = entry("workitem:finalise", person_id=uuid4())
    told.record.detail = {"reason": "free text of a person"}
    made = FEED.frame(told, SOURCE, About("1.2.3", "P-1^^^EAST"))
    assert made is not None
    header, _, xml = made.partition(b"\xef\xbb\xbf")
    assert header.split(b" ", 1)[1].split(b" ")[3:] == [b"IHE+SOLE", b"-", b"RID45924", b"-", b""]
    root = etree.fromstring(xml)
    assert SCHEMA.validate(root), SCHEMA.error_log
    types = [one.get("csd-code") for one in root.iter("EventTypeCode")]
    assert types == ["RID45924", "workitem:finalise"]
    assert not list(root.iter("ParticipantObjectDetail"))
    assert {
        one.get("ParticipantObjectID") for one in root.iter("ParticipantObjectIdentification")
    } > {
        "1.2.3",
        "P-1^^^EAST",
    }
    assert FEED.frame(entry("session:sign_in"), SOURCE, None) is None


def test_the_events_go_from_a_place_of_their_own_in_the_trail(
    database: Database, tmp_path: Path
) -> None:
    study = Consortium(database).complete_study()
    with database.transaction() as session:
        for action in ("study:see", "workitem:queue", "site:test"):
            record(session, system_actor("test"), action, subject_kind="study", subject_id=study.id)
    with receiving(tmp_path) as receiver:
        events = Exporter(database, receiver.to, source="centre-1", feed=FEED)
        assert events.run() == 0
        seal_due(database)
        assert events.run() == 1
        assert events.run() == 0
        [message] = receiver.messages
        assert b" IHE+SOLE - RID45871 - " in message
        assert study.study_instance_uid.encode() in message
        whole = Exporter(database, receiver.to, source="centre-1")
        assert whole.run() >= 3
    with database.transaction() as session:
        places = {one: session.get_one(AuditExport, one).record_id for one in (sole.NAME, "syslog")}
    assert len(set(places.values())) == 1


def test_an_order_says_whose_study_it_will_be(database: Database) -> None:
    consortium = Consortium(database)
    order = placed(database, order_request(consortium.east))
    with database.transaction() as session:
        record(
            session,
            system_actor("test"),
            "order:check_in",
            subject_kind="order",
            subject_id=order.id,
        )
        session.flush()
        entries = audit_trail.following(session, Search(action="order:check_in"), after=0, limit=9)
        [found] = about(session, entries).values()
    assert found.study_instance_uid == order.study_instance_uid
