"""What the rules are told of an ECG and its patient; a fact without a value says why."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from storage.ecg.leads import Lead


class Feature(StrEnum):
    """Something measured that a rule may ask for."""

    HEART_RATE = "heart_rate"
    LONGEST_RR = "longest_rr"
    QRS = "qrs"
    QTC = "qtc"
    IRREGULAR_WITHOUT_P = "irregular_without_p"


UNITS: Final[Mapping[Feature, str]] = MappingProxyType(
    {
        Feature.HEART_RATE: "/min",
        Feature.LONGEST_RR: "ms",
        Feature.QRS: "ms",
        Feature.QTC: "ms",
        Feature.IRREGULAR_WITHOUT_P: "",
    }
)


class Obstacle(StrEnum):
    """Why ST elevation says little of an ECG."""

    PACED = "paced"
    LEFT_BUNDLE_BRANCH_BLOCK = "left_bundle_branch_block"
    LEFT_VENTRICULAR_HYPERTROPHY = "left_ventricular_hypertrophy"


@dataclass(frozen=True, slots=True)
class Fact:
    """A measured value, or the reason why there is none; 1 and 0 stand for yes and no."""

    value: float | None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class TriageFacts:
    """Everything a rule can ask.

    sex: M, F, or None when it is neither or unknown. age: in years.
    st_millivolts: the level at J of each lead that was measured.
    obstacles: those that are there, with the criterion that says so, in words for a reader.
    unmeasured_leads: standard leads without an ST level, and why.
    """

    features: Mapping[Feature, Fact]
    st_millivolts: Mapping[Lead, float]
    sex: str | None = None
    age: float | None = None
    obstacles: Mapping[Obstacle, str] = field(default_factory=lambda: MappingProxyType({}))
    unmeasured_leads: Sequence[tuple[Lead, str]] = ()
