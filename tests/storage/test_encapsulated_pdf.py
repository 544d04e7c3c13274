"""The report as an Encapsulated PDF instance: valid, the same every time, readable at its site."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset

from storage.report_objects.encapsulated_pdf import ReportFacts, encapsulate
from storage.report_objects.names import (
    ReportObjectKind,
    series_instance_uid,
    sop_instance_uid,
)
from storage.study_facts import StudyFacts
from tests.support.dciodvfy import complaints

_REPORT = ReportFacts(
    report_version_id=UUID("11111111-2222-3333-4444-555555555555"),
    workitem_id=UUID("66666666-7777-8888-9999-aaaaaaaaaaaa"),
    version_number=2,
    title="CT report",
    issued_at=datetime(2026, 3, 4, 20, 30, 15, tzinfo=UTC),
)
_STUDY = StudyFacts(
    patient_name="Zhang^San",
    patient_id="P1",
    issuer_of_patient_id=None,
    patient_birth_date=date(1960, 2, 3),
    patient_sex="M",
    study_instance_uid="1.2.3.4",
    study_date=date(2026, 3, 4),
    study_time=time(9, 8, 7),
    study_id="S1",
    study_description="Chest",
    accession_number="A1",
    referring_physician_name="Li^Si",
    modalities=("CT",),
    specific_character_set="ISO_IR 100",
    timezone_offset=None,
)
_PDF = b"%PDF-1.7 odd"[:11]
_CHINA = timedelta(hours=8)


def _made(report: ReportFacts = _REPORT, study: StudyFacts = _STUDY) -> Dataset:
    return encapsulate(report, study, _PDF, utc_offset=_CHINA)


def _read_back(instance: Dataset, path: Path) -> Dataset:
    instance.save_as(path, enforce_file_format=True)
    return dcmread(path)


def test_it_belongs_to_the_study_and_carries_the_page(tmp_path: Path) -> None:
    found = _read_back(_made(), tmp_path / "report.dcm")
    assert found.StudyInstanceUID == "1.2.3.4"
    assert (found.PatientID, found.PatientName, found.PatientBirthDate) == (
        "P1",
        "Zhang^San",
        "19600203",
    )
    assert found.Modality == "DOC"
    assert found.InstanceNumber == 2
    # 20:30 UTC is the next morning in China.
    assert (found.ContentDate, found.ContentTime) == ("20260305", "043015")
    assert found.EncapsulatedDocumentLength == 11
    assert found.EncapsulatedDocument == _PDF + b"\0"
    assert found.ConceptNameCodeSequence[0].CodeValue == "25045-6"
    assert "SpecificCharacterSet" not in found


def test_an_ecg_report_says_so() -> None:
    assert (
        _made(study=replace(_STUDY, modalities=("ECG",))).ConceptNameCodeSequence[0].CodeValue
        == "11524-6"
    )


def test_the_same_version_is_the_same_instance(tmp_path: Path) -> None:
    paths = [tmp_path / "1.dcm", tmp_path / "2.dcm"]
    for path in paths:
        _made().save_as(path, enforce_file_format=True)
    assert paths[0].read_bytes() == paths[1].read_bytes()


def test_versions_differ_and_share_their_series() -> None:
    later = replace(_REPORT, report_version_id=UUID(int=7), version_number=3)
    assert sop_instance_uid(ReportObjectKind.PDF, later.report_version_id) != sop_instance_uid(
        ReportObjectKind.PDF, _REPORT.report_version_id
    )
    assert (
        _made(later).SeriesInstanceUID
        == _made().SeriesInstanceUID
        == series_instance_uid(ReportObjectKind.PDF, _REPORT.workitem_id)
    )


@pytest.mark.parametrize(
    ("declared", "name", "title", "expected"),
    [
        ("GB18030", "Zhang^San=张^三", "影像诊断报告", "GB18030"),
        ("GB18030", "张^三𠮷", "报告", "GB18030"),
        ("ISO_IR 192", "张^三", "报告", "ISO_IR 192"),
        ("ISO_IR 100", "张^三", "报告", "ISO_IR 192"),
        ("ISO_IR 100", "Buc^Jérôme", "Report", "ISO_IR 100"),
        (None, "张^三", "Report", "ISO_IR 192"),
        ("ISO 2022 IR 87", "山田^太郎", "Report", "ISO_IR 192"),
    ],
)
def test_text_is_written_as_the_site_reads_it(
    tmp_path: Path, declared: str | None, name: str, title: str, expected: str
) -> None:
    study = replace(_STUDY, patient_name=name, specific_character_set=declared)
    found = _read_back(_made(replace(_REPORT, title=title), study), tmp_path / "report.dcm")
    assert found.SpecificCharacterSet == expected
    assert str(found.PatientName) == name
    assert found.DocumentTitle == title


def test_a_study_that_says_little_still_makes_a_valid_instance() -> None:
    bare = replace(
        _STUDY,
        patient_name="",
        patient_id=None,
        patient_birth_date=None,
        patient_sex="unknown",
        study_date=None,
        study_time=None,
        study_id=None,
        study_description=None,
        accession_number=None,
        referring_physician_name=None,
        modalities=(),
        specific_character_set=None,
    )
    _verify(_made(study=bare))


@pytest.mark.parametrize("title", ["Chest CT", "胸部CT诊断报告"])
def test_dciodvfy_finds_no_error(title: str) -> None:
    study = replace(_STUDY, patient_name="Zhang^San=张^三", specific_character_set="ISO_IR 192")
    _verify(_made(replace(_REPORT, title=title), study))


def _verify(instance: Dataset) -> None:
    assert complaints(instance) == []
