"""A series at a glance: up to 25 of its slices on one small JPEG."""

import math
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from reading_worklist.volume.toolkit import Image, sitk
from storage.datasets.encoded import Dataset

JPEG_BYTES_MAX: Final = 60_000
TILES_MAX: Final = 25

Pixels: TypeAlias = NDArray[np.float32]

_TILE_BY_SIDE: Final = {1: 320, 2: 200, 3: 160, 4: 128, 5: 112}
_GAP: Final = 2
_QUALITIES: Final = (85, 75, 65, 55, 45, 35, 25)
_ASPECT_MAX: Final = 20.0
_WINDOW_CENTER: Final = 0x00281050
_WINDOW_WIDTH: Final = 0x00281051
_PHOTOMETRIC: Final = 0x00280004
_CT_WINDOW: Final = (-160.0, 240.0)
_PERCENTILES: Final = (0.5, 99.5)
_FLAT_PART: Final = 0.98
_MEASURED: Final = frozenset({"CT", "CR", "DX", "MG", "IO", "PX", "RF", "XA"})
"""Modalities whose stored window fits every image of a series; others vary from slice to slice."""


@dataclass(frozen=True, slots=True)
class Tile:
    """A slice made small. pixels: rows × columns, for colour × 3.

    window: lowest and highest value that the header wants shown; None when it says nothing.
    inverted: low values are bright (MONOCHROME1).
    """

    pixels: Pixels
    window: tuple[float, float] | None
    inverted: bool


@dataclass(frozen=True, slots=True)
class Montage:
    """A picture. width, height: in pixels. tiles: slices shown."""

    jpeg: bytes
    width: int
    height: int
    tiles: int


def spread(count: int, *, most: int = TILES_MAX) -> list[int]:
    """Return which of `count` slices to show, evenly spread, at most `most`."""
    if count <= most:
        return list(range(count))
    return [int((index + 0.5) * count / most) for index in range(most)]


def side_of(count: int) -> int:
    """Return how many tiles stand in a row of a montage of `count`."""
    return max(1, math.ceil(math.sqrt(count)))


def make_tile(image: Image, header: Dataset, modality: str | None, side: int) -> Tile:
    """Return a decoded frame made small enough for a montage with `side` tiles in a row."""
    window = _stored_window(header) if modality in _MEASURED else None
    photometric = _text(header, _PHOTOMETRIC)
    return Tile(_small(image, _TILE_BY_SIDE[side]), window, inverted=photometric == "MONOCHROME1")


def assemble(tiles: Sequence[Tile], modality: str | None) -> Montage:
    """Return the montage of at least one tile, at most `JPEG_BYTES_MAX` bytes large."""
    side = side_of(len(tiles))
    size = _TILE_BY_SIDE[side]
    lines = math.ceil(len(tiles) / side)
    largest = max(max(tile.pixels.shape[:2]) for tile in tiles)
    cell_height = max(tile.pixels.shape[0] for tile in tiles) if largest <= size else size
    cell_width = max(tile.pixels.shape[1] for tile in tiles) if largest <= size else size
    width = side * (cell_width + _GAP) - _GAP
    height = lines * (cell_height + _GAP) - _GAP
    colour = any(tile.pixels.ndim == 3 for tile in tiles)  # noqa: PLR2004 -- red, green, blue
    canvas = np.zeros((height, width, 3) if colour else (height, width), dtype=np.uint8)
    common = _common_window(tiles, modality)
    for index, tile in enumerate(tiles):
        shown = _shown(tile, common)
        if colour and shown.ndim == 2:  # noqa: PLR2004 -- grey among colours
            shown = np.repeat(shown[:, :, np.newaxis], 3, axis=2)
        top = index // side * (cell_height + _GAP) + (cell_height - shown.shape[0]) // 2
        left = index % side * (cell_width + _GAP) + (cell_width - shown.shape[1]) // 2
        canvas[top : top + shown.shape[0], left : left + shown.shape[1]] = shown
    return Montage(_jpeg(canvas), width, height, len(tiles))


