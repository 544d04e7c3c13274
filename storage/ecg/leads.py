"""Lead names and codes: one vocabulary for everything that handles an ECG.

DICOM codes a lead from CID 3001. Since 2011 that is scheme MDC with values
``2:n``; the devices in the field still send the retired SCPECG scheme with
``5.6.3-9-n``, and some a code of their own beside a readable meaning. The
number n is the same in both standard schemes.
"""

import re
from enum import StrEnum
from typing import Final


class Lead(StrEnum):
    """An ECG lead; the value is the name that is printed beside the trace."""

    I = "I"  # noqa: E741 - that is the lead's name, in every language
    II = "II"
    III = "III"
    AVR = "aVR"
    AVL = "aVL"
    AVF = "aVF"
    V1 = "V1"
    V2 = "V2"
    V3 = "V3"
    V4 = "V4"
    V5 = "V5"
    V6 = "V6"
    MINUS_AVR = "−aVR"
    V7 = "V7"
    V8 = "V8"
    V9 = "V9"
    V2R = "V2R"
    V3R = "V3R"
    V4R = "V4R"
    V5R = "V5R"
    V6R = "V6R"
    V7R = "V7R"
    V8R = "V8R"
    V9R = "V9R"
    X = "X"
    Y = "Y"
    Z = "Z"
    NEHB_D = "Nehb D"
    NEHB_A = "Nehb A"
    NEHB_J = "Nehb J"
    CC5 = "CC5"
    CM5 = "CM5"
    CM1 = "CM1"
    CH5 = "CH5"
    CR5 = "CR5"
    ML = "ML"
    MCL1 = "MCL1"
    MCL5 = "MCL5"
    MCL6 = "MCL6"
    ES = "ES"
    AS = "AS"
    AI = "AI"


LIMB_LEADS: Final = (Lead.I, Lead.II, Lead.III, Lead.AVR, Lead.AVL, Lead.AVF)
CHEST_LEADS: Final = (Lead.V1, Lead.V2, Lead.V3, Lead.V4, Lead.V5, Lead.V6)
STANDARD_LEADS: Final = LIMB_LEADS + CHEST_LEADS

_BY_NUMBER: Final = {
    1: Lead.I,
    2: Lead.II,
    3: Lead.V1,
    4: Lead.V2,
    5: Lead.V3,
    6: Lead.V4,
    7: Lead.V5,
    8: Lead.V6,
    9: Lead.V7,
    10: Lead.V2R,
    11: Lead.V3R,
    12: Lead.V4R,
    13: Lead.V5R,
    14: Lead.V6R,
    15: Lead.V7R,
    16: Lead.X,
    17: Lead.Y,
    18: Lead.Z,
    19: Lead.CC5,
    20: Lead.CM5,
    61: Lead.III,
    62: Lead.AVR,
    63: Lead.AVL,
    64: Lead.AVF,
    65: Lead.MINUS_AVR,
    66: Lead.V8,
    67: Lead.V9,
    68: Lead.V8R,
    69: Lead.V9R,
    70: Lead.NEHB_D,
    71: Lead.NEHB_A,
    72: Lead.NEHB_J,
    92: Lead.MCL1,
    96: Lead.MCL5,
    97: Lead.MCL6,
    106: Lead.CM1,
    122: Lead.CH5,
    125: Lead.CR5,
    126: Lead.ML,
    131: Lead.ES,
    132: Lead.AS,
    133: Lead.AI,
}

# What the device reconstructed from other electrodes (EASI, Frank) is the same
# lead to the reader, but it was not recorded, and the page has to say so.
_DEVICE_DERIVED: Final = {
    31: Lead.I,
    32: Lead.II,
    33: Lead.V1,
    34: Lead.V2,
    35: Lead.V3,
    36: Lead.V4,
    37: Lead.V5,
    38: Lead.V6,
    111: Lead.III,
    112: Lead.AVR,
    113: Lead.AVL,
    114: Lead.AVF,
}

