"""Whether slices show anything, and each something of its own: told from their stored bytes.

Two slices of a living body never have the same bytes. A blank slice is one
value all over; at the ends of a volume it is usual (corrections leave them),
between slices that show something it is not.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from reading_worklist.volume.findings import Code, Finding, Item
from reading_worklist.volume.planes import Plane

_BLANK_PART: Final = 0.1
_COMPUTED_PART: Final = 0.2
_WORDS: Final = {1: np.dtype("u1"), 2: np.dtype("<u2"), 4: np.dtype("<u4")}


@dataclass(frozen=True, slots=True)
class Content:
    """What the bytes of a frame tell.

    digest: of the bytes as they are stored. size: in bytes. blank: one value all over; None where
        the frame is compressed and would have to be decoded.
    """

    digest: bytes
    size: int
    blank: bool | None


def content_of(data: bytes, *, compressed: bool, sample_bytes: int) -> Content:
    """Return what the bytes of one frame tell.

    sample_bytes: of one sample of an uncompressed frame.
    """
    digest = hashlib.blake2b(data, digest_size=16).digest()
    if compressed:
        return Content(digest, len(data), None)
    word = _WORDS.get(sample_bytes)
    if word is None or not data or len(data) % word.itemsize:
        return Content(digest, len(data), blank=False)
    samples = np.frombuffer(data, word)
    return Content(digest, len(data), blank=bool((samples == samples[0]).all()))


def check_content(
    volume: Sequence[Plane],
    content: Callable[[Plane], Content | None],
    is_blank: Callable[[Plane], bool],
) -> list[Finding]:
    """Return which slices inside a volume are blank, and which repeat another's bytes.

    content: of a slice, None where it cannot be read. is_blank: decodes a slice; asked only for
        compressed ones that are suspiciously small.
    """
    known = [(plane, found) for plane in volume if (found := content(plane)) is not None]
    if not known:
        return []
    small = float(np.median([found.size for _, found in known])) * _BLANK_PART
    blank = [
        found.blank if found.blank is not None else found.size < small and is_blank(plane)
        for plane, found in known
    ]
    shown = [index for index, one in enumerate(blank) if not one]
    if not shown:
        return []
    findings: list[Finding] = []
    inside = [known[index][0] for index in range(shown[0], shown[-1]) if blank[index]]
    if inside:
        findings.append(Finding(Code.BLANK_SLICES, len(inside), [_item(one) for one in inside]))
    seen: set[bytes] = set()
    repeated: list[Plane] = []
    for index in shown:
        plane, found = known[index]
        if found.digest in seen:
            repeated.append(plane)
        seen.add(found.digest)
    # A volume in which much repeats was computed (a phantom, a mask) and not scanned.
    if 0 < len(repeated) <= _COMPUTED_PART * len(shown):
        items = [_item(one) for one in repeated]
        findings.append(Finding(Code.REPEATED_CONTENT, len(repeated), items))
    return findings


def _item(plane: Plane) -> Item:
    return {} if plane.number is None else {"number": plane.number}
