"""Where each slice of a series lies, read from headers alone (PS3.3 §C.7.6.2, §C.7.6.16.2)."""

import math
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from reading_worklist.dicomweb.queries import InstanceRecord
from storage.datasets.encoded import Dataset, Element

Vector: TypeAlias = NDArray[np.float64]

_UNIT_TOLERANCE: Final = 1e-2
_FRAMES_MAX: Final = 100_000

_IMAGE_TYPE: Final = 0x00080008
_FRAME_TYPE: Final = 0x00089007
_SLICE_THICKNESS: Final = 0x00180050
_INSTANCE_NUMBER: Final = 0x00200013
_POSITION: Final = 0x00200032
_ORIENTATION: Final = 0x00200037
_FRAME_OF_REFERENCE: Final = 0x00200052
_NUMBER_OF_FRAMES: Final = 0x00280008
_ROWS: Final = 0x00280010
_COLUMNS: Final = 0x00280011
_PIXEL_SPACING: Final = 0x00280030
_SHARED_GROUPS: Final = 0x52009229
_FRAME_GROUPS: Final = 0x52009230
_POSITION_GROUP: Final = 0x00209113
_ORIENTATION_GROUP: Final = 0x00209116
_MEASURES_GROUP: Final = 0x00289110
_FRAME_CONTENT: Final = 0x00209111
_IN_STACK_POSITION: Final = 0x00209057
_FRAME_TYPE_GROUPS: Final = (0x00189226, 0x00189329, 0x00189751)

MARKS: Final[tuple[tuple[str, tuple[tuple[int, ...], ...]], ...]] = (
    ("stack", ((_FRAME_CONTENT, 0x00209056),)),
    ("image_type", ((_IMAGE_TYPE,),)),
    ("temporal_position", ((0x00200100,), (_FRAME_CONTENT, 0x00209128))),
    ("b_value", ((0x00189087,), (0x00189117, 0x00189087))),
    ("gradient", ((0x00189089,), (0x00189117, 0x00189076, 0x00189089))),
    ("ge_b_value", ((0x00431039,),)),
    ("siemens_b_value", ((0x0019100C,),)),
    ("siemens_gradient", ((0x0019100E,),)),
    ("sequence_name", ((0x00180024,),)),
    ("echo_number", ((0x00180086,),)),
    ("echo_time", ((0x00180081,), (0x00189114, 0x00189082))),
    ("inversion_time", ((0x00180082,),)),
    ("flip_angle", ((0x00181314,),)),
    ("acquisition_number", ((0x00200012,), (_FRAME_CONTENT, 0x00209156))),
    ("trigger_time", ((0x00181060,), (0x00189118, 0x00209153))),
    ("frame_reference_time", ((0x00541300,),)),
    ("kvp", ((0x00180060,),)),
    ("kernel", ((0x00181210,),)),
    ("slice_thickness", ((_SLICE_THICKNESS,),)),
    ("acquisition_time", ((0x00080032,), (_FRAME_CONTENT, 0x00189074))),
    ("content_time", ((0x00080033,),)),
)
"""What tells one volume of a series from another at the same place, the telling ones first.

Each with the places where it may stand, in a classic header or in a frame's functional groups.
"""

WEAK_MARKS: Final = frozenset({"trigger_time", "acquisition_time", "content_time"})
"""Marks that often differ from slice to slice within one volume."""


@dataclass(frozen=True, slots=True, eq=False)
class Plane:
    """One slice: a classic instance, or a frame of an enhanced one.

    frame: from 1. number: Instance Number, of a frame its In-Stack Position Number; None when
        absent.
    position: of the centre of its first pixel in mm, patient coordinates; None when not stated.
    row, column: unit vectors along its rows and down its columns; None when not stated or not
        perpendicular.
    spacing: between rows and between columns in mm; None when not stated.
    kinds: the values of Image Type (Frame Type), in capitals.
    marks: one text for each of `MARKS`, empty where absent.
    """

    sop_instance_uid: str
    frame: int
    number: int | None
    position: Vector | None
    row: Vector | None
    column: Vector | None
    rows: int
    columns: int
    spacing: tuple[float, float] | None
    kinds: tuple[str, ...]
    frame_of_reference: str
    marks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Value:
    """An element with the byte order of where it was found."""

    element: Element
    little: bool

    @property
    def items(self) -> list[Dataset]:
        return self.element.items or []

    @property
    def text(self) -> str:
        return (self.element.value or b"").decode("latin-1").strip(" \0")

    @property
    def numbers(self) -> tuple[float, ...]:
        """The numbers; none when there is no value, or one is no finite number."""
        form = _BINARY.get(self.element.vr.partition(" ")[0])
        try:
            if form is None:
                values = tuple(float(part) for part in self.text.split("\\"))
            else:
                order = "<" if self.little else ">"
                pairs = struct.iter_unpack(order + form, self.element.value or b"")
                values = tuple(float(value) for (value,) in pairs)
        except (ValueError, struct.error):
            return ()
        return values if all(math.isfinite(value) for value in values) else ()

    @property
    def integer(self) -> int | None:
        numbers = self.numbers
        return int(numbers[0]) if numbers and abs(numbers[0]) < 2**31 else None


