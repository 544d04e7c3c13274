"""What counts as stuck, after how long, and who can mend it: one table, asked with any clock."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from storage.delivery_policy import Deadlines


class Stuck(StrEnum):
    """Where an exam does not go on, in the order of its road.

    NOT_COMPLETE: images have come and nobody closes the study. MISSING: fewer came than the device
    made. NOT_DELIVERED: a destination has not taken the report. REFUSED: a destination will not.
    NOT_RECEIVED: no machine has the report and nobody has opened it. UNOPENED: the site's system
    may have it, and by the centre's deadline it was not opened. RECALL: whoever has a version
    that does not stand has not said that he knows.
    """

    NOT_CHECKED_IN = "not_checked_in"
    NOT_EXAMINED = "not_examined"
    NOT_SENT = "not_sent"
    NOT_COMPLETE = "not_complete"
    MISSING = "missing"
    IDENTITY = "identity"
    RETAKE = "retake"
    UNCLAIMED = "unclaimed"
    LATE = "late"
    NOT_DELIVERED = "not_delivered"
    REFUSED = "refused"
    PAUSED = "paused"
    NOT_RECEIVED = "not_received"
    UNOPENED = "unopened"
    RECALL = "recall"


class Mender(StrEnum):
    """Who can mend it."""

    SITE_TECHNICIAN = "site_technician"
    SITE_DOCTOR = "site_doctor"
    READERS = "readers"
    DISPATCHER = "dispatcher"
    SYSTEM_ADMIN = "system_admin"


@dataclass(frozen=True, slots=True)
class Rule:
    """How long the state may last, and who mends it.

    limit: from the time the state began on; nothing where the state itself says that a clock of
        its own has run out (an escalation, a due time), or that a person must look.
    """

    limit: timedelta
    mender: Mender


_NOW: Final = timedelta(0)


def rules(deadlines: Deadlines) -> Mapping[Stuck, Rule]:
    """Return the table; deadlines: those of who asks, which say when a destination is silent."""
    return MappingProxyType(
        {
            Stuck.NOT_CHECKED_IN: Rule(timedelta(hours=2), Mender.SITE_TECHNICIAN),
            Stuck.NOT_EXAMINED: Rule(timedelta(minutes=60), Mender.SITE_TECHNICIAN),
            Stuck.NOT_SENT: Rule(timedelta(minutes=10), Mender.SITE_TECHNICIAN),
            Stuck.NOT_COMPLETE: Rule(timedelta(minutes=10), Mender.SYSTEM_ADMIN),
            Stuck.MISSING: Rule(timedelta(minutes=10), Mender.SITE_TECHNICIAN),
            Stuck.IDENTITY: Rule(_NOW, Mender.DISPATCHER),
            Stuck.RETAKE: Rule(_NOW, Mender.SITE_TECHNICIAN),
            Stuck.UNCLAIMED: Rule(_NOW, Mender.READERS),
            Stuck.LATE: Rule(_NOW, Mender.READERS),
            Stuck.NOT_DELIVERED: Rule(deadlines.silent, Mender.SYSTEM_ADMIN),
            Stuck.REFUSED: Rule(_NOW, Mender.SYSTEM_ADMIN),
            Stuck.PAUSED: Rule(deadlines.silent, Mender.DISPATCHER),
            Stuck.NOT_RECEIVED: Rule(_NOW, Mender.SITE_DOCTOR),
            Stuck.UNOPENED: Rule(_NOW, Mender.SITE_DOCTOR),
            Stuck.RECALL: Rule(_NOW, Mender.SITE_DOCTOR),
        }
    )


LOOKED_BACK: Final = timedelta(days=7)
"""For how long a patient who did not come counts."""
