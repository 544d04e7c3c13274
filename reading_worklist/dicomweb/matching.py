"""Query parameters of QIDO-RS (PS3.18 §8.3.4) as SQL conditions (matching: PS3.4 §C.2.2.2)."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, time
from enum import IntEnum
from http import HTTPStatus
from typing import Any, Final, TypeAlias

from pydicom.datadict import keyword_for_tag, tag_for_keyword
from sqlalchemy import ColumnElement, and_, func, literal, or_, select
from sqlalchemy.orm import InstrumentedAttribute

from reading_worklist.problems import Problem
from storage.identifiers import InvalidIdentifier, Uid
from storage.index.tables import Instance, Patient, Series, Study
from storage.person_name import is_han

# So many that a client which does not page still sees every series of a study.
LIMIT_DEFAULT: Final = 1000
LIMIT_MAX: Final = 5000
_OFFSET_MAX: Final = 1 << 40
_VALUE_LENGTH: Final = 4096
_LIST_LENGTH: Final = 500
_NUMBER_MAX: Final = (1 << 31) - 1
_TAG: Final = re.compile(r"[0-9A-Fa-f]{8}")
_PAGE_NUMBER: Final = re.compile(r"\d{1,13}", re.ASCII)
_INTEGER: Final = re.compile(r"[+-]?\d{1,10}", re.ASCII)
# With the dots and colons of ACR-NEMA and of ISO 8601 as well, which some clients write.
_DATE: Final = re.compile(r"(\d{4})\.?(\d\d)\.?(\d\d)", re.ASCII)
_TIME: Final = re.compile(r"(\d\d)(?::?(\d\d)(?::?(\d\d)(?:\.(\d{1,6}))?)?)?", re.ASCII)
_CONTROL: Final = frozenset(
    {
        "includefield",
        "fuzzymatching",
        "limit",
        "offset",
        "accept",
        "emptyvaluematching",
        "multiplevaluematching",
    }
)

Condition: TypeAlias = ColumnElement[bool]


class Level(IntEnum):
    """What a search returns one of per result."""

    STUDY = 1
    SERIES = 2
    INSTANCE = 3


@dataclass(frozen=True, slots=True)
class Search:
    """A parsed search.

    conditions: on the tables of the index down to the level of the search.
    ignored: parameters the server does not match on; the client is told.
    """

    conditions: tuple[Condition, ...]
    limit: int
    offset: int
    ignored: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Matcher:
    level: Level
    condition: Callable[[str, str], Condition]


def parse_search(parameters: Iterable[tuple[str, str]], level: Level) -> Search:
    """Parse the query parameters of a search at `level`.

    An empty value matches everything. What the index cannot match on is ignored
    and named in the result, as PS3.18 §8.3.1 asks.

    Raises:
        Problem: 400 for a value that its attribute cannot have, or a page outside the bounds.
    """
    given = [(name, _checked(name, value)) for name, value in parameters]
    fuzzy = any(name == "fuzzymatching" and value.lower() == "true" for name, value in given)
    conditions: list[Condition] = []
    ignored: list[str] = []
    limit, offset = LIMIT_DEFAULT, 0
    for name, value in given:
        if name == "limit":
            limit = min(_page_number(name, value), LIMIT_MAX)
        elif name == "offset":
            offset = _page_number(name, value)
        elif name not in _CONTROL:
            keyword = _keyword(name)
            matcher = _MATCHERS.get(keyword)
            if matcher is None or matcher.level > level:
                ignored.append(name)
            elif keyword == "PatientName" and value:
                conditions.append(_name_condition(value, fuzzy=fuzzy))
            elif value:
                conditions.append(matcher.condition(keyword, value))
    return Search(tuple(conditions), limit, offset, tuple(ignored))


def like_pattern(value: str) -> str:
    """Return the SQL LIKE pattern, escaped by backslash, of a value with the wildcards * and ?."""
    escaped = re.sub(r"([\\%_])", r"\\\1", value)
    return escaped.replace("*", "%").replace("?", "_")


def parse_date_range(what: str, text: str) -> tuple[date | None, date | None]:
    """Return the bounds, both included, of a date or range (PS3.4 §C.2.2.2.5); None for open.

    Raises:
        Problem: 400 when it is neither.
    """
    first, dash, last = text.partition("-")
    if not dash:
        return _date(what, first), _date(what, first)
    if not first and not last:
        raise _bad_value(what, text, "YYYYMMDD, YYYYMMDD-YYYYMMDD, YYYYMMDD- or -YYYYMMDD")
    return _date(what, first) if first else None, _date(what, last) if last else None


def parse_time_range(what: str, text: str) -> tuple[time | None, time | None]:
    """Return the bounds, both included, of a time or range; None for open.

    A time without minutes or seconds covers all of them.

    Raises:
        Problem: 400 when it is neither.
    """
    first, dash, last = text.partition("-")
    if not dash:
        return _time(what, first, last=False), _time(what, first, last=True)
    if not first and not last:
        raise _bad_value(what, text, "HHMMSS, HHMMSS-HHMMSS, HHMMSS- or -HHMMSS")
    return _time(what, first, last=False) if first else None, _time(
        what, last, last=True
    ) if last else None


def _checked(name: str, value: str) -> str:
    if len(value) > _VALUE_LENGTH:
        raise _bad_value(name, value, f"at most {_VALUE_LENGTH} characters")
    if "\0" in value or any("\ud800" <= character <= "\udfff" for character in value):
        raise _bad_value(name, value, "text without NUL and lone surrogates")
    return value.strip()


def _keyword(name: str) -> str:
    """Return the keyword of a parameter that is one, or a tag in eight hexadecimal digits."""
    if _TAG.fullmatch(name):
        return keyword_for_tag(int(name, 16))
    return name if tag_for_keyword(name) is not None else ""


def _bad_value(what: str, text: str, expected: str) -> Problem:
    return Problem(
        HTTPStatus.BAD_REQUEST,
        "invalid-query",
        f"The query parameter {what[:64]!r} has a value that cannot be matched",
        expected=expected,
        found=repr(text[:64]),
        remedy="Correct the query.",
    )


def _page_number(name: str, text: str) -> int:
    if not _PAGE_NUMBER.fullmatch(text) or int(text) > _OFFSET_MAX:
        raise _bad_value(name, text, f"a whole number from 0 to {_OFFSET_MAX}")
    return int(text)


def _date(what: str, text: str) -> date:
    found = _DATE.fullmatch(text.strip())
    expected = "a date, YYYYMMDD"
    if found is None:
        raise _bad_value(what, text, expected)
    try:
        return date(*map(int, found.groups()))
    except ValueError as error:
        raise _bad_value(what, text, expected) from error


def _time(what: str, text: str, *, last: bool) -> time:
    found = _TIME.fullmatch(text.strip())
    expected = "a time, HH, HHMM or HHMMSS.FFFFFF"
    if found is None:
        raise _bad_value(what, text, expected)
    hours, minutes, seconds, fraction = found.groups()
    rest = "59" if last else "0"
    micro = (fraction or "").ljust(6, "9" if last else "0")
    try:
        return time(int(hours), int(minutes or rest), int(seconds or rest), int(micro))
    except ValueError as error:
        raise _bad_value(what, text, expected) from error


def _values(what: str, text: str) -> list[str]:
    """Split a list of values; PS3.18 separates with commas, PS3.4 with backslashes."""
    values = [part.strip() for part in re.split(r"[,\\]", text) if part.strip()]
    if not values or len(values) > _LIST_LENGTH:
        raise _bad_value(what, text, f"1 to {_LIST_LENGTH} values")
    return values


def _uids(column: InstrumentedAttribute[str]) -> Callable[[str, str], Condition]:
    def condition(what: str, text: str) -> Condition:
        try:
            return column.in_([Uid.parse(value, what=what) for value in _values(what, text)])
        except InvalidIdentifier as error:
            raise _bad_value(what, text, error.expected) from error

    return condition


def _wildcard(column: InstrumentedAttribute[Any]) -> Callable[[str, str], Condition]:
    def condition(_what: str, text: str) -> Condition:
        if "*" in text or "?" in text:
            return column.like(like_pattern(text), escape="\\")
        return column == text

    return condition


def _either(column: InstrumentedAttribute[Any]) -> Callable[[str, str], Condition]:
    def condition(what: str, text: str) -> Condition:
        return or_(*(_wildcard(column)(what, value) for value in _values(what, text)))

    return condition


def _integer(column: InstrumentedAttribute[int | None]) -> Callable[[str, str], Condition]:
    def condition(what: str, text: str) -> Condition:
        if not _INTEGER.fullmatch(text) or abs(int(text)) > _NUMBER_MAX:
            raise _bad_value(what, text, "a whole number of 32 bits")
        return column == int(text)

    return condition


def _between(
    column: InstrumentedAttribute[Any], parse: Callable[[str, str], tuple[Any, Any]]
) -> Callable[[str, str], Condition]:
    def condition(what: str, text: str) -> Condition:
        first, last = parse(what, text)
        bounds: list[Condition] = []
        if first is not None:
            bounds.append(column >= first)
        if last is not None:
            bounds.append(column <= last)
        return and_(*bounds)

    return condition


def _modalities(what: str, text: str) -> Condition:
    return Study.modalities.bool_op("&&")(_values(what, text.upper()))


def _name_condition(value: str, *, fuzzy: bool) -> Condition:
    """Match a person name without regard to case, on the whole value or one of its groups.

    A name typed in Hanzi is also found where DICOM has "^" between family and given
    name; by pinyin and initials only where the client asks for fuzzy matching.
    """
    pattern = like_pattern(value)
    group = func.unnest(func.string_to_array(Patient.name, "=")).column_valued("name_group")
    ways: list[Condition] = [
        Patient.name.ilike(pattern, escape="\\"),
        select(literal(1)).where(group.ilike(pattern, escape="\\")).exists(),
    ]
    if fuzzy or any(is_han(character) for character in value):
        key = func.unnest(Patient.name_keys).column_valued("name_key")
        ways.append(select(literal(1)).where(key.like(pattern.lower(), escape="\\")).exists())
    return or_(*ways)


def _name(_what: str, text: str) -> Condition:
    return _name_condition(text, fuzzy=False)


_MATCHERS: Final[dict[str, _Matcher]] = {
    "PatientID": _Matcher(Level.STUDY, _wildcard(Patient.local_id)),
    "PatientName": _Matcher(Level.STUDY, _name),
    "PatientSex": _Matcher(Level.STUDY, _wildcard(Patient.sex)),
    "PatientBirthDate": _Matcher(Level.STUDY, _between(Patient.birth_date, parse_date_range)),
    "StudyInstanceUID": _Matcher(Level.STUDY, _uids(Study.study_instance_uid)),
    "StudyDate": _Matcher(Level.STUDY, _between(Study.study_date, parse_date_range)),
    "StudyTime": _Matcher(Level.STUDY, _between(Study.study_time, parse_time_range)),
    "AccessionNumber": _Matcher(Level.STUDY, _wildcard(Study.accession_number)),
    "StudyID": _Matcher(Level.STUDY, _wildcard(Study.study_id_text)),
    "StudyDescription": _Matcher(Level.STUDY, _wildcard(Study.study_description)),
    "ReferringPhysicianName": _Matcher(Level.STUDY, _wildcard(Study.referring_physician_name)),
    "ModalitiesInStudy": _Matcher(Level.STUDY, _modalities),
    "SeriesInstanceUID": _Matcher(Level.SERIES, _uids(Series.series_instance_uid)),
    "Modality": _Matcher(Level.SERIES, _either(Series.modality)),
    "SeriesNumber": _Matcher(Level.SERIES, _integer(Series.series_number)),
    "SeriesDescription": _Matcher(Level.SERIES, _wildcard(Series.series_description)),
    "BodyPartExamined": _Matcher(Level.SERIES, _wildcard(Series.body_part_examined)),
    "Laterality": _Matcher(Level.SERIES, _wildcard(Series.laterality)),
    "SOPInstanceUID": _Matcher(Level.INSTANCE, _uids(Instance.sop_instance_uid)),
    "SOPClassUID": _Matcher(Level.INSTANCE, _uids(Instance.sop_class_uid)),
    "InstanceNumber": _Matcher(Level.INSTANCE, _integer(Instance.instance_number)),
}
MATCHED_KEYWORDS: Final[Sequence[str]] = tuple(_MATCHERS)
"""The attributes a search can match on, for the conformance statement and tests."""
