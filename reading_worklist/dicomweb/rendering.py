"""An image as people see it (PS3.18 §8.3.5): windowed, cut out, scaled, as JPEG or PNG."""

import io
import re
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final, cast

import numpy as np
import pydicom
from numpy.typing import NDArray
from PIL import Image as Picture
from pydicom import Dataset as DicomDataset
from pydicom.pixels.processing import (
    apply_color_lut,
    apply_modality_lut,
    apply_voi_lut,
    convert_color_space,
)

from reading_worklist.dicomweb.payloads import Opened
from reading_worklist.dicomweb.queries import InstanceRecord
from reading_worklist.problems import Problem
from storage.objects import ObjectKey, ObjectStore
from storage.pixel_coding import CannotDecode, Image, decoded_frame

JPEG: Final = "image/jpeg"
PNG: Final = "image/png"
_QUALITY: Final = 90
_SIDE_MAX: Final = 8192
_REGION_MAX: Final = 1 << 16
_WINDOW_FUNCTIONS: Final = frozenset({"linear", "linear-exact", "sigmoid"})
_NUMBER: Final = re.compile(r"-?[0-9]{1,9}(?:\.[0-9]{1,9})?", re.ASCII)
_FAULTS: Final = (ValueError, RuntimeError, AttributeError, TypeError, KeyError, IndexError)


@dataclass(frozen=True, slots=True)
class Window:
    """Centre and width of what is shown, in output units of the modality LUT (PS3.3 §C.11.2)."""

    center: float
    width: float
    function: str = "linear"


@dataclass(frozen=True, slots=True)
class Viewport:
    """A size in pixels into which the image, or `region` of it, is fitted.

    region: left, top, width and height in pixels of the image; negative sizes mirror it.
    """

    width: int
    height: int
    region: tuple[float, float, float, float] | None = None


@dataclass(frozen=True, slots=True)
class View:
    """How an image is to be shown; quality is JPEG's, from 1 to 100."""

    window: Window | None = None
    viewport: Viewport | None = None
    quality: int = _QUALITY


def parse_view(parameters: Mapping[str, str]) -> View:
    """Read the query parameters of rendering; those that are not known are left alone.

    Raises:
        Problem: 400 when one has no meaning.
    """
    window = viewport = None
    quality = _QUALITY
    if text := parameters.get("window"):
        window = _window(text)
    if text := parameters.get("viewport"):
        viewport = _viewport(text)
    if text := parameters.get("quality"):
        if not text.isascii() or not text.isdigit() or not 1 <= int(text[:4]) <= 100:  # noqa: PLR2004 -- per cent
            raise _bad("quality", "a number from 1 to 100")
        quality = int(text)
    return View(window, viewport, quality)


def render(
    objects: ObjectStore,
    record: InstanceRecord,
    opened: Opened,
    *,
    number: int,
    view: View,
    media_type: str,
) -> bytes:
    """Return a frame as a picture of the media type.

    Raises:
        Problem: 422 when its pixels cannot be shown.
        NoPixelData, BadPixelData, NoSuchFrame: it is not there.
    """
    source, layout = opened()
    try:
        header = _header(objects, record)
        described = _described(header)
        samples, photometric = decoded_frame(
            source, record.transfer_syntax_uid, layout, described, number
        )
        shown = _shown(samples, photometric, header, view.window)
    except (CannotDecode, *_FAULTS) as error:
        raise Problem(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            "cannot-render",
            "The image cannot be rendered",
            found=type(error).__name__,
            remedy="Retrieve its frames or the whole instance.",
        ) from error
    picture = Picture.fromarray(shown)
    if view.viewport is not None:
        picture = _fitted(picture, view.viewport)
    out = io.BytesIO()
    if media_type == PNG:
        picture.save(out, "PNG")
    else:
        picture.save(out, "JPEG", quality=view.quality)
    return out.getvalue()


def _header(objects: ObjectStore, record: InstanceRecord) -> DicomDataset:
    with objects.open(ObjectKey(record.object_key)) as file:
        untyped: Any = pydicom
        return cast("DicomDataset", untyped.dcmread(file, stop_before_pixels=True, force=True))


def _described(header: Any) -> Image:  # noqa: ANN401 -- pydicom's attributes have no types
    allocated = int(header.get("BitsAllocated") or 8)
    return Image(
        rows=int(header.Rows),
        columns=int(header.Columns),
        samples=int(header.get("SamplesPerPixel") or 1),
        bits_allocated=allocated,
        bits_stored=int(header.get("BitsStored") or allocated),
        signed=header.get("PixelRepresentation") == 1,
        photometric=str(header.get("PhotometricInterpretation") or "MONOCHROME2"),
        planar=int(header.get("PlanarConfiguration") or 0),
    )


