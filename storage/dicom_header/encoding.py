"""How datasets are encoded (PS3.5 §7 and §10): transfer syntaxes and value representations."""

from typing import Final

BIG_ENDIAN_SYNTAX: Final = "1.2.840.10008.1.2.2"
IMPLICIT_SYNTAX: Final = "1.2.840.10008.1.2"
EXPLICIT_SYNTAX: Final = "1.2.840.10008.1.2.1"
IMPLICIT_SYNTAXES: Final = frozenset(
    {
        IMPLICIT_SYNTAX,
        # General Electric: little endian dataset, big endian pixels.
        "1.2.840.113619.5.2",
        # Papyrus 3.
        "1.2.840.10008.1.20",
    }
)
DEFLATED_SYNTAXES: Final = frozenset(
    {
        "1.2.840.10008.1.2.1.99",
        # JPIP referenced, deflated.
        "1.2.840.10008.1.2.4.95",
        "1.2.840.10008.1.2.4.205",
    }
)
"""Of all others, unknown and private ones too, the dataset is explicit VR little endian."""

SHORT_VRS: Final = frozenset(
    vr.encode()
    for vr in "AE AS AT CS DA DS DT FD FL IS LO LT PN SH SL SS ST TM UI UL US".split()  # noqa: SIM905  # read as a list
)
"""Explicit VRs with a length of 16 bits."""

LONG_VRS: Final = frozenset(
    (b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV")
)
"""Explicit VRs with two reserved bytes and a length of 32 bits."""

BYTES_VRS: Final = frozenset((b"OB", b"OD", b"OF", b"OL", b"OV", b"OW"))
PIXEL_DATA_TAGS: Final = frozenset({0x7FE00010, 0x7FE00008, 0x7FE00009})
UNDEFINED_LENGTH: Final = 0xFFFFFFFF
SHORT_HEADER: Final = 8
LONG_HEADER: Final = 12
DELIMITER_GROUP: Final = 0xFFFE
ITEM: Final = 0xE000
ITEM_END: Final = 0xE00D
SEQUENCE_END: Final = 0xE0DD


def is_vr(value: bytes) -> bool:
    """Tell whether two bytes can be a VR, known or not."""
    return value.isalpha() and value.isupper()
