"""Structured objects of reports: valid, complete, the same every time, and read by others."""

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from highdicom.ko import KeyObjectSelectionDocument
from highdicom.sr import ContentSequence
from pydicom.dataset import Dataset

from reading_worklist.reports.document import Addendum, ReportStatus
from reading_worklist.reports.structured.content_items import InstanceReference
from tests.reading_worklist.reports.structured.samples import (
    KINDS,
    SENT,
    SIGNED,
    VERSION,
    ecg_report,
    read,
    structured,
)
from tests.support.dciodvfy import complaints
from tests.support.peers import require_program


def _read_back(instance: Dataset, path: Path) -> Dataset:
    instance.save_as(path, enforce_file_format=True)
    return read(path)


def _items(parent: Dataset, meaning: str) -> list[Dataset]:
    return [
        item
        for item in parent.get("ContentSequence", [])
        if [one.CodeMeaning for one in item.get("ConceptNameCodeSequence", [])] == [meaning]
    ]


def _numbers(container: Dataset) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for item in container.ContentSequence:
        if item.ValueType == "NUM":
            values = [str(one.NumericValue) for one in item.MeasuredValueSequence]
            found.setdefault(item.ConceptNameCodeSequence[0].CodeValue, []).extend(values or [""])
    return found


def test_the_tree_is_an_ecg_report_with_the_values_that_stand(tmp_path: Path) -> None:
    found = _read_back(structured(), tmp_path / "sr.dcm")
    assert found.SOPClassUID == "1.2.840.10008.5.1.4.1.1.88.22"
    assert found.ContentTemplateSequence[0].TemplateIdentifier == "3700"
    (analysis,) = _items(found, "Quantitative Analysis")
    ours, device = _items(analysis, "ECG Global Measurements")
    # Confirmed before measured; the mean RR follows from the rate; QRS was not measured.
    assert _numbers(ours) == {
        "2:16016": ["71"],
        "2:15872": ["160"],
        "2:16156": [""],
        "2:16160": ["400"],
        "2:16168": ["845"],
        "2:16132": ["-35"],
        "2:15876": ["435", "423"],
    }
    assert _numbers(device) == {"2:16016": ["72"], "2:15872": ["148"], "2:16168": ["833"]}
    (leads,) = _items(analysis, "ECG Lead Measurements")
    assert _numbers(leads) == {"2:2048": ["1.85"], "2:2304": ["-1.10"], "rv5_sv1": ["2.95"]}
    assert [
        one.ContentSequence[0].ConceptCodeSequence[0].CodeMeaning
        for one in leads.ContentSequence[:2]
    ] == ["Lead V5", "Lead V1"]
    (missing,) = _items(ours, "QRS duration global")
    assert missing.NumericValueQualifierCodeSequence[0].CodeValue == "114006"
    formulas = [
        item.ContentSequence[0].ConceptCodeSequence[0].CodeValue
        for item in _items(ours, "QTc interval global")
    ]
    assert formulas == ["122730", "122732"]


def test_it_says_who_signed_what_was_read_and_what_was_found(tmp_path: Path) -> None:
    found = _read_back(structured(), tmp_path / "sr.dcm")
    assert [str(one.PersonName) for one in _items(found, "Person Observer Name")] == [
        "李书写",
        "王审核",
    ]
    (read,) = _items(found, "Current Procedure Descriptions")
    (waveform,) = _items(read, "Source of Measurement")
    assert waveform.ReferencedSOPSequence[0].ReferencedSOPInstanceUID == "1.2.3.6"
    images, waveforms = found.CurrentRequestedProcedureEvidenceSequence[0].ReferencedSeriesSequence
    assert waveforms.ReferencedSOPSequence[0].ReferencedSOPInstanceUID == "1.2.3.6"
    assert len(images.ReferencedSOPSequence) == len(SENT)
    (qualitative,) = _items(found, "Qualitative Analysis")
    codes = [one for one in qualitative.ContentSequence if one.ValueType == "CODE"]
    assert [one.ConceptCodeSequence[0].CodeValue for one in codes] == ["426783006", "713427006"]
    (summary,) = _items(found, "Summary")
    assert _items(summary, "Summary")[0].TextValue == "窦性心律\r\n完全性右束支阻滞"
    (overall,) = _items(summary, "ECG overall finding")
    assert overall.ConceptCodeSequence[0].CodeValue == "102594003"
    assert (found.SpecificCharacterSet, str(found.PatientName)) == ("GB18030", "Zhang^San=张^三")


