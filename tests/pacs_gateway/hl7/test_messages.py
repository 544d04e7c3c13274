"""Messages become orders; every refusal says what, where, expected and found."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from pacs_gateway.hl7.framing import Frame
from pacs_gateway.hl7.message import Message, MessageRefused
from pacs_gateway.hl7.service import Hl7Service, Peer
from storage.database import Database
from storage.hl7.tables import Hl7Message
from storage.orders.states import ExamState
from storage.orders.tables import Order
from storage.orders.words import DocumentKind, Laterality, Priority, VisitType
from tests.pacs_gateway.conftest import Site
from tests.pacs_gateway.hl7.conftest import Say
from tests.pacs_gateway.hl7.samples import omi, orm

GOLDEN = Path(__file__).parent / "golden"
Orders = Callable[[], list[Order]]


def golden(name: str, answer: str) -> None:
    """Hold an answer against its file, our own control id and time aside."""
    plain = re.sub(r"(\|\d{14}[+-]\d{4}\|)", "|TIME|", answer, count=1)
    plain = re.sub(r"\|[0-9a-f]{20}\|", "|ID|", plain, count=1).replace("\r", "\n")
    assert plain == (GOLDEN / f"{name}.hl7").read_text(encoding="utf-8")


def code_of(answer: str) -> str:
    return answer.split("\rMSA|")[1].split("|", maxsplit=1)[0]


def test_an_order_is_taken_with_all_it_says(say: Say, orders: Orders) -> None:
    golden("accepted_2_4", say(orm()))
    (order,) = orders()
    assert (order.patient_local_id, order.patient_id_issuer) == ("P1", "EASTHIS")
    assert order.patient_name == "Zhang^Wei=张^伟"
    assert (order.patient_sex, order.patient_birth_date) == ("F", date(1949, 12, 31))
    assert (order.document_kind, order.document_number) == (
        DocumentKind.RESIDENT_ID,
        "110105194912310021",
    )
    assert (order.visit_type, order.visit_number) == (VisitType.INPATIENT, "V77")
    assert (order.department, order.bed) == ("内科", "12床")
    assert (order.requester, order.clinical_diagnosis, order.reason) == (
        "李^医生",
        "咳嗽两周",
        "排除肺炎",
    )
    assert (order.priority, order.laterality) == (Priority.STAT, Laterality.LEFT)
    assert (order.procedure_code, order.procedure_description) == ("CT001", "胸部CT平扫")
    assert (order.accession_number, order.placer_order_number, order.filler_order_number) == (
        "A77",
        "P100",
        "F9",
    )
    assert order.study_instance_uid == "1.2.3.77"
    (step,) = order.steps
    assert step.modality == "CT"
    assert step.scheduled_at == datetime(2026, 3, 4, 2, 30, tzinfo=UTC)


def test_an_imaging_order_of_two_exams(say: Say, orders: Orders) -> None:
    golden("accepted_2_5_1", say(omi()))
    first, second = orders()
    assert (first.accession_number, first.study_instance_uid) == ("A200", "1.2.3.200")
    assert (first.priority, first.visit_type) == (Priority.STAT, VisitType.EMERGENCY)
    assert (first.steps[0].modality, first.steps[0].station_ae_title) == ("DX", "EASTDR")
    assert (second.priority, second.steps[0].modality) == (Priority.ROUTINE, "US")


@pytest.mark.parametrize(
    ("encoding", "declared"),
    [
        ("gb18030", "GB 18030-2000"),
        ("gb18030", "GBK"),
        ("gbk", ""),
        ("gbk", "8859/1"),
        ("utf-8", ""),
        ("utf-8", "UNICODE UTF-8"),
        ("gbk", "UNICODE UTF-8"),
    ],
)
def test_text_is_read_by_what_is_declared_and_by_evidence(
    say: Say, orders: Orders, database: Database, encoding: str, declared: str
) -> None:
    message = orm(character_set=declared)
    assert code_of(say(message, encoding=encoding)) == "AA"
    assert orders()[0].patient_name == "Zhang^Wei=张^伟"
    with database.transaction() as session:
        assert session.scalars(select(Hl7Message.content)).one() == message.encode(encoding)


def test_the_same_message_again_gets_the_same_answer(say: Say, orders: Orders) -> None:
    first = say(orm())
    assert say(orm()) == first
    # And under a new control id, as from an interface engine that was started anew.
    assert code_of(say(orm(control_id="MSG9"))) == "AA"
    assert len(orders()) == 1


def test_an_order_is_changed_and_cancelled(say: Say, orders: Orders) -> None:
    say(orm())
    changed = orm(control="XO", control_id="2").replace("胸部CT平扫", "腹部CT平扫")
    assert code_of(say(changed)) == "AA"
    assert orders()[0].procedure_description == "腹部CT平扫"
    cancelled = orm(control="CA", control_id="3", OBR="", ZDS="")
    assert code_of(say(cancelled)) == "AA"
    assert orders()[0].state is ExamState.CANCELLED
    assert code_of(say(orm(control="CA", control_id="4", OBR="", ZDS=""))) == "AA"


REFUSED = {
    "unknown_sender": orm(MSH="MSH|^~\\&|OTHER|EAST|||20260304||ORM^O01|M|P|2.4"),
    "unsupported_type": orm(MSH="MSH|^~\\&|HIS|EAST|||20260304||ADT^A01|M|P|2.5"),
    "unsupported_event": orm(MSH="MSH|^~\\&|HIS|EAST|||20260304||ORM^O02|M|P|2.3.1"),
    "unsupported_version": orm(MSH="MSH|^~\\&|HIS|EAST|||20260304||ORM^O01|M|P|2.1"),
    "unsupported_processing": orm(MSH="MSH|^~\\&|HIS|EAST|||20260304||ORM^O01|M|T|2.5"),
    "no_control_id": orm(MSH="MSH|^~\\&|HIS|EAST|||20260304||ORM^O01||P|2.5"),
    "no_patient": orm(PID="", version="2.5.1"),
    "no_patient_id": orm(PID="PID|1||||张^伟", version="2.5.1"),
    "no_patient_name": orm(PID="PID|1||P1", version="2.5.1"),
    "bad_birth_date": orm(PID="PID|1||P1||张^伟||1949-12-31", version="2.5.1"),
    "no_order": orm(ORC="", version="2.5.1"),
    "bad_control": orm(control="ZZ", version="2.5.1"),
    "no_placer": orm(placer="", version="2.5.1"),
    "no_modality": orm(OBR="OBR|1|P100||CT001^胸部CT", version="2.5.1"),
    "bad_study_uid": orm(ZDS="ZDS|1.2.x", version="2.3"),
    "unknown_order": orm(control="XO", version="2.5.1"),
    "unknown_cancelled": orm(control="CA", version="2.3"),
    "not_hl7": "GET / HTTP/1.1\r\n\r\n",
}


def test_refusals_say_what_where_expected_and_found(say: Say, orders: Orders) -> None:
    for name, message in REFUSED.items():
        golden(name, say(message))
    assert orders() == []


def test_a_number_of_another_order_is_refused(say: Say, orders: Orders) -> None:
    say(orm())
    other = orm(control_id="2", PID="PID|1||P2||李^娜", version="2.5.1")
    golden("duplicate_order", say(other))
    assert [one.patient_local_id for one in orders()] == ["P1"]


def test_one_refused_order_refuses_the_message(say: Say, orders: Orders) -> None:
    answer = say(omi().replace("IPC|A201", "IPC|A200"))
    assert code_of(answer) == "AE"
    assert "205^Duplicate key identifier" in answer
    assert orders() == []


def test_a_sender_is_known_by_its_address_too(say: Say, orders: Orders) -> None:
    assert code_of(say(orm(), address="10.0.0.1")) == "AR"
    assert orders() == []


def test_an_outage_asks_to_send_again(site: Site) -> None:
    service = Hl7Service(
        Database("postgresql://nobody@127.0.0.1:1/none"), application="RDC", time_zone="UTC"
    )
    content = orm(version="2.5.1").encode()
    golden("unavailable", service.handle(Frame(content, len(content)), Peer("127.0.0.1")).decode())


SEGMENTS = st.sampled_from([*orm().split("\r"), *omi().split("\r"), "\\X\\.in9999999\\|^~&"])


@given(st.lists(SEGMENTS, max_size=8), st.binary(max_size=30), st.integers(0, 400))
def test_no_message_is_more_than_refused(parts: list[str], noise: bytes, at: int) -> None:
    content = "\r".join(parts).encode()
    content = content[:at] + noise + content[at:]
    try:
        message = Message.parse(content)
    except MessageRefused:
        return
    for segment in message.segments:
        for field in range(1, 40):
            for component in (1, 2, 5):
                segment.text(field, component)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(cut=st.integers(0, 500), flip=st.integers(0, 500), bit=st.integers(0, 7))
def test_every_damaged_message_is_answered(say: Say, cut: int, flip: int, bit: int) -> None:
    content = bytearray(orm().encode())
    content[flip % len(content)] ^= 1 << bit
    answer = say(bytes(content[: len(content) - cut % len(content)]), encoding="latin-1")
    assert answer.startswith("MSH|^~\\&|RDC|")
    assert code_of(answer) in {"AA", "AE", "AR"}
