"""What a file proves: three values, offline, and every altered byte."""

import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.fields import SigFieldSpec, SigSeedSubFilter
from pyhanko.sign.signers import PdfSignatureMetadata, PdfSigner

from reading_worklist.reports.rendering import render
from reading_worklist.signing.authority import Authority, serial_of
from reading_worklist.signing.fields import SignatureRole
from reading_worklist.signing.pades import sign_as_reviewer, sign_as_writer
from reading_worklist.signing.pdf_objects import software_signer
from reading_worklist.signing.unlocking import Signer
from reading_worklist.signing.verdicts import Reason, Verdict
from reading_worklist.signing.verification import verify
from reading_worklist.typesetting.labels import Language
from storage.clock import utc_now
from tests.support.reports import CHINESE, authority, ct_report, signer, typesetter

WRITER, REVIEWER = SignatureRole.WRITER, SignatureRole.REVIEWER


@pytest.fixture(scope="module")
def issuer(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def writer(issuer: Authority) -> Signer:
    return signer(issuer, "李建国")


@pytest.fixture(scope="module")
def reviewer(issuer: Authority) -> Signer:
    return signer(issuer, "𠮷田䶮")


@pytest.fixture(scope="module")
def anchors(issuer: Authority) -> list[str]:
    return [issuer.certificate_pem]


def rendered() -> bytes:
    return render(ct_report(), Language.ZH_CN, typesetter())


def written_by(who: Signer, at: datetime | None = None) -> bytes:
    return sign_as_writer(
        rendered(),
        who,
        appearance=CHINESE,
        typesetter=typesetter(),
        signed_at=at or utc_now(),
    )


def reviewed_by(pdf: bytes, who: Signer, at: datetime | None = None) -> bytes:
    return sign_as_reviewer(
        pdf, who, appearance=CHINESE, typesetter=typesetter(), signed_at=at or utc_now()
    )


@pytest.fixture(scope="module")
def written(writer: Signer) -> bytes:
    return written_by(writer)


@pytest.fixture(scope="module")
def report(written: bytes, reviewer: Signer) -> bytes:
    return reviewed_by(written, reviewer)


def test_a_good_report_is_valid_and_says_who_and_when(
    report: bytes, writer: Signer, reviewer: Signer, anchors: list[str]
) -> None:
    expected = {WRITER: writer.person_id, REVIEWER: reviewer.person_id}
    result = verify(report, anchors, expected=expected)
    assert (result.verdict, result.reason) == (Verdict.VALID, Reason.NONE)
    assert [one.role for one in result.signatures] == [WRITER, REVIEWER]
    for role, who in ((WRITER, writer), (REVIEWER, reviewer)):
        found = result.signature(role)
        assert found is not None
        assert (found.verdict, found.reason) == (Verdict.VALID, Reason.NONE)
        assert found.signer_name == who.display_name
        assert found.person_id == who.person_id
        assert found.certificate_serial == who.serial
        assert found.signed_at is not None
        assert abs(found.signed_at - utc_now()) < timedelta(minutes=5)
        assert found.covers_file is (role is REVIEWER)


def test_a_submission_needs_its_writer_only(written: bytes, anchors: list[str]) -> None:
    assert verify(written, anchors, required=(WRITER,)).verdict is Verdict.VALID
    missing = verify(written, anchors)
    assert (missing.verdict, missing.reason) == (Verdict.INVALID, Reason.SIGNATURE_MISSING)
    assert missing.signatures[0].verdict is Verdict.VALID


def test_an_unsigned_report_is_invalid(anchors: list[str]) -> None:
    assert verify(rendered(), anchors).reason is Reason.SIGNATURE_MISSING


@pytest.mark.parametrize("garbage", [b"", b"%PDF-1.7\n%%EOF", b"\x00" * 4096, b"%PDF" * 1000])
def test_what_cannot_be_read_is_invalid(garbage: bytes, anchors: list[str]) -> None:
    assert verify(garbage, anchors).verdict is Verdict.INVALID


def test_a_truncated_report_is_invalid(report: bytes, anchors: list[str]) -> None:
    for length in (len(report) - 1, len(report) - 40, len(report) // 2, 100):
        assert verify(report[:length], anchors).verdict is Verdict.INVALID


def _container(pdf: bytes) -> tuple[int, int]:
    """Where the last signature's container stands, the only bytes it does not cover."""
    last: Any = PdfFileReader(BytesIO(pdf)).embedded_regular_signatures[-1]
    _, start, end, _ = last.byte_range
    return start, end


def _places(pdf: bytes) -> Iterator[int]:
    """Bytes of every part of the file: structure, content, both containers, each range's edge."""
    chosen = random.Random(20260314)
    start, end = _container(pdf)
    yield from (0, start - 1, start, end - 1, end, len(pdf) - 1)
    # The unsigned head of the CMS object, where a change harms nothing but is one all the same.
    yield from chosen.sample(range(start, start + 100), 8)
    yield from chosen.sample(range(start, end), 8)
    yield from chosen.sample(range(len(pdf)), 12)


@pytest.mark.slow
def test_one_altered_bit_anywhere_is_found(report: bytes, anchors: list[str]) -> None:
    chosen = random.Random(1)
    unnoticed = []
    for place in _places(report):
        altered = bytearray(report)
        altered[place] ^= 1 << chosen.randrange(8)
        if verify(bytes(altered), anchors).verdict is not Verdict.INVALID:
            unnoticed.append((place, report[place], altered[place]))
    assert unnoticed == []


def test_bytes_added_behind_the_last_signature_are_found(report: bytes, anchors: list[str]) -> None:
    assert verify(report + b"\n", anchors).verdict is Verdict.INVALID


def _with_page_replaced(pdf: bytes) -> bytes:
    """Draw over the page in an incremental update, which leaves every signed byte in place."""
    update = IncrementalPdfFileWriter(BytesIO(pdf))
    stream = generic.StreamObject(stream_data=b"1 0 0 rg 0 0 500 500 re f")
    update.add_stream_to_page(0, update.add_object(stream))
    output = BytesIO()
    update.write(output)
    return output.getvalue()


def test_a_page_drawn_over_after_the_last_signature_is_found(
    report: bytes, anchors: list[str]
) -> None:
    result = verify(_with_page_replaced(report), anchors)
    assert (result.verdict, result.reason) == (Verdict.INVALID, Reason.CHANGED_AFTERWARDS)


def test_a_page_drawn_over_between_the_signatures_is_found(
    written: bytes, reviewer: Signer, anchors: list[str]
) -> None:
    result = verify(signed_by_hand(_with_page_replaced(written), reviewer, "reviewer"), anchors)
    found = {one.role: one.reason for one in result.signatures}
    assert found == {WRITER: Reason.CHANGED_AFTERWARDS, REVIEWER: Reason.NONE}
    assert result.verdict is Verdict.INVALID


def signed_by_hand(pdf: bytes, who: Signer, field: str) -> bytes:
    """Sign past our own rules, as a forger with a real key would."""
    output = BytesIO()
    settings = PdfSignatureMetadata(
        field_name=field,
        md_algorithm="sha256",
        subfilter=SigSeedSubFilter.PADES,
    )
    spec = SigFieldSpec(field, box=(10, 10, 60, 30))
    PdfSigner(settings, who.cms, new_field_spec=spec).sign_pdf(
        IncrementalPdfFileWriter(BytesIO(pdf)), output=output
    )
    return output.getvalue()


def test_one_person_in_both_roles_is_found(
    written: bytes, writer: Signer, issuer: Authority, anchors: list[str]
) -> None:
    twin = signer(issuer, "李建国", person_id=writer.person_id)
    for who in (writer, twin):
        result = verify(signed_by_hand(written, who, "reviewer"), anchors)
        assert (result.verdict, result.reason) == (Verdict.INVALID, Reason.SAME_PERSON)


def test_a_third_signature_is_found(report: bytes, issuer: Authority, anchors: list[str]) -> None:
    result = verify(signed_by_hand(report, signer(issuer, "第三人"), "third"), anchors)
    assert (result.verdict, result.reason) == (Verdict.INVALID, Reason.SIGNATURE_UNEXPECTED)
    assert result.signatures[-1].role is None


def test_another_person_than_recorded_is_found(
    report: bytes, reviewer: Signer, anchors: list[str]
) -> None:
    result = verify(report, anchors, expected={WRITER: uuid4(), REVIEWER: reviewer.person_id})
    assert [one.reason for one in result.signatures] == [Reason.WRONG_PERSON, Reason.NONE]
    assert result.verdict is Verdict.INVALID


def test_an_expired_certificate_is_indeterminate_not_invalid(
    issuer: Authority, reviewer: Signer, anchors: list[str]
) -> None:
    short = signer(issuer, "短", not_after=utc_now() + timedelta(days=1))
    pdf = reviewed_by(written_by(short), reviewer)
    assert verify(pdf, anchors).verdict is Verdict.VALID
    later = verify(pdf, anchors, at=utc_now() + timedelta(days=2))
    assert [one.reason for one in later.signatures] == [Reason.EXPIRED, Reason.NONE]
    assert later.verdict is Verdict.INDETERMINATE
    # Long after the authority has expired too, an altered file is still proven to be altered.
    much_later = utc_now() + timedelta(days=30 * 365)
    assert verify(pdf, anchors, at=much_later).reason is Reason.EXPIRED
    altered = bytearray(pdf)
    altered[5000] ^= 1
    assert verify(bytes(altered), anchors, at=much_later).verdict is Verdict.INVALID


def test_a_claimed_time_outside_of_the_certificate_is_invalid(
    report: bytes, anchors: list[str]
) -> None:
    earlier = verify(report, anchors, at=utc_now() - timedelta(hours=1))
    assert (earlier.verdict, earlier.reason) == (Verdict.INVALID, Reason.TIME_IMPOSSIBLE)


def test_a_revoked_certificate_is_indeterminate(
    report: bytes, writer: Signer, anchors: list[str]
) -> None:
    revoked = {writer.serial: utc_now() - timedelta(minutes=1)}
    result = verify(report, anchors, revocations=revoked)
    assert [one.reason for one in result.signatures] == [Reason.REVOKED, Reason.NONE]
    assert result.verdict is Verdict.INDETERMINATE
    later = {writer.serial: utc_now() + timedelta(minutes=1)}
    assert verify(report, anchors, revocations=later).verdict is Verdict.VALID


def test_an_unknown_authority_is_indeterminate(report: bytes, tmp_path: Path) -> None:
    other = authority(tmp_path).certificate_pem
    for trusted in ([], [other]):
        result = verify(report, trusted)
        assert (result.verdict, result.reason) == (Verdict.INDETERMINATE, Reason.UNTRUSTED)


def _certificate_for(
    issuer_key: ec.EllipticCurvePrivateKey, issuer: x509.Certificate, *, signs_documents: bool
) -> tuple[x509.Certificate, bytes]:
    key = ec.generate_private_key(ec.SECP256R1())
    now = utc_now()
    subject = [
        x509.NameAttribute(NameOID.COMMON_NAME, "机器"),
        x509.NameAttribute(NameOID.ORGANIZATION_NAME, "中心"),
        x509.NameAttribute(NameOID.SERIAL_NUMBER, str(uuid4())),
    ]
    usage = x509.KeyUsage(
        digital_signature=True,
        content_commitment=signs_documents,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )
    certificate = (
        x509.CertificateBuilder()
        .subject_name(x509.Name(subject))
        .issuer_name(issuer.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .sign(issuer_key, hashes.SHA384())
    )
    secret = key.private_bytes(
        serialization.Encoding.DER,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return certificate, secret


@pytest.mark.parametrize(
    ("purpose", "reason"),
    [("documents", Reason.NONE), ("logins", Reason.WRONG_PURPOSE)],
)
def test_a_certificate_for_another_purpose_is_indeterminate(
    issuer: Authority, writer: Signer, anchors: list[str], purpose: str, reason: Reason
) -> None:
    certificate, secret = _certificate_for(
        issuer._key, issuer.certificate, signs_documents=purpose == "documents"
    )
    machine = replace(
        writer,
        serial=serial_of(certificate),
        cms=software_signer([certificate, issuer.certificate], secret),
    )
    result = verify(written_by(machine), anchors, required=(WRITER,))
    assert result.signatures[0].reason is reason


def test_a_certificate_that_proves_nothing_does_not_travel_along(
    issuer: Authority, writer: Signer, anchors: list[str], tmp_path: Path
) -> None:
    """A stranger's certificate in the container could be altered without a trace."""
    stranger = authority(tmp_path)
    certificate, secret = _certificate_for(issuer._key, issuer.certificate, signs_documents=True)
    chain = [certificate, issuer.certificate, stranger.certificate]
    person = replace(writer, serial=serial_of(certificate), cms=software_signer(chain, secret))
    result = verify(written_by(person), anchors, required=(WRITER,))
    assert result.reason is Reason.UNREADABLE


def test_every_reason_has_its_words() -> None:
    for reason in Reason:
        assert reason.explanation.endswith(".")
    assert {reason for reason in Reason if reason.verdict is Verdict.VALID} == {Reason.NONE}
