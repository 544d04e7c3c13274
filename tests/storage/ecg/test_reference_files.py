"""Real files: what the devices wrote comes out exactly, and one ECG is one ECG in any format."""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import numpy.typing as npt
import pydicom.data
import pytest

from reading_worklist.ecg.display_filter import DisplayFilter
from reading_worklist.ecg.drawing import DrawingOptions, draw
from reading_worklist.ecg.layout import LayoutName
from storage.ecg.dicom_reader import read_ecg
from storage.ecg.leads import CHEST_LEADS, LIMB_LEADS, STANDARD_LEADS, Lead
from storage.ecg.waveform import EcgRecord, GroupKind
from storage.ecg.waveform import MeasurementConcept as Concept
from tests.support.ecg import CORPUS, FORMATS

BUNDLED = Path(pydicom.data.__file__).parent / "test_files" / "waveform_ecg.dcm"
NO_CORPUS = f"the sample files are not at {CORPUS}"
SUFFIXES = {".dcm", ""}


def require(path: Path) -> Path:
    """The sample file, or a loud skip; with RDC_TEST_REQUIRE_CORPUS its absence is a failure."""
    if not path.exists():
        if os.environ.get("RDC_TEST_REQUIRE_CORPUS"):
            pytest.fail(NO_CORPUS)
        pytest.skip(NO_CORPUS)
    return path


def load(path: Path) -> EcgRecord:
    with require(path).open("rb") as source:
        return read_ecg(source)


def waveform_files() -> Iterator[Path]:
    """Every file among pydicom's own and the corpus that holds a waveform."""
    roots = [BUNDLED.parent, CORPUS / "ecg" / "formats", CORPUS / "open"]
    for root in roots:
        for path in sorted(root.rglob("*")):
            if path.suffix.lower() not in SUFFIXES or not path.is_file():
                continue
            if b"\x00\x54\x10\x10" in path.read_bytes():
                yield path


WAVEFORM_FILES = [
    pytest.param(path, id=f"{path.parent.name}-{path.name}") for path in waveform_files()
]


def values(record: EcgRecord) -> dict[Concept, float]:
    return {
        one.concept: one.value
        for one in record.measurements
        if one.concept is not None and one.value is not None
    }


def test_device_values_of_the_bundled_file() -> None:
    record = load(BUNDLED)
    assert values(record) == {
        Concept.RR: 982,
        Concept.PR: 161,
        Concept.QRS: 75,
        Concept.QT: 368,
        Concept.QTC: 370,
        Concept.P_AXIS: 74,
        Concept.QRS_AXIS: 52,
        Concept.T_AXIS: 57,
    }
    assert [one.text for one in record.statements] == ["RITMO SINUSALE", "ECG NORMALE"]
    pp = next(one for one in record.measurements if one.concept is Concept.PP)
    assert (pp.value, pp.value_as_written) == (None, "0")


def test_device_values_of_example_dcm() -> None:
    record = load(FORMATS / "Example.dcm")
    assert values(record) == {
        Concept.PR: 148,
        Concept.QRS: 120,
        Concept.QT: 420,
        Concept.QTC: 443,
        Concept.P_AXIS: 44,
        Concept.QRS_AXIS: -61,
        Concept.T_AXIS: 86,
    }
    axis = next(one for one in record.measurements if one.concept is Concept.QRS_AXIS)
    assert (axis.unit, axis.unit_as_written) == ("deg", "ms")
    assert record.statements == ()


def test_device_values_of_the_atrial_fibrillation() -> None:
    record = load(FORMATS / "example-DICOM2.dcm")
    measured = values(record)
    assert Concept.PR not in measured
    assert measured[Concept.HEART_RATE] == 81
    assert measured[Concept.QRS] == 92
    assert measured[Concept.QT] == 378
    assert record.statements[0].text == "ATRIAL FIBRILLATION"
    assert len(record.statements) == 8
    rate = record.measurement(Concept.HEART_RATE)
    assert rate is not None
    assert (rate.unit, rate.code) == ("/min", "SCPECG:5.10.2.5-1")


def test_device_values_of_the_teaching_file() -> None:
    measured = values(load(FORMATS / "guangxi_teaching_sinus_rhythm.dcm"))
    assert measured[Concept.HEART_RATE] == 97
    assert measured[Concept.PR] == 122
    assert measured[Concept.QRS] == 74
    assert measured[Concept.QT] == 328


