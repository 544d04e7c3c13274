"""Two signatures on one report."""

import subprocess
from dataclasses import replace
from datetime import datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import pypdfium2
import pytest
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.diff_analysis import ModificationLevel
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko_certvalidator import ValidationContext

from reading_worklist.reports.rendering import render
from reading_worklist.signing.appearance import SignatureAppearance, grouped_serial
from reading_worklist.signing.authority import Authority
from reading_worklist.signing.errors import CredentialExpired, DocumentRefused, SamePerson
from reading_worklist.signing.pades import sign_as_reviewer, sign_as_writer
from reading_worklist.signing.pdf_objects import asn1_of
from reading_worklist.signing.unlocking import Signer
from reading_worklist.typesetting.labels import Language
from storage.clock import utc_now
from tests.support.peers import require_program
from tests.support.reports import (
    CHINESE,
    TIME_ZONE,
    authority,
    ct_report,
    signer,
    text_of,
    typesetter,
)


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
def unsigned() -> bytes:
    return render(ct_report(), Language.ZH_CN, typesetter())


def written_by(
    pdf: bytes,
    who: Signer,
    at: datetime | None = None,
    appearance: SignatureAppearance = CHINESE,
) -> bytes:
    return sign_as_writer(
        pdf, who, appearance=appearance, typesetter=typesetter(), signed_at=at or utc_now()
    )


def reviewed_by(pdf: bytes, who: Signer, at: datetime | None = None) -> bytes:
    return sign_as_reviewer(
        pdf, who, appearance=CHINESE, typesetter=typesetter(), signed_at=at or utc_now()
    )


@pytest.fixture(scope="module")
def written(unsigned: bytes, writer: Signer) -> bytes:
    return written_by(unsigned, writer)


@pytest.fixture(scope="module")
def reviewed(written: bytes, reviewer: Signer) -> bytes:
    return reviewed_by(written, reviewer)


def test_every_signature_only_adds_bytes(unsigned: bytes, written: bytes, reviewed: bytes) -> None:
    assert written.startswith(unsigned)
    assert reviewed.startswith(written)


def test_an_independent_validator_finds_both_valid(reviewed: bytes, issuer: Authority) -> None:
    context = ValidationContext(trust_roots=[asn1_of(issuer.certificate)], allow_fetching=False)
    signatures = PdfFileReader(BytesIO(reviewed)).embedded_regular_signatures
    assert [found.field_name for found in signatures] == ["writer", "reviewer"]
    states = [validate_pdf_signature(found, context) for found in signatures]
    assert all(state.bottom_line for state in states)
    assert states[0].modification_level is ModificationLevel.FORM_FILLING
    assert states[1].modification_level is ModificationLevel.NONE


def test_they_are_pades_approval_signatures(reviewed: bytes) -> None:
    reader: Any = PdfFileReader(BytesIO(reviewed))
    for found in reader.embedded_regular_signatures:
        assert found.sig_object["/SubFilter"] == "/ETSI.CAdES.detached"
        # A certification or a lock could forbid what comes after.
        assert "/Reference" not in found.sig_object
        assert "/Lock" not in found.sig_field
        attributes = {one["type"].native for one in found.signer_info["signed_attrs"]}
        assert "signing_certificate_v2" in attributes
        # EN 319 142-1, 5.3: the time of signing stands in /M alone.
        assert "signing_time" not in attributes
        assert len(found.other_embedded_certs) == 1
    assert "/Perms" not in reader.root


def test_pdfsig_agrees(reviewed: bytes, tmp_path: Path) -> None:
    pdfsig = require_program("pdfsig", package="poppler-utils")
    path = tmp_path / "report.pdf"
    path.write_bytes(reviewed)
    said = subprocess.run(
        [pdfsig, "-nocert", str(path)],
        capture_output=True,
        encoding="utf-8",
        check=True,
        timeout=60,
    ).stdout
    assert said.count("Signature is Valid.") == 2
    assert said.count("ETSI.CAdES.detached") == 2
    assert "Total document signed" in said
    assert "李建国" in said


def test_signing_keeps_the_claim_to_be_an_archive_file(reviewed: bytes) -> None:
    reader: Any = PdfFileReader(BytesIO(reviewed))
    metadata = reader.root["/Metadata"].data.decode("utf-8")
    assert "conformance" in metadata
    # PDF/A-2 6.6.2.3.2: dates in the information dictionary and in XMP agree.
    modified = str(reader.trailer["/Info"]["/ModDate"])[2:16]
    stamp = f"{modified[:4]}-{modified[4:6]}-{modified[6:8]}T{modified[8:10]}:{modified[10:12]}"
    assert f'ModifyDate="{stamp}' in metadata
    assert not reader.root["/AcroForm"].get("/NeedAppearances", False)


