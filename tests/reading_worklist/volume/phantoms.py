"""Slices of nobody, in the order of their numbers, with faults on demand."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

import numpy as np

from reading_worklist.volume.planes import MARKS, Plane, Vector

AXIAL = (np.array([1.0, 0.0, 0.0]), np.array([0.0, 1.0, 0.0]))
SAGITTAL = (np.array([0.0, 1.0, 0.0]), np.array([0.0, 0.0, -1.0]))
CORONAL = (np.array([1.0, 0.0, 0.0]), np.array([0.0, 0.0, -1.0]))


def turned(vector: Vector, axis: Vector, degrees: float) -> Vector:
    """`vector` turned about a unit vector (Rodrigues)."""
    angle = np.radians(degrees)
    return (
        vector * np.cos(angle)
        + np.cross(axis, vector) * np.sin(angle)
        + axis * (axis @ vector) * (1 - np.cos(angle))
    )


def stack(
    count: int,
    spacing: float = 2.5,
    *,
    directions: tuple[Vector, Vector] = AXIAL,
    start: Sequence[float] = (-100.0, -120.0, 35.5),
    first_number: int = 1,
    lean: Sequence[float] = (0.0, 0.0),
    marks: Mapping[str, str] = MappingProxyType({}),
) -> list[Plane]:
    """An even stack; `lean` is how much it moves along rows and columns for each mm."""
    row, column = directions
    step = (np.cross(row, column) + lean[0] * row + lean[1] * column) * spacing
    told = tuple(marks.get(name, "") for name, _ in MARKS)
    return [
        Plane(
            sop_instance_uid=f"1.2.{first_number + index}",
            frame=1,
            number=first_number + index,
            position=np.array(start) + index * step,
            row=row,
            column=column,
            rows=256,
            columns=192,
            spacing=(0.7, 0.8),
            kinds=("ORIGINAL", "PRIMARY"),
            frame_of_reference="1.2.3",
            marks=told,
        )
        for index in range(count)
    ]


def turn(plane: Plane, degrees: float) -> Plane:
    """The slice turned about its own column direction, its centre in place."""
    assert plane.row is not None
    assert plane.column is not None
    assert plane.position is not None
    assert plane.spacing is not None
    row = turned(plane.row, plane.column, degrees)
    half = plane.spacing[1] * (plane.columns - 1) / 2
    return replace(plane, row=row, position=plane.position + half * (plane.row - row))


def move(plane: Plane, *, along: float = 0.0, aside: float = 0.0) -> Plane:
    """The slice moved along its normal and along its rows, in mm."""
    assert plane.row is not None
    assert plane.column is not None
    assert plane.position is not None
    shift = np.cross(plane.row, plane.column) * along + plane.row * aside
    return replace(plane, position=plane.position + shift)
