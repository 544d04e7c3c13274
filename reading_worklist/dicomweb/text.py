"""Text of a dataset as Unicode, by the evidence of its bytes where its declaration is false."""

from collections.abc import Sequence

from pydicom.charset import convert_encodings, decode_bytes

from reading_worklist.dicomweb.json_model import Decode


def decoder_for(character_sets: Sequence[str]) -> Decode:
    """Return the decoder."""
    enc = convert_encodings(list(character_sets) or ["ISO_IR 6"])
    return lambda value: decode_bytes(value, enc, set())
