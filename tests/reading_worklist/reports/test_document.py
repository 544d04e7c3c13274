"""What is on the paper, before it is drawn."""

from dataclasses import replace
from datetime import date

import pytest
from pydantic import ValidationError

from reading_worklist.patient_age import Age
from reading_worklist.reports.document import (
    EcgMeasurement,
    EcgTrace,
    Institution,
    from_content,
    mask_identity,
    measurement_rows,
    to_content,
)
from reading_worklist.typesetting.labels import Language
from tests.support.reports import ct_report, ecg_report


def test_a_stored_report_comes_back_as_it_was() -> None:
    trace = EcgTrace(svg="<svg/>", width_mm=250, height_mm=120)
    for document in (ct_report(), ecg_report(trace)):
        assert from_content(to_content(document)) == document


def test_what_was_not_stored_by_us_is_refused() -> None:
    with pytest.raises(ValidationError):
        from_content({"findings": "…"})


@pytest.mark.parametrize(
    ("birth", "expected"),
    [
        (date(2026, 3, 14), Age(0, "D")),
        (date(2026, 2, 14), Age(28, "D")),
        (date(2026, 2, 13), Age(1, "M")),
        (date(2024, 3, 15), Age(23, "M")),
        (date(2024, 3, 14), Age(2, "Y")),
        (date(1969, 3, 15), Age(56, "Y")),
        (date(1969, 3, 14), Age(57, "Y")),
        (date(2027, 1, 1), Age(0, "D")),
    ],
)
def test_age_is_said_in_days_months_or_years(birth: date, expected: Age) -> None:
    assert Age.between(birth, date(2026, 3, 14)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [("034Y", Age(34, "Y")), ("010d", Age(10, "D")), ("", None), ("34", None), ("x3Y", None)],
)
def test_age_is_read_from_dicom(text: str, expected: Age | None) -> None:
    assert Age.from_dicom(text) == expected


@pytest.mark.parametrize(
    ("number", "masked"),
    [
        ("330102196901011234", "330102********1234"),
        ("E12345678", "*****5678"),
        ("123", "123"),
        ("", ""),
    ],
)
def test_the_middle_of_an_identity_number_is_hidden(number: str, masked: str) -> None:
    assert mask_identity(number) == masked


def test_the_title_names_the_modality() -> None:
    assert ct_report().title(Language.ZH_CN) == "CT诊断报告"
    assert ct_report(modality="OT").title(Language.EN) == "Imaging Report"
    assert ct_report(modality="ECG").title(Language.EN) == "ECG Report"


def test_an_institution_without_an_english_name_keeps_its_own() -> None:
    institution = Institution(name="青石卫生院", branch="东山分院", branch_en="Dongshan")
    assert institution.text(Language.EN) == "青石卫生院 · Dongshan"


def test_times_print_in_the_zone_of_the_site() -> None:
    document = replace(ct_report(), time_zone="Asia/Urumqi")
    assert document.local(document.reported_at) == "2026-03-14 08:15"
    assert document.local(None) == ""


def test_values_of_one_measure_stand_in_one_row() -> None:
    sources, rows = measurement_rows(
        (
            EcgMeasurement("pr", "161", "ms", "device"),
            EcgMeasurement("qrs", "78", "ms", "confirmed"),
            EcgMeasurement("pr", "158", "ms", "confirmed"),
        )
    )
    assert sources == ["device", "confirmed"]
    assert rows == [
        ("pr", "ms", {"device": "161", "confirmed": "158"}),
        ("qrs", "ms", {"confirmed": "78"}),
    ]
