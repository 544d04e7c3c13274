"""One series looked at: its geometry, its content, its montage. Nothing is written here."""

import logging
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from reading_worklist.dicomweb.instances import OpenInstance, layout_of, open_instance
from reading_worklist.dicomweb.media_types import VIDEO
from reading_worklist.dicomweb.queries import InstanceRecord
from reading_worklist.volume.content import Content, check_content, content_of
from reading_worklist.volume.findings import Code, Finding, merged
from reading_worklist.volume.frames import FrameNotDecoded, read_frame
from reading_worklist.volume.montage import Montage, Tile, assemble, make_tile, side_of, spread
from reading_worklist.volume.planes import Plane, planes_of
from reading_worklist.volume.stacks import arrange
from reading_worklist.volume.toolkit import sitk
from storage.datasets.pixels import BadPixelData, FrameLayout, NoPixelData, NoSuchFrame
from storage.datasets.sources import DeflateBroken, InflatedTooLarge
from storage.objects import ObjectNotFound, ObjectStore

VOLUMETRIC: Final = frozenset({"CT", "MR", "PT"})
CONTENT_BYTES_MAX: Final = 2 << 30
"""Of larger series the content is not read; their geometry and montage are made all the same."""

_NOT_PICTURED: Final = frozenset({"ECG", "SR", "PR", "KO", "DOC", "RTSTRUCT", "RTPLAN", "RTDOSE"})
_CINE_TILES: Final = 9
_FRAME_BYTES_MAX: Final = 64 << 20
_REMEMBERED: Final = 4
_RENEW_EVERY: Final = 50
_BITS_ALLOCATED: Final = 0x00280100

_log = logging.getLogger(__name__)

_UNREADABLE: Final = (
    BadPixelData,
    DeflateBroken,
    FrameNotDecoded,
    InflatedTooLarge,
    NoPixelData,
    NoSuchFrame,
    ObjectNotFound,
)


@dataclass(frozen=True, slots=True)
class Inspection:
    """What was found in a series; None as montage where it has nothing to show."""

    findings: Sequence[Finding]
    montage: Montage | None


@dataclass(frozen=True, slots=True)
class _Shot:
    """A frame that may be shown."""

    record: InstanceRecord
    frame: int


def inspect_series(
    objects: ObjectStore,
    records: Sequence[InstanceRecord],
    modality: str | None,
    *,
    with_montage: bool,
    still_ours: Callable[[], None],
) -> Inspection:
    """Look at one series.

    records: its instances by number. still_ours: called again and again on the way; may raise to
        end the work.

    Raises:
        ObjectStoreUnavailable: the object store does not answer.
    """
    reader = _Reader(objects)
    findings: list[Finding] = []
    shots: list[_Shot] = []
    if modality in VOLUMETRIC:
        with_content = sum(record.object_size for record in records) <= CONTENT_BYTES_MAX
        planes: list[Plane] = []
        for number, record in enumerate(records):
            if number % _RENEW_EVERY == 0:
                still_ours()
            planes.extend(reader.planes(record, with_content=with_content))
        arranged = arrange(planes, modality)
        findings.extend(arranged.findings)
        by_uid = {record.sop_instance_uid: record for record in records}
        for volume in arranged.volumes:
            findings.extend(reader.check(volume, by_uid))
        if arranged.volumes:
            largest = _as_numbered(arranged.volumes[0])
            picked = [largest[index] for index in spread(len(largest))]
            shots = [_Shot(by_uid[one.sop_instance_uid], one.frame) for one in picked]
    if reader.unreadable:
        findings.append(Finding(Code.UNREADABLE, len(reader.unreadable)))
    montage = None
    if with_montage and modality not in _NOT_PICTURED:
        still_ours()
        montage = _montage(reader, shots or _plain_shots(reader, records), modality)
    return Inspection(merged(findings), montage)


def _as_numbered(volume: Sequence[Plane]) -> Sequence[Plane]:
    """Return a volume in the direction in which its numbers grow, as a doctor scrolls it."""
    first, last = volume[0].number, volume[-1].number
    return volume[::-1] if first is not None and last is not None and first > last else volume


