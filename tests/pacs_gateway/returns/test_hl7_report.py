"""Reports as ORU^R01: whole messages held against files, and read by a second library."""

import base64
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hl7apy.consts import VALIDATION_LEVEL
from hl7apy.parser import parse_message

from pacs_gateway.hl7.message import Message
from pacs_gateway.returns.hl7_report import MessageSettings, control_id, write_messages
from storage.issued_reports import IssuedReport, IssuedSection, SectionLabel
from storage.report_status import STATUS, IssuedKind
from tests.support.issued import ISSUED_AT, amended, issued_ecg, issued_report, revoked

GOLDEN = Path(__file__).parent / "golden"
DESTINATION = UUID("5f0f6f58-6a0c-4c5e-8f4e-0000000000d1")
PLAIN = MessageSettings(application="RDC")
PDF = b"%PDF-1.7 signed"


def written(
    report: IssuedReport,
    *earlier: IssuedReport,
    settings: MessageSettings = PLAIN,
    pdf: bytes = PDF,
) -> list[str]:
    codec = "gb18030" if settings.character_set == "GB18030" else "utf-8"
    messages = write_messages(report, earlier, DESTINATION, settings, pdf=pdf)
    return [one.content.decode(codec) for one in messages]


def preliminary() -> IssuedReport:
    report = issued_report()
    return replace(report, kind=IssuedKind.PRELIMINARY, reviewer=None)


def addendum() -> IssuedReport:
    first = issued_report()
    more = IssuedSection(label=SectionLabel.ADDENDUM, text="补充：旧片已到。", at=ISSUED_AT)
    return amended(first, kind=IssuedKind.ADDENDUM, sections=(*first.sections, more))


