"""Text of a dataset as Unicode, by the evidence of its bytes where its declaration is false."""

from collections.abc import Sequence

from reading_worklist.dicomweb.json_model import Decode
from storage.character_sets import SpecificCharacterSet


def decoder_for(character_sets: Sequence[str]) -> Decode:
    """Return the decoder of text for the values of Specific Character Set (0008,0005)."""
    declared = SpecificCharacterSet.parse(character_sets)
    return lambda value: declared.decode(value).text
