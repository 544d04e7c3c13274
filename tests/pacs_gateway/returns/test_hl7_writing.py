"""No text breaks a message: what is written is read back, by us and by two other libraries."""

import re
import unicodedata
from typing import Any

import hl7
from hl7apy.parser import parse_message
from hypothesis import given, settings
from hypothesis import strategies as st

from pacs_gateway.hl7 import writing
from pacs_gateway.hl7.framing import FrameReader, framed
from pacs_gateway.hl7.message import Message

NASTY = st.sampled_from(
    [*"|^~\\&\r\n\t\x0b\x1c\x00\x7f\x85\u2028\u3000", "\\F\\", "\\.br\\", "\\X0D\\", "MSH|", "\r\n"]
)
TEXT = st.lists(st.one_of(st.characters(), NASTY, st.text(max_size=6)), max_size=12).map("".join)
HEADER = "MSH|^~\\&|A|B|C|D|20260314||ORU^R01^ORU_R01|1|P|2.5.1||||||UNICODE UTF-8"


MEANINGS = {"F": "|", "S": "^", "R": "~", "E": "\\", "T": "&", ".br": "\n"}


def read_back(written: str) -> str:
    """The text that a reader of escape sequences finds."""
    return re.sub(r"\\([^\\]*)\\", lambda found: MEANINGS[found[1]], written)


def printed(line: str) -> str:
    """A line without what cannot stand in a message."""
    return "".join(c for c in line.replace("\t", " ") if unicodedata.category(c) not in "Cc Cs")


@settings(max_examples=60, deadline=None)
@given(st.lists(TEXT, min_size=1, max_size=4), st.sampled_from(["utf-8", "gb18030"]))
def test_a_message_has_the_segments_and_fields_it_was_given(texts: list[str], codec: str) -> None:
    segments = [HEADER] + [
        writing.segment("NTE", {1: str(n), 2: writing.escaped(text), 3: writing.formatted(text)})
        for n, text in enumerate(texts, 1)
    ]
    content = writing.message(segments).encode(codec)
    (frame,) = FrameReader(len(content) + 1).feed(framed(content))
    text = frame.content.decode(codec)
    cut = text.rstrip("\r").split("\r")
    assert len(cut) == len(texts) + 1
    assert all(line.startswith("NTE|") and line.count("|") <= 3 for line in cut[1:])
    assert all(not set("^~&") & set(line) for line in cut[1:])
    assert not any(c in text for c in "\x00\x0b\x1c\n\t\x85\u2028")


@given(TEXT)
def test_what_was_written_is_what_is_read(text: str) -> None:
    lines = [printed(line) for line in writing.lines_of(text)]
    assert read_back(writing.formatted(text)) == "\n".join(lines)
    assert read_back(writing.escaped(text)) == " ".join(lines)
    assert [read_back(one) for one in writing.repeated_lines(text).split("~")] == lines


@settings(max_examples=25, deadline=None)
@given(TEXT)
def test_other_libraries_find_the_same_fields(text: str) -> None:
    written = writing.components(text, "second")
    content = writing.message([HEADER, writing.segment("NTE", {1: "1", 4: written})])
    cut: Any = hl7.parse(content)
    assert str(cut.segment("NTE")[4]) == written
    parsed: Any = parse_message(content.replace("ORU^R01^ORU_R01", "ACK"), find_groups=False)
    assert parsed.nte.nte_4.to_er7().lstrip() == written.lstrip()
    ours = Message.parse(content.encode()).first("NTE")
    assert ours is not None
    assert ours.text(4, 2) == "second"


def test_lines_and_delimiters_by_the_book() -> None:
    text = "a|b^c~d\\e&f\r\n二行\t末"
    assert writing.escaped(text) == "a\\F\\b\\S\\c\\R\\d\\E\\e\\T\\f 二行 末"
    assert writing.formatted(text).endswith("\\T\\f\\.br\\二行 末")
    assert writing.repeated_lines(text).endswith("\\T\\f~二行 末")
    assert writing.components("a", "", None, "b^", "") == "a^^^b\\S\\"
    assert writing.segment("MSH", {3: "X", 5: ""}) == "MSH|^~\\&|X"
    assert writing.segment("OBX", {1: "1", 3: ""}) == "OBX|1"
