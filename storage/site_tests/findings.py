"""One line of a site's test: a check, of what, how it came out and why."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Self


class Check(StrEnum):
    """What is looked at, in the order in which it is."""

    DEVICES = "devices"
    HEARD = "heard"
    RECEIVED = "received"
    QUARANTINE = "quarantine"
    CLOCK = "clock"
    ECHO = "echo"
    FILING = "filing"
    CHINESE = "chinese"
    WORKLIST = "worklist"
    ORDERS = "orders"
    DESTINATION = "destination"
    RECEIVER_CLOCK = "receiver_clock"
    DELIVERED = "delivered"
    CERTIFICATE = "certificate"
    TOKEN = "token"  # noqa: S105 -- a word, no secret
    PEOPLE = "people"


class Outcome(StrEnum):
    """How a check came out.

    FAILED: images or reports do not get through. WARNING: they do, and somebody should look.
    SKIPPED: it does not concern this site, or there is nothing to go by yet.
    """

    PASSED = "passed"
    WARNING = "warning"
    FAILED = "failed"
    SKIPPED = "skipped"


def _no_facts() -> Mapping[str, str]:
    return MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found.

    subject: of which device, destination or token; "" for the site as a whole.
    reason: which of the words in `words.FOUND` say it. facts: what is filled in; never of a
    patient.
    """

    check: Check
    outcome: Outcome
    reason: str
    subject: str = ""
    facts: Mapping[str, str] = field(default_factory=_no_facts)

    def to_json(self) -> dict[str, Any]:
        """Return it as it is kept."""
        return {
            "check": self.check.value,
            "outcome": self.outcome.value,
            "reason": self.reason,
            "subject": self.subject,
            "facts": dict(self.facts),
        }

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Self:
        """Return what `to_json` has made."""
        return cls(
            Check(kept["check"]),
            Outcome(kept["outcome"]),
            str(kept["reason"]),
            str(kept["subject"]),
            {str(name): str(value) for name, value in kept["facts"].items()},
        )