_SCHEMES: Final = {
    "MDC": re.compile(r"\s*2:(\d{1,3})\s*"),
    "SCPECG": re.compile(r"\s*5\.6\.3-9-(\d{1,3})\s*"),
    "SCPECG_1.3": re.compile(r"\s*5\.6\.3-9-(\d{1,3})\s*"),
}
_MDC_REFERENCE_ID: Final = re.compile(r"\s*MDC_ECG_LEAD_(?:CONFIG_)?([A-Z0-9]+)\s*", re.IGNORECASE)
_DECORATION: Final = re.compile(r"\(.*?\)|(?:\bECG\b)|(?:\bLEADS?\b)|导联|[\s:_.]", re.IGNORECASE)
_BY_NAME: Final = {lead.value.upper().replace(" ", ""): lead for lead in Lead}


def lead_from_code(scheme: str, value: str) -> tuple[Lead | None, bool]:
    """Return the lead of a coded channel source and whether the device derived it.

    Understands MDC ``2:n``, SCPECG ``5.6.3-9-n`` and MDC reference ids
    (``MDC_ECG_LEAD_V1``). (None, False) when the code says nothing known.
    """
    reference = _MDC_REFERENCE_ID.fullmatch(value)
    if reference:
        return lead_from_name(reference[1]), False
    pattern = _SCHEMES.get(scheme.strip().upper())
    match = pattern.fullmatch(value) if pattern else None
    if match is None:
        return None, False
    number = int(match[1])
    if number in _DEVICE_DERIVED:
        return _DEVICE_DERIVED[number], True
    return _BY_NUMBER.get(number), False


_MEANINGS: Final = {
    Lead.AVR: "aVR, augmented voltage, right",
    Lead.AVL: "aVL, augmented voltage, left",
    Lead.AVF: "aVF, augmented voltage, foot",
    Lead.MINUS_AVR: "-aVR",
    Lead.NEHB_D: "Lead D (Nehb - Dorsal)",
    Lead.NEHB_A: "Lead A (Nehb - Anterior)",
    Lead.NEHB_J: "Lead J (Nehb - Inferior)",
    Lead.CC5: "Chest lead per V5 and V5R placement",
    Lead.CM5: "Chest-manubrium lead per V5 placement",
    Lead.CM1: "Chest-manubrium lead per V1 placement",
    Lead.ML: "Modified limb lead",
    Lead.MCL1: "Modified chest lead per V1 placement",
    Lead.MCL5: "Modified chest lead per V5 placement",
    Lead.MCL6: "Modified chest lead per V6 placement",
    Lead.ES: "EASI Lead ES",
    Lead.AS: "EASI Lead AS",
    Lead.AI: "EASI Lead AI",
}
_NUMBERS: Final = {lead: number for number, lead in _BY_NUMBER.items()}
_DERIVED_NUMBERS: Final = {lead: number for number, lead in _DEVICE_DERIVED.items()}


def mdc_code(lead: Lead | None, *, derived: bool = False) -> tuple[str, str]:
    """Return the MDC code value and its meaning in CID 3001; of None "Unspecified lead".

    derived: the device reconstructed it; only the twelve standard leads have such codes.
    """
    if lead is None:
        return "2:0", "Unspecified lead"
    if derived and lead in _DERIVED_NUMBERS:
        return f"2:{_DERIVED_NUMBERS[lead]}", f"Derived Lead {lead.value}"
    return f"2:{_NUMBERS[lead]}", _MEANINGS.get(lead, f"Lead {lead.value}")


def lead_from_name(text: str) -> Lead | None:
    """Return the lead that a label or a code meaning names, or None.

    Takes the spellings of the field: ``Lead I (Einthoven)``, ``AVR``, ``V1 ``,
    ``ECG Lead aVF``, ``导联 II``. A text that says more than one lead's name
    is not guessed at.
    """
    return _BY_NAME.get(_DECORATION.sub("", text).upper().replace("-", "−").replace("–", "−"))
