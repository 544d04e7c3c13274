"""A report stays provable after its signers' certificates have ended or were revoked."""

import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from pyhanko.pdf_utils.reader import PdfFileReader

from reading_worklist.reports.rendering import render
from reading_worklist.signing.authority import Authority, serial_of
from reading_worklist.signing.long_term import LongTerm
from reading_worklist.signing.pades import sign_as_reviewer, sign_as_writer
from reading_worklist.signing.service_keys import make_service_keys
from reading_worklist.signing.unlocking import Signer
from reading_worklist.signing.verdicts import Reason, Verdict
from reading_worklist.signing.verification import verify
from reading_worklist.typesetting.labels import Language
from storage.clock import utc_now
from tests.support.reports import CHINESE, authority, ct_report, signer, typesetter

SHORT = timedelta(days=30)


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("authority")


@pytest.fixture(scope="module")
def issuer(directory: Path) -> Authority:
    return authority(directory)


@pytest.fixture(scope="module")
def long_term(directory: Path, issuer: Authority) -> LongTerm:
    return LongTerm(make_service_keys(directory, issuer))


@pytest.fixture(scope="module")
def people(issuer: Authority) -> tuple[Signer, Signer]:
    end = utc_now() + SHORT
    return signer(issuer, "李建国", not_after=end), signer(issuer, "王芳", not_after=end)


@pytest.fixture(scope="module")
def signed(people: tuple[Signer, Signer]) -> bytes:
    writer, reviewer = people
    text = render(ct_report(), Language.ZH_CN, typesetter())
    now = utc_now()
    written = sign_as_writer(
        text, writer, appearance=CHINESE, typesetter=typesetter(), signed_at=now
    )
    return sign_as_reviewer(
        written, reviewer, appearance=CHINESE, typesetter=typesetter(), signed_at=now
    )


@pytest.fixture(scope="module")
def concluded(signed: bytes, long_term: LongTerm) -> bytes:
    return long_term.conclude(signed, at=utc_now())


@pytest.fixture(scope="module")
def anchors(issuer: Authority) -> list[str]:
    return [issuer.certificate_pem]


def test_a_concluded_report_begins_with_what_was_signed(signed: bytes, concluded: bytes) -> None:
    assert concluded.startswith(signed)
    assert len(concluded) - len(signed) < 40_000


def test_it_is_valid_now_and_after_the_certificates_have_ended(
    concluded: bytes, signed: bytes, anchors: list[str]
) -> None:
    for at in (utc_now(), utc_now() + 2 * SHORT, utc_now() + timedelta(days=15 * 365)):
        result = verify(concluded, anchors, at=at)
        assert (result.verdict, result.reason) == (Verdict.VALID, Reason.NONE)
        assert all(one.proven_at is not None for one in result.signatures)
    assert verify(signed, anchors, at=utc_now() + 2 * SHORT).verdict is Verdict.INDETERMINATE


def test_after_the_end_of_the_time_stamps_own_certificate_nothing_is_proven(
    concluded: bytes, anchors: list[str]
) -> None:
    result = verify(concluded, anchors, at=utc_now() + timedelta(days=25 * 365))
    assert (result.verdict, result.reason) == (Verdict.INDETERMINATE, Reason.EXPIRED)


def test_a_second_time_stamp_carries_the_first_on(
    concluded: bytes, long_term: LongTerm, anchors: list[str]
) -> None:
    later = utc_now() + timedelta(days=365)
    again = long_term.conclude(concluded, at=later)
    result = verify(again, anchors, at=later + timedelta(days=1))
    assert (result.verdict, result.reason) == (Verdict.VALID, Reason.NONE)
    proven = {one.proven_at for one in result.signatures}
    assert len(proven) == 1
    assert all(one is not None and one < utc_now() for one in proven)


@pytest.mark.parametrize("from_records", [True, False])
def test_a_key_revoked_before_the_time_stamp_counts_as_revoked(
    signed: bytes,
    people: tuple[Signer, Signer],
    long_term: LongTerm,
    anchors: list[str],
    *,
    from_records: bool,
) -> None:
    """By the records of the centre, and offline by the answer in the file."""
    revoked = {people[0].serial: utc_now() - timedelta(minutes=1)}
    told = {} if from_records else revoked
    pdf = long_term.conclude(signed, at=utc_now(), revocations=told)
    result = verify(pdf, anchors, revocations=revoked if from_records else {})
    assert [one.reason for one in result.signatures] == [Reason.REVOKED, Reason.NONE]
    assert result.verdict is Verdict.INDETERMINATE


