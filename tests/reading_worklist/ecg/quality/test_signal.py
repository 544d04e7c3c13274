"""Each defect of a recording is found in its lead, and sound recordings have none."""

from dataclasses import replace

import numpy as np
import pytest

from reading_worklist.ecg.measurement.measure import measure
from reading_worklist.ecg.quality.electrodes import electrode_findings
from reading_worklist.ecg.quality.findings import LIMITS, Code, Quality, Severity
from reading_worklist.ecg.quality.signal import assess, fit_part
from reading_worklist.ecg.scoring.wfdb_files import read_record, record_headers
from storage.ecg.calibration import without_pulse
from storage.ecg.leads import Lead
from storage.ecg.waveform import ChannelStatus, EcgRecord, Microvolts
from tests.support import heart
from tests.support.ecg import CORPUS, record

TIME = np.arange(5000) / heart.RATE
LUDB = CORPUS / "ecg" / "ludb-odd"


def sound() -> dict[Lead, Microvolts]:
    return heart.beats_at(heart.regular(72))


def found(quality: Quality) -> dict[tuple[Code, Severity], set[str]]:
    return {(one.code, one.severity): {str(lead) for lead in one.leads} for one in quality.findings}


def with_v2(line: Microvolts) -> Quality:
    return assess(heart.record_of({**sound(), Lead.V2: line}))


def test_a_sound_recording_has_no_findings() -> None:
    quality = assess(heart.record_of(sound()))
    assert quality.findings == []
    assert len(quality.usable) == 12
    assert not quality.repeat


def mains(hertz: float, peak_to_peak: float) -> Microvolts:
    return peak_to_peak / 2 * np.sin(2 * np.pi * hertz * TIME)


def muscle(microvolts: float) -> Microvolts:
    return np.random.default_rng(3).normal(0, microvolts, TIME.size)


def clipped(line: Microvolts) -> Microvolts:
    return np.clip(line * 4, -2500.0, 2500.0)


@pytest.mark.parametrize(
    ("line", "code", "severity"),
    [
        (sound()[Lead.V2] + mains(50, 140), Code.MAINS_NOISE, Severity.REPEAT),
        (sound()[Lead.V2] + mains(60, 140), Code.MAINS_NOISE, Severity.REPEAT),
        (sound()[Lead.V2] + mains(50, 70), Code.MAINS_NOISE, Severity.NOTE),
        (sound()[Lead.V2] + muscle(120), Code.MUSCLE_NOISE, Severity.REPEAT),
        (sound()[Lead.V2] + muscle(45), Code.MUSCLE_NOISE, Severity.NOTE),
        (
            sound()[Lead.V2] + 1200 * np.sin(2 * np.pi * 0.15 * TIME),
            Code.BASELINE_WANDER,
            Severity.REPEAT,
        ),
        (
            sound()[Lead.V2] + 400 * np.sin(2 * np.pi * 0.15 * TIME),
            Code.BASELINE_WANDER,
            Severity.NOTE,
        ),
        (clipped(sound()[Lead.V2]), Code.CLIPPED, Severity.REPEAT),
        (np.where(TIME > 6, 0.0, sound()[Lead.V2]), Code.FLAT_LINE, Severity.REPEAT),
        (
            np.where((TIME > 4) & (TIME < 5), np.nan, sound()[Lead.V2]),
            Code.MISSING_SAMPLES,
            Severity.REPEAT,
        ),
        (
            np.where((TIME > 4) & (TIME < 4.05), np.nan, sound()[Lead.V2]),
            Code.MISSING_SAMPLES,
            Severity.NOTE,
        ),
    ],
)
def test_a_defect_is_found_in_its_lead_and_nowhere_else(
    line: Microvolts, code: Code, severity: Severity
) -> None:
    quality = with_v2(line)
    assert found(quality) == {(code, severity): {"V2"}}
    fit = severity is Severity.NOTE or code is Code.BASELINE_WANDER
    assert (Lead.V2 in quality.usable) is fit
    (finding,) = quality.findings
    assert finding.value is not None
    assert finding.threshold is not None
    assert finding.value >= finding.threshold
    assert LIMITS[code].source


def test_what_the_device_says_of_a_lead_counts() -> None:
    made = heart.record_of(sound())
    (group,) = made.groups
    off = replace(group.channels[8], status=frozenset({ChannelStatus.DISCONNECTED}))
    doubtful = replace(group.channels[9], status=frozenset({ChannelStatus.QUESTIONABLE}))
    channels = (*group.channels[:8], off, doubtful, *group.channels[10:])
    quality = assess(replace(made, groups=(replace(group, channels=channels),)))
    assert found(quality) == {
        (Code.LEAD_OFF, Severity.REPEAT): {"V3"},
        (Code.QUESTIONABLE, Severity.NOTE): {"V4"},
    }
    assert Lead.V3 not in quality.usable
    assert Lead.V4 in quality.usable


def test_a_pause_is_no_flat_line() -> None:
    leads = heart.beats_at([0.5, 1.3, 2.1, 2.9, 6.9, 7.7, 8.5, 9.3], noise=0.0)
    assert found(assess(heart.record_of(leads))) == {}


