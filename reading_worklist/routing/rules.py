"""Routing rules as pure functions: what is asked of a study, and what a rule decides.

Rules are tried in their order and the first that applies decides; where none does, the lane follows
from the modality, the priority from the order, and nobody in particular reads it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, time
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from reading_worklist.routing.clocks import Clock, clock_of, lane_of
from reading_worklist.workitems.lane import Lane
from storage.orders.words import Priority, VisitType

RULES_MAX = 200
_Word = Annotated[str, Field(min_length=1, max_length=64)]
_Words = Annotated[list[_Word], Field(max_length=100)]


class _Part(BaseModel):
    # Somebody who misspells a condition must be told, not have it match everything.
    model_config = ConfigDict(extra="forbid", frozen=True)


class Window(_Part):
    """A part of the day in local time, `begins` included; it may go past midnight."""

    begins: time
    ends: time

    def has(self, moment: time) -> bool:
        """Tell whether a local time is in it."""
        if self.begins < self.ends:
            return self.begins <= moment < self.ends
        return moment >= self.begins or moment < self.ends


class Conditions(_Part):
    """What a study must be like for a rule; an empty list, or None, asks nothing.

    sites: codes. modalities: of which the study has one. body_parts: of which one is part of what
        the device or the order says, without regard to case.
    windows: in one of which the study was queued. working: whether that was in working hours.
    on_duty: code of a group of which somebody was on duty.
    """

    sites: _Words = []
    modalities: _Words = []
    body_parts: _Words = []
    devices: _Words = []
    priorities: list[Priority] = []
    visit_types: list[VisitType] = []
    windows: Annotated[list[Window], Field(max_length=10)] = []
    working: bool | None = None
    on_duty: _Word | None = None


class Outcome(_Part):
    """What a rule decides; None leaves what would be without it.

    group: code of the subspecialty. assign: give it at once to whoever is on duty with the least.
    """

    lane: Lane | None = None
    group: _Word | None = None
    priority: Priority | None = None
    clock: Clock | None = None
    assign: bool = False


class Rule(_Part):
    """One rule."""

    name: Annotated[str, Field(min_length=1, max_length=100)]
    when: Conditions = Conditions()
    then: Outcome = Outcome()
    enabled: bool = True


_RULES: TypeAdapter[list[Rule]] = TypeAdapter(list[Rule])


@dataclass(frozen=True, slots=True)
class Facts:
    """What rules can ask of a study.

    queued: local time. on_duty: codes of the groups of which somebody was on duty then. device: AE
    title of the device that sent it first, None when no device of the registry did.
    """

    site_code: str
    modalities: frozenset[str]
    body_parts: tuple[str, ...]
    priority: Priority
    visit_type: VisitType | None
    queued: datetime
    working: bool
    on_duty: frozenset[str] = field(default_factory=frozenset[str])
    device: str | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """Where a study goes; `rule` is the name of the rule that said so, `group` a code."""

    rule: str | None
    lane: Lane
    group: str | None
    priority: Priority
    clock: Clock
    assign: bool


def read_rules(stored: Sequence[dict[str, Any]]) -> list[Rule]:
    """Return rules as they are stored with a version."""
    return _RULES.validate_python(stored)


def write_rules(rules: Sequence[Rule]) -> list[dict[str, Any]]:
    """Return rules as they are stored with a version."""
    return [rule.model_dump(mode="json") for rule in rules]


def applies(rule: Rule, facts: Facts) -> bool:
    """Tell whether a rule is for such a study."""
    when = rule.when
    parts = [part.upper() for part in facts.body_parts]
    return (
        rule.enabled
        and (not when.sites or facts.site_code in when.sites)
        and (not when.modalities or not facts.modalities.isdisjoint(when.modalities))
        and (
            not when.body_parts
            or any(word.upper() in part for word in when.body_parts for part in parts)
        )
        and (not when.devices or facts.device in when.devices)
        and (not when.priorities or facts.priority in when.priorities)
        and (not when.visit_types or facts.visit_type in when.visit_types)
        and (not when.windows or any(one.has(facts.queued.time()) for one in when.windows))
        and when.working in (None, facts.working)
        and (when.on_duty is None or when.on_duty in facts.on_duty)
    )


def decide(rules: Sequence[Rule], facts: Facts) -> Decision:
    """Return where the first rule that applies sends a study."""
    chosen = next((rule for rule in rules if applies(rule, facts)), None)
    then = chosen.then if chosen else Outcome()
    lane = then.lane or lane_of(facts.modalities)
    return Decision(
        rule=chosen.name if chosen else None,
        lane=lane,
        group=then.group,
        priority=then.priority or facts.priority,
        clock=then.clock or clock_of(lane, facts.modalities, facts.body_parts, facts.visit_type),
        assign=then.assign,
    )
