"""An instance in another transfer syntax (PS3.5 §8 and §10), without loss and frame by frame.

Never more than one frame is in memory. What changes with the pixels changes in
the attributes that describe them; everything else keeps its bytes.
"""

import struct
import tempfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO, Final, cast

from numpy.typing import NDArray
from pydicom.uid import RLELossless

from storage.datasets.encoded import (
    Dataset,
    Element,
    Encoding,
    encoding_of,
    read_dataset,
)
from storage.datasets.pixels import (
    BadPixelData,
    FrameLayout,
    NoPixelData,
    NoSuchFrame,
    locate_frames,
)
from storage.datasets.sources import (
    ByteSource,
    DeflateBroken,
    InflatedTooLarge,
    inflate,
)
from storage.datasets.writing import CannotBeRewritten, DatasetWriter
from storage.dicom_header.encoding import (
    BIG_ENDIAN_SYNTAX,
    DEFLATED_SYNTAXES,
    EXPLICIT_SYNTAX,
    IMPLICIT_SYNTAX,
    PIXEL_DATA_TAGS,
    UNDEFINED_LENGTH,
)
from storage.errors import RdcError
from storage.pixel_coding import (
    DECODABLE,
    CannotDecode,
    Image,
    decoded_frame,
    describe,
    encoded_frame,
    text_of,
)

DEFLATED: Final = "1.2.840.10008.1.2.1.99"
JPEG_2000_LOSSLESS: Final = "1.2.840.10008.1.2.4.90"
NATIVE_TARGETS: Final = (EXPLICIT_SYNTAX, IMPLICIT_SYNTAX, BIG_ENDIAN_SYNTAX, DEFLATED)
COMPRESSED_TARGETS: Final = (JPEG_2000_LOSSLESS, str(RLELossless))
TARGETS: Final = frozenset((*NATIVE_TARGETS, *COMPRESSED_TARGETS))
"""What can be written: uncompressed, and the compressions that lose nothing."""

FRAME_TARGETS: Final = (EXPLICIT_SYNTAX, *COMPRESSED_TARGETS)
"""What a single frame can be converted to; uncompressed ones have no other form."""

_NATIVE_SOURCES: Final = frozenset((*NATIVE_TARGETS, *DEFLATED_SYNTAXES))
_LOSSY: Final = {
    "1.2.840.10008.1.2.4.50": "ISO_10918_1",
    "1.2.840.10008.1.2.4.51": "ISO_10918_1",
}

_PIXEL_DATA: Final = 0x7FE00010
_PHOTOMETRIC: Final = 0x00280004
_PLANAR: Final = 0x00280006

_LOSSY_COMPRESSION: Final = 0x00282110
_LOSSY_METHOD: Final = 0x00282114
_OFFSET_TABLES: Final = (0x7FE00001, 0x7FE00002)

# Offsets of the basic offset table have 32 bits; beyond, none is written.
_TABLE_REACH: Final = 0xF0000000
_IN_MEMORY: Final = 16 << 20
_DEFLATE_CHUNK: Final = 1 << 20


class CannotTranscode(RdcError):
    """An instance cannot be given in a transfer syntax: not without loss, or not at all."""


@dataclass(frozen=True, slots=True)
class Original:
    """A stored instance: its bytes, where its dataset begins, and how that is encoded."""

    source: ByteSource
    dataset_offset: int
    transfer_syntax_uid: str


def can_transcode(source: str, target: str) -> bool:
    """Tell whether instances of one transfer syntax can in general be written in another.

    A single one may still turn out to be broken.
    """
    return target in TARGETS and (source in _NATIVE_SOURCES or source in DECODABLE)


def transcode(original: Original, target: str, destination: BinaryIO) -> None:
    """Write the dataset of an instance in the transfer syntax `target`, at `destination`.

    destination: a seekable file; the dataset begins where it stands.

    The values of pixels are those that the original holds or, where that is
    compressed with loss, that decoding gives. Group lengths, digital
    signatures and padding are left out.

    Raises:
        CannotTranscode: the target is none that keeps everything, or the original is broken, is a
            video, or is compressed in a way that is not decoded here.
        ObjectStoreUnavailable, ObjectNotFound: as the source raises them.
    """
    if not can_transcode(original.transfer_syntax_uid, target):
        raise CannotTranscode(
            f"the instance cannot be given in transfer syntax {target}",
            expected="one that loses nothing: " + ", ".join(sorted(TARGETS)),
            found=f"stored in {original.transfer_syntax_uid}",
            remedy="Accept the transfer syntax it is stored in.",
        )
    try:
        if target == DEFLATED:
            _deflate(original, destination)
        else:
            _write(_opened(original), target, destination)
    except (
        CannotBeRewritten,
        CannotDecode,
        BadPixelData,
        NoSuchFrame,
        DeflateBroken,
        InflatedTooLarge,
    ) as error:
        raise CannotTranscode(
            "the instance cannot be given in another transfer syntax",
            found=error.what,
            remedy="Retrieve it in the transfer syntax it is stored in.",
        ) from error


