"""Words of the narrative in both languages, and the codes of sections, codes and measurements."""

from collections.abc import Mapping
from typing import Final

from storage.fhir.elements import LOINC, SCT, Element, coding
from storage.issued_reports.model import SectionLabel

_ZH: Final[Mapping[str, str]] = {
    "patient": "姓名",
    "sex": "性别",
    "birth_date": "出生日期",
    "local_id": "患者编号",
    "visit_number": "就诊号",
    "accession": "检查号",
    "procedure": "检查项目",
    "body_part": "检查部位",
    "laterality": "侧别",
    "performed": "检查时间",
    "issued": "报告时间",
    "writer": "书写医师",
    "reviewer": "审核医师",
    "site": "检查机构",
    "centre": "诊断机构",
    "critical": "危急值",
    "verification": "验证码",
    "status": "报告状态",
    "preliminary": "临时报告，以正式报告为准",
    "final": "正式报告",
    "amended": "修订报告",
    "appended": "补充报告",
    "entered-in-error": "本报告已作废，不得使用",
    "superseded": "本版本已被新版本取代，不得使用",
    "M": "男",
    "F": "女",
    "O": "其他",
    "R": "右",
    "L": "左",
    "B": "双侧",
    "findings": "检查所见",
    "impression": "诊断意见",
    "advice": "建议",
    "comparison": "对比",
    "addendum": "补充",
    "technique": "检查方法",
    "amendment_reason": "修订原因",
    "device_statement": "设备自动提示",
    "notice": "作废说明",
}
_EN: Final[Mapping[str, str]] = {
    "patient": "Patient",
    "sex": "Sex",
    "birth_date": "Date of birth",
    "local_id": "Patient ID",
    "visit_number": "Visit number",
    "accession": "Accession number",
    "procedure": "Procedure",
    "body_part": "Body part",
    "laterality": "Side",
    "performed": "Performed",
    "issued": "Issued",
    "writer": "Written by",
    "reviewer": "Reviewed by",
    "site": "Examined at",
    "centre": "Reported by",
    "critical": "Critical value",
    "verification": "Verification code",
    "status": "Status",
    "preliminary": "Preliminary report, subject to the final report",
    "final": "Final report",
    "amended": "Amended report",
    "appended": "Report with addendum",
    "entered-in-error": "This report is void and must not be used",
    "superseded": "This version has been replaced and must not be used",
    "M": "male",
    "F": "female",
    "O": "other",
    "R": "right",
    "L": "left",
    "B": "both sides",
    "findings": "Findings",
    "impression": "Impression",
    "advice": "Recommendation",
    "comparison": "Comparison",
    "addendum": "Addendum",
    "technique": "Technique",
    "amendment_reason": "Reason for amendment",
    "device_statement": "Printed by the device",
    "notice": "Notice of revocation",
}


def words(language: str) -> Mapping[str, str]:
    """Return the words for a report in a language; Chinese for any but English."""
    return _EN if language.startswith("en") else _ZH


SECTION_CODES: Final[Mapping[SectionLabel, Element]] = {
    SectionLabel.FINDINGS: coding(LOINC, "59776-5", "Procedure findings Narrative"),
    SectionLabel.ADVICE: coding(LOINC, "18783-1", "Radiology Study recommendation (narrative)"),
    SectionLabel.COMPARISON: coding(LOINC, "18834-2", "Radiology Comparison study (narrative)"),
    SectionLabel.ADDENDUM: coding(LOINC, "55107-7", "Addendum Document"),
}
"""Sections that are observations of their own; the impression is the report's conclusion."""

MEASUREMENTS_ZH: Final[Mapping[str, str]] = {
    "heart_rate": "心室率",
    "p_duration": "P 波时限",
    "pr": "PR 间期",
    "qrs": "QRS 时限",
    "qt": "QT 间期",
    "qtc_bazett": "QTc（Bazett）",
    "qtc_fridericia": "QTc（Fridericia）",
    "p_axis": "P 电轴",
    "qrs_axis": "QRS 电轴",
    "t_axis": "T 电轴",
    "rv5": "RV5",
    "sv1": "SV1",
    "rv5_sv1": "RV5+SV1",
}

MEASUREMENT_LOINC: Final[Mapping[str, Element]] = {
    "heart_rate": coding(LOINC, "8867-4", "Heart rate"),
    "pr": coding(LOINC, "8625-6", "P-R Interval"),
    "p_axis": coding(LOINC, "8626-4", "P wave axis"),
    "qrs_axis": coding(LOINC, "8632-2", "QRS axis"),
    "qrs": coding(LOINC, "8633-0", "QRS duration"),
    "qt": coding(LOINC, "8634-8", "Q-T interval"),
    "rr": coding(LOINC, "8637-1", "R-R interval"),
    "t_axis": coding(LOINC, "8638-9", "T wave axis"),
}
QTC: Final = coding(LOINC, "8636-3", "Q-T interval corrected")

CONCLUSIONS: Final[Mapping[tuple[str, str], Element]] = {
    ("ecg_class", "normal"): coding(SCT, "164854000", "Normal ECG"),
    ("ecg_class", "borderline"): coding(SCT, "251135002", "Borderline normal ECG"),
    ("ecg_class", "suspicious"): coding(SCT, "370359005", "ECG equivocal"),
    ("ecg_class", "abnormal"): coding(SCT, "102594003", "ECG abnormal"),
    ("bi_rads", "0"): coding(SCT, "397138000", "Mammography assessment (Category 0)"),
    ("bi_rads", "1"): coding(SCT, "397140005", "Mammography assessment (Category 1)"),
    ("bi_rads", "2"): coding(SCT, "397141009", "Mammography assessment (Category 2)"),
    ("bi_rads", "3"): coding(SCT, "397143007", "Mammography assessment (Category 3)"),
    ("bi_rads", "4"): coding(SCT, "397144001", "Mammography assessment (Category 4)"),
    ("bi_rads", "5"): coding(SCT, "397145000", "Mammography assessment (Category 5)"),
}
"""Codes of a report that others have a code for as well; 4A to 4C and 6 have none of their own."""

UNITS: Final[Mapping[str, str]] = {"bpm": "/min", "/min": "/min", "°": "deg", "deg": "deg"}
"""Units of a report that UCUM writes in another way."""

CATEGORIES: Final[Mapping[str, tuple[str, str]]] = {
    "CT": ("CT", "CAT Scan"),
    "MR": ("NMR", "Nuclear Magnetic Resonance"),
    "US": ("RUS", "Radiology Ultrasound"),
    "NM": ("NMS", "Nuclear Medicine Scan"),
    "DX": ("RX", "Radiograph"),
    "CR": ("RX", "Radiograph"),
}
"""Modality → code of HL7 v2 table 0074; every image is RAD as well, every ECG is EC."""
