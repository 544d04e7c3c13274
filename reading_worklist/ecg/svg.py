"""The few SVG shapes a page is made of, as text.

Plain elements with presentation attributes: no CSS, no scripts, no outside
references. Coordinates are millimetres.
"""

import re
from typing import Final
from xml.sax.saxutils import escape

TRACE: Final = "#101418"
INK: Final = "#22303c"
QUIET: Final = "#7a858d"
ALERT: Final = "#b3261e"
MARK: Final = "#0b6e4f"
SECOND: Final = "#1763c7"
TRACE_WIDTH: Final = 0.25
# The report embeds the first; a browser takes whichever it has.
FONTS: Final = "Noto Sans CJK SC, Noto Sans SC, Noto Sans, Arial, Helvetica, sans-serif"
BIG_SQUARE_MM: Final = 5
_NOT_XML: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_MINOR: Final = "#f8dcd8"
_MAJOR: Final = "#eeb6af"


def escaped(content: str) -> str:
    """Return content safe as element text and as a double-quoted attribute value.

    Characters that XML 1.0 §2.2 does not allow, which no escape can save, are left out.
    """
    return escape(_NOT_XML.sub("", content), {'"': "&quot;"})


def title(content: str) -> str:
    """Name the picture for a screen reader."""
    return f"<title>{escaped(content)}</title>"


def text(x: float, y: float, content: str, *, size: float, colour: str, bold: bool = False) -> str:
    """Write one line with its baseline's left end at (x, y)."""
    weight = ' font-weight="bold"' if bold else ""
    return (
        f'<text x="{x:g}" y="{y:g}" font-size="{size:g}" fill="{colour}"{weight}>'
        f"{escaped(content)}</text>"
    )


def grid(width: float, height: float) -> str:
    """Draw the 1 mm and 5 mm grid over (0, 0, width, height), whole millimetres."""
    minor: list[str] = []
    major: list[str] = []
    for x in range(int(width) + 1):
        (minor if x % BIG_SQUARE_MM else major).append(f"M{x} 0V{height:g}")
    for y in range(int(height) + 1):
        (minor if y % BIG_SQUARE_MM else major).append(f"M0 {y}H{width:g}")
    return line("".join(minor), colour=_MINOR, width=0.1, name="grid-1mm") + line(
        "".join(major), colour=_MAJOR, width=0.18, name="grid-5mm"
    )


def line(data: str, *, colour: str, width: float, name: str = "", more: str = "") -> str:
    """Stroke path data without filling it.

    name: what it is, in data-part: a class would meet the page's own style
    sheet when the SVG stands in an HTML page. more: further attributes.
    """
    named = f' data-part="{name}"' if name else ""
    further = f" {more}" if more else ""
    return (
        f'<path{named} d="{data}" fill="none" stroke="{colour}" stroke-width="{width:g}"{further}/>'
    )


def off_scale_arrow(x: float, y: float, *, up: bool, colour: str) -> str:
    """Draw a filled arrow head with its tip at (x, y), inside of the edge that it points to."""
    length = 2.4 if up else -2.4
    return f'<path data-part="off-scale" d="M{x:.2f} {y:g}l1.2 {length:g}h-2.4z" fill="{colour}"/>'
