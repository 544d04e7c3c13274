"""What can be wrong with a series of slices."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Final, TypeAlias

ITEMS_MAX: Final = 20
"""How many slices a finding names; its count says how many there are."""

Scalar: TypeAlias = int | float | str
Item: TypeAlias = Mapping[str, Scalar]


class Code(StrEnum):
    """The kinds of findings."""

    MISSING_SLICES = "missing_slices"
    DOUBLED_SLICES = "doubled_slices"
    UNEVEN_SPACING = "uneven_spacing"
    SPACING_CHANGES = "spacing_changes"
    MIXED_ORIENTATION = "mixed_orientation"
    MIXED_SIZE = "mixed_size"
    MIXED_PIXEL_SPACING = "mixed_pixel_spacing"
    SHIFTED_SLICES = "shifted_slices"
    UNPLACED_SLICES = "unplaced_slices"
    GANTRY_TILT = "gantry_tilt"
    BLANK_SLICES = "blank_slices"
    REPEATED_CONTENT = "repeated_content"
    UNREADABLE = "unreadable"


class Severity(StrEnum):
    """Whether somebody should look after it, or only know of it."""

    WARNING = "warning"
    INFO = "info"


_INFORMATION: Final = frozenset({Code.SPACING_CHANGES, Code.GANTRY_TILT})


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing found in a series.

    count: slices concerned. items: the first of them, each with what is known of it: its Instance
        Number as `number`, its place along the normal of its stack in mm as `position`.
    facts: what holds for all of them, lengths in mm and angles in degrees.
    """

    code: Code
    count: int
    items: Sequence[Item] = ()
    facts: Mapping[str, Scalar] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def severity(self) -> Severity:
        """How serious this kind is."""
        return Severity.INFO if self.code in _INFORMATION else Severity.WARNING

    @property
    def parameters(self) -> dict[str, object]:
        """The finding as it is kept and told, for the text of its code."""
        items = [dict(item) for item in self.items[:ITEMS_MAX]]
        return {"count": self.count, "items": items, **self.facts}


def merged(findings: Iterable[Finding]) -> list[Finding]:
    """Return one finding for each code, in the order of `Code`.

    The stacks of a series often share a fault. Facts are those of the first.
    """
    of_code: dict[Code, Finding] = {}
    for one in findings:
        first = of_code.get(one.code)
        if first is not None:
            items = [*first.items, *one.items][:ITEMS_MAX]
            one = Finding(one.code, first.count + one.count, items, first.facts)  # noqa: PLW2901 -- the sum takes its place
        of_code[one.code] = one
    return [of_code[code] for code in Code if code in of_code]
