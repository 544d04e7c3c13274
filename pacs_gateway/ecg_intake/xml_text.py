"""XML of a stranger, made harmless and UTF-8 before any library sees it.

No document type definition survives, so that nothing can be expanded or
fetched; depth and number of elements are bounded; text is decoded by evidence,
since Chinese devices write GB18030 under every declaration or none.
"""

import re
from typing import Final
from xml.etree.ElementTree import ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser

from storage.character_sets import decode_text
from storage.ecg.errors import EcgBroken, EcgTooLarge

_DEPTH: Final = 200
_ELEMENTS: Final = 2_000_000
_DECLARATION: Final = re.compile(rb"^\s*<\?xml([^>]*)\?>")
_ENCODING: Final = re.compile(rb"encoding\s*=\s*[\"']([A-Za-z0-9._-]{1,40})[\"']")
# One run of text or one attribute's value; nothing in it makes the search go back.
_RUN: Final = re.compile(rb"[^<>\"'\r\n]+")
_CHINESE: Final = frozenset({"gb2312", "gbk", "gb18030", "gb_2312-80", "cp936", "x-gbk"})
_REMEDY: Final = "Export the ECG again at the device; the original file is kept."


def harmless_xml(raw: bytes) -> bytes:
    """Return the document as UTF-8 without a document type definition.

    Raises:
        EcgBroken: it is not well-formed, ends too early, or defines entities.
        EcgTooLarge: it nests too deeply or has too many elements.
    """
    text = _decoded(raw)
    begin = root_begin(text)
    prolog, body = text[:begin], text[begin:]
    if "<!ENTITY" in prolog or "<!ELEMENT" in prolog or "<!ATTLIST" in prolog:
        raise EcgBroken(
            "The XML file defines entities",
            expected="an ECG without a document type definition of its own",
            found="a definition inside the file",
            remedy=_REMEDY,
        )
    clean = f'<?xml version="1.0" encoding="UTF-8"?>\n{body}'.encode()
    _check(clean)
    return clean


def _decoded(raw: bytes) -> str:
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return raw.decode("utf-16", errors="replace")
    raw = raw.removeprefix(b"\xef\xbb\xbf")
    declaration = _DECLARATION.match(raw)
    if declaration is not None:
        raw = raw[declaration.end() :]
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        term = _term(declaration[1] if declaration is not None else b"")
        by_evidence = _RUN.sub(lambda run: _run_by_evidence(run.group(), term), raw)
        return by_evidence.decode("utf-8", errors="replace")


def _term(declaration: bytes) -> str:
    """Return the DICOM term of the declared encoding; what is not Chinese proves nothing."""
    found = _ENCODING.search(declaration)
    name = found[1].decode("ascii").lower() if found else ""
    return "GB18030" if name in _CHINESE else "ISO_IR 100"


def _run_by_evidence(run: bytes, term: str) -> bytes:
    return run if run.isascii() else decode_text(run, term).text.encode()


def root_begin(text: str) -> int:
    """Return where the first element of a document begins; its length when there is none.

    What stands before is skipped: declarations, comments, a document type definition.
    """
    at = text.find("<")
    while at >= 0:
        end = next((end for begin, end in _SKIPPED if text.startswith(begin, at)), None)
        if end is None:
            return at
        closed = text.find(end, at)
        at = -1 if closed < 0 else text.find("<", closed)
    return len(text)


_SKIPPED: Final = (("<?", "?>"), ("<!--", "-->"), ("<!", ">"))


class _Counter:
    """A target of the parser that keeps nothing."""

    def __init__(self) -> None:
        self.depth = 0
        self.elements = 0

    def start(self, _tag: str, _attributes: dict[str, str]) -> None:
        self.depth += 1
        self.elements += 1
        if self.depth > _DEPTH or self.elements > _ELEMENTS:
            raise EcgTooLarge(
                "The XML file is nested too deeply or has too many elements",
                expected=f"at most {_DEPTH} levels and {_ELEMENTS} elements",
                remedy=_REMEDY,
            )

    def end(self, _tag: str) -> None:
        self.depth -= 1

    def data(self, _text: str) -> None:
        """Keep nothing."""

    def close(self) -> None:
        """Return nothing."""


def _check(document: bytes) -> None:
    parser = DefusedXMLParser(target=_Counter(), forbid_dtd=True)
    try:
        parser.feed(document)
        parser.close()
    except (ParseError, DefusedXmlException, ValueError) as error:
        raise EcgBroken(
            "The XML file cannot be parsed",
            expected="a well-formed document",
            found=type(error).__name__,
            remedy="It was cut off or miswritten; send it again from the device.",
        ) from error
