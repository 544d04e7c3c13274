"""What a file is, by its content: names and suffixes of files say whatever somebody likes."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ecgdatakit.parsing.parsers.mfer import MFERParser
from ecgdatakit.parsing.parsers.scp_ecg import SCPECGParser

from pacs_gateway.ecg_intake.xml_text import root_begin
from storage.ecg_files import EcgFormat

_HEAD: Final = 64 * 1024
_KIT_HEAD: Final = 4096
_MEBIBYTE: Final = 1 << 20
_PDF_WITHIN: Final = 1024
_DICOM_AT: Final = 128
_ROOT: Final = re.compile(r"<(?:[\w.-]{1,64}:)?([\w.-]{1,64})")
_ROOTS: Final = {
    "annotatedecg": EcgFormat.AECG,
    "restingecg": EcgFormat.MUSE,
    "restingecgdata": EcgFormat.PHILIPS,
    "ecg": EcgFormat.MORTARA,
}
_EDF: Final = re.compile(rb"0 {7}.{228}", re.DOTALL)

LIMITS: Final = {
    EcgFormat.DICOM: 2048 * _MEBIBYTE,
    EcgFormat.SCP: 64 * _MEBIBYTE,
    EcgFormat.AECG: 64 * _MEBIBYTE,
    EcgFormat.MUSE: 64 * _MEBIBYTE,
    EcgFormat.PHILIPS: 64 * _MEBIBYTE,
    EcgFormat.MORTARA: 64 * _MEBIBYTE,
    EcgFormat.MFER: 256 * _MEBIBYTE,
    EcgFormat.ISHNE: 512 * _MEBIBYTE,
    EcgFormat.EDF: 512 * _MEBIBYTE,
    EcgFormat.PDF: 128 * _MEBIBYTE,
}
"""Bytes of the largest file that is read, by format: a long record of it and something over."""


@dataclass(frozen=True, slots=True)
class Head:
    """The beginning of a file, as text where it is one."""

    raw: bytes

    @property
    def text(self) -> str:
        """Return the beginning of an XML document, empty for anything else."""
        if self.raw.startswith((b"\xff\xfe", b"\xfe\xff")):
            found = self.raw.decode("utf-16", errors="ignore")
        else:
            found = self.raw.removeprefix(b"\xef\xbb\xbf").decode("latin-1")
        return found if found.lstrip().startswith("<") else ""


def detect(path: Path) -> EcgFormat | None:
    """Return the format of a file, None for one that is no ECG and no document we know.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        head = Head(file.read(_HEAD))
    return detect_head(head, path)


def detect_head(head: Head, path: Path) -> EcgFormat | None:
    """Return the format of the file at `path` that begins so."""
    for file_format, begins in _SIGNATURES:
        if begins(head.raw):
            return file_format
    text = head.text
    if text:
        return _xml_format(text)
    kit_head = head.raw[:_KIT_HEAD]
    if SCPECGParser.can_parse(path, kit_head):
        return EcgFormat.SCP
    return EcgFormat.MFER if MFERParser.can_parse(path, kit_head) else None


def _is_dicom(raw: bytes) -> bool:
    return raw[_DICOM_AT : _DICOM_AT + 4] == b"DICM"


def _is_pdf(raw: bytes) -> bool:
    return b"%PDF-" in raw[:_PDF_WITHIN]


def _is_ishne(raw: bytes) -> bool:
    return raw.startswith(b"ISHNE1.0")


def _is_edf(raw: bytes) -> bool:
    return _EDF.match(raw) is not None


_SIGNATURES: Final[tuple[tuple[EcgFormat, Callable[[bytes], bool]], ...]] = (
    (EcgFormat.DICOM, _is_dicom),
    (EcgFormat.PDF, _is_pdf),
    (EcgFormat.ISHNE, _is_ishne),
    (EcgFormat.EDF, _is_edf),
)


def _xml_format(text: str) -> EcgFormat | None:
    root = _ROOT.match(text, root_begin(text))
    return None if root is None else _ROOTS.get(root[1].lower())
