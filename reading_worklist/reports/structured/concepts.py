"""Codes of the structured report: DCM and CIDs of PS3.16, LOINC, SNOMED CT, UCUM, and MDC.

MDC is ISO/IEEE 11073-10101 in the ``partition:element`` form that PS3.16 uses.
"""

from dataclasses import dataclass
from typing import Final

from storage.report_objects import titles


@dataclass(frozen=True, slots=True)
class Concept:
    """A coded concept: value, coding scheme designator (PS3.16 Table 8-1), meaning."""

    value: str
    scheme: str
    meaning: str


# Titles (CID 7000) are in `storage.report_objects.titles`.
ECG_REPORT: Final = Concept(*titles.ECG)

# TID 1204, CID 5000 and 5001.
LANGUAGE: Final = Concept("121049", "DCM", "Language of Content Item and Descendants")
COUNTRY: Final = Concept("121046", "DCM", "Country of Language")
ENGLISH: Final = Concept("en", "RFC5646", "English")
CHINESE: Final = Concept("zh", "RFC5646", "Chinese")
CHINA: Final = Concept("CN", "ISO3166_1", "China")

# TID 1002 and 1003.
OBSERVER_TYPE: Final = Concept("121005", "DCM", "Observer Type")
PERSON: Final = Concept("121006", "DCM", "Person")
DEVICE: Final = Concept("121007", "DCM", "Device")
PERSON_OBSERVER_NAME: Final = Concept("121008", "DCM", "Person Observer Name")
PERSON_OBSERVER_ORGANISATION: Final = Concept(
    "121009", "DCM", "Person Observer's Organization Name"
)

# TID 1005.
STUDY: Final = Concept("121018", "DCM", "Procedure Study Instance UID")
ACCESSION_NUMBER: Final = Concept("121022", "DCM", "Accession Number")

# Sections of a report in words (CID 7001, 7002).
CLINICAL_INFORMATION: Final = Concept("55752-0", "LN", "Clinical Information")
REQUEST: Final = Concept("55115-0", "LN", "Request")
PROCEDURE_DESCRIPTION: Final = Concept("121065", "DCM", "Procedure Description")
PREVIOUS_FINDINGS: Final = Concept("18834-2", "LN", "Previous Findings")
PREVIOUS_FINDING: Final = Concept("121069", "DCM", "Previous Finding")
CRITICAL_RESULTS: Final = Concept("73568-8", "LN", "Communication of Critical Results")
KEY_IMAGES: Final = Concept("55113-5", "LN", "Key Images")
COMMENT: Final = Concept("121106", "DCM", "Comment")
FINDINGS: Final = Concept("59776-5", "LN", "Findings")
IMPRESSIONS: Final = Concept("19005-8", "LN", "Impressions")
ADDENDUM: Final = Concept("55107-7", "LN", "Addendum")
RECOMMENDATIONS: Final = Concept("18783-1", "LN", "Recommendations")
FINDING: Final = Concept("121071", "DCM", "Finding")
IMPRESSION: Final = Concept("121073", "DCM", "Impression")
RECOMMENDATION: Final = Concept("121075", "DCM", "Recommendation")
PROCEDURE_REPORTED: Final = Concept("121058", "DCM", "Procedure reported")

# CID 244 and the attribute it is a value of.
LATERALITY: Final = Concept("272741003", "SCT", "Laterality")
LEFT: Final = Concept("7771000", "SCT", "Left")
RIGHT: Final = Concept("24028007", "SCT", "Right")
BOTH: Final = Concept("51440002", "SCT", "Right and left")

# TID 2010, CID 7010.
FOR_REPORT_ATTACHMENT: Final = Concept("113020", "DCM", "For Report Attachment")
KEY_OBJECT_DESCRIPTION: Final = Concept("113012", "DCM", "Key Object Description")

# TID 3708, with the acquisition context of TID 3401 and CID 3263, 3690.
CURRENT_PROCEDURE: Final = Concept("55111-9", "LN", "Current Procedure Descriptions")
PROCEDURE_DATETIME: Final = Concept("122146", "DCM", "Procedure DateTime")
SOURCE_OF_MEASUREMENT: Final = Concept("121112", "DCM", "Source of Measurement")
LEAD_SYSTEM: Final = Concept("10:11345", "MDC", "Lead System")
UNSPECIFIED_12_LEAD: Final = Concept("10:11264", "MDC", "Unspecified 12-lead system")
EQUIPMENT: Final = Concept("121122", "DCM", "Equipment Identification")
SAMPLE_RATE: Final = Concept("10:11393", "MDC", "Sample rate")