def test_each_signature_is_seen_on_paper(
    unsigned: bytes, written: bytes, reviewed: bytes, writer: Signer, reviewer: Signer
) -> None:
    writer_words = ("李建国", "".join(grouped_serial(writer.serial).split()), "UTC+08:00")
    reviewer_words = ("𠮷田䶮", "".join(grouped_serial(reviewer.serial).split()))
    # A reader draws a form field only when it is asked to.
    assert all(word not in text_of(unsigned) for word in ("李建国", "UTC+08:00"))
    first, second = _flattened_text(written), _flattened_text(reviewed)
    assert all(word in first for word in writer_words)
    assert all(word not in first for word in reviewer_words)
    assert all(word in second for word in writer_words + reviewer_words)


def _flattened_text(pdf: bytes) -> str:
    document = pypdfium2.PdfDocument(pdf)
    document.init_forms()
    for page in document:
        page.flatten()
    output = BytesIO()
    document.save(output)
    document.close()
    return text_of(output.getvalue())


def test_the_time_of_signing_is_the_callers(unsigned: bytes, writer: Signer) -> None:
    at = utc_now().replace(microsecond=0) - timedelta(hours=3)
    pdf = written_by(unsigned, writer, at, SignatureAppearance(Language.EN, TIME_ZONE))
    (found,) = PdfFileReader(BytesIO(pdf)).embedded_regular_signatures
    assert found.self_reported_timestamp == at
    assert found.sig_object["/Reason"] == "Wrote and confirmed this report"
    local = at + timedelta(hours=8)
    assert f"{local:%Y-%m-%d%H:%M:%S}UTC+08:00" in _flattened_text(pdf)


def test_the_writer_does_not_review(written: bytes, writer: Signer, issuer: Authority) -> None:
    with pytest.raises(SamePerson):
        reviewed_by(written, writer)
    another_key = signer(issuer, "李建国 二", person_id=writer.person_id)
    with pytest.raises(SamePerson):
        reviewed_by(written, another_key)


def test_the_order_is_writer_then_reviewer_and_each_once(
    unsigned: bytes, written: bytes, reviewed: bytes, writer: Signer, reviewer: Signer
) -> None:
    with pytest.raises(DocumentRefused):
        reviewed_by(unsigned, reviewer)
    for pdf in (written, reviewed):
        with pytest.raises(DocumentRefused):
            written_by(pdf, writer)
    with pytest.raises(DocumentRefused):
        reviewed_by(reviewed, reviewer)


def test_a_reviewer_does_not_sign_what_the_writer_did_not(
    written: bytes, unsigned: bytes, reviewer: Signer
) -> None:
    altered = bytearray(written)
    altered[len(unsigned) // 2] ^= 1
    with pytest.raises(DocumentRefused):
        reviewed_by(bytes(altered), reviewer)
    with pytest.raises(DocumentRefused):
        reviewed_by(written + b"\n% more", reviewer)


@pytest.mark.parametrize("pdf", [b"", b"%PDF-1.7", b"no pdf at all" * 100])
def test_what_is_no_report_is_refused(pdf: bytes, writer: Signer, reviewer: Signer) -> None:
    with pytest.raises(DocumentRefused):
        written_by(pdf, writer)
    with pytest.raises(DocumentRefused):
        reviewed_by(pdf, reviewer)


def test_a_certificate_outside_its_validity_does_not_sign(
    unsigned: bytes, issuer: Authority
) -> None:
    short = signer(issuer, "短", not_after=utc_now() + timedelta(minutes=1))
    with pytest.raises(CredentialExpired):
        written_by(unsigned, short, utc_now() + timedelta(minutes=2))


def test_a_long_name_and_a_hostile_one_fit_their_box(unsigned: bytes, issuer: Authority) -> None:
    for name in ("阿卜杜热合曼·买买提艾力江" * 4, "#panic() $x$ \U0002ebf0"):
        person = replace(signer(issuer, "x"), display_name=name)
        text = _flattened_text(written_by(unsigned, person))
        shown = name.replace("\U0002ebf0", "□[U+2EBF0]")
        assert "".join(shown.split()) in text
