"""Tests that are short in the ordinary suite and long in `make soak` (RDC_SOAK=1)."""

import os
from typing import Final, TypeVar

T = TypeVar("T")
SOAK: Final = os.environ.get("RDC_SOAK") == "1"
SOAK_SECONDS: Final = float(os.environ.get("RDC_SOAK_SECONDS", "600" if SOAK else "0"))
"""How long the long run is; 0 in the ordinary suite, which decides for itself."""


def soak(full: T, *, else_: T) -> T:
    """Return `full` in a soak run, else the value for the ordinary suite."""
    return full if SOAK else else_