def converted_frame(
    original: Original, dataset: Dataset, layout: FrameLayout, number: int, target: str
) -> bytes:
    """Return one frame in a transfer syntax of `FRAME_TARGETS`, without loss beyond its own.

    original: its source is where `layout` counts. dataset: its header.

    Raises:
        CannotTranscode: it cannot be decoded, or has no form in the other.
        NoSuchFrame: there is none of this number.
    """
    image = describe(dataset)
    syntax = original.transfer_syntax_uid
    try:
        _refuse_odd_sizes(image)
        array, photometric = decoded_frame(original.source, syntax, layout, image, number)
        if target not in COMPRESSED_TARGETS:
            return array.tobytes()
        return encoded_frame(array, image, photometric, target)
    except (CannotBeRewritten, CannotDecode, BadPixelData) as error:
        raise CannotTranscode(
            "a frame cannot be given in another transfer syntax",
            found=error.what,
            remedy="Retrieve it in the transfer syntax it is stored in.",
        ) from error


@dataclass(frozen=True, slots=True)
class _Opened:
    """An original whose header is read; `source` is that of the unpacked dataset."""

    original: Original
    dataset: Dataset


def _opened(original: Original) -> _Opened:
    source, offset = original.source, original.dataset_offset
    if original.transfer_syntax_uid in DEFLATED_SYNTAXES:
        source, offset = inflate(source, offset), 0
    dataset = read_dataset(source, offset, encoding_of(original.transfer_syntax_uid))
    if dataset.cut_at is not None:
        raise CannotBeRewritten(
            "the dataset cannot be read to its end", found=f"it breaks off at {dataset.cut_at}"
        )
    return _Opened(Original(source, offset, original.transfer_syntax_uid), dataset)


def _write(opened: _Opened, target: str, destination: BinaryIO) -> None:
    dataset, source = opened.dataset, opened.original.source
    writer = DatasetWriter(destination, encoding_of(target))
    pixels = next((one for one in dataset.elements if one.tag in PIXEL_DATA_TAGS), None)
    if pixels is None or not pixels.length:
        writer.dataset(dataset, source, {})
        if pixels is not None:
            writer.header(pixels.tag, _pixel_vr(pixels, 8, explicit=True), 0)
        return
    if pixels.length != UNDEFINED_LENGTH and target in NATIVE_TARGETS:
        writer.dataset(dataset, source, {})
        _copy_pixels(opened, pixels, writer, target)
        return
    try:
        layout = locate_frames(source, dataset)
    except NoPixelData as error:
        raise CannotBeRewritten(error.what) from error
    _write_frames(opened, layout, writer, destination, target)


