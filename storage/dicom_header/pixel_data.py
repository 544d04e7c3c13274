"""Where the pixel data of a dataset lies (PS3.5 §8, Annex A.4)."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PixelData:
    """Where the pixel data is: (7FE0,0010), or Float or Double Float Pixel Data.

    offset: of the element's tag. value_offset: of its value.
    length: of the value; None when it is undefined, that is, encapsulated.
    fragments: how many follow the basic offset table, when encapsulated.
    """

    tag: int
    offset: int
    value_offset: int
    length: int | None
    fragments: int = 0
