"""What kind of document a report is, as a code (PS3.16 CID 7000), by what was examined."""

from collections.abc import Collection
from typing import Final, NamedTuple


class Title(NamedTuple):
    """A coded title: value, coding scheme designator (PS3.16 Table 8-1), meaning."""

    value: str
    scheme: str
    meaning: str


# PS3.16 prints 11524-0 for the ECG report; LOINC's check digit makes it 11524-6.
ECG: Final = Title("11524-6", "LN", "EKG study")
_XRAY: Final = Title("43468-8", "LN", "X-Ray Report")
_BY_MODALITY: Final = {
    "ECG": ECG,
    "CT": Title("25045-6", "LN", "CT Report"),
    "MR": Title("25056-3", "LN", "MRI Report"),
    # Of several of one study, the one that says more comes first.
    "PT": Title("44136-0", "LN", "PET Scan Report"),
    "NM": Title("49118-3", "LN", "Nuclear Medicine Report"),
    "MG": Title("111400", "DCM", "Breast Imaging Report"),
    "US": Title("25061-3", "LN", "Ultrasound Report"),
    "RF": Title("49512-7", "LN", "Fluoroscopy Study Report"),
    "XA": Title("47048-4", "LN", "Diagnostic Interventional Radiology Report"),
    "BMD": Title("38269-7", "LN", "DEXA Skeletal System Study Report"),
    "DX": _XRAY,
    "CR": _XRAY,
}
_ANY: Final = Title("18748-4", "LN", "Diagnostic Imaging Report")


def title_of(modalities: Collection[str]) -> Title:
    """Return the title of the report of a study; the general one where none fits alone."""
    found = {title for modality, title in _BY_MODALITY.items() if modality in modalities}
    return found.pop() if len(found) == 1 else ECG if ECG in found else _ANY
