"""Rules against facts, as pure functions: which are met, by what, and which could not be judged."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from reading_worklist.ecg.triage.facts import UNITS, Feature, TriageFacts
from reading_worklist.ecg.triage.rulesets import (
    Condition,
    StElevation,
    TriageRule,
    TriageRuleset,
)
from storage.ecg.leads import STANDARD_LEADS, Lead
from storage.orders.words import Priority

_YES_OR_NO: Final = frozenset({Feature.IRREGULAR_WITHOUT_P})


class Assumption(StrEnum):
    """What was not known of the patient, so that the lower limit held."""

    SEX_UNKNOWN = "sex_unknown"
    AGE_UNKNOWN = "age_unknown"


@dataclass(frozen=True, slots=True)
class Measured:
    """A value by which a rule is met, and the limit it met; what: a lead or a feature."""

    what: str
    value: float
    unit: str
    limit: float | None

    def as_json(self) -> dict[str, Any]:
        """Return it as it is kept."""
        return {
            "what": self.what,
            "value": self.value,
            "unit": self.unit,
            "limit": self.limit,
        }


@dataclass(frozen=True, slots=True)
class Hint:
    """A rule that is met.

    cites: the list of critical values whose rule of this code it is.
    """

    ruleset: str
    rule: TriageRule
    source: str
    cites: str | None
    measured: tuple[Measured, ...]
    assumptions: tuple[Assumption, ...] = ()

    @property
    def values(self) -> str:
        """The values by which it is met, such as "II 0.27, III 0.29, aVF 0.28 mV"."""
        parts: list[str] = []
        for index, one in enumerate(self.measured):
            following = self.measured[index + 1 : index + 2]
            last = not following or following[0].unit != one.unit
            number = f"{one.value:.2f}" if one.unit == "mV" else f"{one.value:.0f}"
            unit = "" if not last or not one.unit else f" {one.unit}"
            parts.append(f"{_NAMES.get(one.what, one.what)} {number}{unit}")
        return ", ".join(parts)

    @property
    def text(self) -> str:
        """The hint in Chinese."""
        return f"{self.rule.name}（{self.values}）"

    @property
    def text_en(self) -> str:
        """The hint in English."""
        return f"{self.rule.name_en} ({self.values})"

    @property
    def told(self) -> str:
        """What a site is told of it; its first clause is what has to be read back."""
        return f"{self.rule.name.replace('，', '、')}，{self.values}"

    def as_json(self) -> dict[str, Any]:
        """Return it as it is kept."""
        return {
            "ruleset": self.ruleset,
            "code": self.rule.code,
            "subject": self.rule.subject,
            "priority": self.rule.priority.value,
            "critical": self.rule.critical,
            "text": self.text,
            "text_en": self.text_en,
            "measured": [one.as_json() for one in self.measured],
            "assumptions": [one.value for one in self.assumptions],
            "source": self.source,
            "cites": self.cites,
        }


_NAMES: Final = {
    Feature.HEART_RATE.value: "HR",
    Feature.LONGEST_RR.value: "RR",
    Feature.QRS.value: "QRS",
    Feature.QTC.value: "QTc",
}


@dataclass(frozen=True, slots=True)
class NotJudged:
    """A rule that says neither yes nor no, and why, in plain English without patient data."""

    ruleset: str
    code: str
    reason: str

    def as_json(self) -> dict[str, Any]:
        """Return it as it is kept."""
        return {"ruleset": self.ruleset, "code": self.code, "reason": self.reason}


@dataclass(frozen=True, slots=True)
class Triage:
    """What all rules say of an ECG; rulesets: the ids of those that were asked."""

    rulesets: tuple[str, ...]
    hints: tuple[Hint, ...]
    not_judged: tuple[NotJudged, ...]

    @property
    def priority(self) -> Priority | None:
        """The most urgent priority of a hint, None without hints."""
        urgent = {hint.rule.priority for hint in self.hints}
        return next((one for one in Priority if one in urgent), None)

    def as_json(self) -> dict[str, Any]:
        """Return it as it is kept."""
        return {
            "rulesets": list(self.rulesets),
            "hints": [one.as_json() for one in self.hints],
            "not_judged": [one.as_json() for one in self.not_judged],
        }


def judge(facts: TriageFacts, rulesets: Sequence[TriageRuleset]) -> Triage:
    """Return what the rules say of an ECG, in the order of the rulesets."""
    hints: list[Hint] = []
    not_judged: list[NotJudged] = []
    for one in rulesets:
        for rule in one.rule:
            found = _judge_rule(facts, one, rule)
            if isinstance(found, Hint):
                hints.append(found)
            elif found is not None:
                not_judged.append(found)
        not_judged += [NotJudged(one.id, code, why) for code, why in one.not_supported.items()]
    return Triage(tuple(one.id for one in rulesets), tuple(hints), tuple(not_judged))


def _judge_rule(
    facts: TriageFacts, ruleset: TriageRuleset, rule: TriageRule
) -> Hint | NotJudged | None:
    if rule.st_elevation is not None:
        return _judge_st(facts, ruleset, rule, rule.st_elevation)
    measured: list[Measured] = []
    unknown: list[str] = []
    for condition in rule.all:
        fact = facts.features[condition.feature]
        if fact.value is None:
            if not condition.shown:
                unknown.append(f"{condition.feature}: {fact.reason}")
        elif not condition.holds(fact.value):
            return None
        elif condition.feature not in _YES_OR_NO:
            measured.append(_measured(condition, fact.value))
    if unknown:
        return NotJudged(ruleset.id, rule.code, "not measured: " + "; ".join(unknown))
    return Hint(ruleset.id, rule, ruleset.source, ruleset.cites, tuple(measured))


def _measured(condition: Condition, value: float) -> Measured:
    feature = condition.feature
    return Measured(feature.value, round(value, 1), UNITS[feature], condition.limit)


def _judge_st(
    facts: TriageFacts, ruleset: TriageRuleset, rule: TriageRule, asked: StElevation
) -> Hint | NotJudged | None:
    in_the_way = [facts.obstacles[one] for one in asked.not_judged_if if one in facts.obstacles]
    if in_the_way:
        return NotJudged(ruleset.id, rule.code, "not judged because " + "; ".join(in_the_way))
    met: dict[Lead, Measured] = {}
    assumed: dict[Lead, tuple[Assumption, ...]] = {}
    for lead, level in facts.st_millivolts.items():
        limit, above, assumptions = _limit(asked, lead, facts)
        if level > limit if above else level >= limit:
            met[lead] = Measured(lead.value, round(level, 3), "mV", limit)
            assumed[lead] = assumptions
    pairs = [pair for pair in asked.contiguous if met.keys() >= set(pair)]
    leads = _page_order({lead for pair in pairs for lead in pair})
    if leads:
        assumptions = {one for lead in leads for one in assumed[lead]}
        return Hint(
            ruleset.id,
            rule,
            ruleset.source,
            ruleset.cites,
            tuple(met[lead] for lead in leads),
            tuple(one for one in Assumption if one in assumptions),
        )
    unmeasured = [
        f"{lead}: {why}"
        for lead, why in facts.unmeasured_leads
        if any(lead in pair for pair in asked.contiguous)
    ]
    if unmeasured:
        return NotJudged(ruleset.id, rule.code, "not measured in " + "; ".join(unmeasured))
    return None


def _limit(
    asked: StElevation, lead: Lead, facts: TriageFacts
) -> tuple[float, bool, tuple[Assumption, ...]]:
    """Return a lead's limit in mV, whether it must be exceeded, and what was assumed for it."""
    of_lead = [one for one in asked.special if lead in one.leads]
    fitting = [one for one in of_lead if one.may_fit(facts.sex, facts.age)]
    if not fitting:
        return asked.millivolts, False, ()
    sure = next(
        (
            index
            for index, one in enumerate(fitting)
            if not (one.asks_sex and facts.sex is None) and not (one.asks_age and facts.age is None)
        ),
        None,
    )
    # Up to the first that fits for certain, any may be the patient's; none may fit after all.
    possible = fitting if sure is None else fitting[: sure + 1]
    lowest = min(possible, key=lambda one: one.millivolts)
    assumptions: list[Assumption] = []
    if len(possible) > 1 or sure is None:
        if facts.sex is None and any(one.asks_sex for one in possible):
            assumptions.append(Assumption.SEX_UNKNOWN)
        if facts.age is None and any(one.asks_age for one in possible):
            assumptions.append(Assumption.AGE_UNKNOWN)
    return lowest.millivolts, lowest.above, tuple(assumptions)


def _page_order(leads: Iterable[Lead]) -> list[Lead]:
    order = [*STANDARD_LEADS, *(lead for lead in Lead if lead not in STANDARD_LEADS)]
    return sorted(leads, key=order.index)
