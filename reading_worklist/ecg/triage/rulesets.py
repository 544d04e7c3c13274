"""The rulesets as data: what a hint's rule asks, where it comes from, and its version.

They lie as TOML beside this module. One that was used is never changed: a change is another
version in its id. Whatever is misspelt there is an error at the first use.
"""

import tomllib
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import Annotated, Final, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from reading_worklist.ecg.triage.facts import Feature, Obstacle
from storage.ecg.leads import Lead
from storage.orders.words import Priority

_FOLDER: Final = "rulesets"
ALWAYS: Final = ("st-elevation", "rhythm")
"""Rulesets that hold everywhere, in the order in which their hints are told."""


class Province(StrEnum):
    """Lists of critical values, of which a consortium follows one."""

    ZHEJIANG = "zhejiang"
    OTHER = "other"
    SHANXI_2017 = "shanxi-2017"


DEFAULT_PROVINCE: Final = Province.OTHER

_Pair = Annotated[list[Lead], Field(min_length=2, max_length=2)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Condition(_Part):
    """What a feature must be; `shown` asks nothing but names the value in the hint."""

    feature: Feature
    at_least: float | None = None
    at_most: float | None = None
    below: float | None = None
    is_true: Annotated[bool | None, Field(alias="is")] = None
    shown: bool = False

    @model_validator(mode="after")
    def _asks_one_thing(self) -> Self:
        asked = [self.at_least, self.at_most, self.below, self.is_true]
        if sum(one is not None for one in asked) + self.shown != 1:
            message = f"one thing is asked of {self.feature}"
            raise ValueError(message)
        return self

    @property
    def limit(self) -> float | None:
        """The number that it is compared with, None where it is none."""
        return next(
            (one for one in (self.at_least, self.at_most, self.below) if one is not None), None
        )

    def holds(self, value: float) -> bool:
        """Tell whether it holds for a measured value; 1 stands for true, 0 for false."""
        return (
            (self.at_least is None or value >= self.at_least)
            and (self.at_most is None or value <= self.at_most)
            and (self.below is None or value < self.below)
            and (self.is_true is None or bool(value) is self.is_true)
        )


class SpecialLimit(_Part):
    """Another limit for some leads: for a sex, and from or below an age in years.

    above: the limit itself does not count.
    """

    leads: list[Lead]
    millivolts: float
    sex: Annotated[str | None, Field(pattern="^[MF]$")] = None
    age_from: float | None = None
    age_below: float | None = None
    above: bool = False

    def may_fit(self, sex: str | None, age: float | None) -> bool:
        """Tell whether it fits a patient, as far as sex and age are known."""
        return (
            (self.sex is None or sex is None or sex == self.sex)
            and (self.age_from is None or age is None or age >= self.age_from)
            and (self.age_below is None or age is None or age < self.age_below)
        )

    @property
    def asks_sex(self) -> bool:
        """Whether it depends on the sex."""
        return self.sex is not None

    @property
    def asks_age(self) -> bool:
        """Whether it depends on the age."""
        return self.age_from is not None or self.age_below is not None


class StElevation(_Part):
    """ST elevation at J in two neighbouring leads; `special` are tried in their order."""

    millivolts: float
    contiguous: list[_Pair]
    not_judged_if: list[Obstacle] = []
    special: list[SpecialLimit] = []


class TriageRule(_Part):
    """One rule.

    subject: what it is about; rules of one subject open one critical value together.
    critical: whether it opens one. all: conditions of which each must hold.
    """

    code: Annotated[str, Field(min_length=1, max_length=16)]
    subject: str
    name: str
    name_en: str
    priority: Priority
    critical: bool
    all: list[Condition] = []
    st_elevation: StElevation | None = None

    @model_validator(mode="after")
    def _asks_something(self) -> Self:
        if bool(self.all) is (self.st_elevation is not None):
            message = f"rule {self.code} has either conditions or an ST elevation"
            raise ValueError(message)
        return self


class TriageRuleset(_Part):
    """Rules that somebody published, or ours.

    id: with the version in it. cites: the list of critical values (`critical_values.rulesets`)
        whose rules of the same codes these judge.
    not_supported: rules of that list that are not judged, by code, and why.
    """

    id: Annotated[str, Field(pattern=r"^[a-z0-9-]+/[0-9]+$")]
    title: str
    title_en: str
    source: str
    cites: str | None = None
    rule: list[TriageRule]
    not_supported: dict[str, str] = {}


@cache
def ruleset(name: str) -> TriageRuleset:
    """Return the ruleset of a file's name.

    Raises:
        ValueError: it says something that no ruleset says.
        OSError: there is none.
    """
    text = (
        files("reading_worklist.ecg.triage")
        .joinpath(_FOLDER, f"{name}.toml")
        .read_text(encoding="utf-8")
    )
    return TriageRuleset.model_validate(tomllib.loads(text))


def rulesets_for(province: Province) -> list[TriageRuleset]:
    """Return the rulesets that hold where the list of a province is followed."""
    return [ruleset(name) for name in (*ALWAYS, f"critical-{province}")]


def codes_of_subject(subject: str) -> set[tuple[str, str]]:
    """Return ruleset id and code of every rule about a subject, whatever the province."""
    names = (*ALWAYS, *(f"critical-{one}" for one in Province))
    return {
        (found.id, rule.code)
        for found in (ruleset(name) for name in names)
        for rule in found.rule
        if rule.subject == subject
    }