def test_without_any_signal_somebody_looks_at_the_patient() -> None:
    quality = assess(record())
    assert (Code.NO_SIGNAL, Severity.REPEAT) in found(quality)
    assert quality.usable == ()


@pytest.mark.parametrize(
    ("seconds", "severity"), [(4.0, Severity.REPEAT), (8.0, Severity.NOTE), (10.0, None)]
)
def test_length(seconds: float, severity: Severity | None) -> None:
    leads = heart.beats_at(heart.regular(72, seconds=seconds), seconds=seconds)
    expected = {} if severity is None else {(Code.TOO_SHORT, severity): set[str]()}
    assert found(assess(heart.record_of(leads))) == expected


def test_a_long_record_is_only_said_to_be_long() -> None:
    leads = {Lead.II: np.zeros(121 * 100)}
    quality = assess(record(leads, seconds=121, rate=100))
    assert found(quality) == {(Code.TOO_LONG, Severity.NOTE): set()}
    assert list(quality.usable) == [Lead.II]


@pytest.mark.parametrize(
    ("every", "severity"), [(1, None), (2, Severity.NOTE), (4, Severity.REPEAT)]
)
def test_sampling_rate(every: int, severity: Severity | None) -> None:
    leads = {lead: line[::every] for lead, line in sound().items()}
    quality = assess(record(leads, rate=heart.RATE / every))
    expected = {} if severity is None else {(Code.SAMPLING_RATE, severity): set[str]()}
    assert found(quality) == expected


def test_missing_leads() -> None:
    leads = sound()
    without_v6 = {lead: line for lead, line in leads.items() if lead is not Lead.V6}
    assert found(assess(heart.record_of(without_v6))) == {
        (Code.MISSING_LEADS, Severity.REPEAT): {"V6"}
    }
    eight = {
        lead: leads[lead]
        for lead in (Lead.I, Lead.II, *leads)
        if lead.value in {"I", "II", "V1", "V2", "V3", "V4", "V5", "V6"}
    }
    assert found(assess(heart.record_of(eight))) == {}
    strip = {Lead.II: leads[Lead.II]}
    (finding,) = assess(heart.record_of(strip)).findings
    assert (finding.code, finding.severity) == (Code.MISSING_LEADS, Severity.NOTE)


def test_limb_leads_that_contradict_each_other() -> None:
    leads = sound()
    leads[Lead.III] = leads[Lead.III] + 300 * np.sin(2 * np.pi * 3 * TIME)
    said = found(assess(heart.record_of(leads)))
    assert said == {(Code.LIMB_LEAD_SUM, Severity.REPEAT): {"I", "II", "III"}}


def exchanged(made: EcgRecord) -> list[Code]:
    return [one.code for one in electrode_findings(measure(made))]


def test_exchanged_arms_are_suspected_and_a_heart_on_the_right_is_not() -> None:
    leads = sound()
    assert exchanged(heart.record_of(leads)) == []
    # With a lead I that is large enough for its reversal to be told.
    assert exchanged(heart.record_of(heart.arms_exchanged(leads))) == [Code.ARM_REVERSAL]
    right = heart.arms_exchanged(leads)
    right[Lead.V6] = -right[Lead.V6]
    assert exchanged(heart.record_of(right)) == []


def test_an_arm_exchanged_with_the_right_leg_leaves_a_lead_without_voltage() -> None:
    leads = sound()
    first = leads[Lead.I]
    flat = np.random.default_rng(1).normal(0, 3, TIME.size)
    leads |= {
        Lead.II: flat,
        Lead.III: flat - first,
        Lead.AVR: -(first + flat) / 2,
        Lead.AVL: first - flat / 2,
        Lead.AVF: flat - first / 2,
    }
    assert exchanged(heart.record_of(leads)) == [Code.ARM_LEG_REVERSAL]


def test_a_recorded_calibration_pulse_is_taken_off() -> None:
    pulse = np.concatenate([np.zeros(60), np.full(100, 1000.0), np.zeros(50)])
    leads = {lead: np.concatenate([line, pulse]) for lead, line in sound().items()}
    cut = without_pulse(record(leads, seconds=len(leads[Lead.I]) / heart.RATE))
    assert cut.groups[0].sample_count == 5000
    assert cut.notes
    plain = heart.record_of(sound())
    assert without_pulse(plain) is plain


@pytest.mark.slow
def test_annotated_ecgs_of_a_clinic_are_not_sent_back() -> None:
    """LUDB scales each lead for itself, so that sums of limb leads say nothing there."""
    headers = record_headers(LUDB)
    if not headers:
        pytest.skip("the corpus is not here")
    repeated: list[tuple[str, Code]] = []
    noted = 0
    for header in headers:
        made = read_record(header).ecg
        quality = assess(made)
        findings = [
            *(one for one in quality.findings if one.code is not Code.LIMB_LEAD_SUM),
            *electrode_findings(measure(fit_part(made, quality))),
        ]
        repeated += [(header.stem, one.code) for one in findings if one.severity is Severity.REPEAT]
        noted += any(one.severity is Severity.NOTE for one in findings)
    assert repeated == []
    assert noted <= 15