# TID 3700, 3713, 3715, 3717, 3719.
QUANTITATIVE_ANALYSIS: Final = Concept("122144", "DCM", "Quantitative Analysis")
GLOBAL_MEASUREMENTS: Final = Concept("122158", "DCM", "ECG Global Measurements")
MEASUREMENT_METHOD: Final = Concept("370129005", "SCT", "Measurement Method")
ALGORITHM_NAME: Final = Concept("111001", "DCM", "Algorithm Name")
QUALITATIVE_ANALYSIS: Final = Concept("122145", "DCM", "Qualitative Analysis")
SUMMARY: Final = Concept("55112-7", "LN", "Summary")
OVERALL_FINDING: Final = Concept("18810-2", "LN", "ECG overall finding")
SELECTION_STATUS: Final = Concept("121404", "DCM", "Selection Status")
USER_CHOSEN: Final = Concept("121410", "DCM", "User chosen value")
MEASUREMENT_FAILURE: Final = Concept("114006", "DCM", "Measurement failure")

VENTRICULAR_RATE: Final = Concept("2:16016", "MDC", "Ventricular Heart Rate")
ATRIAL_RATE: Final = Concept("2:16020", "MDC", "Atrial Heart Rate")
RR_INTERVAL: Final = Concept("2:16168", "MDC", "RR interval global")
P_DURATION: Final = Concept("2:16184", "MDC", "P duration global")
PR_INTERVAL: Final = Concept("2:15872", "MDC", "PR interval global")
QRS_DURATION: Final = Concept("2:16156", "MDC", "QRS duration global")
QT_INTERVAL: Final = Concept("2:16160", "MDC", "QT interval global")
QTC_INTERVAL: Final = Concept("2:15876", "MDC", "QTc interval global")
P_AXIS: Final = Concept("2:16128", "MDC", "P Axis")
QRS_AXIS: Final = Concept("2:16132", "MDC", "QRS axis")
T_AXIS: Final = Concept("2:16136", "MDC", "T axis")

# CID 3678.
BAZETT: Final = Concept("122730", "DCM", "Bazett QTc Algorithm")
HODGES: Final = Concept("122731", "DCM", "Hodges QTc Algorithm")
FRIDERICIA: Final = Concept("122732", "DCM", "Fridericia QTc Algorithm")
FRAMINGHAM: Final = Concept("122733", "DCM", "Framingham QTc Algorithm")

# CID 3677.
NORMAL: Final = Concept("164854000", "SCT", "Normal ECG")
BORDERLINE: Final = Concept("251135002", "SCT", "Borderline Normal ECG")
EQUIVOCAL: Final = Concept("370359005", "SCT", "ECG Equivocal")
ABNORMAL: Final = Concept("102594003", "SCT", "Abnormal ECG")

# TID 3714, CID 3688 and 3001. The standard has no code for which lead, nor for the sum.
LEAD_MEASUREMENTS: Final = Concept("122159", "DCM", "ECG Lead Measurements")
R_AMPLITUDE: Final = Concept("2:2048", "MDC", "R amplitude, per lead")
S_AMPLITUDE: Final = Concept("2:2304", "MDC", "S amplitude, per lead")
LEAD: Final = Concept("lead", "99RDC", "Lead")
LEAD_V1: Final = Concept("2:3", "MDC", "Lead V1")
LEAD_V5: Final = Concept("2:7", "MDC", "Lead V5")
SOKOLOW_LYON: Final = Concept("rv5_sv1", "99RDC", "RV5 + SV1")

MILLIVOLT: Final = Concept("mV", "UCUM", "mV")
MILLISECOND: Final = Concept("ms", "UCUM", "ms")
DEGREE: Final = Concept("deg", "UCUM", "degree")
BEATS_PER_MINUTE: Final = Concept("{H.B.}/min", "UCUM", "BPM")
HERTZ: Final = Concept("Hz", "UCUM", "Hz")
