"""From a template and data to PDF/A, warm and from many threads at once.

Data reach a template as JSON values and are set as plain strings: nothing that
a person typed is ever read as markup.
"""

import json
import queue
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Final

import typst

from reading_worklist.typesetting import printable
from reading_worklist.typesetting.fonts import open_fonts
from storage.errors import RdcError

JsonValue = None | bool | int | float | str | Sequence["JsonValue"] | Mapping[str, "JsonValue"]

# What lets a reader forty years on see the same page; "b" is visual fidelity. "a" would claim that
# every mark is tagged, which the appearance of a later signature is not.
PDF_A: Final = "a-2b"
_SAFE_START: Final = re.compile(r"[A-Za-z0-9 /\-]*")


class TypesettingFailed(RdcError):
    """A template could not be set; a fault of ours, since text of any kind can be printed."""


class Typesetter:
    """Sets templates with one set of fonts.

    Thread-safe: every call borrows a compiler of its own. Compilers are kept,
    since a warm one is thirty times faster than a new one.
    """

    def __init__(self, font_directories: Sequence[Path] = ()) -> None:
        """Read the bundled fonts, and those of `font_directories` for characters these lack.

        Raises:
            FontMissing: a bundled font is not installed.
        """
        self._fonts = open_fonts(font_directories)
        self._idle: queue.SimpleQueue[typst.Compiler] = queue.SimpleQueue()

    def compile(
        self, template: bytes, data: JsonValue, *, created_at: datetime, tagged: bool = True
    ) -> bytes:
        """Set `template` with `data` (`sys.inputs.data`, JSON) and return PDF/A-2b.

        created_at: the aware time written into the file as its creation.
        tagged: write the structure that screen readers use.

        Raises:
            TypesettingFailed: the template does not compile with these data.
        """
        compiler = self._borrow()
        try:
            result = compiler.compile(
                input=template,
                format="pdf",
                sys_inputs={"data": json.dumps(data, ensure_ascii=False)},
                pdf_standards=PDF_A,
                timestamp=int(created_at.timestamp()),
                pdf_tags=tagged,
            )
        except typst.TypstError as error:
            # The compiler may quote the text it stumbled over, which is patient data: only the kind
            # of error is told, which stands before the first punctuation.
            raise TypesettingFailed(
                "the page could not be set",
                found=_kind_of(error),
                remedy="Report this with the version of the centre.",
            ) from None
        finally:
            self._idle.put(compiler)
        if not isinstance(result, bytes):
            raise TypesettingFailed("the page could not be set", found="no document")
        return result

    def line(self, text: str) -> list[str]:
        """Return a text as one printable line, in pieces between which it may be broken."""
        return self._pieces("  ".join(part for part in printable.lines_of(text) if part))

    def lines(self, text: str) -> list[list[str]]:
        """Return a text as printable lines, each in pieces between which it may be broken."""
        return [self._pieces(line) for line in printable.lines_of(text)]

    def plain(self, text: str) -> str:
        """Return a text as one printable line in one piece."""
        return "".join(self.line(text))

    def unprintable(self, text: str) -> list[str]:
        """Return the characters that will print as a mark instead, to warn the writer."""
        return printable.unprintable(text, self._fonts.draws)

    def _pieces(self, line: str) -> list[str]:
        return printable.breakable(printable.printable(line, self._fonts.draws))

    def _borrow(self) -> typst.Compiler:
        with suppress(queue.Empty):
            return self._idle.get_nowait()
        return typst.Compiler(font_paths=self._fonts.handle, ignore_system_fonts=True)


def open_typesetter(font_directories: Sequence[Path] = ()) -> Typesetter:
    """Return a typesetter; with the installed fonts alone it is one for all of a process.

    Its compilers stay warm for whoever comes next. Raises what `Typesetter` raises.
    """
    return Typesetter(font_directories) if font_directories else _installed()


@cache
def _installed() -> Typesetter:
    return Typesetter()


def _kind_of(error: typst.TypstError) -> str:
    start = _SAFE_START.match(error.message)
    return start.group().strip() if start else ""
