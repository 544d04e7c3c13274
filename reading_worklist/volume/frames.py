"""One frame of an instance as a SimpleITK image.

SimpleITK's reader (GDCM) wants a file and decodes all of it. It is given a file
with one frame: the stored header with its number of frames set to 1, and behind
it the bytes of that frame as they are stored. So a frame of a huge instance
costs one frame.
"""

import struct
import tempfile
from collections.abc import Iterator
from typing import Final

from reading_worklist.dicomweb.instances import OpenInstance
from reading_worklist.dicomweb.queries import InstanceRecord
from reading_worklist.volume.toolkit import Image, sitk
from storage.datasets.pixels import FrameLayout
from storage.dicom_header.encoding import DEFLATED_SYNTAXES, UNDEFINED_LENGTH
from storage.errors import RdcError

PIXEL_DATA: Final = 0x7FE00010
FRAME_BYTES_MAX: Final = 64 << 20
"""Frames above this size are not decoded: unpacked they would need hundreds of megabytes."""

_NUMBER_OF_FRAMES: Final = 0x00280008
_HEADER_BYTES_MAX: Final = 64 << 20
_EXPLICIT_LITTLE: Final = "1.2.840.10008.1.2.1"
_LONG_HEADER: Final = 12
_SHORT_HEADER: Final = 8


class FrameNotDecoded(RdcError):
    """A frame cannot be shown: its coding is unknown or broken, or it is too large."""


def read_frame(
    opened: OpenInstance, record: InstanceRecord, layout: FrameLayout, number: int
) -> Image:
    """Return a frame as a plane of numbers, rescaled as its header says, or of red, green, blue.

    number: from 1.

    Raises:
        FrameNotDecoded: see there.
        NoSuchFrame, BadPixelData: it is not in the instance.
        ObjectStoreUnavailable: the object store does not answer.
    """
    with tempfile.NamedTemporaryFile(suffix=".dcm") as file:
        for piece in _one_frame_file(opened, record, layout, number):
            file.write(piece)
        file.flush()
        reader = sitk.ImageFileReader()
        reader.SetImageIO("GDCMImageIO")
        reader.SetFileName(file.name)
        try:
            image = reader.Execute()
        except RuntimeError as error:
            raise FrameNotDecoded(
                "a frame cannot be decoded",
                expected="pixels that the transfer syntax can hold",
                found=f"transfer syntax {record.transfer_syntax_uid}",
                remedy="If the viewer cannot show it either, send it again from its modality.",
            ) from error
    return image[:, :, 0] if image.GetDimension() > 2 else image  # noqa: PLR2004 -- a plane


def _one_frame_file(
    opened: OpenInstance, record: InstanceRecord, layout: FrameLayout, number: int
) -> Iterator[bytes]:
    pixels = next((one for one in opened.dataset.elements if one.tag == PIXEL_DATA), None)
    frame = layout.frame(opened.source, number)
    if pixels is None or frame.bits or frame.length > FRAME_BYTES_MAX:
        raise FrameNotDecoded(
            "a frame is not shown",
            expected=f"integer pixels in whole bytes, at most {FRAME_BYTES_MAX}",
            found=f"{frame.length} bytes",
        )
    deflated = record.transfer_syntax_uid in DEFLATED_SYNTAXES
    encoding = opened.dataset.encoding
    begin = 0 if deflated else record.dataset_offset
    end = pixels.offset - (_LONG_HEADER if encoding.explicit else _SHORT_HEADER)
    if not begin <= end <= begin + _HEADER_BYTES_MAX:
        raise FrameNotDecoded("a header is not read", found=f"{end - begin} bytes")
    yield _file_meta(_EXPLICIT_LITTLE if deflated else record.transfer_syntax_uid)
    header = bytearray(opened.source.read(begin, end - begin))
    frames = opened.dataset.find(_NUMBER_OF_FRAMES)
    if frames is not None and frames.length:
        place = frames.offset - begin
        header[place : place + frames.length] = b"1".ljust(frames.length)
    yield bytes(header)
    order = "<" if encoding.little else ">"
    length = UNDEFINED_LENGTH if pixels.length == UNDEFINED_LENGTH else frame.length
    if encoding.explicit:
        vr = b"OB" if pixels.length == UNDEFINED_LENGTH or pixels.vr == "OB" else b"OW"
        yield struct.pack(f"{order}HH2sHL", 0x7FE0, 0x0010, vr, 0, length)
    else:
        yield struct.pack(f"{order}HHL", 0x7FE0, 0x0010, length)
    if pixels.length == UNDEFINED_LENGTH:
        yield struct.pack("<HHL", 0xFFFE, 0xE000, 0)
    for span in frame.spans:
        if pixels.length == UNDEFINED_LENGTH:
            yield struct.pack("<HHL", 0xFFFE, 0xE000, span.length)
        yield from opened.source.stream(span.offset, span.length)
    if pixels.length == UNDEFINED_LENGTH:
        yield struct.pack("<HHL", 0xFFFE, 0xE0DD, 0)


def _file_meta(transfer_syntax_uid: str) -> bytes:
    """Return preamble and file meta information (PS3.10 §7.1) with what a reader needs of it."""
    uid = transfer_syntax_uid.encode()
    uid += b"\0" * (len(uid) % 2)
    elements = struct.pack("<HH2sHL2s", 2, 1, b"OB", 0, 2, b"\0\1")
    elements += struct.pack("<HH2sH", 2, 0x10, b"UI", len(uid)) + uid
    return bytes(128) + b"DICM" + struct.pack("<HH2sHL", 2, 0, b"UL", 4, len(elements)) + elements