def test_a_key_revoked_after_the_time_stamp_takes_nothing_away(
    concluded: bytes, people: tuple[Signer, Signer], anchors: list[str]
) -> None:
    revoked = {people[0].serial: utc_now() + timedelta(hours=1)}
    later = utc_now() + timedelta(hours=2)
    assert verify(concluded, anchors, revocations=revoked, at=later).verdict is Verdict.VALID


def test_a_foreign_time_stamp_proves_nothing(
    signed: bytes, anchors: list[str], tmp_path: Path
) -> None:
    """A forger who dates a document with a service of his own gains nothing by it."""
    other = LongTerm(make_service_keys(tmp_path, authority(tmp_path)))
    pdf = other.conclude(signed, at=utc_now())
    now = verify(pdf, anchors)
    assert now.verdict is Verdict.VALID
    assert all(one.proven_at is None for one in now.signatures)
    assert verify(pdf, anchors, at=utc_now() + 2 * SHORT).reason is Reason.EXPIRED


def test_a_person_cannot_stamp_time(
    signed: bytes, issuer: Authority, long_term: LongTerm, anchors: list[str]
) -> None:
    """A certificate for signing documents is none for time stamps."""
    keys = long_term.keys
    someone = signer(issuer, "李建国")
    key: Any = keys.time_stamping.key
    certificate = issuer.issue(
        key.public_key(), person_id=someone.person_id, display_name="x", organisation="y"
    )
    forged = LongTerm(
        type(keys)(
            type(keys.time_stamping)(certificate, key, issuer.certificate),
            keys.certificate_status,
        )
    )
    result = verify(forged.conclude(signed, at=utc_now()), anchors)
    assert all(one.proven_at is None for one in result.signatures)


def test_bytes_behind_the_time_stamp_are_found(concluded: bytes, anchors: list[str]) -> None:
    assert verify(concluded + b"\n", anchors).verdict is Verdict.INVALID


def _places(pdf: bytes, signed: int) -> Iterator[int]:
    """Bytes of what was added: its structure, its evidence, the container of the time stamp."""
    chosen = random.Random(7)
    last: Any = PdfFileReader(BytesIO(pdf)).embedded_timestamp_signatures[-1]
    _, start, end, _ = last.byte_range
    yield from (start - 1, start, end - 1, end, len(pdf) - 1)
    yield from chosen.sample(range(start, start + 100), 8)
    yield from chosen.sample(range(start, end), 8)
    yield from chosen.sample(range(signed, len(pdf)), 10)
    yield from chosen.sample(range(signed), 4)


@pytest.mark.slow
def test_one_altered_bit_anywhere_is_found(
    signed: bytes, concluded: bytes, anchors: list[str]
) -> None:
    chosen = random.Random(1)
    unnoticed = []
    for place in _places(concluded, len(signed)):
        altered = bytearray(concluded)
        altered[place] ^= 1 << chosen.randrange(8)
        if verify(bytes(altered), anchors).verdict is not Verdict.INVALID:
            unnoticed.append((place, concluded[place], altered[place]))
    assert unnoticed == []


def test_service_keys_are_made_once_and_renewed_before_they_end(
    directory: Path, issuer: Authority, long_term: LongTerm
) -> None:
    again = make_service_keys(directory, issuer)
    for one, other in (
        (again.time_stamping, long_term.keys.time_stamping),
        (again.certificate_status, long_term.keys.certificate_status),
    ):
        assert serial_of(one.certificate) == serial_of(other.certificate)
        assert one.certificate.not_valid_after_utc == issuer.certificate.not_valid_after_utc
    for file in directory.glob("*.key.pem"):
        assert file.stat().st_mode & 0o077 == 0


def test_the_answer_in_the_file_is_what_ocsp_readers_read(concluded: bytes) -> None:
    """Three certificates, each answered as good by the centre at the time of the stamp."""
    from cryptography.x509 import ocsp  # noqa: PLC0415 -- here alone

    from reading_worklist.signing.pdf_objects import certificate_answers  # noqa: PLC0415 -- same

    answers = [
        ocsp.load_der_ocsp_response(der)
        for der in certificate_answers(PdfFileReader(BytesIO(concluded)))
    ]
    assert len(answers) == 3
    said: set[tuple[ocsp.OCSPCertStatus, datetime]] = {
        (one.certificate_status, one.this_update_utc) for one in answers
    }
    assert {status for status, _ in said} == {ocsp.OCSPCertStatus.GOOD}
    assert len(said) == 1
