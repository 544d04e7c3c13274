"""The moments of an emergency ECG, each with its clock, as pure functions.

Chest-pain centres must show first medical contact, first ECG and diagnosis "objectively
recorded". Two of the clocks are not ours: whoever orders writes down the first contact, and the
device writes when it recorded. Both are shown, said to be what they are, and flagged where they
contradict ours; intervals that are reported run from contact to our receipt and from our receipt
to the report, so that a device whose clock is slow cannot make a site look quick.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

CONTACT_TO_ECG: Final = timedelta(minutes=10)
"""From first medical contact to the ECG of a patient with chest pain: the national limit."""
ECG_TO_DIAGNOSIS: Final = timedelta(minutes=10)
"""From the ECG's receipt to the first report about it: the national limit."""
WARN_AFTER: Final = timedelta(minutes=5)
"""When a diagnosis that is not there is near its limit."""
_TOLERANCE: Final = timedelta(minutes=1)
_LONG_BEFORE: Final = timedelta(hours=12)


class Step(StrEnum):
    """The moments, in the order in which they should come."""

    CONTACT = "contact"
    ACQUIRED = "acquired"
    RECEIVED = "received"
    OPENED = "opened"
    DIAGNOSED = "diagnosed"
    ACKNOWLEDGED = "acknowledged"


class Clock(StrEnum):
    """Who read the time: a person of the site, the recording device, or this server."""

    SITE = "site"
    DEVICE = "device"
    SERVER = "server"


class Doubt(StrEnum):
    """What speaks against a time.

    AFTER_RECEIPT: it would have happened after the ECG was here. LONG_BEFORE: more than twelve
    hours before that. BEFORE_CONTACT: the device recorded before the patient was met.
    """

    AFTER_RECEIPT = "after_receipt"
    LONG_BEFORE = "long_before"
    BEFORE_CONTACT = "before_contact"


@dataclass(frozen=True, slots=True)
class Facts:
    """What is recorded of an emergency ECG; None for what has not happened, or nobody recorded.

    contact_at: as the order says. acquired_at: by the device, made aware with the site's zone.
    opened_at: first claimed at the centre. diagnosed_at: of the first report, preliminary or final.
    acknowledged_at: the first time that the site opened a report.
    """

    received_at: datetime
    contact_at: datetime | None = None
    acquired_at: datetime | None = None
    opened_at: datetime | None = None
    diagnosed_at: datetime | None = None
    acknowledged_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Moment:
    """When a step happened and by which clock; at None: not yet, or not recorded."""

    step: Step
    at: datetime | None
    clock: Clock
    doubt: Doubt | None = None


def moments(facts: Facts) -> Sequence[Moment]:
    """Return every step in the order of `Step`."""
    server = Clock.SERVER
    return (
        Moment(
            Step.CONTACT, facts.contact_at, Clock.SITE, _against_receipt(facts.contact_at, facts)
        ),
        Moment(Step.ACQUIRED, facts.acquired_at, Clock.DEVICE, _against_acquisition(facts)),
        Moment(Step.RECEIVED, facts.received_at, server),
        Moment(Step.OPENED, facts.opened_at, server),
        Moment(Step.DIAGNOSED, facts.diagnosed_at, server),
        Moment(Step.ACKNOWLEDGED, facts.acknowledged_at, server),
    )


def contact_to_ecg(facts: Facts) -> timedelta | None:
    """Return how long the ECG took from first contact until it was here.

    None without a contact, and with one that lies after the receipt: that is a slip of the pen.
    """
    if facts.contact_at is None or _against_receipt(facts.contact_at, facts) is not None:
        return None
    return max(facts.received_at - facts.contact_at, timedelta(0))


def ecg_to_diagnosis(facts: Facts) -> timedelta | None:
    """Return how long the first report took from the ECG's receipt, None while there is none."""
    return None if facts.diagnosed_at is None else facts.diagnosed_at - facts.received_at


def diagnosis_in_time(facts: Facts, now: datetime) -> bool | None:
    """Tell whether the diagnosis was in time; None while it still can be."""
    took = ecg_to_diagnosis(facts)
    if took is not None:
        return took <= ECG_TO_DIAGNOSIS
    return False if now - facts.received_at > ECG_TO_DIAGNOSIS else None


def _against_receipt(at: datetime | None, facts: Facts) -> Doubt | None:
    if at is None:
        return None
    if at > facts.received_at + _TOLERANCE:
        return Doubt.AFTER_RECEIPT
    return Doubt.LONG_BEFORE if facts.received_at - at > _LONG_BEFORE else None


def _against_acquisition(facts: Facts) -> Doubt | None:
    doubt = _against_receipt(facts.acquired_at, facts)
    if doubt is not None or facts.acquired_at is None or facts.contact_at is None:
        return doubt
    return Doubt.BEFORE_CONTACT if facts.acquired_at < facts.contact_at - _TOLERANCE else None
