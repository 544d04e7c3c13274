"""Which table belongs to whom: the whole list, with a reason where it is not a site's.

A table that is missing here is closed to the role of sites, and a test fails until somebody
decides.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from storage.walls.reach import Standing


@dataclass(frozen=True, slots=True)
class Shared:
    """By which column rows are of a consultation that somebody of elsewhere was asked for.

    of: what the column names: a consultation, its reading, its study, that study's order or
        patient; or an image, which is the study as long as the consultation is open.
    """

    column: str
    of: Literal["consultation", "reading", "study", "order", "patient", "image"]


@dataclass(frozen=True, slots=True)
class OfSite:
    """Rows name their site.

    column: the column that names it. A row without a site is nobody's.
    shared: how an expert sees those of his consultations; None: he does not.
    """

    column: str = "site_id"
    shared: Shared | None = None


@dataclass(frozen=True, slots=True)
class PartOf:
    """Rows belong to who sees the rows they are parts of: all of them.

    parents: column → (table, its key).
    shared: an expert sees those of what is shared with him, and not those of his sites alone.
    """

    parents: Mapping[str, tuple[str, str]]
    shared: bool = False


@dataclass(frozen=True, slots=True)
class Common:
    """Rows hold nothing of a patient or of one site's work; everybody reads and writes them.

    why: what they hold.
    """

    why: str


@dataclass(frozen=True, slots=True)
class WriteOnly:
    """Whoever works for a site adds rows, and reads of them no more than what adding tells.

    columns: what the database fills in and hands back. why: who reads them.
    """

    columns: tuple[str, ...]
    why: str


@dataclass(frozen=True, slots=True)
class Closed:
    """Nobody who works for a site has anything to do with the rows.

    why: who has.
    """

    why: str


Rule: TypeAlias = OfSite | PartOf | Common | WriteOnly | Closed


def _of(column: str, table: str, key: str = "id") -> PartOf:
    return PartOf({column: (table, key)})


def _shown(column: str, table: str, key: str = "id") -> PartOf:
    return PartOf({column: (table, key)}, shared=True)


_STATES: Final = Common("a table of states")
_SETTINGS: Final = Common("settings of the centre's work")
_ACCESS: Final = Common("people and how they sign in; asked before it is known whose request it is")
_OWN_PAGE: Final = Common("how a person has arranged a page")

RULES: Final[Mapping[str, Rule]] = {
    # The index
    "patient": OfSite(shared=Shared("id", "patient")),
    "study": OfSite(shared=Shared("id", "study")),
    "study_listing": OfSite(shared=Shared("study_id", "study")),
    "series": _shown("study_id", "study"),
    "series_montage": _shown("study_id", "study"),
    "instance": OfSite(shared=Shared("study_id", "image")),
    "quality_note": _of("study_id", "study"),
    "study_analysis": OfSite(),
    "availability_notification": _of("study_id", "study"),
    "quarantine": OfSite(),
    "quarantine_decision": _of("quarantine_id", "quarantine"),
    "patient_link": PartOf({"one_id": ("patient", "id"), "other_id": ("patient", "id")}),
    "prior_access": _of("patient_id", "patient"),
    "prior_opening": _of("workitem_id", "workitem"),
    "emergency_review": _of("access_id", "prior_access"),
    "share_link": OfSite(),
    "share_visit": _of("link_id", "share_link"),
    # Orders and identity
    "exam_order": OfSite(shared=Shared("id", "order")),
    "scheduled_step": _shown("order_id", "exam_order"),
    "study_order": _shown("study_id", "study"),
    "performed_step": OfSite(),
    "exam_note": OfSite(),
    "exam_note_sight": _of("note_id", "exam_note"),
    "identity_case": OfSite(),
    "identity_decision": _of("case_id", "identity_case"),
    "hl7_sender": OfSite(),
    "hl7_message": OfSite(),
    # Readings
    "workitem": OfSite(shared=Shared("id", "reading")),
    "workitem_tally": OfSite(),
    "queue_name": _of("workitem_id", "workitem"),
    "step_transaction": _of("workitem_id", "workitem"),
    "key_image": _of("workitem_id", "workitem"),
    "critical_value": OfSite(),
    "critical_notice": _of("critical_value_id", "critical_value"),
    "critical_contact": OfSite(),
    "consultation": OfSite(shared=Shared("id", "consultation")),
    "retake": OfSite(),
    "retake_call": _of("retake_id", "retake"),
    "ecg_analysis": OfSite(shared=Shared("study_id", "image")),
    "ecg_correction": _shown("analysis_id", "ecg_analysis"),
    "ecg_task": OfSite(),
    "ecg_file": OfSite(),
    # Reports and their way back
    "report_draft": _of("workitem_id", "workitem"),
    "report_submission": _of("workitem_id", "workitem"),
    "report_override": _of("submission_id", "report_submission"),
    "report_return": _of("submission_id", "report_submission"),
    "report_version": _of("workitem_id", "workitem"),
    "report_opening": _of("report_version_id", "report_version"),
    "report_amendment": _of("workitem_id", "workitem"),
    "report_revocation": _of("workitem_id", "workitem"),
    "report_recall": _of("workitem_id", "workitem"),
    "recall_recipient": _of("report_version_id", "report_recall", "report_version_id"),
    "recall_escalation": _of("recipient_id", "recall_recipient"),
    "report_object": OfSite(),
    "report_pull": OfSite(),
    "issued_report": OfSite(),
    "issued_feed": OfSite(),
    "issued_feed_entry": OfSite(),
    "issued_resource": OfSite(),
    "delivery": OfSite(),
    "delivery_attempt": _of("delivery_id", "delivery"),
    "taken_object": _of("delivery_id", "delivery"),
    "delivery_commitment": OfSite(),
    "destination": OfSite(),
    "delivery_queue": _of("destination_id", "destination"),
    "destination_trial": _of("destination_id", "destination"),
    "report_time_stamp": Common("digests and times of finished files, named by nothing else"),
    # Machines
    "device": OfSite(),
    "recognition_mark": OfSite(),
    "machine_token": OfSite(),
    "site_test": OfSite(),
    "commitment_request": OfSite(),
    "commitment_reference": _of("request_id", "commitment_request"),
    # Keeping
    "storage_usage": OfSite(),
    "kept_objects": OfSite(),
    "retention_rule": OfSite(),
    "legal_hold": OfSite(),
    "purge": OfSite(),
    "purge_study": _of("purge_id", "purge"),
    "purge_object": OfSite(),
    "verification": Closed("the machine's owner, by command"),
    "verification_finding": Closed("the machine's owner, by command"),
    # Everybody's
    "audit_export": Closed("the export of the trail"),
    "audit_record": WriteOnly(("id", "at"), "auditors, who are of no site"),
    "audit_seal": Closed("auditors, who are of no site"),
    "outbox_message": WriteOnly(
        ("id", "created_at", "available_at", "attempts"),
        "the relay, which hands messages to workers",
    ),
    "lease": Closed("the clock, which works for every site"),
    "organisation": _ACCESS,
    "person": _ACCESS,
    "membership": _ACCESS,
    "web_session": _ACCESS,
    "sign_in_throttle": _ACCESS,
    "second_factor": _ACCESS,
    "recovery_code": _ACCESS,
    "earlier_password": _ACCESS,
    "outside_identity": _ACCESS,
    "outside_sign_in": _ACCESS,
    "outside_logout": _ACCESS,
    "signing_approval": _ACCESS,
    "signing_credential": Common("certificates of doctors and their sealed keys"),
    "revocation_list": Common("which certificates are revoked; public"),
    "practitioner": Common("titles and licences of experts"),
    "agreement": _SETTINGS,
    "calendar_day": _SETTINGS,
    "working_hours": _SETTINGS,
    "clock_setting": _SETTINGS,
    "critical_clock": _SETTINGS,
    "delivery_policy": _SETTINGS,
    "duty": _SETTINGS,
    "ecg_critical_list": _SETTINGS,
    "procedure": _SETTINGS,
    "reading_group": _SETTINGS,
    "reading_group_member": _SETTINGS,
    "report_snippet": _SETTINGS,
    "report_template": _SETTINGS,
    "report_template_version": _SETTINGS,
    "routing_ruleset": _SETTINGS,
    "single_signature": _SETTINGS,
    "step_subscription": _OWN_PAGE,
    "worklist_preference": _OWN_PAGE,
    "worklist_view": _OWN_PAGE,
    "consultation_transition": _STATES,
    "critical_value_transition": _STATES,
    "delivery_transition": _STATES,
    "exam_transition": _STATES,
    "purge_transition": _STATES,
    "retake_transition": _STATES,
    "workitem_transition": _STATES,
}

_READ_AND_WRITTEN: Final = frozenset(
    {
        "report_draft",
        "report_override",
        "report_return",
        "key_image",
        "series_montage",
        "ecg_correction",
        "consultation",
        "critical_notice",
        "exam_note",
        "exam_note_sight",
    }
)
"""What is thought, said and written about a patient on the way to a report."""

_CLOSED_TO: Final[Mapping[Standing, frozenset[str]]] = {
    Standing.OPERATOR: _READ_AND_WRITTEN
    | {"prior_access", "prior_opening", "emergency_review", "share_link", "share_visit"},
    # Whoever reviews an opening in an emergency sees it; deliveries and openings are in the ledger.
    Standing.AUDITOR: _READ_AND_WRITTEN,
}
_NUMBERS: Final[Mapping[str, tuple[str, ...]]] = {
    "workitem": (),
    "workitem_tally": (),
    "critical_value": ("id", "site_id", "state", "found_at"),
    "device": (),
}
"""What a regulator's board is counted from, by columns, () for all of them: it names no person."""


def may_ask(standing: Standing, table: str) -> bool:
    """Tell whether a standing has to do with a table at all; which rows it sees is another thing.

    table: one with rows of sites.
    """
    if standing is Standing.REGULATOR:
        return table in _NUMBERS
    return table not in _CLOSED_TO.get(standing, frozenset())


def counted(table: str) -> str:
    """Return the right that a regulator has on a table that he may ask, as SQL writes it."""
    columns = _NUMBERS[table]
    return f"SELECT ({', '.join(columns)})" if columns else "SELECT"
