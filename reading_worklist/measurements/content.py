"""Reading a measurement report (PS3.16 TID 1500, 1410, 1411, 1501; tree of PS3.3 §C.17.3).

Read tolerantly: a group is whatever holds numbers below the container of imaging measurements, and
what is not understood is left out.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, cast

from pydicom import Dataset
from pydicom.multival import MultiValue

_IMAGING_MEASUREMENTS: Final = ("DCM", "126010")
_TRACKING_IDENTIFIER: Final = ("DCM", "112039")
_TRACKING_UID: Final = ("DCM", "112040")
_FINDINGS: Final = frozenset({("DCM", "121071"), ("SCT", "121071")})
_SITES: Final = frozenset({("SCT", "363698007"), ("SRT", "G-C0E3")})
# Cornerstone's way of writing what a person typed where a code should be.
_FREE_TEXT: Final = "CORNERSTONEFREETEXT"
_DEPTH_MAX: Final = 12
_TEXT_MAX: Final = 200


@dataclass(frozen=True, slots=True)
class Concept:
    """A code with its words (PS3.3 §8.8); `value` is empty for a text that somebody typed."""

    scheme: str
    value: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Measured:
    """One number: what was measured, how much, and the unit in UCUM."""

    concept: Concept
    value: str
    unit: str


@dataclass(frozen=True, slots=True)
class Reference:
    """The frame that was measured in; the first of several."""

    sop_instance_uid: str
    frame_number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasurementGroup:
    """What was measured of one thing.

    tracking_identifier: its name in the viewer, such as the tool and a number.
    finding, site: what it is and where, when the doctor said so.
    """

    tracking_identifier: str
    tracking_uid: str
    finding: Concept | None
    site: Concept | None
    values: tuple[Measured, ...]
    image: Reference | None


def measurement_groups(report: Dataset) -> list[MeasurementGroup]:
    """Return the measurement groups of a structured report, in its order; of others none."""
    return [
        group
        for container in _containers(report, 0)
        for item in _items(container)
        if (group := _group(item)) is not None
    ]


def _containers(item: Dataset, depth: int) -> Iterator[Dataset]:
    """Yield the containers of imaging measurements."""
    if _key(_concept(item)) == _IMAGING_MEASUREMENTS:
        yield item
        return
    if depth < _DEPTH_MAX:
        for child in _items(item):
            yield from _containers(child, depth + 1)


def _group(item: Dataset) -> MeasurementGroup | None:
    finding = site = None
    identifier = uid = ""
    values: list[Measured] = []
    for child in _items(item):
        kind, key = str(child.get("ValueType", "")), _key(_concept(child))
        if kind == "NUM":
            values += _measured(child)
        elif kind == "TEXT" and key == _TRACKING_IDENTIFIER:
            identifier = _text(child.get("TextValue"))
        elif kind == "UIDREF" and key == _TRACKING_UID:
            uid = _text(child.get("UID"))
        elif kind == "CODE" and key in _FINDINGS:
            finding = finding or _code(child.get("ConceptCodeSequence"))
        elif kind == "CODE" and key in _SITES:
            site = site or _code(child.get("ConceptCodeSequence"))
    if not values and finding is None:
        return None
    return MeasurementGroup(
        tracking_identifier=identifier,
        tracking_uid=uid,
        finding=finding,
        site=site,
        values=tuple(values),
        image=next(_references(item, 0), None),
    )


def _measured(item: Dataset) -> Iterator[Measured]:
    concept = _concept(item)
    for value in _sequence(item, "MeasuredValueSequence")[:1]:
        unit = _code(value.get("MeasurementUnitsCodeSequence"))
        number = _first(value.get("NumericValue"))
        if concept is not None and number not in (None, ""):
            yield Measured(concept, f"{float(number):.6g}", unit.value if unit else "")


def _references(item: Dataset, depth: int) -> Iterator[Reference]:
    for one in _sequence(item, "ReferencedSOPSequence"):
        uid = _text(one.get("ReferencedSOPInstanceUID"))
        # A reference without frames means all of them (PS3.3 §C.17.5); the first stands for it.
        if uid and str(item.get("ValueType", "")) == "IMAGE":
            yield Reference(uid, int(_first(one.get("ReferencedFrameNumber")) or 1))
    if depth < _DEPTH_MAX:
        for child in _items(item):
            yield from _references(child, depth + 1)


def _items(item: Dataset) -> list[Dataset]:
    return _sequence(item, "ContentSequence")


def _sequence(item: Dataset, keyword: str) -> list[Dataset]:
    value = item.get(keyword)
    return list(value) if value else []


def _concept(item: Dataset) -> Concept | None:
    return _code(item.get("ConceptNameCodeSequence"))


def _code(sequence: Any) -> Concept | None:  # noqa: ANN401 -- pydicom's values have no types
    if not sequence:
        return None
    code = sequence[0]
    value = _text(code.get("CodeValue") or code.get("LongCodeValue"))
    meaning = _text(code.get("CodeMeaning"))
    if value == _FREE_TEXT:
        return Concept("", "", meaning) if meaning else None
    return Concept(_text(code.get("CodingSchemeDesignator")), value, meaning)


def _first(value: Any) -> Any:  # noqa: ANN401 -- pydicom's values have no types
    if isinstance(value, MultiValue):
        several = cast("MultiValue[Any]", value)
        return several[0] if several else None
    return value


def _key(concept: Concept | None) -> tuple[str, str] | None:
    return None if concept is None else (concept.scheme, concept.value)


def _text(value: Any) -> str:  # noqa: ANN401 -- as above
    return "" if value is None else str(value).strip()[:_TEXT_MAX]
