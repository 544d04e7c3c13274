"""What our acts are in the codes of DICOM PS3.15 A.5 and PS3.16 CID 400 and 401: a total table.

An act is ``subject:verb``. A row for the very act counts before the one of its subject. Our own
word goes along in each message as a code of our scheme, so nothing is lost by the mapping.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType
from typing import Final

DCM: Final = "DCM"
OWN_SCHEME: Final = "99RDC"


@dataclass(frozen=True, slots=True)
class Code:
    """A coded value: its code, scheme and meaning."""

    value: str
    meaning: str
    scheme: str = DCM


class Event(Enum):
    """Audit Event ID (PS3.16 CID 400)."""

    APPLICATION = Code("110100", "Application Activity")
    LOG_USED = Code("110101", "Audit Log Used")
    ACCESSED = Code("110103", "DICOM Instances Accessed")
    TRANSFERRED = Code("110104", "DICOM Instances Transferred")
    STUDY_DELETED = Code("110105", "DICOM Study Deleted")
    EXPORT = Code("110106", "Export")
    IMPORT = Code("110107", "Import")
    ORDER = Code("110109", "Order Record")
    PATIENT = Code("110110", "Patient Record")
    PROCEDURE = Code("110111", "Procedure Record")
    QUERY = Code("110112", "Query")
    ALERT = Code("110113", "Security Alert")
    USER = Code("110114", "User Authentication")


class Kind(Enum):
    """Audit Event Type Code (PS3.16 CID 401)."""

    LOGIN = Code("110122", "Login")
    LOGOUT = Code("110123", "Logout")
    NODE = Code("110126", "Node Authentication")
    OVERRIDE = Code("110127", "Emergency Override Started")
    NETWORK = Code("110128", "Network Configuration")
    SECURITY = Code("110129", "Security Configuration")
    SOFTWARE = Code("110131", "Software Configuration")
    RESTRICTED = Code("110132", "Use of Restricted Function")
    ROLES = Code("110136", "Security Roles Changed")
    USER_ATTRIBUTES = Code("110137", "User Security Attributes Changed")


class Act(Enum):
    """EventActionCode (A.5.1.1)."""

    CREATE = "C"
    READ = "R"
    UPDATE = "U"
    DELETE = "D"
    EXECUTE = "E"


class Outcome(Enum):
    """EventOutcomeIndicator (A.5.1.1)."""

    SUCCESS = "0"
    MINOR_FAILURE = "4"
    SERIOUS_FAILURE = "8"


@dataclass(frozen=True, slots=True)
class Meaning:
    """What an act is: its event, narrower kind, action and outcome."""

    event: Event
    kind: Kind | None = None
    act: Act = Act.UPDATE
    outcome: Outcome = Outcome.SUCCESS


# What a verb does to its subject, whatever that is; all others change it.
_VERBS: Final[Mapping[str, Act]] = MappingProxyType(
    {
        verb: act
        for act, verbs in (
            (
                Act.CREATE,
                ("add", "cite", "create", "from_header", "issue", "make", "open", "place"),
            ),
            (Act.CREATE, ("queue", "raise", "receive", "register_identity", "request", "save")),
            (Act.CREATE, ("set_up", "write")),
            (Act.READ, ("download", "export", "fetch", "open_old_version", "print", "search")),
            (Act.READ, ("see", "view")),
            (Act.DELETE, ("drop", "purge", "remove", "remove_day", "remove_identity")),
        )
        for verb in verbs
    }
)

_PROCEDURE: Final = Meaning(Event.PROCEDURE)
_SECURITY: Final = Meaning(Event.ALERT, Kind.SECURITY)
_SOFTWARE: Final = Meaning(Event.ALERT, Kind.SOFTWARE)
_NETWORK: Final = Meaning(Event.ALERT, Kind.NETWORK)
_ROLES: Final = Meaning(Event.ALERT, Kind.ROLES)
_ATTRIBUTES: Final = Meaning(Event.ALERT, Kind.USER_ATTRIBUTES)
_READ_REPORT: Final = Meaning(Event.PROCEDURE, act=Act.READ)

SUBJECTS: Final[Mapping[str, Meaning]] = MappingProxyType(
    {
        "agreement": _SECURITY,
        "archive": Meaning(Event.APPLICATION, act=Act.EXECUTE),
        "association": Meaning(Event.ALERT, Kind.NODE, Act.EXECUTE, Outcome.MINOR_FAILURE),
        "audit": Meaning(Event.LOG_USED, act=Act.READ),
        "branch": _SOFTWARE,
        "calendar": _SOFTWARE,
        "clock": _SOFTWARE,
        "consultation": _PROCEDURE,
        "critical_clocks": _SOFTWARE,
        "critical_contacts": _SOFTWARE,
        "critical_value": _PROCEDURE,
        "delivery": Meaning(Event.EXPORT, act=Act.EXECUTE),
        "destination": _NETWORK,
        "device": _NETWORK,
        "duty": _ROLES,
        "ecg_analysis": _PROCEDURE,
        "ecg_critical_list": _SOFTWARE,
        "ecg_file": Meaning(Event.IMPORT, act=Act.CREATE),
        "exam": _PROCEDURE,
        "exam_note": _PROCEDURE,
        "identity": Meaning(Event.PATIENT),
        "index": Meaning(Event.APPLICATION, act=Act.EXECUTE),
        "instance": Meaning(Event.ACCESSED),
        "key_image": _PROCEDURE,
        "legal_hold": _PROCEDURE,
        "list": Meaning(Event.QUERY, act=Act.EXECUTE),
        "machine_token": _ATTRIBUTES,
        "order": Meaning(Event.ORDER),
        "organisation": _SOFTWARE,
        "patient": Meaning(Event.PATIENT),
        "performed_step": _PROCEDURE,
        "person": _ATTRIBUTES,
        "practitioner": _ATTRIBUTES,
        "prior": Meaning(Event.PROCEDURE, Kind.RESTRICTED, Act.READ),
        "procedure": _SOFTWARE,
        "purge": _PROCEDURE,
        "quarantine": Meaning(Event.ALERT, Kind.RESTRICTED),
        "reading_group": _SOFTWARE,
        "recognition": _PROCEDURE,
        "report": _PROCEDURE,
        "report_revocation": _PROCEDURE,
        "retake": _PROCEDURE,
        "retention_rule": _SECURITY,
        "routing_rules": _SOFTWARE,
        "second_factor": _ATTRIBUTES,
        "series": Meaning(Event.ACCESSED),
        "session": Meaning(Event.USER, act=Act.EXECUTE),
        "share": Meaning(Event.EXPORT, act=Act.EXECUTE),
        "signing_authority": _SECURITY,
        "signing_key": _ATTRIBUTES,
        "single_signature": _SECURITY,
        "site": Meaning(Event.APPLICATION, act=Act.EXECUTE),
        "snippet": _SOFTWARE,
        "study": Meaning(Event.ACCESSED),
        "system": Meaning(Event.APPLICATION, act=Act.EXECUTE),
        "template": _SOFTWARE,
        "workitem": _PROCEDURE,
    }
)
"""By the word before the colon."""

ACTS: Final[Mapping[str, Meaning]] = MappingProxyType(
    {
        "archive:import": Meaning(Event.IMPORT, act=Act.CREATE),
        "delivery:refuse": Meaning(Event.EXPORT, None, Act.EXECUTE, Outcome.MINOR_FAILURE),
        "ecg_file:download": Meaning(Event.EXPORT, act=Act.READ),
        "patient:export": Meaning(Event.EXPORT, act=Act.READ),
        "person:give_role": _ROLES,
        "person:end_role": _ROLES,
        "person:follow_roles": _ROLES,
        "prior:emergency": Meaning(Event.ALERT, Kind.OVERRIDE, Act.EXECUTE),
        "report:fetch": Meaning(Event.EXPORT, act=Act.READ),
        "report:open": _READ_REPORT,
        "report:open_old_version": _READ_REPORT,
        "session:refused": Meaning(Event.USER, Kind.LOGIN, Act.EXECUTE, Outcome.MINOR_FAILURE),
        "session:sign_in": Meaning(Event.USER, Kind.LOGIN, Act.EXECUTE),
        "session:sign_out": Meaning(Event.USER, Kind.LOGOUT, Act.EXECUTE),
        "session:end_outside": Meaning(Event.USER, Kind.LOGOUT, Act.EXECUTE),
        "session:end": Meaning(Event.USER, Kind.LOGOUT, Act.EXECUTE),
        "session:end_all": Meaning(Event.USER, Kind.LOGOUT, Act.EXECUTE),
        "share:refused": Meaning(Event.USER, Kind.LOGIN, Act.EXECUTE, Outcome.MINOR_FAILURE),
        "signing_key:wrong_pin": Meaning(
            Event.USER, Kind.LOGIN, Act.EXECUTE, Outcome.MINOR_FAILURE
        ),
        "study:purge": Meaning(Event.STUDY_DELETED, act=Act.DELETE),
        "study:search": Meaning(Event.QUERY, act=Act.EXECUTE),
    }
)
"""Acts that are something else than their subject's row says."""

