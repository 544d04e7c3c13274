"""What was broken is found, and nothing else is."""

import random
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reading_worklist.volume.findings import Code, Finding
from reading_worklist.volume.planes import Plane
from reading_worklist.volume.stacks import arrange
from tests.reading_worklist.volume.phantoms import (
    AXIAL,
    CORONAL,
    SAGITTAL,
    move,
    stack,
    turn,
    turned,
)

OBLIQUE = tuple(turned(vector, np.array([0.6, 0.8, 0.0]), 23.0) for vector in SAGITTAL)


def findings(planes: list[Plane], modality: str = "CT") -> dict[Code, Finding]:
    """What is found in slices that come in any order."""
    mixed = planes.copy()
    random.Random(7).shuffle(mixed)
    return {one.code: one for one in arrange(mixed, modality).findings}


def numbers(finding: Finding) -> list[object]:
    return [item["number"] for item in finding.items]


@pytest.mark.parametrize("spacing", [0.5, 0.625, 1.25, 5.0, 10.0])
@pytest.mark.parametrize("directions", [AXIAL, SAGITTAL, CORONAL, OBLIQUE])
def test_an_even_stack_is_one_volume_without_findings(spacing: float, directions: object) -> None:
    planes = stack(60, spacing, directions=directions)  # pyright: ignore[reportArgumentType]
    arranged = arrange(planes[::-1], "CT")
    assert arranged.findings == []
    (volume,) = arranged.volumes
    assert [plane.number for plane in volume] == list(range(1, 61))


def test_positions_written_with_one_decimal_are_even() -> None:
    planes = stack(80, 0.625)
    rounded = [replace(plane, position=np.round(plane.position, 1)) for plane in planes]  # pyright: ignore[reportArgumentType, reportCallIssue]
    assert findings(rounded) == {}


def test_a_missing_slice_is_told_with_its_place() -> None:
    planes = stack(40, 2.5, start=(0, 0, -10.0))
    del planes[17]
    found = findings(planes)
    assert list(found) == [Code.MISSING_SLICES]
    assert found[Code.MISSING_SLICES].parameters == {
        "count": 1,
        "items": [{"from": 30.0, "to": 35.0, "slices": 1, "after": 17, "before": 19}],
        "spacing": 2.5,
    }


def test_every_second_slice_of_a_long_run_lost_is_told() -> None:
    planes = stack(40)
    kept = [plane for plane in planes if plane.number not in {13, 15, 17, 19}]
    assert findings(kept)[Code.MISSING_SLICES].count == 4


def test_missing_slices_are_found_without_numbers() -> None:
    planes = [replace(plane, number=None) for plane in stack(40)]
    del planes[9:12]
    found = findings(planes)
    assert list(found) == [Code.MISSING_SLICES]
    assert found[Code.MISSING_SLICES].count == 3


def test_gaps_between_the_discs_of_a_spine_are_meant() -> None:
    discs = [
        stack(3, 3.0, start=(0, 0, z), first_number=1 + 3 * index, directions=AXIAL)
        for index, z in enumerate((0.0, 31.0, 64.5, 95.0, 128.0))
    ]
    assert findings([plane for disc in discs for plane in disc]) == {}


def test_discs_with_a_tilt_of_their_own_each_are_volumes() -> None:
    planes: list[Plane] = []
    for index in range(5):
        row, column = AXIAL
        directions = (row, turned(column, row, -12.0 + 6 * index))
        planes += stack(
            4, 3.0, directions=directions, start=(0, 0, 35.0 * index), first_number=1 + 4 * index
        )
    arranged = arrange(planes, "CT")
    assert arranged.findings == []
    assert [len(volume) for volume in arranged.volumes] == [4] * 5


def test_thin_slices_that_give_way_to_thick_ones_are_information() -> None:
    thin = stack(10, 5.0)
    thick = stack(12, 10.0, start=(-100.0, -120.0, 35.5 + 9 * 5 + 10), first_number=11)
    found = findings(thin + thick)
    assert list(found) == [Code.SPACING_CHANGES]
    assert found[Code.SPACING_CHANGES].facts == {"smallest": 5.0, "largest": 10.0}
    assert found[Code.SPACING_CHANGES].severity == "info"


def test_a_localizer_of_three_planes_is_no_fault() -> None:
    planes = [
        plane
        for index, directions in enumerate((AXIAL, SAGITTAL, CORONAL))
        for plane in stack(3, 10.0, directions=directions, first_number=1 + 3 * index)
    ]
    assert findings(planes, "MR") == {}


def test_scouts_in_a_series_are_left_out() -> None:
    scout = [replace(one, kinds=("ORIGINAL", "PRIMARY", "LOCALIZER")) for one in stack(2)]
    coronal = [replace(one, row=CORONAL[0], column=CORONAL[1]) for one in scout]
    arranged = arrange(coronal + stack(30, first_number=3), "CT")
    assert arranged.findings == []
    assert [len(volume) for volume in arranged.volumes] == [30]


