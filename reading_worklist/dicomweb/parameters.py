"""Query parameters of QIDO-RS (PS3.18 §8.3.4) as a search of the index."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from pydicom.datadict import keyword_for_tag

from reading_worklist.problems import Problem
from storage.index.search import ATTRIBUTES, InvalidKey, Key, Level, Options, Search, prepare

# So many that a client which does not page still sees every series of a study.
LIMIT_DEFAULT: Final = 1000
LIMIT_MAX: Final = 5000
_OFFSET_MAX: Final = 1 << 40
_TAG: Final = re.compile(r"[0-9A-Fa-f]{8}")
_PAGE_NUMBER: Final = re.compile(r"\d{1,13}", re.ASCII)
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
_BOOLEANS: Final = {"true": True, "false": False, "": False}

RETURNED: Final[Mapping[Level, frozenset[str]]] = {
    Level.STUDY: frozenset(
        {
            "StudyDate",
            "StudyTime",
            "AccessionNumber",
            "InstanceAvailability",
            "ModalitiesInStudy",
            "ReferringPhysicianName",
            "StudyDescription",
            "PatientName",
            "PatientID",
            "PatientBirthDate",
            "PatientSex",
            "StudyInstanceUID",
            "StudyID",
            "NumberOfStudyRelatedSeries",
            "NumberOfStudyRelatedInstances",
        }
    ),
    Level.SERIES: frozenset(
        {
            "Modality",
            "SeriesDescription",
            "SeriesInstanceUID",
            "SeriesNumber",
            "NumberOfSeriesRelatedInstances",
            "PerformedProcedureStepStartDate",
            "PerformedProcedureStepStartTime",
            "BodyPartExamined",
            "Laterality",
        }
    ),
    Level.INSTANCE: frozenset(
        {
            "SOPClassUID",
            "SOPInstanceUID",
            "InstanceAvailability",
            "InstanceNumber",
            "Rows",
            "Columns",
            "NumberOfFrames",
            "AvailableTransferSyntaxUID",
        }
    ),
}
"""What is returned without being asked for (PS3.18 tables 10.6.3-3 to 10.6.3-5), as far as known.

Of the levels above, too, unless the path names the study or series.
"""


@dataclass(frozen=True, slots=True)
class Parameters:
    """A parsed search.

    returned: keywords of the attributes wanted in the results.
    ignored: names of parameters and fields that the index does not know; the client is told.
    """

    search: Search
    returned: frozenset[str]
    limit: int
    offset: int
    ignored: tuple[str, ...]


def parse_parameters(
    parameters: Iterable[tuple[str, str]], level: Level, *, path_level: Level | None = None
) -> Parameters:
    """Parse the query parameters of a search at `level`.

    An empty value matches everything. What the index cannot match on is ignored
    and named in the result, as PS3.18 §8.3.1 asks.

    path_level: of the study or series that the path names; None where it names none.

    Raises:
        Problem: 400 for a value that its attribute cannot have, or a page outside the bounds.
    """
    given = list(parameters)
    flags = {"fuzzymatching": False, "emptyvaluematching": False, "multiplevaluematching": False}
    limit, offset = LIMIT_DEFAULT, 0
    keys: list[Key] = []
    names: dict[str, str] = {}
    fields: list[str] = []
    for name, value in given:
        if name == "limit":
            limit = min(_page_number(name, value), LIMIT_MAX)
        elif name == "offset":
            offset = _page_number(name, value)
        elif name == "includefield":
            fields.extend(field.strip() for field in value.split(",") if field.strip())
        elif name in flags:
            flags[name] = _boolean(name, value)
        elif name not in _CONTROL:
            keyword = _keyword(name)
            names[keyword] = name
            keys.append(Key(keyword, value))
    options = Options(
        fuzzy=flags["fuzzymatching"],
        combined_datetime=True,
        empty_values=flags["emptyvaluematching"],
    )
    try:
        search = prepare(keys, level, options)
    except InvalidKey as error:
        raise bad_value(names[error.keyword], error.found, error.expected) from error
    wanted, unknown = _fields(fields, level)
    returned = set(wanted) | {key.keyword for key in keys}
    for one, defaults in RETURNED.items():
        if one is level or (one < level and (path_level is None or one > path_level)):
            returned |= defaults
    ignored = (*(names[keyword] for keyword in search.unsupported), *unknown)
    return Parameters(search, frozenset(returned), limit, offset, ignored)


def bad_value(name: str, found: str, expected: str) -> Problem:
    """Return the answer for a parameter whose value is none of its kind."""
    return Problem(
        HTTPStatus.BAD_REQUEST,
        "invalid-query",
        f"The query parameter {name[:64]!r} has a value that cannot be matched",
        expected=expected,
        found=found,
        remedy="Correct the query.",
    )


def _fields(fields: Iterable[str], level: Level) -> tuple[list[str], list[str]]:
    """Return the keywords of fields that the index knows, and the fields that it does not."""
    wanted: list[str] = []
    unknown: list[str] = []
    for field in fields:
        keyword = _keyword(field)
        if field == "all":
            wanted.extend(ATTRIBUTES)
        elif keyword in ATTRIBUTES and ATTRIBUTES[keyword].level <= level:
            wanted.append(keyword)
        else:
            unknown.append(field)
    return wanted, unknown


def _keyword(name: str) -> str:
    """Return the keyword of a name that is one or a tag in eight hexadecimal digits.

    Of any other, such as the path to an element in a sequence, the name itself.
    """
    return (keyword_for_tag(int(name, 16)) or name) if _TAG.fullmatch(name) else name


def _page_number(name: str, text: str) -> int:
    if not _PAGE_NUMBER.fullmatch(text) or int(text) > _OFFSET_MAX:
        raise bad_value(name, repr(text[:64]), f"a whole number from 0 to {_OFFSET_MAX}")
    return int(text)


def _boolean(name: str, text: str) -> bool:
    if text.lower() not in _BOOLEANS:
        raise bad_value(name, repr(text[:64]), "true or false")
    return _BOOLEANS[text.lower()]