def _small(image: Image, size: int) -> Pixels:
    """Return a frame with square pixels whose longer side is `size`, averaged, never aliased."""
    width, height = image.GetWidth(), image.GetHeight()
    across, down = image.GetSpacing()[:2]
    if not (across > 0 and down > 0 and 1 / _ASPECT_MAX <= across / down <= _ASPECT_MAX):
        across = down = 1.0
    scale = size / max(width * across, height * down)
    new_width = max(1, round(width * across * scale))
    new_height = max(1, round(height * down * scale))
    image = sitk.Image(image)
    image.SetOrigin((0.0, 0.0))
    image.SetSpacing((across, down))
    image.SetDirection((1.0, 0.0, 0.0, 1.0))
    shrink = [max(1, width // new_width), max(1, height // new_height)]
    if max(shrink) > 1:
        image = sitk.BinShrink(image, shrink)
    target = (width * across / new_width, height * down / new_height)
    resampler = sitk.ResampleImageFilter()
    resampler.SetSize((new_width, new_height))
    resampler.SetOutputSpacing(target)
    resampler.SetOutputOrigin((target[0] / 2 - across / 2, target[1] / 2 - down / 2))
    resampler.SetInterpolator(sitk.sitkLinear)
    resampler.SetUseNearestNeighborExtrapolator(True)
    components = image.GetNumberOfComponentsPerPixel()
    kind = sitk.sitkVectorFloat32 if components > 1 else sitk.sitkFloat32
    pixels: Pixels = sitk.GetArrayFromImage(resampler.Execute(sitk.Cast(image, kind)))
    return pixels[:, :, :3] if components > 1 else pixels


def _common_window(tiles: Sequence[Tile], modality: str | None) -> tuple[float, float]:
    """Return the window for all grey tiles: the stored one where it shows something."""
    grey = [tile for tile in tiles if tile.pixels.ndim == 2]  # noqa: PLR2004 -- rows, columns
    if not grey:
        return 0.0, 1.0
    values = np.concatenate([tile.pixels.ravel() for tile in grey])
    values = values[np.isfinite(values)]
    stored = next((tile.window for tile in grey if tile.window is not None), None)
    for low, high in filter(None, (stored, _CT_WINDOW if modality == "CT" else None)):
        flat = np.count_nonzero((values <= low) | (values >= high))
        if flat <= _FLAT_PART * len(values):
            return low, high
    low, high = np.percentile(values, _PERCENTILES) if len(values) else (0.0, 1.0)
    return float(low), float(max(high, low + 1e-6))


def _shown(tile: Tile, window: tuple[float, float]) -> NDArray[np.uint8]:
    if tile.pixels.ndim == 3:  # noqa: PLR2004 -- red, green, blue
        highest = 255.0 if float(tile.pixels.max(initial=0.0)) <= 255.0 else 65535.0  # noqa: PLR2004 -- 8 bits
        return np.clip(tile.pixels * (255.0 / highest), 0, 255).astype(np.uint8)
    low, high = window
    level = np.nan_to_num(np.clip((tile.pixels - low) / (high - low), 0, 1))
    return ((1 - level if tile.inverted else level) * 255).astype(np.uint8)


def _jpeg(canvas: NDArray[np.uint8]) -> bytes:
    image = sitk.GetImageFromArray(canvas, isVector=canvas.ndim == 3)  # noqa: PLR2004 -- red, green, blue
    data = b""
    with tempfile.TemporaryDirectory(prefix="montage") as directory:
        path = Path(directory) / "montage.jpg"
        writer = sitk.ImageFileWriter()
        writer.SetImageIO("JPEGImageIO")
        writer.SetFileName(path)
        writer.UseCompressionOn()
        for quality in _QUALITIES:
            writer.SetCompressionLevel(quality)
            writer.Execute(image)
            data = path.read_bytes()
            if len(data) <= JPEG_BYTES_MAX:
                break
    return data


def _stored_window(header: Dataset) -> tuple[float, float] | None:
    """Return the first window of the header as lowest and highest value (PS3.3 §C.11.2.1.2)."""
    try:
        centre = float(_text(header, _WINDOW_CENTER).split("\\")[0])
        width = float(_text(header, _WINDOW_WIDTH).split("\\")[0])
    except ValueError:
        return None
    if not (math.isfinite(centre) and math.isfinite(width)) or width < 1:
        return None
    return centre - 0.5 - (width - 1) / 2, centre - 0.5 + (width - 1) / 2 + 1e-6


def _text(header: Dataset, tag: int) -> str:
    element = header.find(tag)
    return (
        "" if element is None or not element.value else element.value.decode("latin-1").strip(" \0")
    )