_BINARY: Final = {"US": "H", "SS": "h", "UL": "I", "SL": "i", "FL": "f", "FD": "d"}


def planes_of(record: InstanceRecord, dataset: Dataset) -> list[Plane]:
    """Return the slices of one instance in the order of its frames; none when it is no image.

    What is not stated, or not as numbers, is None: nothing here raises on odd headers.
    """
    header = (dataset,)
    rows, columns = _integer(header, _ROWS), _integer(header, _COLUMNS)
    if not rows or not columns:
        return []
    shared = _items(header, _SHARED_GROUPS)[:1]
    frames = _items(header, _FRAME_GROUPS)[:_FRAMES_MAX]
    if frames:
        levels = [(frame, *shared, dataset) for frame in frames]
    elif (_integer(header, _NUMBER_OF_FRAMES) or 1) == 1:
        levels = [(*shared, dataset)]
    else:
        # Frames of which nothing says where each is.
        return []
    # The order of frames says nothing of what is between them; their place in the stack does.
    numbers = (
        [_integer(_items(level, _FRAME_CONTENT)[:1], _IN_STACK_POSITION) for level in levels]
        if frames
        else [_integer(header, _INSTANCE_NUMBER)]
    )
    return [
        _plane(record, level, frame, number, (rows, columns))
        for frame, (level, number) in enumerate(zip(levels, numbers, strict=False), start=1)
    ]


def _plane(
    record: InstanceRecord,
    level: Sequence[Dataset],
    frame: int,
    number: int | None,
    size: tuple[int, int],
) -> Plane:
    position = _numbers(_grouped(level, _POSITION_GROUP, _POSITION))
    row, column = _directions(_numbers(_grouped(level, _ORIENTATION_GROUP, _ORIENTATION)))
    spacing = _numbers(_grouped(level, _MEASURES_GROUP, _PIXEL_SPACING))
    frame_of_reference = _find(level, _FRAME_OF_REFERENCE)
    return Plane(
        sop_instance_uid=record.sop_instance_uid,
        frame=frame,
        number=number,
        position=np.array(position) if len(position) == 3 else None,  # noqa: PLR2004 -- x, y, z
        row=row,
        column=column,
        rows=size[0],
        columns=size[1],
        spacing=(spacing[0], spacing[1]) if len(spacing) == 2 and min(spacing) > 0 else None,  # noqa: PLR2004 -- rows, columns
        kinds=_kinds(level),
        frame_of_reference=frame_of_reference.text if frame_of_reference else "",
        marks=tuple(_mark(level, paths) for _, paths in MARKS),
    )


def _kinds(level: Sequence[Dataset]) -> tuple[str, ...]:
    types = (_grouped(level, group, _FRAME_TYPE) for group in _FRAME_TYPE_GROUPS)
    found = next((one for one in types if one is not None), None) or _find(level, _IMAGE_TYPE)
    words = found.text.upper().split("\\") if found is not None else []
    return tuple(word.strip() for word in words if word.strip())


def _directions(values: Sequence[float]) -> tuple[Vector, Vector] | tuple[None, None]:
    if len(values) != 6:  # noqa: PLR2004 -- two vectors
        return None, None
    row, column = np.array(values[:3]), np.array(values[3:])
    along, down = float(np.linalg.norm(row)), float(np.linalg.norm(column))
    if max(abs(along - 1), abs(down - 1), abs(float(row @ column))) > _UNIT_TOLERANCE:
        return None, None
    return row / along, column / down


def _mark(level: Sequence[Dataset], paths: Sequence[tuple[int, ...]]) -> str:
    for path in paths:
        inner = level
        for tag in path[:-1]:
            inner = _items(inner, tag)[:1]
        found = _find(inner, path[-1])
        if found is not None and found.element.value:
            return repr(found.numbers) if found.element.vr in _BINARY else found.text
    return ""


def _grouped(level: Sequence[Dataset], group: int, tag: int) -> _Value | None:
    """Return an attribute from a functional group, that of the frame first, or from the header."""
    for one in level:
        found = _find(_items((one,), group)[:1], tag)
        if found is not None:
            return found
    return _find(level, tag)


def _find(level: Sequence[Dataset], tag: int) -> _Value | None:
    for dataset in level:
        found = dataset.find(tag)
        if found is not None:
            return _Value(found, dataset.encoding.little)
    return None


def _items(level: Sequence[Dataset], tag: int) -> list[Dataset]:
    found = _find(level, tag)
    return found.items if found is not None else []


def _numbers(found: _Value | None) -> tuple[float, ...]:
    return found.numbers if found is not None else ()


def _integer(level: Sequence[Dataset], tag: int) -> int | None:
    found = _find(level, tag)
    return found.integer if found is not None else None
