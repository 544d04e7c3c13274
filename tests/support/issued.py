"""Issued reports for the tests of those who tell sites of them."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from storage.issued_reports import (
    IssuedCode,
    IssuedDocument,
    IssuedExam,
    IssuedKeyImage,
    IssuedMeasurement,
    IssuedOrder,
    IssuedOrganisation,
    IssuedPatient,
    IssuedPredecessor,
    IssuedReport,
    IssuedSection,
    IssuedSeries,
    IssuedSigner,
    IssuedTimes,
    IssuedVisit,
    SectionLabel,
)
from storage.registry import Organisation
from storage.report_status import IssuedKind

SITE = IssuedOrganisation(
    id=UUID("0d6a6a52-1c5e-4c0c-9a30-0a4f1de5c001"),
    code="EAST",
    name="东河镇卫生院",
    name_en="Donghe Township Health Centre",
)
CENTRE = IssuedOrganisation(
    id=UUID("0d6a6a52-1c5e-4c0c-9a30-0a4f1de5c002"),
    code="centre",
    name="青山县人民医院诊断中心",
    name_en="Diagnostic Centre of Qingshan",
)
ISSUED_AT = datetime(2026, 3, 14, 2, 15, 26, 123000, tzinfo=UTC)
_STUDY = "1.2.826.0.1.3680043.8.498.123456789"


def signer(name: str, number: int, title: str) -> IssuedSigner:
    """A doctor of the centre."""
    return IssuedSigner(
        person_id=UUID(int=0xD0C << 80 | 4 << 76 | 8 << 60 | number),
        name=name,
        title=title,
        organisation=CENTRE,
        certificate_serial=str(7_000_000 + number),
        signed_at=ISSUED_AT - timedelta(minutes=number),
    )


def issued_report(**changes: Any) -> IssuedReport:  # noqa: ANN401 -- any field of the report
    """A final CT report with an order and characters of plane 2 in the name."""
    report = IssuedReport(
        report_version_id=UUID("5f0f6f58-6a0c-4c5e-8f4e-000000000001"),
        workitem_id=UUID("5f0f6f58-6a0c-4c5e-8f4e-00000000000a"),
        study_id=UUID("5f0f6f58-6a0c-4c5e-8f4e-00000000000b"),
        kind=IssuedKind.REPORT,
        version_number=1,
        predecessor=None,
        title="CT 检查报告单",
        language="zh-CN",
        time_zone="Asia/Shanghai",
        site=SITE,
        centre=CENTRE,
        patient=IssuedPatient(
            local_id="DH00012345",
            issuer=None,
            name="𠮷㛃䶮",
            pinyin="Ji Jieyan",
            name_value="Ji^Jieyan=𠮷^㛃䶮",
            sex="F",
            birth_date=date(1969, 1, 1),
        ),
        visit=IssuedVisit(visit_type="outpatient", visit_number="MZ20260314007"),
        order=IssuedOrder(
            accession_number="DH260314CT0007",
            placer_order_number="HIS-889900",
            filler_order_number="RDC-1207",
            requested_procedure_id="RP1207",
            procedure_code="CT-CHEST",
            procedure="胸部CT平扫",
            requester="王小明",
            clinical_diagnosis="咳嗽待查 <3 周 & 低热",
        ),
        exam=IssuedExam(
            study_instance_uid=_STUDY,
            modality="CT",
            modalities=("CT",),
            description="CHEST",
            body_part="CHEST",
            laterality="B",
            device="uCT 530",
            study_date=date(2026, 3, 14),
            series=(
                IssuedSeries(
                    series_instance_uid=f"{_STUDY}.1",
                    modality="CT",
                    number=2,
                    description="Lung 1.25",
                    body_part="CHEST",
                    laterality="",
                    instance_count=243,
                ),
                IssuedSeries(
                    series_instance_uid=f"{_STUDY}.2",
                    modality="",
                    number=None,
                    description="",
                    body_part="",
                    laterality="R",
                    instance_count=1,
                ),
            ),
        ),
        times=IssuedTimes(
            issued=ISSUED_AT,
            written=ISSUED_AT - timedelta(minutes=20),
            received=ISSUED_AT - timedelta(minutes=110),
            ordered=ISSUED_AT - timedelta(hours=3),
            acquired=ISSUED_AT - timedelta(hours=2),
            reviewed=ISSUED_AT,
        ),
        writer=signer("李书写", 1, "主治医师"),
        reviewer=signer("王审核", 2, "副主任医师"),
        sections=(
            IssuedSection(
                label=SectionLabel.FINDINGS,
                text="右肺上叶尖段见一磨玻璃结节，大小约 8 mm × 6 mm。\n纵隔居中。",
            ),
            IssuedSection(
                label=SectionLabel.IMPRESSION, text="1. 右肺上叶尖段磨玻璃结节。\n2. 主动脉硬化。"
            ),
            IssuedSection(label=SectionLabel.ADVICE, text="建议 6 个月后复查。"),
        ),
        codes=(IssuedCode(name="result", value="positive"),),
        measurements=(),
        key_images=(
            IssuedKeyImage(
                series_instance_uid=f"{_STUDY}.1",
                sop_class_uid="1.2.840.10008.5.1.4.1.1.2",
                sop_instance_uid=f"{_STUDY}.1.88",
                frame_number=1,
                frame_count=1,
            ),
        ),
        critical=False,
        critical_notice="",
        document=IssuedDocument(
            object_key="reports/5f/5f0f6f58.pdf",
            sha256="ab" * 32,
            verification_code="7KQFM2XA91TD",
            verification_url="https://rdc.example/verify/7KQFM2XA91TD",
        ),
    )
    return replace(report, **changes)


def issued_ecg(**changes: Any) -> IssuedReport:  # noqa: ANN401 -- any field of the report
    """A final ECG report without an order, with values of the device and the doctor."""
    of_ct = issued_report()
    values = (
        ("heart_rate", "2:16016", "72", "/min", "device", ""),
        ("heart_rate", "2:16016", "71", "/min", "confirmed", ""),
        ("pr", "2:15872", "161", "ms", "centre", ""),
        ("qtc_bazett", "2:15876", "403.5", "ms", "confirmed", ""),
        ("qrs_axis", "2:16132", "-30", "deg", "confirmed", ""),
        ("p_axis", "2:16128", "", "deg", "centre", "no_p_wave"),
        ("RV5+SV1", None, "2.1", "mV", "device", ""),
    )
    report = replace(
        of_ct,
        report_version_id=UUID("5f0f6f58-6a0c-4c5e-8f4e-0000000000e1"),
        workitem_id=UUID("5f0f6f58-6a0c-4c5e-8f4e-0000000000ea"),
        title="心电图报告单",
        order=IssuedOrder(accession_number="DH260314EC0001"),
        exam=replace(
            of_ct.exam,
            study_instance_uid=f"{_STUDY}9",
            modality="ECG",
            modalities=("ECG",),
            body_part="",
            laterality="",
            description="12 导联心电图",
        ),
        sections=(
            IssuedSection(label=SectionLabel.FINDINGS, text="窦性心律。"),
            IssuedSection(label=SectionLabel.IMPRESSION, text="大致正常心电图"),
            IssuedSection(label=SectionLabel.DEVICE_STATEMENT, text="NORMAL ECG"),
        ),
        codes=(IssuedCode(name="ecg_class", value="borderline"),),
        measurements=tuple(
            IssuedMeasurement(name=name, mdc=mdc, value=value, unit=unit, source=by, reason=why)
            for name, mdc, value, unit, by, why in values
        ),
        key_images=(),
    )
    return replace(report, **changes)


def amended(report: IssuedReport, **changes: Any) -> IssuedReport:  # noqa: ANN401 -- as above
    """The version after a report, with another text and without its advice."""
    version = UUID(int=report.report_version_id.int + (1 << 64))
    sections = (
        IssuedSection(label=SectionLabel.FINDINGS, text="左肺上叶见结节。"),
        IssuedSection(label=SectionLabel.IMPRESSION, text="左肺上叶结节。"),
        IssuedSection(label=SectionLabel.AMENDMENT_REASON, text="侧别有误"),
    )
    made = replace(
        report,
        report_version_id=version,
        version_number=report.version_number + 1,
        kind=IssuedKind.AMENDMENT,
        predecessor=_predecessor(report),
        sections=sections,
        times=replace(report.times, issued=report.times.issued + timedelta(hours=1)),
    )
    return replace(made, **changes)


def revoked(report: IssuedReport, **changes: Any) -> IssuedReport:  # noqa: ANN401 -- as above
    """The notice that a report is void."""
    made = replace(
        report,
        report_version_id=UUID(int=report.report_version_id.int + (2 << 64)),
        kind=IssuedKind.NOTICE,
        title="报告作废通知",
        predecessor=_predecessor(report),
        sections=(IssuedSection(label=SectionLabel.NOTICE, text="患者有误"),),
        codes=(),
        measurements=(),
        times=replace(report.times, issued=report.times.issued + timedelta(hours=2)),
    )
    return replace(made, **changes)


def _predecessor(report: IssuedReport) -> IssuedPredecessor:
    return IssuedPredecessor(
        report_version_id=report.report_version_id,
        version_number=report.version_number,
        issued_at=report.times.issued,
    )


def at_site(report: IssuedReport, site: Organisation, study_id: UUID) -> IssuedReport:
    """The report as one of a site and a study that are in the database."""
    of = IssuedOrganisation(id=site.id, code=site.code, name=site.name, name_en=site.name_en or "")
    return replace(report, site=of, study_id=study_id)