def _copy_pixels(opened: _Opened, pixels: Element, writer: DatasetWriter, target: str) -> None:
    """Copy uncompressed pixel data, in the byte order of the target."""
    encoding = opened.dataset.encoding
    image = describe(opened.dataset)
    bits = {0x7FE00008: 32, 0x7FE00009: 64}.get(pixels.tag, image.bits_allocated)
    explicit = encoding_of(target).explicit
    vr = _pixel_vr(pixels, bits, explicit=explicit)
    unit = 1
    if (
        encoding.little != encoding_of(target).little
        and _pixel_vr(pixels, bits, explicit=True) != "OB"
    ):
        unit = max(bits // 8, 2)
    available = opened.original.source.size - pixels.offset
    if pixels.length > available:
        raise CannotBeRewritten(
            "the pixel data ends early", found=f"{available} of {pixels.length} bytes"
        )
    odd = pixels.length % 2
    writer.header(pixels.tag, vr, pixels.length + odd)
    writer.value(opened.original.source.stream(pixels.offset, pixels.length), unit)
    writer.value((b"\0" * odd,), 1)


def _pixel_vr(pixels: Element, bits: int, *, explicit: bool) -> str:
    if pixels.vr in ("OB", "OW", "OF", "OD"):
        return pixels.vr
    # PS3.5 §A.1: OW in implicit VR; §A.2: OW above 8 bits, else either.
    return "OW" if not explicit or bits > 8 or pixels.vr != "OB" else "OB"  # noqa: PLR2004 -- one byte


def _write_frames(
    opened: _Opened,
    layout: FrameLayout,
    writer: DatasetWriter,
    destination: BinaryIO,
    target: str,
) -> None:
    """Decode, and encode where asked, frame by frame."""
    image = describe(opened.dataset)
    _refuse_odd_sizes(image)
    original = opened.original
    frames = (
        decoded_frame(original.source, original.transfer_syntax_uid, layout, image, number)
        for number in range(1, layout.frame_count + 1)
    )
    first, photometric = next(frames)
    described = _changes(opened, image, photometric)
    writer.dataset(opened.dataset, opened.original.source, described)
    count = layout.frame_count
    if target in NATIVE_TARGETS:
        _write_native(
            first, frames, image=image, count=count, writer=writer, encoding=encoding_of(target)
        )
    else:
        _write_encapsulated(
            first,
            frames,
            image=image,
            photometric=photometric,
            count=count,
            destination=destination,
            target=target,
        )


def _refuse_odd_sizes(image: Image) -> None:
    if image.bits_allocated not in (8, 16, 32):
        raise CannotBeRewritten(
            "compressed pixels of this size are not converted",
            expected="8, 16 or 32 bits allocated",
            found=str(image.bits_allocated),
        )


def _changes(opened: _Opened, image: Image, photometric: str) -> Mapping[int, tuple[str, bytes]]:
    """Return the attributes that no longer hold, with what does."""
    changes: dict[int, tuple[str, bytes]] = {}
    if photometric != image.photometric:
        changes[_PHOTOMETRIC] = ("CS", _padded(photometric))
    if image.samples > 1:
        changes[_PLANAR] = ("US", struct.pack("<H", 0))
    method = _LOSSY.get(opened.original.transfer_syntax_uid)
    if method is not None and text_of(opened.dataset, _LOSSY_COMPRESSION) != "01":
        # PS3.3 §C.7.6.1.1.5: once lossy, always told.
        changes[_LOSSY_COMPRESSION] = ("CS", b"01")
        changes[_LOSSY_METHOD] = ("CS", _padded(method))
    for tag in _OFFSET_TABLES:
        opened.dataset.elements[:] = [one for one in opened.dataset.elements if one.tag != tag]
    return changes


def _write_native(
    first: NDArray[Any],
    rest: Iterator[tuple[NDArray[Any], str]],
    *,
    image: Image,
    count: int,
    writer: DatasetWriter,
    encoding: Encoding,
) -> None:
    size = image.rows * image.columns * image.samples * image.bits_allocated // 8
    total = size * count
    if total + total % 2 >= UNDEFINED_LENGTH:
        raise CannotBeRewritten("uncompressed, the pixel data is longer than 4 GB")
    word = "OW" if image.bits_allocated > 8 or not encoding.explicit else "OB"  # noqa: PLR2004 -- one byte
    writer.header(_PIXEL_DATA, word, total + total % 2)
    unit = 1 if encoding.little else image.bits_allocated // 8
    writer.value((_bytes_of(first, size),), unit)
    for array, _ in rest:
        writer.value((_bytes_of(array, size),), unit)
    writer.value((b"\0" * (total % 2),), 1)


def _bytes_of(array: NDArray[Any], size: int) -> bytes:
    data = array.tobytes()
    if len(data) != size:
        raise CannotBeRewritten(
            "a decoded frame has another size than described",
            expected=f"{size} bytes",
            found=f"{len(data)} bytes",
        )
    return data


def _write_encapsulated(
    first: NDArray[Any],
    rest: Iterator[tuple[NDArray[Any], str]],
    *,
    image: Image,
    photometric: str,
    count: int,
    destination: BinaryIO,
    target: str,
) -> None:
    """Write fragments, one for each frame, and their offsets once they are known (PS3.5 §A.4)."""
    destination.write(struct.pack("<HH2sHL", 0x7FE0, 0x0010, b"OB", 0, UNDEFINED_LENGTH))
    destination.write(struct.pack("<HHL", 0xFFFE, 0xE000, 4 * count))
    table_at = destination.tell()
    destination.write(bytes(4 * count))
    begin = destination.tell()
    offsets: list[int] = []
    array: NDArray[Any] | None = first
    while array is not None:
        offsets.append(destination.tell() - begin)
        code = encoded_frame(array, image, photometric, target)
        destination.write(struct.pack("<HHL", 0xFFFE, 0xE000, len(code)))
        destination.write(code)
        following = next(rest, None)
        array = None if following is None else following[0]
    destination.write(struct.pack("<HHL", 0xFFFE, 0xE0DD, 0))
    end = destination.tell()
    if offsets[-1] > _TABLE_REACH:
        raise CannotBeRewritten("compressed, the pixel data is longer than 4 GB")
    destination.seek(table_at)
    destination.write(struct.pack(f"<{count}L", *offsets))
    destination.seek(end)


def _deflate(original: Original, destination: BinaryIO) -> None:
    packer = zlib.compressobj(6, zlib.DEFLATED, -zlib.MAX_WBITS)
    with tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY) as plain:
        _write(_opened(original), EXPLICIT_SYNTAX, cast("BinaryIO", plain))
        plain.seek(0)
        size = 0
        while chunk := plain.read(_DEFLATE_CHUNK):
            packed = packer.compress(chunk)
            size += len(packed)
            destination.write(packed)
        packed = packer.flush()
        destination.write(packed + b"\0" * ((size + len(packed)) % 2))


def _padded(text: str) -> bytes:
    value = text.encode("ascii")
    return value + b" " * (len(value) % 2)