def test_a_radial_series_has_no_pattern_to_miss() -> None:
    row, column = SAGITTAL
    planes = [
        replace(plane, row=turned(row, np.array([0.0, 0.0, 1.0]), 12.0 * index), column=column)
        for index, plane in enumerate(stack(14, 0.0, directions=SAGITTAL))
    ]
    assert findings(planes, "MR") == {}


@pytest.mark.parametrize(
    "mark", ["temporal_position", "b_value", "echo_time", "acquisition_number", "image_type", ""]
)
def test_volumes_at_the_same_places_are_parted(mark: str) -> None:
    planes = [
        plane
        for volume in range(4)
        for plane in stack(20, 3.0, first_number=1 + 20 * volume, marks={mark: str(volume)})
    ]
    arranged = arrange(planes, "MR")
    assert arranged.findings == []
    assert [len(volume) for volume in arranged.volumes] == [20] * 4


@pytest.mark.parametrize("lost", [0, 11, 19])
def test_a_slice_missing_in_one_of_several_volumes_is_found(lost: int) -> None:
    planes = [
        plane
        for volume in range(5)
        for plane in stack(
            20, 3.0, first_number=1 + 20 * volume, marks={"temporal_position": str(volume)}
        )
    ]
    del planes[40 + lost]
    found = findings(planes, "MR")
    assert list(found) == [Code.MISSING_SLICES]
    assert found[Code.MISSING_SLICES].count == 1


def test_phases_with_different_coverage_are_volumes() -> None:
    native = stack(30, 5.0, marks={"acquisition_number": "1"})
    phase = stack(50, 5.0, first_number=31, marks={"acquisition_number": "2"})
    assert findings(native + phase) == {}


def test_stations_of_a_moving_table_are_volumes() -> None:
    upper = stack(24, 4.0, directions=CORONAL, start=(0, 0, 400))
    lower = stack(24, 4.0, directions=CORONAL, start=(0, 0, 0), first_number=25)
    arranged = arrange(upper + lower, "MR")
    assert arranged.findings == []
    assert [len(volume) for volume in arranged.volumes] == [24, 24]


def test_a_tilted_gantry_is_information_with_its_angle() -> None:
    found = findings(stack(24, 5.0, lean=(0.0, np.tan(np.radians(18)))))
    assert list(found) == [Code.GANTRY_TILT]
    assert found[Code.GANTRY_TILT].facts == {"degrees": 18.0}


def test_a_whole_series_sent_twice_under_other_uids_is_doubled() -> None:
    found = findings(stack(30) + stack(30))
    assert list(found) == [Code.DOUBLED_SLICES]
    assert found[Code.DOUBLED_SLICES].count == 30


def test_other_sizes_and_pixels_among_many_are_found() -> None:
    planes = stack(30)
    planes[4] = replace(planes[4], rows=512, columns=512)
    planes[21] = replace(planes[21], spacing=(0.9, 0.9))
    found = findings(planes)
    assert {code: numbers(one) for code, one in found.items()} == {
        Code.MIXED_SIZE: [5],
        Code.MIXED_PIXEL_SPACING: [22],
    }


def test_slices_without_a_place_are_found() -> None:
    planes = stack(30)
    planes[7] = replace(planes[7], position=None)
    assert numbers(findings(planes)[Code.UNPLACED_SLICES]) == [8]


@given(
    count=st.integers(24, 60),
    spacing=st.sampled_from([0.625, 1.0, 2.5, 5.0]),
    directions=st.sampled_from([AXIAL, SAGITTAL, CORONAL, OBLIQUE]),
    numbered=st.booleans(),
    fault=st.sampled_from(["missing", "doubled", "turned", "aside", "along"]),
    data=st.data(),
)
@settings(max_examples=120, deadline=None)
def test_the_injected_fault_is_found_and_nothing_else(
    *,
    count: int,
    spacing: float,
    directions: object,
    numbered: bool,
    fault: str,
    data: st.DataObject,
) -> None:
    planes = stack(count, spacing, directions=directions)  # pyright: ignore[reportArgumentType]
    hit = data.draw(st.integers(3, count - 4))
    inner = planes[hit]
    if fault == "missing":
        # One is left behind them: that a volume ends early nobody can see.
        many = data.draw(st.integers(1, min(4, count - hit - 1)))
        del planes[hit : hit + many]
        expected = Code.MISSING_SLICES
    elif fault == "doubled":
        planes.append(replace(inner, sop_instance_uid="9.9"))
        expected, many = Code.DOUBLED_SLICES, 1
    elif fault == "turned":
        planes[hit] = turn(inner, data.draw(st.floats(2.0, 60.0)))
        expected, many = Code.MIXED_ORIENTATION, 1
    elif fault == "aside":
        planes[hit] = move(inner, aside=data.draw(st.floats(1.0, 40.0)))
        expected, many = Code.SHIFTED_SLICES, 1
    else:
        planes[hit] = move(inner, along=spacing * data.draw(st.floats(0.25, 0.45)))
        expected, many = Code.UNEVEN_SPACING, 1
    if not numbered:
        planes = [replace(plane, number=None) for plane in planes]
    found = findings(planes)
    assert list(found) == [expected]
    assert found[expected].count == many
    if numbered and fault != "missing":
        assert numbers(found[expected]) == [hit + 1]
