"""The words of an order: what can stand in its columns."""

from enum import StrEnum


class Priority(StrEnum):
    """How urgent an exam is, most urgent first."""

    STAT = "STAT"
    URGENT = "URGENT"
    ROUTINE = "ROUTINE"

    def at_least(self, other: "Priority | None") -> "Priority":
        """Return the more urgent of the two."""
        asked = {self, other}
        return next(one for one in Priority if one in asked)


class OrderSource(StrEnum):
    """How we learned of an order; HEADER: made from a study that came without one."""

    API = "api"
    HL7 = "hl7"
    HEADER = "header"


class VisitType(StrEnum):
    """Under what kind of visit the patient is examined."""

    OUTPATIENT = "outpatient"
    INPATIENT = "inpatient"
    EMERGENCY = "emergency"
    CHECKUP = "checkup"
    OTHER = "other"


class DocumentKind(StrEnum):
    """What a patient is identified by; a newborn and an unknown patient have no number."""

    RESIDENT_ID = "resident_id"
    PASSPORT = "passport"
    MILITARY = "military"
    HK_MACAO = "hk_macao"
    TAIWAN = "taiwan"
    OTHER = "other"
    NEWBORN = "newborn"
    UNKNOWN = "unknown"


class Laterality(StrEnum):
    """Which side is examined: right, left, unpaired, both (PS3.3 C.7.3.1, (0020,0060))."""

    RIGHT = "R"
    LEFT = "L"
    UNPAIRED = "U"
    BOTH = "B"


class Contrast(StrEnum):
    """Whether contrast medium is given: none, with it, or without and then with it."""

    PLAIN = "plain"
    ENHANCED = "enhanced"
    BOTH = "both"


class PriorityReason(StrEnum):
    """Why an exam cannot wait."""

    CHEST_PAIN = "chest_pain"
    STROKE = "stroke"
    TRAUMA = "trauma"
    ACUTE_ABDOMEN = "acute_abdomen"
    BREATHING = "breathing"
    OTHER = "other"


class StepStatus(StrEnum):
    """Where a scheduled procedure step stands.

    The first four are the terms of Scheduled Procedure Step Status (0040,0020).
    """

    SCHEDULED = "SCHEDULED"
    ARRIVED = "ARRIVED"
    READY = "READY"
    STARTED = "STARTED"
    COMPLETED = "COMPLETED"
    DISCONTINUED = "DISCONTINUED"


class MatchedBy(StrEnum):
    """What led from a study to its order, the surest first."""

    STUDY_INSTANCE_UID = "study_instance_uid"
    ACCESSION_NUMBER = "accession_number"
    PATIENT = "patient"
    HEADER = "header"
    DECISION = "decision"
