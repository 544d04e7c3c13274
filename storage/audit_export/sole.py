"""Events of the walk for an event repository: IHE SOLE (Standardized Operational Log of Events).

A record of the trail that tells of a step of an exam's walk is sent as an audit message (ITI-20,
RFC 5424 over TLS) whose APP-NAME is `IHE+SOLE` and whose MSGID is the event's code. The codes are
those of RadLex below "workflow term" (RID45812), where SIIM's workflow lexicon (SWIM) lies.

Sources: the terms and their numbers are of RadLex as exported in 2014 (RSNA; repository
dreemapatel/RadLex-Tree, radlexcs.csv, which has each below RID45812); APP-NAME, MSGID and the
participants of the profile (IHE RAD supplement SOLE, rev. 1.2, 2018-07-27) are as two public
documents repeat them: the French interoperability framework's study of traces (ANS), and the
comments of a published event repository's schema. The profile itself was not to be had. What of a
message they do not tell (EventID) is as PS3.15 A.5 has it.
"""

from collections.abc import Mapping
from enum import Enum
from types import MappingProxyType
from typing import Final

from storage.audit import AuditRecord
from storage.audit_export import syslog
from storage.audit_export.exporting import Feed
from storage.audit_export.messages import About, Source, xml_message
from storage.audit_export.vocabulary import Code
from storage.audit_trail import Entry

NAME: Final = "sole"
APP_NAME: Final = "IHE+SOLE"
_RADLEX: Final = "RADLEX"

_EARLY_END: Final = "DISCONTINUED"


def _radlex(number: int, term: str) -> Code:
    return Code(f"RID{number}", term, _RADLEX)


class Step(Enum):
    """A step of the walk: its code in RadLex, with the term as it stands there."""

    ORDER_RECEIVED = _radlex(45895, "OrderReceived")
    ARRIVED = _radlex(45825, "Pt Arrived")
    STARTED = _radlex(46000, "ProcedureStart")
    IMAGED = _radlex(45847, "ImagingComplete")
    ENDED_EARLY = _radlex(46003, "EarlyExamTermination")
    ACQUIRED = _radlex(45826, "DataAcquired")
    CANCELLED = _radlex(45862, "ExamCancelled")
    STORED = _radlex(45871, "ImagesStoredInArchive")
    READING = _radlex(45874, "InterpStarted")
    PRELIMINARY = _radlex(45911, "PrelimPublish")
    FINAL = _radlex(45924, "Final report approved")
    CORRECTED = _radlex(45850, "ReportCorrected")
    PUBLISHED = _radlex(45865, "FinalPublish")
    ACKNOWLEDGED = _radlex(45930, "ResultsAcknowledged")
    VIEWED = _radlex(45931, "ResultsViewed")


STEPS: Final[Mapping[str, Step | None]] = MappingProxyType(
    {
        "order:place": Step.ORDER_RECEIVED,
        "order:check_in": Step.ARRIVED,
        "performed_step:begin": Step.STARTED,
        "performed_step:end": Step.IMAGED,
        "order:acquire": Step.ACQUIRED,
        "order:cancel": Step.CANCELLED,
        "workitem:queue": Step.STORED,
        "workitem:claim": Step.READING,
        "workitem:issue_preliminary": Step.PRELIMINARY,
        "workitem:finalise": Step.FINAL,
        "workitem:issue_alone": Step.FINAL,
        "workitem:issue_amendment": Step.CORRECTED,
        "workitem:publish": Step.PUBLISHED,
        "workitem:acknowledge_delivery": Step.ACKNOWLEDGED,
        "report:open": Step.VIEWED,
        # Steps of the walk for which no term was found that says just this.
        "order:from_header": None,
        "order:receive": None,
        "order:miss": None,
        "order:hold": None,
        "order:reinstate": None,
        "order:retake": None,
        "order:reject_quality": None,
        "workitem:release": None,
        "workitem:expire_lease": None,
        "workitem:submit": None,
        "workitem:review": None,
        "workitem:return": None,
        "workitem:revoke": None,
        "workitem:reopen": None,
        "workitem:archive": None,
        "workitem:late_instances": None,
        "delivery:refuse": None,
        "delivery:committed": None,
        "report:recall": None,
        "report:fetch": None,
    }
)
"""By the act: which step it is; None: a step without a known code, which is not sent."""


def step_of(record: AuditRecord) -> Step | None:
    """Return the step of the walk that a record tells of; None: of none, or of one without code."""
    step = STEPS.get(record.action)
    state_before, state_after = record.detail.get("from"), record.detail.get("to")
    if step is Step.READING and state_before == state_after:
        # Who has it already goes on: his claim is renewed with everything he does.
        return None
    if step is Step.IMAGED and record.detail.get("state") == _EARLY_END:
        return Step.ENDED_EARLY
    return step


def _frame(entry: Entry, source: Source, about: About | None) -> bytes | None:
    step = step_of(entry.record)
    if step is None:
        return None
    code = step.value
    return syslog.frame(
        xml_message(entry, source, about, event_type=code, with_detail=False),
        at=entry.record.at,
        machine=source.machine,
        process=APP_NAME,
        message_id=code.value,
    )


FEED: Final = Feed(NAME, _frame)
"""The events of the walk alone."""
