"""Issued reports in a neutral, machine-readable form: written when issued, read by every sender."""

from storage.issued_reports.codec import from_json, to_json
from storage.issued_reports.model import (
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
from storage.issued_reports.tables import IssuedReportRow, read, read_many, write

__all__ = [
    "IssuedCode",
    "IssuedDocument",
    "IssuedExam",
    "IssuedKeyImage",
    "IssuedMeasurement",
    "IssuedOrder",
    "IssuedOrganisation",
    "IssuedPatient",
    "IssuedPredecessor",
    "IssuedReport",
    "IssuedReportRow",
    "IssuedSection",
    "IssuedSeries",
    "IssuedSigner",
    "IssuedTimes",
    "IssuedVisit",
    "SectionLabel",
    "from_json",
    "read",
    "read_many",
    "to_json",
    "write",
]
