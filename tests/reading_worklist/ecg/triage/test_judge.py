"""The rulesets at their borders, what stands in their way, and that they say no diagnosis."""

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reading_worklist.critical_values import rulesets as critical
from reading_worklist.ecg.triage.facts import Fact, Feature, Obstacle, TriageFacts
from reading_worklist.ecg.triage.judge import Assumption, Triage, judge
from reading_worklist.ecg.triage.rulesets import (
    Condition,
    Province,
    ruleset,
    rulesets_for,
)
from storage.ecg.leads import STANDARD_LEADS, Lead
from storage.orders.words import Priority

SOUND = TriageFacts(
    features={
        Feature.HEART_RATE: Fact(72.0),
        Feature.LONGEST_RR: Fact(900.0),
        Feature.QRS: Fact(90.0),
        Feature.QTC: Fact(410.0),
        Feature.IRREGULAR_WITHOUT_P: Fact(0.0),
    },
    st_millivolts=dict.fromkeys(STANDARD_LEADS, 0.0),
    sex="M",
    age=60.0,
)
_DIAGNOSES = re.compile(
    r"infarct|STEMI|fibrillat|flutter|tachycardia|block|pericard|梗死|房颤|室速|室上速|阻滞|心肌",
    re.IGNORECASE,
)


def elevated(facts: TriageFacts = SOUND, /, **levels: float) -> TriageFacts:
    """The facts with other ST levels, in mV by the lead's name."""
    named = {Lead(name): value for name, value in levels.items()}
    return replace(facts, st_millivolts={**facts.st_millivolts, **named})


def measured(**values: float) -> TriageFacts:
    """Sound facts with other features."""
    named = {Feature(name): Fact(value) for name, value in values.items()}
    return replace(SOUND, features={**SOUND.features, **named})


def codes(facts: TriageFacts, province: Province = Province.OTHER) -> set[str]:
    return {hint.rule.code for hint in judge(facts, rulesets_for(province)).hints}


def test_a_sound_ecg_meets_nothing() -> None:
    for province in Province:
        assert codes(SOUND, province) == set()


@pytest.mark.parametrize(
    ("levels", "meets"),
    [
        ({"II": 0.1, "III": 0.1}, True),
        ({"II": 0.0999, "III": 0.1}, False),
        ({"II": 0.3}, False),
        ({"II": 0.2, "aVF": 0.1}, True),
        ({"I": 0.1, "aVL": 0.1}, True),
        ({"I": 0.1, "II": 0.1}, False),
        ({"V1": 0.1, "V2": 0.2}, True),
        ({"V1": 0.1, "V2": 0.1999}, False),
        ({"V3": 0.2, "V4": 0.1}, True),
        ({"V4": 0.1, "V6": 0.1}, False),
        ({"V5": 0.1, "V6": 0.1}, True),
        ({"aVR": 0.5, "V1": 0.5}, False),
    ],
)
def test_two_neighbouring_leads_at_their_limit(levels: dict[str, float], *, meets: bool) -> None:
    assert ("ST1" in codes(elevated(**levels))) is meets


@pytest.mark.parametrize(
    ("sex", "age", "limit", "assumed"),
    [
        ("M", 40.0, 0.2, set[Assumption]()),
        ("M", 39.9, 0.25, set[Assumption]()),
        ("F", 30.0, 0.15, set[Assumption]()),
        ("F", None, 0.15, set[Assumption]()),
        ("M", None, 0.2, {Assumption.AGE_UNKNOWN}),
        (None, 60.0, 0.15, {Assumption.SEX_UNKNOWN}),
        (None, None, 0.15, {Assumption.SEX_UNKNOWN, Assumption.AGE_UNKNOWN}),
    ],
)
def test_the_limit_of_v2_and_v3_follows_sex_and_age(
    sex: str | None, age: float | None, limit: float, assumed: set[Assumption]
) -> None:
    of_patient = replace(SOUND, sex=sex, age=age)
    below = elevated(of_patient, V2=limit - 0.001, V3=limit - 0.001)
    (only,) = rulesets_for(Province.OTHER)[:1]
    assert judge(below, [only]).hints == ()
    (hint,) = judge(elevated(of_patient, V2=limit, V3=limit), [only]).hints
    assert set(hint.assumptions) == assumed
    assert {one.limit for one in hint.measured} == {limit}


def test_a_hint_says_which_leads_and_values() -> None:
    hint = judge(elevated(II=0.27, III=0.29, aVF=0.28), rulesets_for(Province.OTHER)).hints[0]
    assert hint.text_en == "meets ST-elevation voltage criteria (II 0.27, III 0.29, aVF 0.28 mV)"
    assert hint.text == "达到 ST 段抬高电压标准（II 0.27, III 0.29, aVF 0.28 mV）"
    assert critical.items_to_read_back(hint.told, hint.ruleset, hint.rule.code) == (
        "达到 ST 段抬高电压标准",
    )
    assert "Fourth Universal Definition" in hint.source


@pytest.mark.parametrize("obstacle", list(Obstacle))
def test_what_stands_in_the_way_is_said(obstacle: Obstacle) -> None:
    facts = replace(elevated(II=0.3, III=0.3), obstacles={obstacle: "because of this"})
    triage = judge(facts, rulesets_for(Province.OTHER))
    assert triage.hints == ()
    said = {one.code: one.reason for one in triage.not_judged}
    assert said["ST1"] == "not judged because because of this"


