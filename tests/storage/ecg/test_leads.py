"""Lead names and codes."""

import pytest
from pydicom.sr.codedict import codes

from storage.ecg.leads import STANDARD_LEADS, Lead, lead_from_code, lead_from_name


@pytest.mark.parametrize(
    ("scheme", "value", "lead"),
    [
        ("MDC", "2:1", Lead.I),
        ("MDC", "2:8", Lead.V6),
        ("MDC", "2:61", Lead.III),
        ("MDC", "2:64", Lead.AVF),
        ("SCPECG", "5.6.3-9-2", Lead.II),
        ("SCPECG", "5.6.3-9-62", Lead.AVR),
        ("scpecg ", " 5.6.3-9-3 ", Lead.V1),
        ("MDC", "MDC_ECG_LEAD_aVL", Lead.AVL),
        ("MDC", "2:131", Lead.ES),
    ],
)
def test_standard_codes_name_their_lead(scheme: str, value: str, lead: Lead) -> None:
    assert lead_from_code(scheme, value) == (lead, False)


@pytest.mark.parametrize(
    ("scheme", "value"),
    [("MDC", "2:0"), ("MDC", "2:9999"), ("MDC", "5.6.3-9-1"), ("99GEMS", "2:1"), ("", "")],
)
def test_other_codes_name_none(scheme: str, value: str) -> None:
    assert lead_from_code(scheme, value) == (None, False)


def test_a_lead_the_device_derived_is_told_apart() -> None:
    assert lead_from_code("MDC", "2:33") == (Lead.V1, True)
    assert lead_from_code("MDC", "2:114") == (Lead.AVF, True)


def test_numbers_agree_with_the_standards_dictionary() -> None:
    concepts = [getattr(codes.MDC, name) for name in codes.MDC.dir()]
    meanings = {concept.value: concept.meaning for concept in concepts}
    for number in range(200):
        lead, derived = lead_from_code("MDC", f"2:{number}")
        if lead is not None and lead in STANDARD_LEADS and not derived:
            assert meanings[f"2:{number}"].removeprefix("Lead ").split(",")[0] == lead.value


@pytest.mark.parametrize(
    ("text", "lead"),
    [
        ("Lead I (Einthoven)", Lead.I),
        ("AVR", Lead.AVR),
        ("aVF", Lead.AVF),
        ("V1 ", Lead.V1),
        ("ECG Lead aVL", Lead.AVL),
        ("导联 II", Lead.II),
        ("III导联", Lead.III),
        ("-aVR", Lead.MINUS_AVR),
        ("v4r", Lead.V4R),
    ],
)
def test_spellings_of_the_field_are_understood(text: str, lead: Lead) -> None:
    assert lead_from_name(text) == lead


@pytest.mark.parametrize("text", ["", "Lead", "I-II", "Pleth", "RESP", "V", "V10", "I and II"])
def test_other_words_are_not_guessed_at(text: str) -> None:
    assert lead_from_name(text) is None
