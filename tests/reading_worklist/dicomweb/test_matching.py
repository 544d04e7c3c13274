"""Query parameters are understood or refused; none of them reaches SQL as text."""

from datetime import date, time

import pytest

from reading_worklist.dicomweb.matching import (
    LIMIT_DEFAULT,
    LIMIT_MAX,
    Level,
    like_pattern,
    parse_date_range,
    parse_search,
    parse_time_range,
)
from reading_worklist.problems import Problem


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("20261120", (date(2026, 11, 20), date(2026, 11, 20))),
        ("2026.11.20", (date(2026, 11, 20), date(2026, 11, 20))),
        ("20261101-20261130", (date(2026, 11, 1), date(2026, 11, 30))),
        ("20261101-", (date(2026, 11, 1), None)),
        ("-20261130", (None, date(2026, 11, 30))),
    ],
)
def test_dates_and_ranges(text: str, expected: tuple[date | None, date | None]) -> None:
    assert parse_date_range("StudyDate", text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("10", (time(10), time(10, 59, 59, 999999))),
        ("101530", (time(10, 15, 30), time(10, 15, 30, 999999))),
        ("1015-1130", (time(10, 15), time(11, 30, 59, 999999))),
        ("-12:00:00.5", (None, time(12, 0, 0, 599999))),
    ],
)
def test_times_and_ranges(text: str, expected: tuple[time | None, time | None]) -> None:
    assert parse_time_range("StudyTime", text) == expected


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("StudyDate", "yesterday"),
        ("StudyDate", "20261340"),
        ("StudyDate", "-"),
        ("StudyDate", "20261101-20261130-"),
        ("StudyDate", "２０２６１１２０"),
        ("StudyTime", "2561"),
        ("StudyInstanceUID", "1.2;DROP TABLE study"),
        ("StudyInstanceUID", "1.2,,*"),
        ("StudyInstanceUID", ",".join(["1.2"] * 501)),
        ("SeriesNumber", "one"),
        ("SeriesNumber", "99999999999999999999"),
        ("limit", "-1"),
        ("limit", "ten"),
        ("offset", "99999999999999999999999"),
        ("offset", "1e3"),
        ("offset", "٣"),
        ("PatientID", "a\0b"),
        ("PatientID", "\ud800"),
        ("PatientName", "x" * 5000),
    ],
)
def test_values_that_cannot_be_are_refused(name: str, value: str) -> None:
    with pytest.raises(Problem) as refused:
        parse_search([(name, value)], Level.INSTANCE)
    assert refused.value.status == 400


def test_paging_has_bounds_of_its_own() -> None:
    assert parse_search([], Level.STUDY).limit == LIMIT_DEFAULT
    assert parse_search([("limit", "999999")], Level.STUDY).limit == LIMIT_MAX
    assert parse_search([("limit", "5"), ("offset", "10")], Level.STUDY).offset == 10


def test_what_is_not_matched_on_is_named() -> None:
    given = [
        ("PatientID", "1"),
        ("00100020", "1"),
        ("includefield", "all"),
        ("fuzzymatching", "true"),
        ("Modality", "CT"),
        ("NoSuchKeyword", "1"),
        ("InstitutionName", "x"),
    ]
    search = parse_search(given, Level.STUDY)
    assert search.ignored == ("Modality", "NoSuchKeyword", "InstitutionName")
    assert len(search.conditions) == 2


def test_empty_values_match_everything() -> None:
    given = [("PatientID", ""), ("PatientName", ""), ("StudyDate", " "), ("ModalitiesInStudy", "")]
    assert parse_search(given, Level.STUDY).conditions == ()


def test_wildcards_are_the_only_patterns() -> None:
    assert like_pattern("50%_*?\\") == "50\\%\\_%_\\\\"
