"""Who is told when, as pure functions: the steps of escalation and the limits."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum
from typing import Final

NOTIFIED_WITHIN: Final = timedelta(minutes=10)
"""From found to notified: the national limit, which nobody sets."""


class Step(IntEnum):
    """Who is told, one after the other as long as nobody acknowledges."""

    FIRST_CONTACT = 0
    SECOND_CONTACT = 1
    SITE_DUTY_HEAD = 2
    CENTRE_DIRECTOR = 3


@dataclass(frozen=True, slots=True)
class CriticalClocks:
    """How long after the first contact was told the next ones are, and until when it is acted on.

    action: from the acknowledgement on.
    """

    second_contact: timedelta = timedelta(minutes=5)
    duty_head: timedelta = timedelta(minutes=10)
    director: timedelta = timedelta(minutes=15)
    action: timedelta = timedelta(minutes=30)

    def due_at(self, step: Step, notified_at: datetime) -> datetime:
        """Return when the people of a step are told unless somebody has acknowledged."""
        waits = {
            Step.FIRST_CONTACT: timedelta(0),
            Step.SECOND_CONTACT: self.second_contact,
            Step.SITE_DUTY_HEAD: self.duty_head,
            Step.CENTRE_DIRECTOR: self.director,
        }
        return notified_at + waits[step]

    def next_due(self, level: Step, notified_at: datetime) -> datetime | None:
        """Return when the step after `level` is due; None after the last."""
        if level is Step.CENTRE_DIRECTOR:
            return None
        return self.due_at(Step(level + 1), notified_at)


def in_time(found_at: datetime, acknowledged_at: datetime | None, now: datetime) -> bool | None:
    """Tell whether the site knew within the national limit; None while that is open.

    Only an acknowledgement counts, since it alone has time, content and name of both sides.
    """
    if acknowledged_at is not None:
        return acknowledged_at - found_at <= NOTIFIED_WITHIN
    return None if now - found_at <= NOTIFIED_WITHIN else False
