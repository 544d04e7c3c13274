"""The fonts of printed paper, and which characters they can draw.

Paper never takes a font from the operating system: two servers must print the
same report. The fonts come from Python packages pinned by hash: Noto Sans CJK
2.004, with every character of GB 18030-2022 level 2 (all of the table of
standard characters, and of plane 2 those in use for names). Directories from
the configuration fill what it lacks, such as a font of all of plane 2.

Regular is the collection's SC face. Bold is published alone as the JP face,
which holds the same glyphs and takes the Chinese forms by the text's language:
templates set bold text as zh-CN. One variable font would do for both, but text
inside an SVG would then be drawn in its thinnest weight.
"""

import struct
from collections.abc import Iterator, Sequence
from functools import cache
from importlib import resources
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import Final

import typst

from storage.errors import RdcError

REGULAR_FAMILY: Final = "Noto Sans CJK SC"
BOLD_FAMILY: Final = "Noto Sans CJK JP"
_BOLD_WEIGHT: Final = 700
_PACKAGES: Final = ("noto_cjk_sans_otc", "noto_cjk_sans_jp_bold")

# cmap subtables (OpenType 1.9, "cmap"): 4 covers the Basic Multilingual Plane, 12 all of Unicode.
_FORMAT_BMP: Final = 4
_FORMAT_FULL: Final = 12


class FontMissing(RdcError):
    """The fonts that paper needs are not where the configuration says."""


class FontFileDamaged(RdcError):
    """A font file cannot be read."""


def bundled_font_directories() -> tuple[Path, ...]:
    """Return the directories of the fonts that are installed with the centre.

    Raises:
        FontMissing: a package is not installed.
    """
    return tuple(_directory_of(package) for package in _PACKAGES)


def _directory_of(package: str) -> Path:
    try:
        return Path(str(resources.files(package)))
    except ModuleNotFoundError as error:
        raise FontMissing(
            "the fonts of the printed report are not installed",
            expected=f"the Python package {package.replace('_', '-')}",
            remedy="Run 'make setup'.",
        ) from error


class FontSet:
    """The fonts installed with the centre and those of further directories; immutable."""

    def __init__(self, directories: Sequence[Path] = ()) -> None:
        """Read the bundled fonts, and those of `directories` for characters that these lack.

        Raises:
            FontMissing: a bundled font is missing.
            FontFileDamaged: a font file cannot be read.
        """
        chosen = [*bundled_font_directories(), *directories]
        self.handle = typst.Fonts(
            include_system_fonts=False,
            include_embedded_fonts=False,
            font_paths=[str(directory) for directory in chosen],
        )
        found = {(face.family, face.weight >= _BOLD_WEIGHT) for face in self.handle.fonts()}
        for family, bold in ((REGULAR_FAMILY, False), (BOLD_FAMILY, True)):
            if (family, bold) not in found:
                raise FontMissing(
                    f"the font {family} {'Bold' if bold else 'Regular'} was not found",
                    expected="it in one of: " + ", ".join(str(directory) for directory in chosen),
                    remedy="Run 'make setup'.",
                )
        # The faces of one file share their character table in every collection that we print with,
        # yet nothing promises it: each face is read.
        faces = {(face.path, face.index) for face in self.handle.fonts() if face.path is not None}
        covered: set[int] = set()
        for path, index in sorted(faces):
            covered.update(character_table(Path(path), index))
        self._covered = frozenset(covered)

    def draws(self, character: str) -> bool:
        """Tell whether some face has a glyph for this one character."""
        return ord(character) in self._covered


def open_fonts(directories: Sequence[Path] = ()) -> FontSet:
    """Return the fonts of `directories` and the installed ones, which are read once in a process.

    Reading them takes a tenth of a second of the processor. Raises what `FontSet` raises.
    """
    return FontSet(directories) if directories else _installed()


@cache
def _installed() -> FontSet:
    return FontSet()


def character_table(path: Path, index: int) -> frozenset[int]:
    """Return the code points that face `index` of a font file maps to a glyph (OpenType "cmap").

    Raises:
        FontFileDamaged: the file cannot be read as a font.
    """
    try:
        with path.open("rb") as file, mmap(file.fileno(), 0, access=ACCESS_READ) as content:
            return frozenset(_code_points(content, index))
    except (OSError, ValueError, struct.error) as error:
        raise FontFileDamaged(
            f"font file {path.name}", found=str(error), remedy="Run 'make setup'."
        ) from error


def _code_points(content: bytes | mmap, index: int) -> Iterator[int]:
    best: dict[int, int] = {}
    table = _table_offset(content, index)
    (count,) = struct.unpack_from(">H", content, table + 2)
    for entry in range(count):
        _, _, offset = struct.unpack_from(">HHI", content, table + 4 + 8 * entry)
        (form,) = struct.unpack_from(">H", content, table + offset)
        best[form] = table + offset
    if _FORMAT_FULL in best:
        yield from _read_full(content, best[_FORMAT_FULL])
    elif _FORMAT_BMP in best:
        yield from _read_bmp(content, best[_FORMAT_BMP])


def _table_offset(content: bytes | mmap, index: int) -> int:
    """Return where the cmap table of face `index` starts."""
    start = 0
    if content[:4] == b"ttcf":
        (start,) = struct.unpack_from(">I", content, 12 + 4 * index)
    (tables,) = struct.unpack_from(">H", content, start + 4)
    for record in range(tables):
        tag, _, offset, _ = struct.unpack_from(">4sIII", content, start + 12 + 16 * record)
        if tag == b"cmap":
            return int(offset)
    raise struct.error("the file has no cmap table")


def _read_full(content: bytes | mmap, at: int) -> Iterator[int]:
    """Yield the code points of a cmap subtable of format 12."""
    (groups,) = struct.unpack_from(">I", content, at + 12)
    for group in range(groups):
        first, last, glyph = struct.unpack_from(">III", content, at + 16 + 12 * group)
        # Glyph 0 is ".notdef", the empty box: it draws nothing that could be read.
        yield from range(first + (1 if glyph == 0 else 0), last + 1)


def _read_bmp(content: bytes | mmap, at: int) -> Iterator[int]:
    """Yield the code points of a cmap subtable of format 4."""
    (doubled,) = struct.unpack_from(">H", content, at + 6)
    ends, starts = at + 14, at + 16 + doubled
    deltas, ranges = starts + doubled, starts + 2 * doubled
    for segment in range(0, doubled, 2):
        (last,) = struct.unpack_from(">H", content, ends + segment)
        (first,) = struct.unpack_from(">H", content, starts + segment)
        (delta,) = struct.unpack_from(">H", content, deltas + segment)
        (shift,) = struct.unpack_from(">H", content, ranges + segment)
        for point in range(first, min(last, 0xFFFE) + 1):
            glyph = point
            if shift:
                place = ranges + segment + shift + 2 * (point - first)
                (glyph,) = struct.unpack_from(">H", content, place)
                if glyph == 0:
                    continue
            if (glyph + delta) & 0xFFFF:
                yield point
