"""What a signature looks like on paper: name, role, organisation, time and certificate."""

from dataclasses import dataclass
from datetime import datetime
from importlib import resources
from io import BytesIO
from typing import Final, cast
from zoneinfo import ZoneInfo

from pyhanko.pdf_utils import layout
from pyhanko.pdf_utils.content import PdfContent
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.pdf_utils.writer import BasePdfFileWriter
from pyhanko.stamp import StaticStampStyle

from reading_worklist.signing.unlocking import Signer
from reading_worklist.typesetting.labels import Language, labels
from reading_worklist.typesetting.typesetter import Typesetter

_TEMPLATE: Final = (
    resources.files("reading_worklist.signing").joinpath("templates/appearance.typ").read_bytes()
)
_MM_PER_POINT: Final = 25.4 / 72


@dataclass(frozen=True, slots=True)
class SignatureAppearance:
    """How signatures of one document are shown.

    language: of the words around the name. time_zone: IANA name of the zone in which the time is
    printed; its offset is printed with it.
    """

    language: Language
    time_zone: str


def grouped_serial(serial: str) -> str:
    """Return a certificate's serial number in groups of four, as people compare it."""
    return " ".join(serial[at : at + 4] for at in range(0, len(serial), 4))


def draw(
    typesetter: Typesetter,
    signer: Signer,
    role: str,
    appearance: SignatureAppearance,
    *,
    signed_at: datetime,
    size: tuple[float, float],
) -> StaticStampStyle:
    """Draw a signature for a field of `size` (width and height in points).

    role: the name of the label that says in which role.
    """
    words = labels(appearance.language)["signature"]
    local = signed_at.astimezone(ZoneInfo(appearance.time_zone))
    offset = local.strftime("%z")
    lang, _, region = appearance.language.partition("-")
    width, height = size
    page = typesetter.compile(
        _TEMPLATE,
        {
            "lang": lang,
            "region": region or None,
            "width_mm": width * _MM_PER_POINT,
            "height_mm": height * _MM_PER_POINT,
            "name": typesetter.plain(signer.display_name),
            "organisation": typesetter.plain(signer.organisation),
            "role": words[role],
            "signed_at": f"{local:%Y-%m-%d %H:%M:%S} UTC{offset[:3]}:{offset[3:]}",
            "serial": grouped_serial(signer.serial),
            "labels": dict(words),
        },
        created_at=signed_at,
        # The drawing becomes part of another document, whose structure it does not belong to.
        tagged=False,
    )
    return StaticStampStyle(
        border_width=0,
        background=_Drawing(page, width, height),
        background_layout=layout.SimpleBoxLayoutRule(
            x_align=layout.AxisAlignment.ALIGN_MID,
            y_align=layout.AxisAlignment.ALIGN_MID,
            margins=layout.Margins(0, 0, 0, 0),
        ),
    )


class _Drawing(PdfContent):
    """The first page of a PDF in memory; pyHanko's own class for this reads files only."""

    def __init__(self, pdf: bytes, width: float, height: float) -> None:
        super().__init__(box=layout.BoxConstraints(width=width, height=height))
        self._pdf = pdf

    def render(self) -> bytes:
        """Put the page into the document and return the operator that draws it."""
        writer = cast("BasePdfFileWriter", self.writer)
        page = writer.import_page_as_xobject(PdfFileReader(BytesIO(self._pdf)), page_ix=0)
        self.resources.xobject["/Drawing"] = page
        return b"/Drawing Do"