@pytest.mark.parametrize("path", WAVEFORM_FILES)
def test_every_waveform_is_read_whole_and_drawn_in_every_layout(path: Path) -> None:
    record = load(path)
    assert record.acquired_at is not None
    assert record.leads() == list(STANDARD_LEADS)
    assert record.duration_seconds == 10
    assert record.median_beat is not None
    for group in record.groups:
        for channel in group.channels:
            microvolts = channel.microvolts()
            assert len(microvolts) == group.sample_count
            assert np.nanmax(np.abs(microvolts)) < 10_000
            # Example.dcm ends each lead of its median beat with -32768, which is no sample.
            missing = 1 if path.name == "Example.dcm" and group is record.median_beat else 0
            assert (
                np.flatnonzero(np.isnan(microvolts)).tolist() == [group.sample_count - 1] * missing
            )
    for layout in LayoutName:
        for display_filter in DisplayFilter:
            page = draw(record, DrawingOptions(layout=layout, display_filter=display_filter))
            ET.fromstring(page.svg)
            assert len(page.svg) < 200_000
            assert page.next_start_seconds is None
            assert page.off_scale == ()


@pytest.mark.parametrize("path", WAVEFORM_FILES)
def test_recorded_limb_leads_obey_einthoven_and_goldberger(path: Path) -> None:
    group = load(path).rhythm_groups[0]
    limbs = {lead: group.channel(lead) for lead in LIMB_LEADS}
    first, second = (group.channel(lead) for lead in (Lead.I, Lead.II))
    assert first is not None
    assert second is not None
    one, two = first.microvolts(), second.microvolts()
    expected = {
        Lead.III: two - one,
        Lead.AVR: -(one + two) / 2,
        Lead.AVL: one - two / 2,
        Lead.AVF: two - one / 2,
    }
    for lead, values_of_lead in expected.items():
        recorded = limbs[lead]
        assert recorded is not None
        assert np.abs(recorded.microvolts() - values_of_lead).max() <= 10


# ---- one ECG in several files ----------------------------------------------------------------


def aecg_leads(path: Path) -> dict[Lead, npt.NDArray[np.float64]]:
    """The rhythm of an HL7 aECG file in µV."""
    space = {"h": "urn:hl7-org:v3"}
    leads: dict[Lead, npt.NDArray[np.float64]] = {}
    for sequence in ET.parse(require(path)).iterfind(".//h:series/h:component//h:sequence", space):
        named = sequence.find("h:code", space)
        scale = sequence.find("h:value/h:scale", space)
        digits = sequence.find("h:value/h:digits", space)
        if named is None or scale is None or digits is None or not digits.text:
            continue
        match = re.fullmatch(r"MDC_ECG_LEAD_(\w+)", named.get("code", ""))
        lead = next((one for one in Lead if match and one.value.upper() == match[1].upper()), None)
        if lead is not None and lead not in leads:
            samples = np.array(digits.text.split(), dtype=np.float64)
            leads[lead] = samples * float(scale.get("value", "nan"))
    return leads


def test_example_dcm_is_the_same_ecg_as_example_xml() -> None:
    record, xml = load(FORMATS / "Example.dcm"), aecg_leads(FORMATS / "Example.xml")
    assert {Lead.I, Lead.II, *CHEST_LEADS} <= set(xml)
    for lead, expected in xml.items():
        found = record.find(lead)
        assert found is not None
        np.testing.assert_allclose(found[1].microvolts(), expected, rtol=0, atol=1)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (BUNDLED, CORPUS / "open" / "pydicom" / "waveform_ecg.dcm"),
        (FORMATS / "example-DICOM2.dcm", CORPUS / "open" / "ecgprocess" / "example-DICOM2.dcm"),
    ],
)
def test_the_same_ecg_in_two_dicom_files_is_equal(one: Path, other: Path) -> None:
    first, second = load(one), load(other)
    assert first.measurements == second.measurements
    assert first.statements == second.statements
    assert first.acquired_at == second.acquired_at
    for a, b in zip(first.groups, second.groups, strict=True):
        assert a.kind is b.kind
        for lead in a.leads():
            left, right = a.channel(lead), b.channel(lead)
            assert left is not None
            assert right is not None
            np.testing.assert_allclose(left.microvolts(), right.microvolts(), rtol=0, atol=1)


def test_the_median_beat_is_the_devices_own() -> None:
    beat = load(BUNDLED).median_beat
    assert beat is not None
    assert beat.kind is GroupKind.MEDIAN_BEAT
    assert beat.duration_seconds == 1.2