@pytest.mark.parametrize(
    ("status", "flags"),
    [
        (ReportStatus.PRELIMINARY, ("PARTIAL", "UNVERIFIED", "PRELIMINARY")),
        (ReportStatus.FINAL, ("COMPLETE", "VERIFIED", "FINAL")),
        (ReportStatus.AMENDED, ("COMPLETE", "VERIFIED", "FINAL")),
        (ReportStatus.APPENDED, ("COMPLETE", "VERIFIED", "FINAL")),
    ],
)
def test_the_flags_say_how_far_the_report_is(
    status: ReportStatus, flags: tuple[str, str, str]
) -> None:
    made = structured(ecg_report(status=status))
    assert (made.CompletionFlag, made.VerificationFlag, made.PreliminaryFlag) == flags
    names = [str(one.VerifyingObserverName) for one in made.get("VerifyingObserverSequence", [])]
    assert names == (["李书写", "王审核"] if flags[1] == "VERIFIED" else [])


def test_what_was_added_later_is_in_the_summary() -> None:
    made = structured(
        ecg_report(
            status=ReportStatus.APPENDED,
            addenda=(Addendum(text="复查后补充。", written_at=SIGNED),),
        )
    )
    (summary,) = _items(made, "Summary")
    assert [one.TextValue for one in _items(summary, "Addendum")] == ["复查后补充。"]


def test_an_amendment_names_what_it_replaces() -> None:
    before = InstanceReference("1.2.3.4", "1.2.3.7", "1.2.840.10008.5.1.4.1.1.88.22", "1.2.3.8")
    made = structured(version=replace(VERSION, number=2, predecessor=before))
    series = made.PredecessorDocumentsSequence[0].ReferencedSeriesSequence[0]
    assert series.SeriesInstanceUID == "1.2.3.7"
    assert series.ReferencedSOPSequence[0].ReferencedSOPInstanceUID == "1.2.3.8"


def test_the_same_version_is_the_same_instance(tmp_path: Path) -> None:
    paths = [tmp_path / "1.dcm", tmp_path / "2.dcm"]
    for path in paths:
        structured().save_as(path, enforce_file_format=True)
    assert paths[0].read_bytes() == paths[1].read_bytes()


@pytest.mark.parametrize("name", KINDS)
def test_dciodvfy_finds_no_error(name: str) -> None:
    assert complaints(KINDS[name]()) == []


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("ecg", "PR interval global"),
        ("words", "纵隔居中。"),
        ("void", "已作废"),
        ("picked", "For Report Attachment"),
    ],
)
def test_dcmtk_reads_the_tree(name: str, expected: str, tmp_path: Path) -> None:
    path = tmp_path / "sr.dcm"
    KINDS[name]().save_as(path, enforce_file_format=True)
    dsrdump = require_program("dsrdump", package="dcmtk")
    said = subprocess.run(
        [dsrdump, "+Pl", "+U8", path],
        check=False,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
    )
    assert said.returncode == 0, said.stderr
    assert expected in said.stdout
    assert not [line for line in said.stderr.splitlines() if line.startswith(("E:", "F:"))]


