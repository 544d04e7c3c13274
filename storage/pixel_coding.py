"""The samples of one frame: decoded, described, and encoded again without loss (PS3.5 §8)."""

from dataclasses import dataclass
from typing import Any, Final, cast

import numpy as np
from numpy.typing import NDArray
from pydicom.encaps import encapsulate
from pydicom.pixels.decoders.base import get_decoder
from pydicom.pixels.encoders.base import get_encoder
from pydicom.uid import UID

from storage.datasets.encoded import Dataset
from storage.datasets.pixels import FrameLayout
from storage.datasets.sources import ByteSource
from storage.dicom_header.encoding import EXPLICIT_SYNTAX
from storage.errors import RdcError

# What pylibjpeg's plugins decode; JPEG-XL, HTJ2K through other code and video are not among it.
DECODABLE: Final = frozenset(
    {
        "1.2.840.10008.1.2.4.50",
        "1.2.840.10008.1.2.4.51",
        "1.2.840.10008.1.2.4.57",
        "1.2.840.10008.1.2.4.70",
        "1.2.840.10008.1.2.4.80",
        "1.2.840.10008.1.2.4.81",
        "1.2.840.10008.1.2.4.90",
        "1.2.840.10008.1.2.4.91",
        "1.2.840.10008.1.2.4.201",
        "1.2.840.10008.1.2.4.202",
        "1.2.840.10008.1.2.4.203",
        "1.2.840.10008.1.2.5",
    }
)
FRAME_MAX: Final = 1 << 30
"""Bytes of a frame, before or after decoding; larger ones are not decoded."""

_SAMPLES: Final = 0x00280002
_PHOTOMETRIC: Final = 0x00280004
_PLANAR: Final = 0x00280006
_ROWS: Final = 0x00280010
_COLUMNS: Final = 0x00280011
_BITS_ALLOCATED: Final = 0x00280100
_BITS_STORED: Final = 0x00280101
_PIXEL_REPRESENTATION: Final = 0x00280103


# Whatever a plugin raises for bytes that it does not expect.
_PLUGIN_FAULTS: Final = (
    ValueError,
    RuntimeError,
    NotImplementedError,
    AttributeError,
    TypeError,
    StopIteration,
)


class CannotDecode(RdcError):
    """A frame cannot be decoded, or its samples cannot be encoded."""


@dataclass(frozen=True, slots=True)
class Image:
    """How pixels are described (PS3.3 §C.7.6.3)."""

    rows: int
    columns: int
    samples: int
    bits_allocated: int
    bits_stored: int
    signed: bool
    photometric: str
    planar: int


def describe(dataset: Dataset) -> Image:
    """Return how the pixels of a dataset are described."""
    allocated = _number(dataset, _BITS_ALLOCATED, 8)
    return Image(
        rows=_number(dataset, _ROWS, 0),
        columns=_number(dataset, _COLUMNS, 0),
        samples=_number(dataset, _SAMPLES, 1),
        bits_allocated=allocated,
        bits_stored=_number(dataset, _BITS_STORED, allocated),
        signed=_number(dataset, _PIXEL_REPRESENTATION, 0) == 1,
        photometric=text_of(dataset, _PHOTOMETRIC) or "MONOCHROME2",
        planar=_number(dataset, _PLANAR, 0),
    )


def decoded_frame(
    source: ByteSource, syntax: str, layout: FrameLayout, image: Image, number: int
) -> tuple[NDArray[Any], str]:
    """Return the samples of a frame, and the photometric interpretation they are in.

    The array is rows × columns, or × samples with colours by pixel, in the container of
    `bits_allocated`; values as decoded.

    Raises:
        CannotDecode: it cannot be decoded.
        BadPixelData, NoSuchFrame: it is not there.
    """
    size = image.rows * image.columns * image.samples * image.bits_allocated // 8
    frame = layout.frame(source, number)
    if max(frame.length, size) > FRAME_MAX:
        raise CannotDecode("a frame is too large", expected=f"at most {FRAME_MAX} bytes")
    data = b"".join(frame.stream(source))
    return _samples(data, syntax, image, encapsulated=layout.encapsulated)


def _samples(
    data: bytes, syntax: str, image: Image, *, encapsulated: bool
) -> tuple[NDArray[Any], str]:
    """Return a frame's samples in the container of `bits_allocated`, and their colour space."""
    options: dict[str, Any] = {
        "rows": image.rows,
        "columns": image.columns,
        "number_of_frames": 1,
        "samples_per_pixel": image.samples,
        "photometric_interpretation": image.photometric,
        "bits_allocated": image.bits_allocated,
        "bits_stored": image.bits_stored,
        "pixel_representation": int(image.signed),
        "pixel_keyword": "PixelData",
    }
    if image.samples > 1:
        options["planar_configuration"] = image.planar
    # Native frames arrive here in little endian, whatever they are stored in.
    decoder: Any = get_decoder(UID(syntax if encapsulated else EXPLICIT_SYNTAX))
    try:
        decoded, told = decoder.as_array(
            encapsulate([data]) if encapsulated else data + b"\0" * (len(data) % 2),
            raw=True,
            index=0,
            **options,
        )
    except _PLUGIN_FAULTS as error:
        raise CannotDecode(
            "a frame cannot be decoded", found=f"{type(error).__name__} in {syntax}"
        ) from error
    array = cast("NDArray[Any]", decoded)
    width = 8 if image.bits_allocated == 1 else image.bits_allocated
    kind = np.dtype(f"<{'i' if image.signed else 'u'}{width // 8}")
    photometric = str(told["photometric_interpretation"])
    if photometric == "YBR_FULL_422":
        # Decoding and unpacking both give every pixel its own chrominance.
        photometric = "YBR_FULL"
    return array.astype(kind, copy=False), photometric


def encoded_frame(array: NDArray[Any], image: Image, photometric: str, target: str) -> bytes:
    """Return samples as a code stream of even length in a lossless transfer syntax.

    Raises:
        CannotDecode: they are not of a kind that it can hold.
    """
    encoder: Any = get_encoder(UID(target))
    colour: dict[str, Any] = {"planar_configuration": 0} if image.samples > 1 else {}
    try:
        code = cast(
            "bytes",
            encoder.encode(
                array,
                rows=image.rows,
                columns=image.columns,
                number_of_frames=1,
                samples_per_pixel=image.samples,
                photometric_interpretation=photometric,
                bits_allocated=image.bits_allocated,
                bits_stored=image.bits_stored,
                pixel_representation=int(image.signed),
                **colour,
            ),
        )
    except _PLUGIN_FAULTS as error:
        raise CannotDecode(
            "a frame cannot be encoded", found=f"{type(error).__name__} for {target}"
        ) from error
    return code + b"\0" * (len(code) % 2)


def text_of(dataset: Dataset, tag: int) -> str:
    """Return the text of an element on this level; empty when there is none."""
    element = dataset.find(tag)
    return element.value.decode("latin-1").strip(" \0") if element and element.value else ""


def _number(dataset: Dataset, tag: int, default: int) -> int:
    element = dataset.find(tag)
    if element is None or not element.value:
        return default
    return int.from_bytes(element.value[:2], "little" if dataset.encoding.little else "big")
