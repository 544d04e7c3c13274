"""Query parameters are understood or refused; none of them reaches SQL as text."""

import pytest

from reading_worklist.dicomweb.parameters import (
    LIMIT_DEFAULT,
    LIMIT_MAX,
    RETURNED,
    parse_parameters,
)
from reading_worklist.problems import Problem
from storage.index.search import ATTRIBUTES, Level


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("StudyDate", "yesterday"),
        ("00080020", "20261340"),
        ("StudyInstanceUID", "1.2;DROP TABLE study"),
        ("limit", "-1"),
        ("limit", "ten"),
        ("offset", "99999999999999999999999"),
        ("offset", "1e3"),
        ("offset", "٣"),
        ("fuzzymatching", "perhaps"),
        ("emptyvaluematching", "1"),
        ("PatientName", "x" * 5000),
    ],
)
def test_values_that_cannot_be_are_refused_by_the_name_they_were_given(
    name: str, value: str
) -> None:
    with pytest.raises(Problem) as refused:
        parse_parameters([(name, value)], Level.INSTANCE)
    assert refused.value.status == 400
    assert name in refused.value.what
    assert refused.value.expected


def test_paging_has_bounds_of_its_own() -> None:
    assert parse_parameters([], Level.STUDY).limit == LIMIT_DEFAULT
    assert parse_parameters([("limit", "999999")], Level.STUDY).limit == LIMIT_MAX
    assert parse_parameters([("limit", "5"), ("offset", "10")], Level.STUDY).offset == 10


def test_what_is_not_known_is_named_as_it_was_asked() -> None:
    given = [
        ("PatientID", "1"),
        ("00100020", "1"),
        ("includefield", "all"),
        ("includefield", "00081030,PatientComments,00081140.00081155"),
        ("fuzzymatching", "true"),
        ("Modality", "CT"),
        ("NoSuchKeyword", "1"),
        ("RequestAttributesSequence.ScheduledProcedureStepID", "1"),
        ("00090010", "x"),
        ("InstitutionName", "x"),
    ]
    assert parse_parameters(given, Level.STUDY).ignored == (
        "Modality",
        "NoSuchKeyword",
        "RequestAttributesSequence.ScheduledProcedureStepID",
        "00090010",
        "InstitutionName",
        "PatientComments",
        "00081140.00081155",
    )


def test_fields_are_returned_where_asked_for() -> None:
    plain = parse_parameters([], Level.STUDY).returned
    assert plain == RETURNED[Level.STUDY]
    asked = parse_parameters(
        [("includefield", "PatientAge,00080062"), ("SOPClassesInStudy", "1.2")], Level.STUDY
    )
    assert asked.returned == plain | {"PatientAge", "SOPClassesInStudy"}
    every = parse_parameters([("includefield", "all")], Level.SERIES)
    assert every.returned >= set(ATTRIBUTES)


def test_what_the_path_names_is_not_repeated() -> None:
    within = parse_parameters([], Level.INSTANCE, path_level=Level.STUDY).returned
    assert "StudyDate" not in within
    assert "Modality" in within
    assert "Modality" not in parse_parameters([], Level.INSTANCE, path_level=Level.SERIES).returned
    assert "StudyDate" in parse_parameters([], Level.INSTANCE).returned


def test_every_default_is_an_attribute_of_the_index() -> None:
    for level, keywords in RETURNED.items():
        assert {keyword for keyword in keywords if ATTRIBUTES[keyword].level > level} == set()
