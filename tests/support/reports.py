"""Sample reports, signers and readers of PDF for the tests of paper and signatures."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pypdfium2
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from reading_worklist.patient_age import Age
from reading_worklist.reports.document import (
    EcgBlock,
    EcgMeasurement,
    EcgTrace,
    Institution,
    PrintedPatient,
    ReportDocument,
    ReportStatus,
    mask_identity,
)
from reading_worklist.signing.appearance import SignatureAppearance
from reading_worklist.signing.authority import Authority, open_authority, serial_of
from reading_worklist.signing.pdf_objects import software_signer
from reading_worklist.signing.unlocking import Signer
from reading_worklist.typesetting.labels import Language
from reading_worklist.typesetting.typesetter import Typesetter, open_typesetter
from storage.clock import utc_now

TIME_ZONE = "Asia/Shanghai"
CHINESE = SignatureAppearance(Language.ZH_CN, TIME_ZONE)
CENTRE = "临江县人民医院医学影像诊断中心"


def typesetter() -> Typesetter:
    """One warm typesetter for all tests."""
    return open_typesetter()


def ct_report(**changes: object) -> ReportDocument:
    """A full CT report, with characters of plane 2 and extension A in the name."""
    reported = datetime(2026, 3, 14, 2, 15, 26, tzinfo=UTC)
    document = ReportDocument(
        status=ReportStatus.FINAL,
        version_number=1,
        modality="CT",
        examining=Institution(
            name="临江县青石镇中心卫生院",
            name_en="Qingshi Township Health Centre",
            branch="东山分院",
            branch_en="Dongshan Branch",
        ),
        diagnosing=Institution(name=CENTRE, name_en="Imaging Diagnostic Centre of Linjiang"),
        patient=PrintedPatient(
            name="𠮷㛃䶮",
            sex="F",
            age=Age(57, "Y"),
            identity=mask_identity("330102196901011234"),
            local_id="QS00012345",
            visit_type="门诊",
        ),
        study_instance_uid="1.2.826.0.1.3680043.8.498.123456789",
        verification_code="7KQFM2XA91TD",
        verification_url="https://rdc.example/verify/7KQFM2XA91TD",
        findings="双肺纹理清晰，右肺上叶尖段见一磨玻璃结节，大小约 8 mm × 6 mm。\n\n纵隔居中。",
        impression="1. 右肺上叶尖段磨玻璃结节。\n2. 主动脉硬化。",
        advice="建议 6 个月后复查。",
        reported_at=reported,
        time_zone=TIME_ZONE,
        accession_number="QS260314CT0007",
        requester="王小明",
        clinical_diagnosis="咳嗽待查",
        procedure="胸部CT平扫",
        body_part="胸部",
        laterality="B",
        device="uCT 530",
        ordered_at=reported - timedelta(hours=3),
        performed_at=reported - timedelta(hours=2),
        received_at=reported - timedelta(minutes=110),
    )
    return replace(document, **changes)  # type: ignore[arg-type] - the caller names real fields


def ecg_report(trace: EcgTrace) -> ReportDocument:
    """An ECG report with measurements from two sources."""
    measurements = (
        EcgMeasurement("heart_rate", "72", "bpm", "device"),
        EcgMeasurement("heart_rate", "71", "bpm", "centre"),
        EcgMeasurement("pr", "161", "ms", "device"),
        EcgMeasurement("qtc_bazett", "403", "ms", "device"),
    )
    block = EcgBlock(measurements=measurements, device_statements=("ECG NORMALE",), traces=(trace,))
    return ct_report(
        modality="ECG", findings="窦性心律。", impression="正常心电图", advice="", ecg=block
    )


def authority(directory: Path) -> Authority:
    """An authority of the test's own."""
    return open_authority(directory, organisation=CENTRE, name="Signing CA")


def signer(
    issuer: Authority,
    name: str,
    *,
    person_id: UUID | None = None,
    not_before: datetime | None = None,
    not_after: datetime | None = None,
) -> Signer:
    """A person with an unlocked key."""
    key = ec.generate_private_key(ec.SECP256R1())
    person = person_id or uuid4()
    certificate = issuer.issue(
        key.public_key(),
        person_id=person,
        display_name=name,
        organisation=CENTRE,
        not_before=not_before or utc_now() - timedelta(days=1),
        not_after=not_after,
    )
    secret = key.private_bytes(
        serialization.Encoding.DER,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return Signer(
        person_id=person,
        display_name=name,
        organisation=CENTRE,
        serial=serial_of(certificate),
        not_before=certificate.not_valid_before_utc,
        not_after=certificate.not_valid_after_utc,
        issuers=(issuer.certificate_pem,),
        cms=software_signer([certificate, issuer.certificate], secret),
    )


def text_of(pdf: bytes) -> str:
    """All text of a PDF as an independent reader extracts it, without white space."""
    document = pypdfium2.PdfDocument(pdf)
    try:
        pages = [page.get_textpage().get_text_range() for page in document]
    finally:
        document.close()
    return "".join("".join(pages).split())