EXAMPLES: dict[str, tuple[IssuedReport, Sequence[IssuedReport]]] = {
    "final": (issued_report(), ()),
    "preliminary": (preliminary(), ()),
    "amended": (amended(issued_report()), (issued_report(),)),
    "addendum": (addendum(), (issued_report(),)),
    "revoked": (revoked(issued_report()), (issued_report(),)),
    "ecg": (issued_ecg(), ()),
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_messages_are_as_they_were_agreed(name: str) -> None:
    report, earlier = EXAMPLES[name]
    (text,) = written(report, *earlier)
    assert text.replace("\r", "\n") == (GOLDEN / f"{name}.hl7").read_text("utf-8")


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_second_library_finds_nothing_wrong(name: str) -> None:
    report, earlier = EXAMPLES[name]
    (text,) = written(report, *earlier)
    message: Any = parse_message(
        text, validation_level=VALIDATION_LEVEL.STRICT, force_validation=True
    )
    assert message.validate()
    order = message.oru_r01_patient_result.oru_r01_order_observation
    words = STATUS[report.kind]
    assert order.obr.obr_25.to_er7() == words.order
    found = [one.obx.obx_11.to_er7() for one in order.oru_r01_observation]
    if report.kind is IssuedKind.NOTICE:
        assert set(found) == {"F", "C", "W"}
    else:
        assert set(found) <= {words.observation, "X", "D"}


def observations(text: str) -> dict[tuple[str, str], tuple[str, str]]:
    """Value and status by code and sub-id."""
    found: dict[tuple[str, str], tuple[str, str]] = {}
    for one in Message.parse(text.encode()).segments:
        if one.name == "OBX":
            key = (one.text(3) or "", one.text(4) or "")
            assert key not in found
            found[key] = (one.text(5) or "", one.text(11) or "")
    return found


def test_what_an_amendment_does_not_say_any_more_is_deleted() -> None:
    first, second = (
        observations(*written(issued_report())),
        observations(*written(amended(issued_report()), issued_report())),
    )
    assert set(first) <= set(second)
    assert second["18783-1", "1"] == ("", "D")
    assert second["59776-5", "1"] == ("左肺上叶见结节。", "C")


def test_a_notice_withdraws_all_that_was_told_and_repeats_none_of_it() -> None:
    void = issued_report()
    told, notice = observations(*written(void)), observations(*written(revoked(void), void))
    left = {key for key, (_, status) in notice.items() if status == "W"}
    # The study is the same, and the notice says so itself.
    assert left == set(told) - {("110180", "1")}
    assert all(notice[key][0] == "" for key in left)
    assert notice["NOTICE", "1"] == ("患者有误", "F")


@pytest.mark.parametrize("moved", ["patient", "order"])
def test_results_under_another_patient_or_order_are_withdrawn_there_first(moved: str) -> None:
    first = issued_report()
    second = amended(first)
    if moved == "patient":
        second = replace(second, patient=replace(first.patient, local_id="DH2", name_value="李^四"))
    else:
        second = replace(second, order=replace(first.order, filler_order_number="RDC-9"))
    withdrawal, result = written(second, first)
    assert {status for _, status in observations(withdrawal).values()} == {"W"}
    assert set(observations(withdrawal)) == set(observations(*written(first)))
    assert {status for _, status in observations(result).values()} == {"C"}
    old, new = Message.parse(withdrawal.encode()), Message.parse(result.encode())
    for segment, field in (("PID", 3), ("OBR", 3)):
        was, now = old.first(segment), new.first(segment)
        original = Message.parse(written(first)[0].encode()).first(segment)
        assert was is not None
        assert now is not None
        assert original is not None
        assert was.text(field) == original.text(field)
        assert (was.text(field) != now.text(field)) == ((segment == "PID") == (moved == "patient"))
    assert old.header.text(10) != new.header.text(10)
    # The result is recognised however often, and whatever went out before it.
    assert new.header.text(10) == control_id(second.report_version_id, DESTINATION)


def test_the_same_version_is_the_same_message_and_another_is_not() -> None:
    assert written(issued_report()) == written(issued_report())
    ids = {
        control_id(version, place, transmission=turn, part=part)
        for version in (UUID(int=1), UUID(int=2))
        for place in (UUID(int=3), UUID(int=4))
        for turn in (0, 1)
        for part in ("", "P1|")
    }
    assert len(ids) == 16
    assert all(len(one) == 20 and one.isascii() and one.isalnum() for one in ids)


@pytest.mark.parametrize(
    ("content", "data_types"),
    [("text", {"ST", "FT", "CE"}), ("pdf", {"ST", "CE", "ED"}), ("both", {"ST", "FT", "CE", "ED"})],
)
def test_text_or_document_or_both(content: str, data_types: set[str]) -> None:
    settings = replace(PLAIN, content=content)
    (text,) = written(issued_report(), settings=settings)
    lines = [line.split("|") for line in text.split("\r") if line.startswith("OBX")]
    assert {line[2] for line in lines} == data_types
    for line in lines:
        if line[2] == "ED":
            assert base64.b64decode(line[5].split("^")[4]) == PDF


def test_plain_text_repeats_its_lines() -> None:
    (text,) = written(issued_report(), settings=replace(PLAIN, text_type="TX"))
    assert "|1. 右肺上叶尖段磨玻璃结节。~2. 主动脉硬化。|" in text
    assert "\\.br\\" not in text


def test_chinese_in_the_other_character_set() -> None:
    settings = replace(PLAIN, character_set="GB18030")
    (message,) = write_messages(issued_report(), (), DESTINATION, settings, pdf=None)
    assert b"|GB 18030-2000\r" in message.content
    read = Message.parse(message.content)
    assert read.codec == "gb18030"
    patient = read.first("PID")
    assert patient is not None
    assert (patient.text(5, 1), patient.text(5, 2)) == ("𠮷", "㛃䶮")
    assert (patient.text(5, 1, repetition=2), patient.text(5, 8, repetition=2)) == ("Ji", "A")


def test_what_cannot_be_acknowledged_in_one_mode_is_asked_in_another() -> None:
    (text,) = written(issued_report(), settings=replace(PLAIN, acknowledgement="commit"))
    assert text.split("\r")[0].endswith("|P|2.5.1|||AL|NE|CHN|UNICODE UTF-8")


def test_a_critical_report_is_flagged_beyond_panic_limits() -> None:
    report = issued_report(critical=True, critical_notice="已于 10:20 通知 王医生")
    (text,) = written(report)
    flags = {
        line.split("|")[3].split("^")[0]: line.split("|")[8]
        for line in text.split("\r")
        if line.startswith("OBX")
    }
    assert flags["19005-8"] == flags["CRITICAL_NOTICE"] == "AA"
    assert flags["59776-5"] == ""
