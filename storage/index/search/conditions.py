"""Matching keys as SQL conditions (PS3.4 §C.2.2.2)."""

from collections.abc import Callable, Mapping
from datetime import datetime, time
from typing import Any, Final

from sqlalchemy import ColumnElement, String, and_, cast, func, literal, or_, select

from storage.index.search import values
from storage.index.search.attributes import Attribute, Matching
from storage.index.search.names import patient_name_matches
from storage.index.tables import Instance, Study, StudyListing

Condition = ColumnElement[bool]


def condition(attribute: Attribute, text: str, *, fuzzy: bool) -> Condition:
    """Return the SQL condition that `attribute` matches the key value `text`, which is not empty.

    Raises:
        InvalidKey: `text` is no value, list, range or pattern of the attribute.
    """
    if attribute.matching is Matching.PATIENT_NAME:
        names = values.listed(attribute.keyword, text, "\\")
        return or_(*(patient_name_matches(name, fuzzy=fuzzy).condition for name in names))
    return _WAYS[attribute.matching](attribute, text)


def is_empty(attribute: Attribute) -> Condition:
    """Return the SQL condition that `attribute` has no value (PS3.4 §C.2.2.2.7)."""
    source: Any = attribute.source
    if attribute.matching is Matching.MODALITIES:
        return func.cardinality(source) == 0
    if attribute.matching is Matching.PATIENT_NAME:
        return source == ""
    return source.is_(None)


def studied_between(dates: str | None, times: str | None) -> list[Condition]:
    """Return the conditions on `StudyListing.studied_at` of the keys StudyDate and StudyTime.

    times: given only where both are to be matched as one combined datetime.

    Raises:
        InvalidKey: one of them is no date, time or range.
    """
    if dates is None:
        return []
    at = StudyListing.studied_at
    first, last = values.date_range("StudyDate", dates)
    earliest, latest = values.time_range("StudyTime", times) if times else (None, None)
    bounds: list[Condition] = []
    if first is not None:
        bounds.append(at >= datetime.combine(first, earliest or time.min))
    else:
        # An open range matches days, not studies without one.
        bounds.append(at > cast(literal("-infinity", String), StudyListing.studied_at.type))
    if last is not None and latest is not None:
        bounds.append(at <= datetime.combine(last, latest))
    elif last is not None:
        bounds.append(at <= datetime.combine(last, time.max))
    return bounds


def _text(attribute: Attribute, text: str) -> Condition:
    return or_(
        *(_one_text(attribute.source, one) for one in values.listed(attribute.keyword, text, "\\"))
    )


def _words(attribute: Attribute, text: str) -> Condition:
    listed = values.listed(attribute.keyword, text, "\\,")
    return or_(*(_one_text(attribute.source, one) for one in listed))


def _one_text(source: Any, text: str) -> Condition:  # noqa: ANN401 -- any column of text
    if values.has_wildcard(text):
        return source.like(values.like_pattern(text), escape="\\")
    return source == text


def _uids(attribute: Attribute, text: str) -> Condition:
    source: Any = attribute.source
    return source.in_(values.uids(attribute.keyword, text))


def _integer(attribute: Attribute, text: str) -> Condition:
    source: Any = attribute.source
    return source == values.integer(attribute.keyword, text)


def _dates(attribute: Attribute, text: str) -> Condition:
    return _between(attribute.source, values.date_range(attribute.keyword, text))


def _times(attribute: Attribute, text: str) -> Condition:
    return _between(attribute.source, values.time_range(attribute.keyword, text))


def _between(source: Any, bounds: tuple[Any, Any]) -> Condition:  # noqa: ANN401 -- any column
    first, last = bounds
    conditions: list[Condition] = []
    if first is not None:
        conditions.append(source >= first)
    if last is not None:
        conditions.append(source <= last)
    return and_(*conditions)


def _person_name(attribute: Attribute, text: str) -> Condition:
    source: Any = attribute.source
    pattern = values.like_pattern(text.rstrip("=^ "))
    group = func.unnest(func.string_to_array(source, "=")).column_valued("name_group")
    return or_(
        source.ilike(pattern, escape="\\"),
        select(1).where(func.rtrim(group, "^ ").ilike(pattern, escape="\\")).exists(),
    )


def _modalities(attribute: Attribute, text: str) -> Condition:
    listed = values.listed(attribute.keyword, text.upper(), "\\,")
    plain = [one for one in listed if not values.has_wildcard(one)]
    ways: list[Condition] = [Study.modalities.bool_op("&&")(plain)] if plain else []
    modality = func.unnest(Study.modalities).column_valued("modality")
    ways.extend(
        select(1).where(modality.like(values.like_pattern(one), escape="\\")).exists()
        for one in listed
        if values.has_wildcard(one)
    )
    return or_(*ways)


def _sop_classes(attribute: Attribute, text: str) -> Condition:
    return (
        select(Instance.id)
        .where(
            Instance.study_id == Study.id,
            Instance.sop_class_uid.in_(values.uids(attribute.keyword, text)),
        )
        .correlate(Study)
        .exists()
    )


_WAYS: Final[Mapping[Matching, Callable[[Attribute, str], Condition]]] = {
    Matching.TEXT: _text,
    Matching.WORDS: _words,
    Matching.UIDS: _uids,
    Matching.INTEGER: _integer,
    Matching.DATE: _dates,
    Matching.TIME: _times,
    Matching.PERSON_NAME: _person_name,
    Matching.MODALITIES: _modalities,
    Matching.SOP_CLASSES: _sop_classes,
}