def test_an_imaging_report_has_its_sections_its_exam_and_what_was_read(tmp_path: Path) -> None:
    found = _read_back(KINDS["words"](), tmp_path / "sr.dcm")
    assert found.SOPClassUID == "1.2.840.10008.5.1.4.1.1.88.11"
    assert found.ConceptNameCodeSequence[0].CodeMeaning == "CT Report"
    (findings,) = _items(found, "Findings")
    assert _items(findings, "Finding")[0].TextValue.endswith("\r\n\r\n纵隔居中。")
    (accession,) = _items(found, "Accession Number")
    assert (accession.RelationshipType, accession.TextValue) == (
        "HAS OBS CONTEXT",
        "QS260314CT0007",
    )
    (procedure,) = _items(found, "Current Procedure Descriptions")
    assert _items(procedure, "Laterality")[0].ConceptCodeSequence[0].CodeMeaning == "Right and left"
    (pictures,) = _items(found, "Key Images")
    assert [
        (
            one.ReferencedSOPSequence[0].ReferencedSOPInstanceUID,
            one.ReferencedSOPSequence[0].get("ReferencedFrameNumber"),
        )
        for one in pictures.ContentSequence
    ] == [("1.2.3.10.2", None), ("1.2.3.11.1", 7)]
    evidence, _ = found.CurrentRequestedProcedureEvidenceSequence[0].ReferencedSeriesSequence
    assert [one.ReferencedSOPInstanceUID for one in evidence.ReferencedSOPSequence] == [
        one.sop_instance_uid for one in SENT
    ]


def test_what_was_picked_is_a_key_object_selection(tmp_path: Path) -> None:
    found = _read_back(KINDS["picked"](), tmp_path / "ko.dcm")
    assert found.SOPClassUID == "1.2.840.10008.5.1.4.1.1.88.59"
    assert found.ContentTemplateSequence[0].TemplateIdentifier == "2010"
    assert [str(one.PersonName) for one in _items(found, "Person Observer Name")] == ["李书写"]
    evidence = found.CurrentRequestedProcedureEvidenceSequence[0].ReferencedSeriesSequence
    assert [
        (one.SeriesInstanceUID, one.ReferencedSOPSequence[0].ReferencedSOPInstanceUID)
        for one in evidence
    ] == [("1.2.3.10", "1.2.3.10.2"), ("1.2.3.11", "1.2.3.11.1")]


def test_a_notice_says_that_it_is_void_and_has_nothing_of_the_report(tmp_path: Path) -> None:
    found = _read_back(KINDS["void ecg"](), tmp_path / "sr.dcm")
    assert (found.CompletionFlag, found.VerificationFlag) == ("COMPLETE", "VERIFIED")
    assert found.ContentTemplateSequence[0].TemplateIdentifier == "2000"
    assert found.ConceptNameCodeSequence[0].CodeMeaning == "EKG study"
    assert not _items(found, "Findings")
    replaced = found.PredecessorDocumentsSequence[0].ReferencedSeriesSequence[0]
    assert replaced.ReferencedSOPSequence[0].ReferencedSOPInstanceUID == "1.2.3.8"


# highdicom 0.28 knows neither WAVEFORM nor a NUM without a value.
@pytest.mark.parametrize("name", ["measured", "words", "void", "picked"])
def test_highdicom_reads_it_back(name: str, tmp_path: Path) -> None:
    found = _read_back(KINDS[name](), tmp_path / "sr.dcm")
    (root,) = ContentSequence.from_sequence([_root(found)], is_root=True)
    assert len(root.ContentSequence) == len(found.ContentSequence)
    assert {one.value_type.value for one in root.ContentSequence} == {
        one.ValueType for one in found.ContentSequence
    }


def test_highdicom_resolves_what_was_picked(tmp_path: Path) -> None:
    found = _read_back(KINDS["picked"](), tmp_path / "ko.dcm")
    read = KeyObjectSelectionDocument.from_dataset(found)
    assert read.resolve_reference("1.2.3.11.1") == ("1.2.3.4", "1.2.3.11", "1.2.3.11.1")


def _root(found: Dataset) -> Dataset:
    root = Dataset()
    for keyword in (
        "ValueType",
        "ConceptNameCodeSequence",
        "ContinuityOfContent",
        "ContentTemplateSequence",
        "ContentSequence",
    ):
        setattr(root, keyword, found[keyword].value)
    return root
