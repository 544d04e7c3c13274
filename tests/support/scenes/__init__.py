"""What stands in the lists beside the readings, one module for each part of the UI.

Each has `fill(scene)`, which puts it there through the doors that people use and returns the
identifiers that its pictures need, by names of its own.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol

from tests.support.scenes import (
    critical,
    ecg_analysis,
    ecg_files,
    ecg_view,
    key_images,
    ledger,
    people,
    portal,
    reading,
    rules,
    site_tests,
    tokens,
    worklist,
    writing,
)

if TYPE_CHECKING:
    from tests.support.scene import Scene


class Part(Protocol):
    """A module of this package."""

    def fill(self, scene: "Scene", /) -> Mapping[str, str]:
        """Put everything of this part there; returns what its pictures need."""
        ...


PARTS: tuple[Part, ...] = (
    worklist,
    critical,
    ecg_view,
    ecg_analysis,
    portal,
    reading,
    key_images,
    writing,
    rules,
    ecg_files,
    ledger,
    site_tests,
    people,
    tokens,
)
"""The rules come last: what is queued after them would go by them."""
