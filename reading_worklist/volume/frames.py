"""One frame of an instance as a SimpleITK image, its pixels decoded as for every other purpose."""

import io
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from pydicom.filereader import read_dataset
from pydicom.pixels.processing import apply_color_lut, convert_color_space

from reading_worklist.dicomweb.instances import OpenInstance
from reading_worklist.dicomweb.queries import InstanceRecord
from reading_worklist.volume.toolkit import Image, sitk
from storage.datasets.encoded import Dataset
from storage.datasets.pixels import FrameLayout
from storage.errors import RdcError
from storage.pixel_coding import CannotDecode, decoded_frame, describe, text_of

FRAME_BYTES_MAX: Final = 64 << 20
"""Frames above this size, packed or unpacked, are not decoded: they would need much memory."""

_HEADER_BYTES_MAX: Final = 64 << 20
_LONG_HEADER: Final = 12
_SHORT_HEADER: Final = 8
_PIXEL_DATA: Final = 0x7FE00010
_SLOPE: Final = 0x00281053
_INTERCEPT: Final = 0x00281052
_TRANSFORMATION: Final = 0x00289145
_MEASURES: Final = 0x00289110
_SHARED: Final = 0x52009229
_PIXEL_SPACING: Final = 0x00280030
_IMAGER_SPACING: Final = 0x00181164
_PLANE_SPACING: Final = 0x30020011
# What pydicom raises for the table of a palette that is not what it should be.
_FAULTS: Final = (AttributeError, KeyError, TypeError, ValueError, IndexError)


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
    described = describe(opened.dataset)
    size = described.rows * described.columns * described.samples * described.bits_allocated // 8
    if max(size, layout.frame(opened.source, number).length) > FRAME_BYTES_MAX:
        raise FrameNotDecoded(
            "a frame is not shown", expected=f"at most {FRAME_BYTES_MAX} bytes", found=str(size)
        )
    try:
        samples, photometric = decoded_frame(
            opened.source, record.transfer_syntax_uid, layout, described, number
        )
        if samples.ndim == 3:  # noqa: PLR2004 -- rows, columns, samples
            shown = _coloured(samples, photometric)
        elif photometric == "PALETTE COLOR":
            shown = np.asarray(apply_color_lut(samples, _header(opened)))
        else:
            shown = _rescaled(samples, opened.dataset)
    except (CannotDecode, *_FAULTS) as error:
        raise FrameNotDecoded(
            "a frame cannot be decoded",
            expected="pixels that the transfer syntax can hold",
            found=f"transfer syntax {record.transfer_syntax_uid}",
            remedy="If the viewer cannot show it either, send it again from its modality.",
        ) from error
    image = sitk.GetImageFromArray(np.ascontiguousarray(shown), isVector=shown.ndim > 2)  # noqa: PLR2004 -- as above
    image.SetSpacing(_spacing(opened.dataset))
    return image


def _coloured(samples: NDArray[Any], photometric: str) -> NDArray[Any]:
    if photometric.startswith("YBR_FULL") and samples.dtype == np.uint8:
        return convert_color_space(samples, photometric, "RGB")
    return samples


def _rescaled(samples: NDArray[Any], header: Dataset) -> NDArray[Any]:
    """Return modality values; of an enhanced instance by what is said for all its frames."""
    stated = header if header.find(_SLOPE) is not None else _shared(header, _TRANSFORMATION)
    slope, intercept = _numbers(stated, _SLOPE), _numbers(stated, _INTERCEPT)
    if not slope or not slope[0] or not intercept:
        return samples.astype(np.float32)
    return samples.astype(np.float32) * np.float32(slope[0]) + np.float32(intercept[0])


def _spacing(header: Dataset) -> tuple[float, float]:
    """Return the distance of columns and of rows in millimetres; 1 where it is not told."""
    for place, tag in (
        (header, _PIXEL_SPACING),
        (_shared(header, _MEASURES), _PIXEL_SPACING),
        (header, _IMAGER_SPACING),
        (header, _PLANE_SPACING),
    ):
        found = _numbers(place, tag)
        if len(found) == 2 and min(found) > 0:  # noqa: PLR2004 -- rows, columns
            return found[1], found[0]
    return 1.0, 1.0


def _shared(header: Dataset, tag: int) -> Dataset | None:
    """Return the item of a functional group that all frames share (PS3.3 §C.7.6.16)."""
    place: Dataset | None = header
    for step in (_SHARED, tag):
        sequence = place.find(step) if place is not None else None
        place = sequence.items[0] if sequence is not None and sequence.items else None
    return place


def _numbers(place: Dataset | None, tag: int) -> list[float]:
    """Return the finite numbers of an element of the VR DS; none where it is not one."""
    try:
        found = [float(part) for part in text_of(place, tag).split("\\")] if place else []
    except ValueError:
        return []
    return found if np.isfinite(found).all() else []


def _header(opened: OpenInstance) -> Any:  # noqa: ANN401 -- pydicom's attributes have no types
    """Return what precedes the pixel data as pydicom reads it: its palette is in there."""
    encoding = opened.dataset.encoding
    pixels = opened.dataset.find(_PIXEL_DATA)
    begin = opened.dataset.elements[0].start
    end = pixels.start if pixels is not None else begin
    if not begin <= end <= begin + _HEADER_BYTES_MAX:
        raise FrameNotDecoded("a header is not read", found=f"{end - begin} bytes")
    data = io.BytesIO(opened.source.read(begin, end - begin))
    return read_dataset(data, not encoding.explicit, encoding.little)