def _plain_shots(reader: "_Reader", records: Sequence[InstanceRecord]) -> list[_Shot]:
    """Return what to show of a series that is no volume: the middle of each instance, or a cine."""
    images = [one for one in records if one.pixel_data_offset is not None or len(records) == 1]
    if len(images) == 1:
        opened = reader.open(images[0])
        frames = opened[1].frame_count if opened else 0
        return [_Shot(images[0], index + 1) for index in spread(frames, most=_CINE_TILES)]
    return [_Shot(images[index], 0) for index in spread(len(images))]


def _montage(reader: "_Reader", shots: Sequence[_Shot], modality: str | None) -> Montage | None:
    tiles: list[Tile] = []
    for shot in shots:
        try:
            tile = reader.tile(shot, modality, side_of(len(shots)))
        except _UNREADABLE as error:
            _log.info("a frame is not shown", extra={"error": type(error).__name__})
            continue
        if tile is not None:
            tiles.append(tile)
    return assemble(tiles, modality) if tiles else None


class _Reader:
    """Reads instances of one series; those that cannot be read are counted once."""

    def __init__(self, objects: ObjectStore) -> None:
        self.unreadable: set[str] = set()
        self._objects = objects
        self._contents: dict[tuple[str, int], Content] = {}
        self._recent: OrderedDict[str, tuple[OpenInstance, FrameLayout] | None] = OrderedDict()

    def planes(self, record: InstanceRecord, *, with_content: bool) -> list[Plane]:
        """Return the slices of an instance; none when it cannot be read.

        with_content: their bytes are read, too, for `check`.
        """
        try:
            opened = open_instance(self._objects, record)
        except (DeflateBroken, InflatedTooLarge, ObjectNotFound):
            self.unreadable.add(record.sop_instance_uid)
            return []
        planes = planes_of(record, opened.dataset)
        if with_content and planes:
            try:
                layout = layout_of(opened, record)
                for plane in planes:
                    self._read_content(opened, layout, plane)
            except (BadPixelData, NoPixelData, NoSuchFrame):
                self.unreadable.add(record.sop_instance_uid)
        return planes

    def open(self, record: InstanceRecord) -> tuple[OpenInstance, FrameLayout] | None:
        """Return an instance with its frames; None when it has none that can be told."""
        if record.transfer_syntax_uid in VIDEO:
            return None
        key = record.object_key
        if key not in self._recent:
            try:
                opened = open_instance(self._objects, record)
                self._recent[key] = opened, layout_of(opened, record)
            except _UNREADABLE:
                self._recent[key] = None
            # An enhanced instance is asked for many times, others once.
            while len(self._recent) > _REMEMBERED:
                self._recent.popitem(last=False)
        return self._recent[key]

    def tile(self, shot: _Shot, modality: str | None, side: int) -> Tile | None:
        """Return a frame made small; frame 0 is the middle one."""
        found = self.open(shot.record)
        if found is None:
            return None
        opened, layout = found
        number = shot.frame or (layout.frame_count + 1) // 2
        image = read_frame(opened, shot.record, layout, number)
        return make_tile(image, opened.dataset, modality, side)

    def check(self, volume: Sequence[Plane], records: dict[str, InstanceRecord]) -> list[Finding]:
        """Return what the bytes of a volume's slices tell, of those that were read."""

        def content(plane: Plane) -> Content | None:
            return self._contents.get((plane.sop_instance_uid, plane.frame))

        def is_blank(plane: Plane) -> bool:
            return self._is_blank(plane, records[plane.sop_instance_uid])

        return check_content(volume, content, is_blank)

    def _read_content(self, opened: OpenInstance, layout: FrameLayout, plane: Plane) -> None:
        bits = opened.dataset.find(_BITS_ALLOCATED)
        order = "little" if opened.dataset.encoding.little else "big"
        sample_bytes = int.from_bytes(bits.value or b"", order) // 8 if bits is not None else 0
        frame = layout.frame(opened.source, plane.frame)
        if frame.length <= _FRAME_BYTES_MAX:
            data = b"".join(frame.stream(opened.source))
            self._contents[plane.sop_instance_uid, plane.frame] = content_of(
                data, compressed=layout.encapsulated, sample_bytes=sample_bytes
            )

    def _is_blank(self, plane: Plane, record: InstanceRecord) -> bool:
        found = self.open(record)
        if found is None:
            return False
        try:
            image = read_frame(found[0], record, found[1], plane.frame)
        except _UNREADABLE:
            return False
        values = sitk.GetArrayViewFromImage(image)
        return bool(values.min() == values.max())
