"""The record model: microvolts, computed limb leads, lookup."""

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storage.ecg.leads import LIMB_LEADS, Lead
from storage.ecg.waveform import (
    ChannelStatus,
    EcgGroup,
    EcgRecord,
    FilterSettings,
    GroupKind,
    LeadOrigin,
    RecordedChannel,
)

I_UV = np.array([0.0, 100, 250, -40, 1500])
II_UV = np.array([10.0, -80, 600, 20, 900])
TRUE = {
    Lead.I: I_UV,
    Lead.II: II_UV,
    Lead.III: II_UV - I_UV,
    Lead.AVR: -(I_UV + II_UV) / 2,
    Lead.AVL: I_UV - II_UV / 2,
    Lead.AVF: II_UV - I_UV / 2,
}


def group(*channels: RecordedChannel, rate: float = 500) -> EcgGroup:
    return EcgGroup(GroupKind.RHYTHM, "", rate, len(channels[0].samples), channels)


def limb(lead: Lead) -> RecordedChannel:
    return RecordedChannel(lead, lead.value, TRUE[lead])


@pytest.mark.parametrize("pair", list(combinations(LIMB_LEADS, 2)))
def test_any_two_limb_leads_give_the_other_four(pair: tuple[Lead, Lead]) -> None:
    recorded = group(*(limb(lead) for lead in pair))
    for lead in LIMB_LEADS:
        found = recorded.channel(lead)
        assert found is not None
        np.testing.assert_allclose(found.microvolts(), TRUE[lead], atol=1e-9)
        expected = LeadOrigin.RECORDED if lead in pair else LeadOrigin.COMPUTED
        assert found.origin is expected


def test_one_limb_lead_gives_no_other() -> None:
    assert group(limb(Lead.I)).leads() == [Lead.I]


def test_minus_avr_is_the_recorded_avr_turned_over() -> None:
    recorded = group(limb(Lead.AVR)).channel(Lead.MINUS_AVR)
    computed = group(limb(Lead.I), limb(Lead.II)).channel(Lead.MINUS_AVR)
    assert recorded is not None
    assert computed is not None
    np.testing.assert_allclose(recorded.microvolts(), -TRUE[Lead.AVR])
    np.testing.assert_allclose(computed.microvolts(), -TRUE[Lead.AVR])


def test_nothing_is_computed_from_a_disconnected_lead() -> None:
    off = replace(limb(Lead.II), status=frozenset({ChannelStatus.DISCONNECTED}))
    assert group(limb(Lead.I), off).channel(Lead.III) is None


def test_nothing_is_computed_from_leads_that_are_not_simultaneous() -> None:
    late = replace(limb(Lead.II), skew_seconds=0.01)
    assert group(limb(Lead.I), late).channel(Lead.III) is None


def test_a_sample_missing_in_either_lead_is_missing_in_the_computed_one() -> None:
    first = replace(limb(Lead.I), samples=np.array([1, -32768, 3]), missing=(-32768,))
    second = replace(limb(Lead.II), samples=np.array([1, 2, -32768]), missing=(-32768,))
    computed = group(first, second).channel(Lead.III)
    assert computed is not None
    np.testing.assert_array_equal(np.isnan(computed.microvolts()), [False, True, True])


def test_doubts_and_filters_of_the_terms_carry_over() -> None:
    settings = FilterSettings(0.05, 150, 50)
    first = replace(limb(Lead.I), filters=settings)
    doubtful = frozenset({ChannelStatus.QUESTIONABLE})
    second = replace(limb(Lead.II), filters=settings, status=doubtful)
    computed = group(first, second).channel(Lead.AVL)
    assert computed is not None
    assert computed.filters == settings
    assert computed.status == doubtful
    other = group(first, replace(second, filters=FilterSettings(0.5, 40, 50))).channel(Lead.AVL)
    assert other is not None
    assert other.filters == FilterSettings()


@settings(deadline=None)
@given(
    raw=st.lists(st.integers(-32767, 32767), min_size=1, max_size=50),
    scale=st.floats(0.01, 100),
    baseline=st.floats(-1e4, 1e4),
)
def test_microvolts_are_scale_times_sample_plus_baseline(
    raw: list[int], scale: float, baseline: float
) -> None:
    samples = np.array(raw, dtype=np.int16)
    one = RecordedChannel(Lead.I, "I", samples, scale, baseline, missing=(-32768,))
    np.testing.assert_allclose(one.microvolts(), np.array(raw) * scale + baseline)
    middle = len(raw) // 2
    np.testing.assert_array_equal(one.microvolts(middle), one.microvolts()[middle:])
    np.testing.assert_array_equal(one.microvolts(0, middle), one.microvolts()[:middle])


def test_find_prefers_a_recorded_lead_of_a_later_group_over_a_computed_one() -> None:
    limbs = group(limb(Lead.I), limb(Lead.II))
    later = replace(group(limb(Lead.III)), offset_seconds=2.5)
    found = EcgRecord(groups=(limbs, later)).find(Lead.III)
    assert found is not None
    assert found[0] is later


def test_the_median_beat_is_no_stretch_of_time() -> None:
    rhythm = group(limb(Lead.I), rate=1)
    beat = replace(group(RecordedChannel(Lead.V1, "V1", I_UV)), kind=GroupKind.MEDIAN_BEAT)
    record = EcgRecord(groups=(beat, rhythm))
    assert record.median_beat is beat
    assert record.rhythm_groups == (rhythm,)
    assert record.duration_seconds == 5
    assert record.find(Lead.V1) is None


def test_a_file_with_a_median_beat_alone_is_shown_as_it_is() -> None:
    beat = replace(group(RecordedChannel(Lead.V1, "V1", I_UV)), kind=GroupKind.MEDIAN_BEAT)
    assert EcgRecord(groups=(beat,)).rhythm_groups == (beat,)
