"""What one row of the benchmark is: a piece of work, who does it, and what is asked of us."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from tests.bench.stage import Stage

RDC: Final = "rdc"
ORTHANC: Final = "orthanc"
DCMTK: Final = "dcmtk"
CONTENDERS: Final = (RDC, ORTHANC, DCMTK)


class RunFailed(Exception):
    """A contender did not do the work; the text says how it failed."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What one run gave.

    value: in the row's unit.
    notes: what else is worth keeping, for the JSON file.
    of: the part of the contender that the value is of, where it is of one.
    """

    value: float
    notes: Mapping[str, float | str] = field(default_factory=dict[str, float | str])
    of: str = ""


Run = Callable[["Stage"], "float | Measured"]


@dataclass(frozen=True, slots=True)
class Goal:
    """What is asked of our median.

    times: at least so many times as good as `peer`; or
    below, at_least: bounds of the value itself.
    """

    times: float | None = None
    peer: str = ORTHANC
    below: float | None = None
    at_least: float | None = None

    def __str__(self) -> str:
        """The goal in the words of the table."""
        if self.times is not None:
            return f"≥ {self.times:g} × {self.peer}"
        return f"< {self.below:g}" if self.below is not None else f"≥ {self.at_least:g}"


@dataclass(frozen=True, slots=True)
class Row:
    """One row.

    name: for the command line, lower case with dashes.
    title: the work, for people.
    unit: of the values, such as inst/s or ms.
    higher_is_better: for rates; False for times and sizes.
    runs: who does the work, and how: called once per repetition, in this order, alternately.
        Whatever a run needs beforehand and must not be measured is done in `between`.
    prepare: called once, with freshly started contenders, before the first run.
    between: called before each run with the contender's name, not measured.
    operations: how many instances, requests … one run handles, for CPU time per operation.
    world: rows of one world that follow each other share their running contenders and what was
        prepared; unless said, a row has a world of its own.
    repeats: how often, when the command line does not say.
    """

    name: str
    title: str
    unit: str
    goal: Goal
    runs: Mapping[str, Run]
    higher_is_better: bool = True
    prepare: Callable[[Stage], None] | None = None
    between: Callable[[Stage, str], None] | None = None
    operations: int = 1
    world: str = ""
    repeats: int | None = None
    warm_ups: int = 1

    def ratio(self, ours: float, other: float) -> float:
        """How many times as good as `other` we are."""
        good, bad = (ours, other) if self.higher_is_better else (other, ours)
        return good / bad if bad else float("inf")

    def met(self, medians: Mapping[str, float]) -> bool | None:
        """Whether our median meets the goal; None when it cannot be told."""
        ours = medians.get(RDC)
        if ours is None:
            return None
        goal = self.goal
        if goal.times is not None:
            other = medians.get(goal.peer)
            return None if other is None else self.ratio(ours, other) >= goal.times
        if goal.below is not None:
            return ours < goal.below
        return goal.at_least is not None and ours >= goal.at_least