def _shown(
    samples: NDArray[Any],
    photometric: str,
    header: Any,  # noqa: ANN401 -- as above
    window: Window | None,
) -> NDArray[np.uint8]:
    """Return grey or RGB of eight bits."""
    if photometric == "PALETTE COLOR":
        colours = apply_color_lut(samples, header)
        shift = 8 if colours.dtype.itemsize > 1 else 0
        return (colours >> shift).astype(np.uint8)
    if samples.ndim == 3:  # noqa: PLR2004 -- rows, columns, samples
        stored = int(header.get("BitsStored") or 8)
        colours = (samples >> max(stored - 8, 0)).astype(np.uint8)
        if photometric.startswith("YBR_FULL"):
            colours = convert_color_space(colours, photometric, "RGB")
        return np.ascontiguousarray(colours[..., :3])
    values = np.asarray(apply_modality_lut(samples, header), dtype=np.float64)
    if window is None and "VOILUTSequence" in header:
        values = np.asarray(apply_voi_lut(samples, header), dtype=np.float64)
        grey = _stretched(values)
    else:
        grey = _windowed(values, window or _stated_window(header))
    inverse = header.get("PresentationLUTShape") == "INVERSE"
    return 255 - grey if (photometric == "MONOCHROME1") != inverse else grey


def _stated_window(header: Any) -> Window | None:  # noqa: ANN401 -- as above
    """Return the first window of the header, or that of all frames of an enhanced image."""
    places = [header]
    for shared in header.get("SharedFunctionalGroupsSequence") or ():
        places += shared.get("FrameVOILUTSequence") or ()
    for place in places:
        center, width = place.get("WindowCenter"), place.get("WindowWidth")
        if center is not None and width is not None:
            first = [one if isinstance(one, float | int) else one[0] for one in (center, width)]
            if float(first[1]) > 0:
                function = str(place.get("VOILUTFunction") or "linear").lower().replace("_", "-")
                return Window(float(first[0]), float(first[1]), function)
    return None


def _windowed(values: NDArray[np.float64], window: Window | None) -> NDArray[np.uint8]:
    """Apply a window (PS3.3 §C.11.2.1.2); without one, the whole range is shown."""
    if window is None:
        return _stretched(values)
    center, width = window.center, window.width
    if window.function == "sigmoid":
        exponent = np.clip(-4 * (values - center) / width, -60, 60)
        return (255 / (1 + np.exp(exponent))).astype(np.uint8)
    if window.function == "linear-exact":
        share = (values - center) / width + 0.5
    else:
        share = (values - (center - 0.5)) / max(width - 1, 1e-9) + 0.5
    return (np.clip(share, 0, 1) * 255).astype(np.uint8)


def _stretched(values: NDArray[np.float64]) -> NDArray[np.uint8]:
    low, high = float(np.min(values)), float(np.max(values))
    return (np.clip((values - low) / ((high - low) or 1), 0, 1) * 255).astype(np.uint8)


def _fitted(picture: Picture.Image, viewport: Viewport) -> Picture.Image:
    if viewport.region is not None:
        left, top, width, height = viewport.region
        box = (left, top, left + abs(width), top + abs(height))
        picture = picture.crop(cast("Any", tuple(round(one) for one in box)))
        if width < 0:
            picture = picture.transpose(Picture.Transpose.FLIP_LEFT_RIGHT)
        if height < 0:
            picture = picture.transpose(Picture.Transpose.FLIP_TOP_BOTTOM)
    scale = min(viewport.width / picture.width, viewport.height / picture.height)
    size = (max(round(picture.width * scale), 1), max(round(picture.height * scale), 1))
    return picture.resize(size, Picture.Resampling.BILINEAR)


def _window(text: str) -> Window:
    parts = [part.strip().lower() for part in text.split(",")]
    name = parts[2] if len(parts) > 2 else "linear"  # noqa: PLR2004 -- with a function
    fits = len(parts) in (2, 3) and name in _WINDOW_FUNCTIONS
    if not fits or _number(parts[1], "window") <= 0:
        raise _bad("window", "centre,width[,linear|linear-exact|sigmoid], width above 0")
    return Window(_number(parts[0], "window"), _number(parts[1], "window"), name)


def _viewport(text: str) -> Viewport:
    expected = f"width,height[,x,y,width,height], the first two from 1 to {_SIDE_MAX}"
    parts = text.split(",")
    if len(parts) not in (2, 6):
        raise _bad("viewport", expected)
    width, height = (_number(part, "viewport") for part in parts[:2])
    if not (1 <= width <= _SIDE_MAX and 1 <= height <= _SIDE_MAX):
        raise _bad("viewport", expected)
    region = None
    if len(parts) > 2:  # noqa: PLR2004 -- with a region
        x, y, across, down = (_number(part, "viewport") for part in parts[2:])
        if (
            max(abs(x), abs(y), abs(across), abs(down)) > 1 << 16
            or 0 in (across, down)
            or min(x, y) < 0
        ):
            raise _bad("viewport", expected)
        region = (x, y, across, down)
    return Viewport(int(width), int(height), region)


def _number(text: str, name: str) -> float:
    if not _NUMBER.fullmatch(text.strip()):
        raise _bad(name, "numbers separated by commas")
    return float(text)


def _bad(name: str, expected: str) -> Problem:
    return Problem(
        HTTPStatus.BAD_REQUEST,
        "invalid-parameter",
        f"The parameter {name} is not understood",
        expected=expected,
        remedy="Correct the address.",
    )
