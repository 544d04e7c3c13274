"""From the slices of a series to its volumes, and what does not fit into any.

One series may hold several volumes: stacks of different directions (localizers,
the discs of a spine), stations of a moving table, phases, echoes, b-values.
None of that is a fault. A fault is what stands alone: one or two slices that
differ from a stack of many.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from reading_worklist.volume.findings import Code, Finding, Item, merged
from reading_worklist.volume.planes import MARKS, WEAK_MARKS, Plane, Vector
from reading_worklist.volume.spacing import Place, check_spacing, same_place, usual_spacing

_MANY: Final = 8
_FEW: Final = 2
_FEW_PART: Final = 0.1
_GROUPS_MAX: Final = 200
_DIRECTION: Final = 0.0175  # about one degree, as a difference between unit vectors
_PIXEL_SPACING_PART: Final = 1e-3
_ASIDE_MM: Final = 0.5
_TILT_DEGREES: Final = 0.5
_VOLUME_MIN: Final = 3
_SIBLINGS_MIN: Final = 3
_COVERED: Final = 0.5
_UNIFORM: Final = 0.8
_NO_SLICES: Final = frozenset({"LOCALIZER", "SCOUT", "PROJECTION IMAGE", "MIP", "SCREEN SAVE"})


@dataclass(frozen=True, slots=True)
class Arrangement:
    """The volumes of a series, largest first, each in the order along its normal, and findings."""

    volumes: Sequence[Sequence[Plane]]
    findings: Sequence[Finding]


def arrange(planes: Sequence[Plane], modality: str | None) -> Arrangement:
    """Part a series into its volumes and say what does not fit.

    modality: of the series; a tilted gantry is told of CT only.
    """
    slices = [plane for plane in planes if not _NO_SLICES.intersection(plane.kinds)]
    placed = [plane for plane in slices if plane.position is not None and plane.row is not None]
    sorter = _Sorter(modality)
    lost = [plane for plane in slices if plane.position is None or plane.row is None]
    if lost and _few_beside(len(lost), len(placed)):
        sorter.findings.append(_finding(Code.UNPLACED_SLICES, lost))
    if placed:
        sorter.sort(_Part(placed))
    return Arrangement(sorted(sorter.volumes, key=len, reverse=True), merged(sorter.findings))


@dataclass(frozen=True, slots=True)
class _Part:
    """Slices that belong together, and those that would but for a fault already told."""

    planes: Sequence[Plane]
    stand_ins: Sequence[Plane] = ()


class _Sorter:
    """Parts one series step by step; findings and volumes gather on the way."""

    def __init__(self, modality: str | None) -> None:
        self.findings: list[Finding] = []
        self.volumes: list[Sequence[Plane]] = []
        self._modality = modality

    def sort(self, series: _Part) -> None:
        """Part by direction, size and pixel spacing, then by place."""
        for one in self._parted(series, _directions(series), _DIRECTION, Code.MIXED_ORIENTATION):
            for two in self._parted(one, _sizes(one), 0.0, Code.MIXED_SIZE):
                spacings = _pixel_spacings(two)
                for three in self._parted(
                    two, spacings, _PIXEL_SPACING_PART, Code.MIXED_PIXEL_SPACING
                ):
                    self._sort_places(three)

    def _parted(self, part: _Part, values: Vector, tolerance: float, code: Code) -> Iterator[_Part]:
        """Yield groups of slices with like values; the odd ones out become a finding."""
        groups = _clusters(values, tolerance)
        largest = len(groups[0])
        odd = [index for group in groups[1:] if len(group) <= _FEW for index in group]
        alone = len(groups) - 1 == sum(len(group) <= _FEW for group in groups[1:])
        if odd and _few_beside(len(odd), largest) and (alone or largest >= 2 * _MANY):
            set_aside = [part.planes[index] for index in odd]
            self.findings.append(_finding(code, set_aside))
            groups = [group for group in groups if len(group) > _FEW]
            part = _Part(part.planes, [*part.stand_ins, *set_aside])
        for group in groups:
            yield _Part([part.planes[index] for index in group], part.stand_ins)

    def _sort_places(self, part: _Part) -> None:
        """Part slices of one direction by the lines they stand on, and check each line."""
        first = part.planes[0]
        assert first.row is not None
        assert first.column is not None
        normal = np.cross(first.row, first.column)
        centres = np.array([_centre(plane) for plane in part.planes])
        along = centres @ normal
        aside = np.stack([centres @ first.row, centres @ first.column], axis=1)
        lean = _lean(part.planes, along, aside)
        aside -= np.outer(along, lean)
        angle = math.degrees(math.atan(float(np.linalg.norm(lean))))
        if self._modality == "CT" and angle >= _TILT_DEGREES and len(part.planes) >= _VOLUME_MIN:
            facts = {"degrees": round(angle, 1)}
            self.findings.append(Finding(Code.GANTRY_TILT, len(part.planes), (), facts))
        for line in self._parted(part, aside, _ASIDE_MM, Code.SHIFTED_SLICES):
            places = [Place(plane, float(_centre(plane) @ normal)) for plane in line.planes]
            stand_ins = [Place(plane, float(_centre(plane) @ normal)) for plane in line.stand_ins]
            self._sort_line(sorted(places, key=lambda place: place.at), stand_ins)

    def _sort_line(self, places: Sequence[Place], stand_ins: Sequence[Place]) -> None:
        doubled: list[Place] = []
        volumes = list(_volumes(places, range(len(MARKS)), doubled))
        if doubled:
            items = [place.item for place in doubled]
            self.findings.append(Finding(Code.DOUBLED_SLICES, len(doubled), items))
        for volume in volumes:
            self.volumes.append([place.plane for place in volume])
            self.findings.extend(check_spacing(volume, stand_ins))
        self.findings.extend(_short_siblings(volumes))


def _few_beside(few: int, many: int) -> bool:
    """Tell whether so few differ from so many that they are a fault and no volume of their own."""
    return many >= _MANY and few <= max(_FEW, _FEW_PART * many)


def _finding(code: Code, planes: Sequence[Plane]) -> Finding:
    numbers = sorted(plane.number for plane in planes if plane.number is not None)
    items: list[Item] = [{"number": number} for number in numbers]
    return Finding(code, len(planes), items)


def _directions(part: _Part) -> Vector:
    vectors: list[Vector] = []
    for plane in part.planes:
        assert plane.row is not None
        assert plane.column is not None
        vectors.append(np.concatenate([plane.row, plane.column]))
    return np.array(vectors)


def _sizes(part: _Part) -> Vector:
    return np.array([(plane.rows, plane.columns) for plane in part.planes], dtype=np.float64)


def _pixel_spacings(part: _Part) -> Vector:
    """Return logarithms, so that a tolerance is a part of the value; one of its own for none."""
    return np.log([plane.spacing or (1e-9, 1e-9) for plane in part.planes])


def _centre(plane: Plane) -> Vector:
    """Return the middle of a slice, which a turn about itself does not move."""
    assert plane.position is not None
    assert plane.row is not None
    assert plane.column is not None
    down, across = plane.spacing or (0.0, 0.0)
    half_across = plane.row * (across * (plane.columns - 1) / 2)
    return plane.position + half_across + plane.column * (down * (plane.rows - 1) / 2)


def _clusters(values: Vector, tolerance: float) -> list[list[int]]:
    """Group rows of numbers that are within `tolerance` of their group's first, largest first.

    What does not fit into the first `_GROUPS_MAX` groups is left out: no stack is in it.
    """
    left = np.ones(len(values), dtype=bool)
    groups: list[list[int]] = []
    while left.any() and len(groups) < _GROUPS_MAX:
        first = values[int(np.argmax(left))]
        near = left & (np.abs(values - first).max(axis=1) <= tolerance)
        left &= ~near
        groups.append(np.flatnonzero(near).tolist())
    return sorted(groups, key=len, reverse=True)


def _lean(planes: Sequence[Plane], along: Vector, aside: Vector) -> Vector:
    """Return by how much slices move aside for each mm along their normal: a tilted gantry.

    The median over neighbours by number, so that neither a shifted slice nor a
    second station of the table counts.
    """
    numbers = [plane.number for plane in planes]
    known = np.array([number if number is not None else 0 for number in numbers])
    order = np.argsort(along) if None in numbers else np.lexsort([along, known])
    forward = np.diff(along[order])
    sideways = np.diff(aside[order], axis=0)
    moved = np.abs(forward) > _ASIDE_MM / 10
    if not moved.any():
        return np.zeros(2)
    return np.median(sideways[moved] / forward[moved, np.newaxis], axis=0)


def _positions(places: Sequence[Place]) -> list[list[Place]]:
    """Group slices that are at one place; `places` in ascending order."""
    near = same_place(usual_spacing([place.at for place in places]))
    groups: list[list[Place]] = []
    for place in places:
        if groups and place.at - groups[-1][0].at <= near:
            groups[-1].append(place)
        else:
            groups.append([place])
    return groups


def _volumes(
    places: Sequence[Place], marks: Sequence[int], doubled: list[Place]
) -> Iterator[Sequence[Place]]:
    """Yield the volumes on one line, each with at most one slice at a place.

    marks: indices of the `MARKS` not yet used. doubled: takes the slices that are there twice.
    """
    positions = _positions(places)
    if len(positions) == len(places):
        yield places
        return
    for number, index in enumerate(marks):
        parts = _parts_by_mark(places, index, len(positions))
        if parts is not None:
            for part in parts:
                yield from _volumes(part, marks[number + 1 :], doubled)
            return
    times, common = Counter(len(group) for group in positions).most_common(1)[0]
    numbers = {place.plane.number for place in places}
    if times > 1 and common >= _UNIFORM * len(positions) and len(numbers) == len(places):
        # Volumes that nothing in the header tells apart, but each with numbers of its own.
        ranked = [sorted(group, key=lambda place: place.plane.number or 0) for group in positions]
        doubled.extend(place for group in ranked for place in group[times:])
        for rank in range(times):
            yield [group[rank] for group in ranked if len(group) > rank]
        return
    doubled.extend(place for group in positions for place in group[1:])
    yield [group[0] for group in positions]


def _parts_by_mark(
    places: Sequence[Place], index: int, position_count: int
) -> list[list[Place]] | None:
    """Part slices by the value of a mark; None when that does not make volumes of them."""
    by_value = defaultdict[str, list[Place]](list)
    for place in places:
        by_value[place.plane.marks[index]].append(place)
    if len(by_value) == 1:
        return None
    parts = list(by_value.values())
    counts = [len(_positions(part)) for part in parts]
    enough = _COVERED * position_count if MARKS[index][0] in WEAK_MARKS else 0
    whole = [count >= max(_VOLUME_MIN, enough) for count in counts]
    # A last volume may have been broken off early.
    if sum(not one for one in whole) > (1 if sum(whole) >= _SIBLINGS_MIN else 0):
        return None
    fewer = sum(map(len, parts)) - sum(counts) < len(places) - position_count
    return parts if fewer else None


def _short_siblings(volumes: Sequence[Sequence[Place]]) -> Iterator[Finding]:
    """Yield what volumes over the same range lack at their ends; a single one has no measure."""
    if len(volumes) < _SIBLINGS_MIN:
        return
    ends = Counter((round(volume[0].at, 1), round(volume[-1].at, 1)) for volume in volumes)
    (low, high), common = ends.most_common(1)[0]
    if common < _UNIFORM * len(volumes):
        return
    full = next(
        volume
        for volume in volumes
        if (round(volume[0].at, 1), round(volume[-1].at, 1)) == (low, high)
    )
    near = same_place(usual_spacing([place.at for place in full])) or 0.0
    for volume in volumes:
        begin, end = volume[0].at - near, volume[-1].at + near
        absent = [place for place in full if not begin <= place.at <= end]
        if absent:
            items: list[Item] = [{"position": round(place.at, 2)} for place in absent]
            yield Finding(Code.MISSING_SLICES, len(absent), items)
