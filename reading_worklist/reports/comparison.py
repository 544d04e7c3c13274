"""What differs between two texts of a report, marked piece by piece.

Chinese has no spaces, so a text is parted into words of letters and digits and single other
characters. Sentences that are the same are set aside first; within what is left, pieces are
compared one by one as long as that is quick.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum
from typing import Final, TypeAlias

_PIECE: Final = re.compile(r"[A-Za-z0-9]+(?:\.[0-9]+)?|\s+|.", re.DOTALL)
_SENTENCE: Final = re.compile(r"[^。；;!?！？\n]*(?:[。；;!?！？\n]+|$)")
# The matcher looks at every pair of equal pieces, several times in the worst case.
_PAIRS_COMPARED: Final = 300_000
_Run: TypeAlias = tuple[bool, Sequence[str], Sequence[str]]


class Change(StrEnum):
    """What became of a piece of text."""

    SAME = "same"
    REMOVED = "removed"
    ADDED = "added"


@dataclass(frozen=True, slots=True)
class Segment:
    """A run of text with what became of it."""

    change: Change
    text: str


def compare(old: str, new: str) -> tuple[Segment, ...]:
    """Return `new` with what was removed from and added to `old`, in reading order.

    Joining the segments that are not ADDED gives `old`, those that are not REMOVED `new`.
    """
    found: list[Segment] = []
    before, after = _parts(_SENTENCE, old), _parts(_SENTENCE, new)
    for same, gone, come in _runs(before, after):
        if same:
            found.append(Segment(Change.SAME, "".join(gone)))
        else:
            found.extend(_within("".join(gone), "".join(come)))
    return _joined(found)


def _within(old: str, new: str) -> list[Segment]:
    found: list[Segment] = []
    for same, gone, come in _runs(_parts(_PIECE, old), _parts(_PIECE, new)):
        if same:
            found.append(Segment(Change.SAME, "".join(gone)))
        else:
            found.extend(_segments("".join(gone), "".join(come)))
    return found


def _runs(before: Sequence[str], after: Sequence[str]) -> list[_Run]:
    """Part both sequences into runs that are the same and runs that are not."""
    shorter = min(len(before), len(after))
    first = next((n for n in range(shorter) if before[n] != after[n]), shorter)
    rest = shorter - first
    last = next((n for n in range(rest) if before[-1 - n] != after[-1 - n]), rest)
    middle = before[first : len(before) - last], after[first : len(after) - last]
    runs: list[_Run] = [(True, before[:first], after[:first])]
    runs.extend(_matched(*middle))
    runs.append((True, before[len(before) - last :], after[len(after) - last :]))
    return [one for one in runs if one[1] or one[2]]


def _matched(before: Sequence[str], after: Sequence[str]) -> list[_Run]:
    left, right = Counter(before), Counter(after)
    if sum(number * right[piece] for piece, number in left.items()) > _PAIRS_COMPARED:
        return [(False, before, after)]
    matcher = SequenceMatcher(None, before, after, autojunk=False)
    return [
        (tag == "equal", before[i1:i2], after[j1:j2])
        for tag, i1, i2, j1, j2 in matcher.get_opcodes()
    ]


def _segments(old: str, new: str) -> list[Segment]:
    pairs = ((Change.REMOVED, old), (Change.ADDED, new))
    return [Segment(change, text) for change, text in pairs if text]


def _joined(segments: Sequence[Segment]) -> tuple[Segment, ...]:
    """Join neighbours of the same kind."""
    joined: list[Segment] = []
    for one in segments:
        if joined and joined[-1].change is one.change:
            joined[-1] = Segment(one.change, joined[-1].text + one.text)
        else:
            joined.append(one)
    return tuple(joined)


def _parts(pattern: re.Pattern[str], text: str) -> list[str]:
    return [match.group() for match in pattern.finditer(text) if match.group()]
