"""Status words of a report, in one table: FHIR, DICOM structured reports, HL7 v2, and our kinds."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class IssuedKind(StrEnum):
    """What an issued document is; NOTICE says that the report is void."""

    PRELIMINARY = "preliminary"
    REPORT = "report"
    AMENDMENT = "amendment"
    ADDENDUM = "addendum"
    NOTICE = "revocation_notice"


@dataclass(frozen=True, slots=True)
class StatusWords:
    """How one kind of document is called in each standard.

    fhir: DiagnosticReport.status (R4). completion, verification, preliminary: flags of an SR
        document (PS3.3 C.17.2). It has no flag for "void": a notice is a complete document that
        says so, verified by the two who decided it, and names the void one as predecessor.
    order: OBR-25 Result Status (HL7 table 0123). observation: OBX-11 (table 0085).
    """

    fhir: str
    completion: str
    verification: str
    preliminary: str
    order: str
    observation: str


STATUS: Final[Mapping[IssuedKind, StatusWords]] = MappingProxyType(
    {
        IssuedKind.PRELIMINARY: StatusWords(
            "preliminary", "PARTIAL", "UNVERIFIED", "PRELIMINARY", "P", "P"
        ),
        IssuedKind.REPORT: StatusWords("final", "COMPLETE", "VERIFIED", "FINAL", "F", "F"),
        IssuedKind.AMENDMENT: StatusWords("amended", "COMPLETE", "VERIFIED", "FINAL", "C", "C"),
        IssuedKind.ADDENDUM: StatusWords("appended", "COMPLETE", "VERIFIED", "FINAL", "C", "C"),
        # HL7: the results were wrong (0085 W: post original as wrong), which corrects the order's
        # results (0123 C). Not X, which would say that the order itself was cancelled.
        IssuedKind.NOTICE: StatusWords(
            "entered-in-error", "COMPLETE", "VERIFIED", "FINAL", "C", "W"
        ),
    }
)
"""Every kind has its words."""

KIND_OF_FHIR_STATUS: Final[Mapping[str, IssuedKind]] = MappingProxyType(
    {words.fhir: kind for kind, words in STATUS.items()}
)
"""The stored status word of a version, back to its kind."""
