"""Every kind of act has its code, and every message the form of the standard."""

import ast
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

from lxml import etree  # pyright: ignore[reportAttributeAccessIssue] -- without stubs

from storage.audit import AuditRecord
from storage.audit_export.messages import About, Source, xml_message
from storage.audit_export.vocabulary import ACTS, OBJECTS, SUBJECTS, meaning
from storage.audit_trail import Entry

ROOT = Path(__file__).parents[3]
SCHEMA = etree.RelaxNG(file=str(ROOT / "tests" / "support" / "audit_message.rng"))
SOURCE = Source("rdc", "host-1")
ACT = re.compile(r"([a-z_]{3,}):[a-z_]*")
# Words of the same form that are no acts: search parameters of FHIR, names of DICOM.
NO_ACTS = {"_include", "subject"}


def syntax_trees() -> Iterator[ast.AST]:
    for room in ("storage", "reading_worklist", "pacs_gateway", "deploy"):
        for file in (ROOT / room).rglob("*.py"):
            if "node_modules" not in file.parts and "audit_export" not in file.parts:
                yield ast.parse(file.read_text("utf-8"))


def test_each_act_and_each_kind_of_object_in_the_sources_has_its_row() -> None:
    acts, kinds = set[str](), set[str]()
    for tree in syntax_trees():
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                if found := ACT.fullmatch(node.value):
                    acts.add(found[1])
            elif (
                isinstance(node, ast.keyword)
                and node.arg == "subject_kind"
                and isinstance(node.value, ast.Constant)
            ):
                kinds.add(str(node.value.value))
    assert acts - NO_ACTS - SUBJECTS.keys() == set(), "say in vocabulary.py what these are"
    assert kinds - OBJECTS.keys() == set(), "say in vocabulary.py what these are"
    # What the search would find if it found nothing.
    assert {"workitem", "session", "report"} <= acts
    assert {"workitem", "person"} <= kinds
    assert {action.partition(":")[0] for action in ACTS} <= SUBJECTS.keys()


def test_each_act_makes_a_message_of_the_standards_schema() -> None:
    for action in [*ACTS, *(f"{subject}:change" for subject in SUBJECTS), "unheard:of"]:
        for person in (None, uuid4()):
            message = xml_message(entry(action, person_id=person), SOURCE, About("1.2.3", "7^^^E"))
            root = etree.fromstring(message)
            assert SCHEMA.validate(root), f"{action}: {SCHEMA.error_log}"


def test_a_message_says_who_did_what_to_what_from_where() -> None:
    person = uuid4()
    root = etree.fromstring(
        xml_message(entry("report:open", person_id=person), SOURCE, About("1.2.3", "P-1^^^EAST"))
    )
    event = root.find("EventIdentification")
    assert event is not None
    assert [code.get("csd-code") for code in event] == ["110111", "report:open"]
    assert event.get("EventActionCode") == "R"
    who, application = root.findall("ActiveParticipant")
    assert (who.get("UserID"), who.get("UserName")) == ("writer", "王医生")
    assert (who.get("NetworkAccessPointID"), who.get("NetworkAccessPointTypeCode")) == (
        "10.0.0.7",
        "2",
    )
    assert (who.get("UserIsRequestor"), application.get("UserIsRequestor")) == ("true", "false")
    objects = root.findall("ParticipantObjectIdentification")
    assert [one.get("ParticipantObjectID") for one in objects] == [
        "urn:rdc:workitem:17",
        "1.2.3",
        "P-1^^^EAST",
    ]


def test_a_refused_sign_in_failed_and_what_a_client_calls_itself_breaks_no_message() -> None:
    assert meaning("session:refused").outcome.value == "4"
    record = entry("session:refused", client="evil\x00\x1b<&\"'")
    assert SCHEMA.validate(etree.fromstring(xml_message(record, SOURCE)))


def entry(action: str, *, person_id: object = None, client: str = "10.0.0.7") -> Entry:
    record = AuditRecord(
        id=1,
        at=datetime(2026, 11, 22, 8, 0, tzinfo=UTC),
        action=action,
        person_id=person_id,
        organisation_id=None,
        client=client,
        subject_kind="workitem",
        subject_id="17",
        detail={"to": "CLAIMED", "n": 2, "text": "中文"},
    )
    named = person_id is not None
    return Entry(record, "writer" if named else None, "王医生" if named else None, "centre")
