"""The places on paper where the two signatures go, and the empty form fields that reserve them."""

from dataclasses import dataclass
from enum import StrEnum
from io import BytesIO
from typing import Final

from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign.fields import SigFieldSpec, append_signature_field

from reading_worklist.signing.pdf_objects import written

_POINTS_PER_MM: Final = 72 / 25.4


class SignatureRole(StrEnum):
    """In which role somebody signs; also the name of the form field that the signature fills."""

    WRITER = "writer"
    REVIEWER = "reviewer"


@dataclass(frozen=True, slots=True)
class SignatureBox:
    """A rectangle for one signature, in millimetres from the lower left corner of its page.

    page: index from 0. label: what a screen reader says of the field.
    """

    role: SignatureRole
    page: int
    left: float
    bottom: float
    width: float
    height: float
    label: str


def reserve(pdf: bytes, boxes: tuple[SignatureBox, ...]) -> bytes:
    """Return the document with an empty signature field at every box.

    The fields are there before the first signature, so that the second one only fills a field and
    the first stays valid.
    """
    writer = IncrementalPdfFileWriter(BytesIO(pdf))
    for box in boxes:
        left, bottom, right, top = (
            round(value * _POINTS_PER_MM)
            for value in (box.left, box.bottom, box.left + box.width, box.bottom + box.height)
        )
        append_signature_field(
            writer,
            SigFieldSpec(
                sig_field_name=box.role.value,
                on_page=box.page,
                box=(left, bottom, right, top),
                readable_field_name=box.label,
            ),
        )
    return written(writer)
