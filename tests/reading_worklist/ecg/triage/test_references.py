"""What real ECGs meet, and what they must not."""

from pathlib import Path

import pytest

from pacs_gateway.ecg_intake.formats import detect
from pacs_gateway.ecg_intake.reading import read_ecg_file
from reading_worklist.ecg.analysis.analyse import Analysed, EcgPatientFacts, analyse
from reading_worklist.ecg.triage.rulesets import Province, rulesets_for
from tests.support.ecg import FORMATS

pytestmark = pytest.mark.skipif(not FORMATS.is_dir(), reason="the corpus is not here")


def analysed(name: str, *, age: float | None = None) -> Analysed:
    path: Path = FORMATS / name
    file_format = detect(path)
    assert file_format is not None
    contents = read_ecg_file(path, file_format)
    patient = EcgPatientFacts(contents.patient.sex or None, age or contents.patient.age_years)
    return analyse(contents.record, patient, rulesets_for(Province.OTHER))


def hints(result: Analysed) -> list[str]:
    return list(dict.fromkeys(one.text_en for one in result.triage.hints))


def test_inferior_st_elevation() -> None:
    result = analysed("129DYPRG.XML")
    assert hints(result) == ["meets ST-elevation voltage criteria (II 0.27, III 0.29, aVF 0.28 mV)"]
    assert not result.quality.repeat


@pytest.mark.parametrize("name", ["3191723_ZZDEMOPTONLY_1-04_orig.xml", "Example.scp"])
def test_no_st_elevation(name: str) -> None:
    assert hints(analysed(name)) == []


def test_hypertrophy_is_why_st_is_not_judged() -> None:
    said = {
        one.code: one.reason
        for one in analysed("3191723_ZZDEMOPTONLY_1-04_orig.xml").triage.not_judged
    }
    assert "Cornell" in said["ST1"]


def test_irregular_without_p() -> None:
    (only,) = hints(analysed("example-DICOM2.dcm"))
    assert only.startswith("irregular RR without P waves (HR 8")


def test_a_childs_early_repolarisation_is_a_voltage_and_no_diagnosis() -> None:
    (only,) = hints(analysed("guangxi_teaching_sinus_rhythm.dcm", age=11))
    assert only.startswith("meets ST-elevation voltage criteria (")
