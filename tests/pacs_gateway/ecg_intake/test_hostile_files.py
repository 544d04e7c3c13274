"""Files that lie, end early or attack: a reason in words, in bounded time and memory."""

import struct
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pacs_gateway.ecg_intake import workshop_child
from pacs_gateway.ecg_intake.conversion import Conversion, Outcome, Request, convert
from pacs_gateway.ecg_intake.workshop import Workshop
from tests.support import ecg_files

REQUEST = Request("00000000-0000-4000-8000-000000000001", "ab" * 32, "2026-11-22T08:00:00+00:00")

BOMB = b"""<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY a "lol"><!ENTITY b "&a;&a;&a;&a;&a;&a;">
<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;">]><restingecgdata>&c;</restingecgdata>"""
EXTERNAL = b"""<?xml version="1.0"?><!DOCTYPE r [<!ENTITY a SYSTEM "file:///etc/passwd">]>
<RestingECG><PatientID>&a;</PatientID></RestingECG>"""
DEEP = b"<ECG ACQUISITION_TIME='1'>" + b"<a>" * 100_000
UNCLOSED = b"<!--" * 16_000 + b"<AnnotatedECG>"
RUN = b'<?xml version="1.0" encoding="GBK"?><RestingECG><a>' + b"A" * 2_000_000 + b"\xd5\xc5</a>"


def _scp_claiming(size: int) -> bytes:
    content = bytearray(ecg_files.scp())
    struct.pack_into("<I", content, 2, size)
    return bytes(content)


def _edf_claiming(records: int) -> bytes:
    content = bytearray(ecg_files.edf())
    content[236:244] = str(records).encode().ljust(8)
    return bytes(content)


def _scp_changed(at: int) -> bytes:
    content = bytearray(ecg_files.scp())
    content[at] ^= 0xFF
    return bytes(content)


UNREADABLE = {
    "xml bomb": BOMB,
    "external entity": EXTERNAL,
    "deep xml": DEEP,
    "unclosed xml": RUN,
    "truncated scp": ecg_files.scp()[:-1000],
    "crc of the samples": _scp_changed(-2000),
    "crc of the patient": _scp_changed(200),
    "scp of ten gigabytes": _scp_claiming(0xFFFFFFF0),
    "scp without a rate": ecg_files.scp(rate=0),
    "mfer of ten gigabytes": ecg_files.mfer(claimed=0xFFFFFFF0),
    "ishne without a rate": ecg_files.ishne(rate=0),
    "ishne with no leads": ecg_files.ishne(leads=0),
    "ishne with too many leads": ecg_files.ishne(leads=400),
    "edf of ten gigabytes": _edf_claiming(99_999_999),
    "edf without an ecg": ecg_files.edf(label="EEG "),
    "truncated edf": ecg_files.edf()[:5000],
    "aecg without digits": ecg_files.aecg().replace(b"digits", b"nothing"),
    "muse without a gain": ecg_files.muse().replace(b"UnitsPerBit>5.0<", b"UnitsPerBit>0<"),
}


@pytest.fixture(scope="module")
def workshop() -> Iterator[Workshop]:
    with Workshop() as shop:
        yield shop


def converted(workshop: Workshop, content: bytes, directory: Path) -> Conversion:
    source = directory / "file"
    source.write_bytes(content)
    return workshop.convert(source, directory / "target", REQUEST)


@pytest.mark.parametrize("name", UNREADABLE)
def test_what_cannot_be_read_says_why(name: str, workshop: Workshop, tmp_path: Path) -> None:
    done = converted(workshop, UNREADABLE[name], tmp_path)
    assert done.outcome is Outcome.UNREADABLE
    assert done.problem is not None
    assert done.problem["what"]
    assert done.problem["remedy"]
    assert "/" not in done.problem["found"]


@pytest.mark.parametrize("content", [b"", b"\0" * 5000, b"<html/>", b"<", UNCLOSED, b"PK\3\4" * 99])
def test_what_is_no_ecg_is_told_apart(content: bytes, workshop: Workshop, tmp_path: Path) -> None:
    assert converted(workshop, content, tmp_path).outcome is Outcome.UNKNOWN


@pytest.mark.parametrize(
    "program",
    [
        "print('ready', flush=True); import time; time.sleep(60)",
        "import sys; print('ready', flush=True); sys.stdin.readline()",
        "print('ready', flush=True); input(); print('no answer', flush=True); input()",
        "raise SystemExit(1)",
    ],
)
def test_a_process_that_hangs_or_dies_is_ended(program: str, tmp_path: Path) -> None:
    with Workshop(seconds=0.3, command=(sys.executable, "-S", "-c", program)) as ending:
        done = converted(ending, ecg_files.scp(), tmp_path)
    assert done.outcome is Outcome.UNREADABLE
    assert done.problem is not None
    assert done.problem["code"] == "OutOfBounds"


def test_what_is_asked_comes_through_as_it_was(tmp_path: Path) -> None:
    assert "\n" not in workshop_child.job(tmp_path, tmp_path, REQUEST)


@given(data=st.data())
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_changed_bytes_never_raise(data: st.DataObject, tmp_path: Path) -> None:
    maker = data.draw(
        st.sampled_from([ecg_files.scp, ecg_files.mfer, ecg_files.ishne, ecg_files.mortara])
    )
    content = bytearray(maker())
    for _ in range(data.draw(st.integers(1, 4))):
        # Headers are at the beginning; what follows is samples.
        content[data.draw(st.integers(0, min(1500, len(content) - 1)))] = data.draw(
            st.integers(0, 255)
        )
    source = tmp_path / "file"
    source.write_bytes(content[: data.draw(st.integers(1, len(content)))])
    done = convert(source, tmp_path / "target", REQUEST)
    assert (done.problem is not None) == (done.outcome in {Outcome.UNREADABLE, Outcome.UNKNOWN})
