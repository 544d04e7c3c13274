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
        document (PS3.3 C.17.2); a notice has none, since it has no SR.
    order: OBR-25 Result Status (HL7 table 0123). observation: OBX-11 (table 0085).
    """

    fhir: str
    completion: str | None
    verification: str | None
    preliminary: str | None
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
        # HL7: the results are wrong and withdrawn (0085 W: post original as wrong; 0123 X: no
        # results; procedure stays done but its report does not stand).
        IssuedKind.NOTICE: StatusWords("entered-in-error", None, None, None, "X", "W"),
    }
)
"""Every kind has its words."""

KIND_OF_FHIR_STATUS: Final[Mapping[str, IssuedKind]] = MappingProxyType(
    {words.fhir: kind for kind, words in STATUS.items()}
)
"""The stored status word of a version, back to its kind."""
