"""Where the instances of a complete series and their frames are, written down once.

It is kept beside the series' prepared metadata, so that a frame is a range of
an object without a query and without a look into the instance.
"""

import json
from collections.abc import Mapping
from dataclasses import astuple, dataclass, fields
from typing import Any, Final

from reading_worklist.dicomweb.media_types import VIDEO
from reading_worklist.dicomweb.queries import InstanceRecord
from storage.datasets.pixels import FrameLayout, NativeLayout, ResolvedLayout, Span
from storage.datasets.sources import ByteSource
from storage.dicom_header.encoding import DEFLATED_SYNTAXES
from storage.identity.overlay import Overlay

# Of one instance; those with more are looked up in the instance itself.
_FRAMES_MAX: Final = 10_000
_FIELDS: Final = len(fields(InstanceRecord))


@dataclass(frozen=True, slots=True)
class IndexedInstance:
    """An instance and the layout of its frames, None where it must be asked for.

    overlay: of its study, where it was found for a request; it is not written down.
    """

    record: InstanceRecord
    layout: FrameLayout | None
    overlay: Overlay | None = None


def keepable(record: InstanceRecord, layout: FrameLayout, source: ByteSource) -> FrameLayout | None:
    """Return the layout in the form that is kept; None for what is better looked up.

    Raises:
        BadPixelData, NoSuchFrame: a frame is not where the instance says.
    """
    syntax = record.transfer_syntax_uid
    if syntax in VIDEO or syntax in DEFLATED_SYNTAXES or layout.frame_count > _FRAMES_MAX:
        return None
    if isinstance(layout, NativeLayout):
        return layout
    numbers = range(1, layout.frame_count + 1)
    return ResolvedLayout(tuple(layout.frame(source, number).spans for number in numbers))


def encode_index(instances: list[IndexedInstance]) -> bytes:
    """Return the instances, in their order, as kept."""
    rows = [[*astuple(one.record), _layout_to_json(one.layout)] for one in instances]
    return json.dumps(rows, separators=(",", ":")).encode("utf-8")


def decode_index(data: bytes) -> Mapping[str, IndexedInstance]:
    """Return the instances by SOP Instance UID, in their order."""
    found: dict[str, IndexedInstance] = {}
    for row in json.loads(data):
        record = InstanceRecord(*row[:_FIELDS])
        found[record.sop_instance_uid] = IndexedInstance(record, _layout_from_json(row[_FIELDS]))
    return found


def _layout_to_json(layout: FrameLayout | None) -> list[Any] | None:
    if isinstance(layout, NativeLayout):
        return [layout.offset, layout.length, layout.frame_count, layout.frame_bits, layout.swap]
    if isinstance(layout, ResolvedLayout):
        return [[n for span in spans for n in astuple(span)] for spans in layout.frames]
    return None


def _layout_from_json(found: list[Any] | None) -> FrameLayout | None:
    if found is None:
        return None
    if isinstance(found[0], int):
        return NativeLayout(*found)
    return ResolvedLayout(
        tuple(
            tuple(Span(*pair) for pair in zip(frame[::2], frame[1::2], strict=True))
            for frame in found
        )
    )
