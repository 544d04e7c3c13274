"""Every format into one record: known signals, real files, device values as they were stored."""

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest

from pacs_gateway.ecg_intake.contents import EcgContents
from pacs_gateway.ecg_intake.formats import detect
from pacs_gateway.ecg_intake.reading import read_ecg_file
from storage.ecg.leads import STANDARD_LEADS, Lead
from storage.ecg.waveform import EcgRecord, GroupKind, LeadOrigin
from storage.ecg.waveform import MeasurementConcept as Concept
from storage.ecg_files import EcgFormat
from tests.support import ecg_files
from tests.support.ecg_files import MICROVOLTS, RATE, SECONDS, signal
from tests.support.peers import require_corpus

MADE: Mapping[EcgFormat, Callable[[], bytes]] = {
    EcgFormat.SCP: ecg_files.scp,
    EcgFormat.AECG: ecg_files.aecg,
    EcgFormat.MUSE: ecg_files.muse,
    EcgFormat.MORTARA: ecg_files.mortara,
    EcgFormat.MFER: ecg_files.mfer,
    EcgFormat.ISHNE: ecg_files.ishne,
    EcgFormat.EDF: ecg_files.edf,
}


def read(path: Path) -> EcgContents:
    found = detect(path)
    assert found is not None
    return read_ecg_file(path, found)


def microvolts(record: EcgRecord, lead: Lead) -> np.ndarray:
    found = record.find(lead)
    assert found is not None
    return found[1].microvolts()


@pytest.mark.parametrize("file_format", MADE)
def test_a_file_is_known_by_its_content_and_its_samples_are_the_files(
    file_format: EcgFormat, tmp_path: Path
) -> None:
    path = tmp_path / "no suffix"
    path.write_bytes(MADE[file_format]())
    assert detect(path) is file_format
    contents = read(path)
    (group,) = contents.record.groups
    assert (group.kind, group.sampling_rate_hz) == (GroupKind.RHYTHM, RATE)
    assert group.duration_seconds == SECONDS
    for channel in group.channels:
        assert channel.samples.dtype.kind == "i"
        assert np.array_equal(channel.microvolts(), signal(channel.label) * MICROVOLTS)
    assert contents.patient.is_known


def test_missing_limb_leads_are_computed_and_say_so(tmp_path: Path) -> None:
    path = tmp_path / "muse"
    path.write_bytes(ecg_files.muse())
    record = read(path).record
    assert set(record.leads()) == set(STANDARD_LEADS)
    found = record.find(Lead.III)
    assert found is not None
    assert found[1].origin is LeadOrigin.COMPUTED
    expected = (signal("II").astype(float) - signal("I")) * MICROVOLTS
    assert np.allclose(found[1].microvolts(), expected)


def test_a_lead_that_is_there_twice_keeps_its_name_once(tmp_path: Path) -> None:
    path = tmp_path / "muse"
    path.write_bytes(ecg_files.muse().replace(b"<LeadID>V6", b"<LeadID>V5"))
    record = read(path).record
    assert np.array_equal(microvolts(record, Lead.V5), signal("V5") * MICROVOLTS)
    assert [one.label for one in record.groups[0].channels if one.lead is None] == ["V5_2"]
    assert any("V5_2" in note for note in record.notes)


@pytest.mark.parametrize("encoding", ["gb18030", "utf-8"])
def test_chinese_is_read_by_evidence(encoding: str, tmp_path: Path) -> None:
    for name, content in (
        ("scp", ecg_files.scp(name="欧阳明", encoding=encoding)),
        ("muse", ecg_files.muse(name="欧阳明", encoding=encoding)),
    ):
        path = tmp_path / name
        path.write_bytes(content)
        contents = read(path)
        assert contents.patient.name == "欧阳明"
    assert [one.text for one in contents.record.statements] == ["窦性心律"]


def test_zero_is_how_a_device_says_not_measured(tmp_path: Path) -> None:
    path = tmp_path / "muse"
    path.write_bytes(ecg_files.muse())
    record = read(path).record
    assert record.measurement(Concept.PR) is None
    (written,) = [one for one in record.measurements if one.concept is Concept.PR]
    assert (written.value, written.value_as_written) == (None, "0")


STORED = {
    "Example.scp": {Concept.PR: 148, Concept.QRS: 120, Concept.QT: 420},
    "Example.xml": {Concept.PR: 148, Concept.QRS: 120, Concept.QT: 420},
    "Example.dcm": {Concept.PR: 148, Concept.QRS: 120, Concept.QT: 420},
    "guangxi_teaching_sinus_rhythm.xml": {
        Concept.HEART_RATE: 97,
        Concept.PR: 122,
        Concept.QRS: 74,
        Concept.QT: 328,
    },
    "guangxi_teaching_sinus_rhythm.dcm": {
        Concept.HEART_RATE: 97,
        Concept.PR: 122,
        Concept.QRS: 74,
        Concept.QT: 328,
    },
    "129DYPRG.XML": {
        Concept.HEART_RATE: 41,
        Concept.PR: 151,
        Concept.QRS: 135,
        Concept.QT: 476,
    },
    "3191723_ZZDEMOPTONLY_1-04_orig.xml": {
        Concept.HEART_RATE: 84,
        Concept.PR: 144,
        Concept.QRS: 84,
        Concept.QT: 352,
    },
    "example-DICOM2.dcm": {Concept.HEART_RATE: 81, Concept.QRS: 92, Concept.QT: 378},
}
SAID = {
    "guangxi_teaching_sinus_rhythm.xml": "窦性心律",
    "129DYPRG.XML": "Inferior infarct, acute",
    "3191723_ZZDEMOPTONLY_1-04_orig.xml": "LEFT VENTRICULAR HYPERTROPHY",
    "example-DICOM2.dcm": "ATRIAL FIBRILLATION",
}


def test_every_sample_file_is_read_with_the_values_its_device_stored() -> None:
    folder = require_corpus("ecg", "formats")
    files = sorted(folder.iterdir())
    assert {path.name for path in files} >= STORED.keys()
    for path in files:
        record = read(path).record
        for concept, value in STORED[path.name].items():
            found = record.measurement(concept)
            assert found is not None, (path.name, concept)
            assert found.value == value
        said = " ".join(one.text for one in record.statements)
        assert SAID.get(path.name, "") in said


def test_one_ecg_in_three_formats_is_one_ecg() -> None:
    folder = require_corpus("ecg", "formats")
    first, *others = (read(folder / f"Example.{kind}").record for kind in ("dcm", "xml", "scp"))
    for other in others:
        for lead in STANDARD_LEADS:
            difference = microvolts(first, lead) - microvolts(other, lead)
            assert np.abs(difference).max() < 1.0


def test_philips_fills_the_end_of_its_mean_beat_with_no_samples() -> None:
    folder = require_corpus("ecg", "formats")
    beat = read(folder / "3191723_ZZDEMOPTONLY_1-04_orig.xml").record.median_beat
    assert beat is not None
    values = beat.channels[0].microvolts()
    assert np.isnan(values).any()
    assert np.nanmax(np.abs(values)) < 5000
