"""How much of a dataset is looked at: beyond it, it is refused or cut."""

from typing import Final

MAX_DEPTH: Final = 64
"""Sequences of undefined length that may lie within each other."""

# Three seconds of looking at the most: an enhanced multi-frame of 10,000 frames has 400,000 items
# and sequences, a structure set of 100,000 contours as many.
MAX_STEPS: Final = 1_000_000
"""Items and sequences."""

MAX_ELEMENTS: Final = 10_000_000
"""Elements, wherever they are."""

MAX_VALUE_BYTES: Final = 64 << 10
"""So much of a wanted value is kept; no attribute of the index comes near."""
