"""Whether the slices of one volume stand at even distances, and where one is missing.

A gap alone proves little: devices leave gaps on purpose, between the discs of
a spine or where thin slices give way to thick ones. Instance Numbers tell the
two apart: across a gap that the device left they go on counting, across a lost
slice they jump.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from reading_worklist.volume.findings import Code, Finding, Item
from reading_worklist.volume.planes import Plane

Lengths: TypeAlias = NDArray[np.float64]
Flags: TypeAlias = NDArray[np.bool_]

SLICES_MIN: Final = 4
"""Fewer slices tell of no pattern that one could miss."""

_EVEN_PART: Final = 0.1
_EVEN_MM: Final = 0.11  # positions are often written with one decimal
_SAME_PART: Final = 0.1
_SAME_MM: Final = 0.005
_PLATEAU: Final = 3
_WHOLE_PART: Final = 0.2
_SLAB_GAP: Final = 1.5
_TRUSTED_PART: Final = 0.6


@dataclass(frozen=True, slots=True)
class Place:
    """A slice and its place along the normal of its stack, in mm."""

    plane: Plane
    at: float

    @property
    def item(self) -> Item:
        """What a finding tells of it."""
        number = self.plane.number
        told = {} if number is None else {"number": number}
        return {**told, "position": round(self.at, 2)}


def tolerance(spacing: float) -> float:
    """Return within how many mm a distance counts as `spacing`."""
    return max(_EVEN_PART * spacing, _EVEN_MM)


def usual_spacing(places: Sequence[float]) -> float:
    """Return the commonest distance between neighbours, in mm; 0 when all stand at one place.

    places: in ascending order. Of equally common ones the smallest.
    """
    steps = np.diff(np.asarray(places, dtype=np.float64))
    steps = np.sort(steps[steps > _SAME_MM])
    if not len(steps):
        return 0.0
    # How many steps lie within the tolerance above each.
    ends = np.searchsorted(steps, steps + np.maximum(_EVEN_PART * steps, _EVEN_MM / 2), "right")
    sizes = ends - np.arange(len(steps))
    first = int(np.argmax(sizes))
    return float(np.median(steps[first : ends[first]]))


def same_place(spacing: float) -> float:
    """Return within how many mm two slices count as being at one place."""
    return max(_SAME_PART * spacing, _SAME_MM)


def check_spacing(places: Sequence[Place], stand_ins: Sequence[Place] = ()) -> list[Finding]:
    """Return what is wrong with the distances within one volume.

    places: in ascending order, no two at one place.
    stand_ins: slices that belong to it but were set aside for another fault, so that they are not
        missed here as well.
    """
    if len(places) < SLICES_MIN:
        return []
    at = [place.at for place in places]
    steps = np.diff(at)
    usual = usual_spacing(at)
    even = np.abs(steps - usual) <= tolerance(usual)
    if even.all():
        return []
    numbering = _Numbering.of(places, even, stand_ins)
    plateaus = _plateaus(steps)
    if len(plateaus) > 1 and numbering.goes_on_everywhere(len(steps)):
        values = [round(value, 2) for value in plateaus]
        facts = {"smallest": min(values), "largest": max(values)}
        return [Finding(Code.SPACING_CHANGES, len(places), (), facts)]
    return _gaps(places, steps, usual, even, numbering)


def _gaps(
    places: Sequence[Place],
    steps: Lengths,
    usual: float,
    even: Flags,
    numbering: "_Numbering",
) -> list[Finding]:
    missing: list[Item] = []
    count = 0
    uneven: list[int] = []
    for index in np.flatnonzero(~even).tolist():
        ratio = float(steps[index]) / usual
        lost = numbering.lost(index)
        if lost is None:
            lost = round(ratio) - 1
            if abs(ratio - round(ratio)) > _WHOLE_PART:
                lost = 0
        if lost == 0 and ratio >= _SLAB_GAP:
            continue  # a gap between two slabs: the device counts on, or no whole slices would fit
        lost = min(lost, max(round(ratio) - 1, 0))
        if not lost:
            uneven.append(index)
            continue
        lost -= numbering.stand_ins_between(index)
        if lost > 0:
            count += lost
            missing.append(_gap_item(places, index, lost))
    facts = {"spacing": round(usual, 2)}
    found: list[Finding] = []
    if count:
        found.append(Finding(Code.MISSING_SLICES, count, missing, facts))
    if uneven:
        wrong = _out_of_place(uneven, len(places))
        distances = [round(float(steps[index]), 2) for index in uneven]
        facts |= {"smallest": min(distances), "largest": max(distances)}
        items = [places[index].item for index in wrong]
        found.append(Finding(Code.UNEVEN_SPACING, len(wrong), items, facts))
    return found


def _gap_item(places: Sequence[Place], index: int, lost: int) -> Item:
    before, after = places[index], places[index + 1]
    item: dict[str, int | float | str] = {
        "from": round(before.at, 2),
        "to": round(after.at, 2),
        "slices": lost,
    }
    if before.plane.number is not None and after.plane.number is not None:
        item |= {"after": before.plane.number, "before": after.plane.number}
    return item


def _out_of_place(uneven: Sequence[int], count: int) -> list[int]:
    """Return which slices stand wrong, from which distances are.

    One that stands between two wrong distances explains both.
    """
    wrong: list[int] = []
    for index in uneven:
        if index - 1 in uneven and index not in wrong and index - 1 not in wrong:
            wrong.append(index)
        elif index + 1 not in uneven and index not in wrong:
            wrong.append(min(index + 1, count - 1))
    return wrong


def _plateaus(steps: Lengths) -> list[float]:
    """Return the distances of a volume that keeps each over several slices; none else.

    So are heads scanned: thin slices below, thick ones above.
    """
    values: list[list[float]] = []
    for step in steps.tolist():
        if values and abs(step - values[-1][0]) <= tolerance(values[-1][0]):
            values[-1].append(step)
        else:
            values.append([step])
    inner = values[1:-1] if len(values) > 2 else []  # noqa: PLR2004 -- first, last and what is between
    ends = [values[0], values[-1]]
    if any(len(one) < _PLATEAU for one in inner) or max(len(one) for one in ends) < _PLATEAU:
        return []
    if min(len(one) for one in ends) < 2:  # noqa: PLR2004 -- one distance is no pattern
        return []
    return [float(np.median(one)) for one in values]


@dataclass(frozen=True, slots=True)
class _Numbering:
    """How Instance Numbers run along a volume.

    step: by how much numbers grow from one slice to its even neighbour; 0 when they tell nothing.
    """

    places: Sequence[Place]
    step: int
    stand_ins: Sequence[Place]

    @classmethod
    def of(cls, places: Sequence[Place], even: Flags, stand_ins: Sequence[Place]) -> "_Numbering":
        steps = Counter[int]()
        for index in np.flatnonzero(even).tolist():
            first, second = places[index].plane.number, places[index + 1].plane.number
            if first is not None and second is not None:
                steps[second - first] += 1
        step, times = steps.most_common(1)[0] if steps else (0, 0)
        trusted = times >= _TRUSTED_PART * int(even.sum()) and times > 1
        return cls(places, step if trusted else 0, stand_ins)

    def lost(self, index: int) -> int | None:
        """Return how many numbers are skipped after a slice; None when numbers tell nothing."""
        first, second = self._around(index)
        if not self.step or first is None or second is None:
            return None
        jump = (second - first) / self.step
        return round(jump) - 1 if jump == round(jump) and jump >= 1 else None

    def goes_on_everywhere(self, count: int) -> bool:
        """Tell whether no number is skipped, or numbers tell nothing."""
        return not any(self.lost(index) for index in range(count))

    def stand_ins_between(self, index: int) -> int:
        """Return how many slices that were set aside belong between a slice and the next."""
        first, second = self._around(index)
        if self.step and first is not None and second is not None:
            low, high = sorted((first, second))
            numbers = [place.plane.number for place in self.stand_ins]
            return sum(number is not None and low < number < high for number in numbers)
        low_at, high_at = self.places[index].at, self.places[index + 1].at
        return sum(low_at < place.at < high_at for place in self.stand_ins)

    def _around(self, index: int) -> tuple[int | None, int | None]:
        return self.places[index].plane.number, self.places[index + 1].plane.number