# An act of a later version, in a trail that an earlier one exports: told, never held back.
_UNKNOWN: Final = Meaning(Event.APPLICATION, act=Act.EXECUTE)


def meaning(action: str) -> Meaning:
    """Return what an act is; total."""
    exact = ACTS.get(action)
    if exact is not None:
        return exact
    subject, _, verb = action.partition(":")
    general = SUBJECTS.get(subject)
    if general is None:
        return _UNKNOWN
    act = _VERBS.get(verb, general.act)
    # What is executed is not made by being asked for: only records are created, read or removed.
    if act is Act.READ and general.event in {Event.EXPORT, Event.IMPORT}:
        # Who looks at a delivery sends nothing.
        return _READ_REPORT
    return (
        general
        if general.act is Act.EXECUTE
        else Meaning(general.event, general.kind, act, general.outcome)
    )


@dataclass(frozen=True, slots=True)
class ObjectType:
    """What an act was done to: ParticipantObjectTypeCode and its Role (A.5.1.1, A.5.1.2.2)."""

    kind: str
    role: str


_RECORD: Final = ObjectType("2", "3")
_SETTING: Final = ObjectType("2", "5")
_USER: Final = ObjectType("1", "11")

OBJECTS: Final[Mapping[str, ObjectType]] = MappingProxyType(
    {
        "ae_title": ObjectType("2", "25"),
        "agreement": _SETTING,
        "backup": ObjectType("2", "17"),
        "calendar_day": _SETTING,
        "clock_setting": _SETTING,
        "consultation": _RECORD,
        "critical_value": _RECORD,
        "delivery": ObjectType("2", "20"),
        "destination": ObjectType("2", "16"),
        "device": ObjectType("2", "25"),
        "dicom_study": _RECORD,
        "duty": ObjectType("2", "18"),
        "ecg_analysis": _RECORD,
        "ecg_file": _RECORD,
        "exam": ObjectType("2", "20"),
        "exam_note": _RECORD,
        "identity_case": _RECORD,
        "index": ObjectType("2", "22"),
        "instance": _RECORD,
        "legal_hold": _RECORD,
        "list": ObjectType("2", "7"),
        "machine_token": ObjectType("2", "13"),
        "order": ObjectType("2", "20"),
        "organisation": ObjectType("3", "2"),
        "patient": ObjectType("1", "1"),
        "performed_step": ObjectType("2", "20"),
        "person": _USER,
        "prior_access": _RECORD,
        "procedure": _SETTING,
        "purge": ObjectType("2", "20"),
        "quarantine": _RECORD,
        "reading_group": ObjectType("2", "12"),
        "recognition_mark": _SETTING,
        "report_snippet": _SETTING,
        "report_submission": _RECORD,
        "report_template": _SETTING,
        "report_version": _RECORD,
        "retake": ObjectType("2", "20"),
        "routing_ruleset": ObjectType("2", "23"),
        "series": _RECORD,
        "share_link": ObjectType("2", "16"),
        "signing_authority": ObjectType("2", "13"),
        "signing_credential": ObjectType("2", "13"),
        "single_signature": _SETTING,
        "study": _RECORD,
        "ups_target": ObjectType("2", "9"),
        "verification": ObjectType("2", "20"),
        "workitem": ObjectType("2", "20"),
    }
)
"""By the kind of a record's subject."""


def object_type(subject_kind: str) -> ObjectType:
    """Return what kind of object a record's subject is; total."""
    return OBJECTS.get(subject_kind, _RECORD)