def test_a_lead_that_is_not_measured_is_said() -> None:
    levels = {lead: 0.0 for lead in STANDARD_LEADS if lead is not Lead.V3}
    facts = replace(SOUND, st_millivolts=levels, unmeasured_leads=[(Lead.V3, "too noisy")])
    said = {one.code: one.reason for one in judge(facts, rulesets_for(Province.OTHER)).not_judged}
    assert said["ST1"] == "not measured in V3: too noisy"


def test_a_feature_that_is_not_measured_is_neither_yes_nor_no() -> None:
    facts = replace(SOUND, features={**SOUND.features, Feature.QTC: Fact(None, "T unsure")})
    triage = judge(facts, rulesets_for(Province.OTHER))
    assert triage.hints == ()
    assert {one.code: one.reason for one in triage.not_judged}["E04"] == (
        "not measured: qtc: T unsure"
    )


@pytest.mark.parametrize(
    ("province", "facts", "code", "meets"),
    [
        (Province.ZHEJIANG, measured(longest_rr=3000), "E01", True),
        (Province.ZHEJIANG, measured(longest_rr=2999), "E01", False),
        (Province.ZHEJIANG, measured(heart_rate=34.9), "E02", True),
        (Province.ZHEJIANG, measured(heart_rate=35), "E02", False),
        (Province.OTHER, measured(heart_rate=35), "E02", True),
        (Province.OTHER, measured(heart_rate=35.1), "E02", False),
        (Province.SHANXI_2017, measured(heart_rate=35), "E02", True),
        (Province.OTHER, measured(qtc=550), "E04", True),
        (Province.OTHER, measured(qtc=549), "E04", False),
        (Province.ZHEJIANG, measured(heart_rate=230), "E07", True),
        (Province.ZHEJIANG, measured(heart_rate=229), "E07", False),
        (Province.OTHER, measured(heart_rate=200), "E07", True),
        (Province.OTHER, measured(heart_rate=199), "E07", False),
        (Province.SHANXI_2017, measured(heart_rate=180), "E07", True),
        (Province.SHANXI_2017, measured(heart_rate=180, qrs=120), "E07", False),
        (Province.ZHEJIANG, measured(heart_rate=180, irregular_without_p=1), "E08", True),
        (Province.OTHER, measured(heart_rate=180, irregular_without_p=1), "E08", False),
        (Province.OTHER, measured(heart_rate=200, irregular_without_p=1), "E08", True),
        (Province.SHANXI_2017, measured(heart_rate=179, irregular_without_p=1), "E08", False),
        (Province.OTHER, measured(heart_rate=150, qrs=120), "RH2", True),
        (Province.OTHER, measured(heart_rate=150, qrs=119), "RH2", False),
        (Province.OTHER, measured(irregular_without_p=1), "RH1", True),
        (Province.OTHER, elevated(V1=0.3, V2=0.31), "E10", False),
        (Province.OTHER, elevated(V1=0.31, V2=0.31), "E10", True),
        (Province.OTHER, elevated(V4=0.1, V5=0.1), "E10", True),
    ],
)
def test_a_provinces_values_at_their_borders(
    province: Province, facts: TriageFacts, code: str, *, meets: bool
) -> None:
    assert (code in codes(facts, province)) is meets


def test_rulesets_cite_rules_that_there_are_and_name_no_diagnosis() -> None:
    for province in Province:
        for one in rulesets_for(province):
            for rule in one.rule:
                assert not _DIAGNOSES.search(rule.name + rule.name_en), rule.code
                if one.cites is not None:
                    assert critical.known_rule(one.cites, rule.code)
            for code in one.not_supported:
                assert critical.known_rule(one.cites or "", code)
        cited = ruleset(f"critical-{province}")
        judged = {rule.code for rule in cited.rule} | set(cited.not_supported)
        assert judged == {f"E{number:02}" for number in range(1, 11)}


def test_what_is_misspelt_in_a_ruleset_is_an_error() -> None:
    with pytest.raises(ValueError, match="Extra inputs"):
        Condition.model_validate({"feature": "qtc", "at_lest": 550})
    with pytest.raises(ValueError, match="one thing"):
        Condition.model_validate({"feature": "qtc", "at_least": 550, "below": 600})


_LEVELS = st.dictionaries(
    st.sampled_from(STANDARD_LEADS), st.floats(-0.5, 1.0), min_size=12, max_size=12
)


def met(triage: Triage) -> dict[str, set[str]]:
    return {
        f"{hint.ruleset} {hint.rule.code}": {one.what for one in hint.measured}
        for hint in triage.hints
    }


@given(_LEVELS, st.sampled_from(STANDARD_LEADS), st.floats(0, 1), st.sampled_from(["M", "F", None]))
def test_more_elevation_never_takes_a_hint_away(
    levels: dict[Lead, float], lead: Lead, more: float, sex: str | None
) -> None:
    before = replace(SOUND, st_millivolts=levels, sex=sex)
    after = replace(before, st_millivolts={**levels, lead: levels[lead] + more})
    rules = rulesets_for(Province.OTHER)
    first, second = met(judge(before, rules)), met(judge(after, rules))
    assert all(leads <= second.get(rule, set()) for rule, leads in first.items())


@given(st.lists(st.sampled_from([*Priority, None]), max_size=4), st.sampled_from(list(Priority)))
def test_priorities_only_rise(raised: list[Priority | None], ordered: Priority) -> None:
    order = list(Priority)
    now = ordered
    for one in raised:
        after = now.at_least(one)
        assert order.index(after) <= order.index(now)
        assert one is None or order.index(after) <= order.index(one)
        now = after
