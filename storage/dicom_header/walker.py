"""The walk over the elements of a dataset, one after the other (PS3.5 §7)."""

import struct
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from storage.dicom_header.encoding import (
    BYTES_VRS,
    DELIMITER_GROUP,
    ITEM,
    ITEM_END,
    LONG_HEADER,
    LONG_VRS,
    PIXEL_DATA_TAGS,
    SEQUENCE_END,
    SHORT_HEADER,
    SHORT_VRS,
    UNDEFINED_LENGTH,
    is_vr,
)
from storage.dicom_header.errors import malformed, tag_name, truncated
from storage.dicom_header.limits import MAX_DEPTH, MAX_ELEMENTS, MAX_STEPS, MAX_VALUE_BYTES
from storage.dicom_header.pixel_data import PixelData
from storage.dicom_header.windows import WINDOW_BYTES, Window

_NOTHING: Final[frozenset[int]] = frozenset()
_ODDITIES_MAX: Final = 20
_NUMBER_OF_FRAMES: Final = 0x00280008


@lru_cache(maxsize=16)
def _with_pixel_data(wanted: frozenset[int]) -> frozenset[int]:
    return wanted | PIXEL_DATA_TAGS


class _ByteOrder:
    """The forms of headers and lengths; to make them took as long as to walk over ten elements."""

    def __init__(self, order: str) -> None:
        self.explicit_head = struct.Struct(f"{order}HH2sH")
        self.implicit_head = struct.Struct(f"{order}HHI")
        self.long = struct.Struct(f"{order}I")
        self.tag = struct.Struct(f"{order}HH")


_LITTLE_ENDIAN: Final = _ByteOrder("<")
_BIG_ENDIAN: Final = _ByteOrder(">")


@dataclass(slots=True)
class _Open:
    """Something of undefined length whose end has not come yet.

    kind: "sequence" (items follow), "item" (elements follow) or "fragments".
    implicit: the encoding to go back to at the end.
    """

    kind: str
    tag: int
    at: int
    implicit: bool


class Walker:
    """The state of one walk: where it is, and what is open around it."""

    def __init__(
        self,
        window: Window,
        start: int,
        wanted: frozenset[int],
        *,
        implicit: bool,
        big_endian: bool,
    ) -> None:
        self._window = window
        self._at = start
        self._end = window.end
        self._wanted = _with_pixel_data(wanted)
        self._open: list[_Open] = []
        self._depth = 0
        form = _BIG_ENDIAN if big_endian else _LITTLE_ENDIAN
        self._explicit_head = form.explicit_head.unpack_from
        self._implicit_head = form.implicit_head.unpack_from
        self._long = form.long.unpack_from
        self._tag = form.tag.unpack_from
        self._fragments = 0
        self._padding_seen = False
        self._steps = 0
        self._elements = 0
        self.values: dict[int, bytes] = {}
        self.pixel_data: PixelData | None = None
        self.oddities: list[str] = []
        self._implicit = self.top_implicit = self._really_implicit(declared=implicit)

    def walk(self) -> None:
        """Go to the end of the data, or until it takes more time than any honest dataset."""
        more = True
        while more:
            self._steps += 1
            if self._steps > MAX_STEPS or self._elements > MAX_ELEMENTS:
                raise malformed(
                    "dataset has too many elements and items",
                    self._at,
                    f"at most {MAX_ELEMENTS} elements, {MAX_STEPS} items and sequences",
                    "more",
                )
            # A sequence and encapsulated pixel data hold items only, which are for steps.
            if not self._open or self._open[-1].kind == "item":
                if self._implicit:
                    self._run_implicit()
                else:
                    self._run_explicit()
            more = self._step()

    def _note(self, oddity: str) -> None:
        if len(self.oddities) < _ODDITIES_MAX and oddity not in self.oddities:
            self.oddities.append(oddity)

    def _really_implicit(self, *, declared: bool) -> bool:
        """Look at the first element: some writers declare one encoding and use the other."""
        head = self._peek(SHORT_HEADER)
        vr = head[4:6]
        if len(head) < SHORT_HEADER or not any(head):
            return declared
        if declared and (vr in SHORT_VRS or vr in LONG_VRS):
            self._note("explicit VR in an implicit transfer syntax")
            return False
        if not declared and not is_vr(vr):
            self._note("implicit VR in an explicit transfer syntax")
            return True
        return declared

    def _peek(self, length: int) -> bytes:
        buffer, base = self._window.at(self._at, length)
        inside = self._at - base
        return buffer[inside : inside + length]

    # The two runs go quickly over what most of a dataset is: elements of known
    # form that lie within the window. They stop before anything else.

    def _run_explicit(self) -> None:
        buffer, base = self._window.at(self._at, LONG_HEADER)
        position, size = self._at - base, len(buffer)
        last = size - LONG_HEADER
        wanted = _NOTHING if self._open else self._wanted
        head, long = self._explicit_head, self._long
        count = 0
        while position <= last:
            count += 1
            group, element, vr, length = head(buffer, position)
            if vr in SHORT_VRS:
                value = position + SHORT_HEADER
            elif vr in LONG_VRS:
                value = position + LONG_HEADER
                length = long(buffer, position + SHORT_HEADER)[0]
            else:
                break
            following = value + length
            if following > size or group == DELIMITER_GROUP:
                break
            tag = group << 16 | element
            if tag in wanted:
                if tag in PIXEL_DATA_TAGS:
                    break
                self.values[tag] = buffer[value:following]
            position = following
        self._elements += count
        self._at = base + position

    def _run_implicit(self) -> None:
        buffer, base = self._window.at(self._at, SHORT_HEADER)
        position, size = self._at - base, len(buffer)
        last = size - SHORT_HEADER
        wanted = _NOTHING if self._open else self._wanted
        head = self._implicit_head
        count = 0
        while position <= last:
            count += 1
            group, element, length = head(buffer, position)
            following = position + SHORT_HEADER + length
            # Zero tags may be padding, which a step looks at.
            if following > size or group == DELIMITER_GROUP or not group:
                break
            tag = group << 16 | element
            if tag in wanted:
                if tag in PIXEL_DATA_TAGS:
                    break
                self.values[tag] = buffer[position + SHORT_HEADER : following]
            position = following
        self._elements += count
        self._at = base + position

    def _step(self) -> bool:
        """Go over one element or delimiter, whatever it is; False at the end."""
        buffer, base = self._window.at(self._at, LONG_HEADER)
        inside = self._at - base
        if len(buffer) - inside < SHORT_HEADER:
            self._finish(buffer[inside:])
            return False
        group, element, length = self._implicit_head(buffer, inside)
        if group == DELIMITER_GROUP:
            self._delimiter(element, length)
            return True
        head = buffer[inside : inside + LONG_HEADER]
        if not any(head[:SHORT_HEADER]) and not self._open and self._is_padding():
            self._note("zero bytes after the last element")
            return False
        inner = self._open[-1] if self._open else None
        if inner is not None and inner.kind == "fragments":
            raise malformed(
                f"fragments of {tag_name(inner.tag)} are interrupted",
                self._at,
                "an item or a sequence delimitation item",
                tag_name(group << 16 | element),
            )
        if inner is not None and inner.kind == "sequence":
            self._note(f"{tag_name(inner.tag)} without sequence delimitation item")
            self._close()
            return True
        self._element(head, group << 16 | element)
        return True

    def _element(self, head: bytes, tag: int) -> None:
        vr, value, length = self._form(head, tag)
        if length == UNDEFINED_LENGTH:
            self._enter(tag, vr, value)
            return
        self._require(tag, value, length)
        if not self._open and tag in self._wanted:
            if tag in PIXEL_DATA_TAGS:
                self.pixel_data = PixelData(tag, self._at, value, length)
            else:
                self.values[tag] = self._value(tag, value, length)
        self._at = value + length

    def _form(self, head: bytes, tag: int) -> tuple[bytes, int, int]:
        """Return an element's VR (empty if implicit), the offset of its value, and its length."""
        short, long = self._at + SHORT_HEADER, self._at + LONG_HEADER
        implicit_length = self._long(head, 4)[0]
        if self._implicit:
            return b"", short, implicit_length
        vr = head[4:6]
        short_length = self._explicit_head(head)[3]
        if vr in SHORT_VRS:
            return vr, short, short_length
        if not is_vr(vr):
            if implicit_length != UNDEFINED_LENGTH and short + implicit_length > self._end:
                raise malformed(
                    f"element {tag_name(tag)}",
                    self._at,
                    "a value representation of two letters",
                    repr(vr),
                )
            self._note(f"{tag_name(tag)} with implicit VR among explicit ones")
            return b"", short, implicit_length
        if vr not in LONG_VRS:
            self._note(f"{tag_name(tag)} with unknown VR {vr.decode('ascii')}")
            if not self._unknown_is_long(tag, short_length):
                return vr, short, short_length
        if len(head) < LONG_HEADER:
            raise truncated(tag, self._at, "12 bytes of tag, VR and length", f"{len(head)} bytes")
        return vr, long, self._long(head, SHORT_HEADER)[0]

    def _unknown_is_long(self, tag: int, short_length: int) -> bool:
        """Tell whether a VR of after our time has the long form, as the standard wants (§7.1.2).

        Old and careless writers use the short one: then the two bytes that the
        long form reserves are a length, or an empty value is followed by the
        next tag in its place.
        """
        following = self._peek(LONG_HEADER + 2)[SHORT_HEADER:]
        if short_length or len(following) < SHORT_HEADER - 2:
            return False
        group, element = self._tag(following)
        follows = (group << 16 | element) > tag
        return not (follows and (following[4:] in SHORT_VRS or following[4:] in LONG_VRS))

    def _require(self, tag: int, value: int, length: int) -> None:
        if value + length > self._end:
            raise truncated(
                tag,
                self._at,
                f"{length} bytes of value",
                f"{max(0, self._end - value)} bytes before the end",
            )

    def _value(self, tag: int, value: int, length: int) -> bytes:
        if length > MAX_VALUE_BYTES:
            self._note(f"{tag_name(tag)} of {length} bytes, cut")
        parts: list[bytes] = []
        stop = value + min(length, MAX_VALUE_BYTES)
        while value < stop:
            buffer, base = self._window.at(value, min(stop - value, WINDOW_BYTES))
            part = buffer[value - base : stop - base]
            if not part:
                raise truncated(tag, value, f"{stop - value} more bytes", "none; the file shrank")
            parts.append(part)
            value += len(part)
        return b"".join(parts)

    def _enter(self, tag: int, vr: bytes, value: int) -> None:
        """Begin something of undefined length."""
        encapsulated = vr in BYTES_VRS or tag in PIXEL_DATA_TAGS
        if encapsulated and not self._open and tag in PIXEL_DATA_TAGS:
            self.pixel_data = PixelData(tag, self._at, value, None)
        if not encapsulated:
            self._depth += 1
            if self._depth > MAX_DEPTH:
                raise malformed(
                    f"sequence {tag_name(tag)} lies too deep",
                    self._at,
                    f"at most {MAX_DEPTH} sequences within each other",
                    "more",
                )
        kind = "fragments" if encapsulated else "sequence"
        self._open.append(_Open(kind, tag, self._at, self._implicit))
        # Unknown VR of undefined length holds items with implicit VR (PS3.5 §6.2.2).
        self._implicit = self._implicit or vr in {b"UN", b""}
        self._fragments = -1
        self._at = value

    def _close(self) -> None:
        closed = self._open.pop()
        self._implicit = closed.implicit
        if closed.kind == "sequence":
            self._depth -= 1
        elif closed.kind == "fragments" and not self._open and self.pixel_data is not None:
            found = self.pixel_data
            self.pixel_data = PixelData(
                found.tag, found.offset, found.value_offset, None, max(0, self._fragments)
            )

    def _delimiter(self, element: int, length: int) -> None:
        kind = self._open[-1].kind if self._open else ""
        if element == ITEM:
            self._item(kind, length)
            return
        if element not in {ITEM_END, SEQUENCE_END}:
            raise malformed(
                "a tag that does not exist",
                self._at,
                "(FFFE,E000), (FFFE,E00D) or (FFFE,E0DD)",
                tag_name(DELIMITER_GROUP << 16 | element),
            )
        if length:
            self._note("delimitation item with a length")
        expected = "item" if element == ITEM_END else "sequence"
        if element == SEQUENCE_END and kind == "item":
            self._note("item without item delimitation item")
            self._close()
            self._close()
        elif kind == expected or (element == SEQUENCE_END and kind == "fragments"):
            self._close()
        else:
            self._note("delimitation item where nothing is open")
        self._at += SHORT_HEADER

    def _item(self, kind: str, length: int) -> None:
        value = self._at + SHORT_HEADER
        if kind not in {"sequence", "fragments"}:
            raise malformed("an item outside a sequence", self._at, "an element", "(FFFE,E000)")
        holder = self._open[-1].tag
        if length != UNDEFINED_LENGTH:
            self._require(holder, value, length)
            self._fragments += 1
            self._at = value + length
        elif kind == "fragments":
            raise malformed(
                f"fragment of {tag_name(holder)}", self._at, "a defined length", "an undefined one"
            )
        else:
            self._open.append(_Open("item", holder, self._at, self._implicit))
            self._at = value
            if self._implicit and not self.top_implicit:
                # Inside unknown VR some writers stay explicit all the same.
                vr = self._peek(SHORT_HEADER)[4:6]
                self._implicit = not (vr in SHORT_VRS or vr in LONG_VRS)

    def _is_padding(self) -> bool:
        """Tell whether only zeros follow; looked at once, so that no data can make it slow."""
        if self._padding_seen:
            return False
        self._padding_seen = True
        at = self._at
        while at < self._end:
            buffer, base = self._window.at(at, min(WINDOW_BYTES, self._end - at))
            part = buffer[at - base :]
            if not part or part.strip(b"\0"):
                return False
            at += len(part)
        return True

    def _finish(self, rest: bytes) -> None:
        """Judge how the data ended; `rest` is too short for an element."""
        inner = self._open[-1] if self._open else None
        whole = self._at + len(rest) == self._end and not any(rest)
        if whole and inner is not None and inner.kind == "fragments" and self._has_frames():
            self._note(f"{tag_name(inner.tag)} without sequence delimitation item")
            self._close()
            inner = self._open[-1] if self._open else None
        if inner is not None:
            raise truncated(inner.tag, inner.at, "its delimitation item", "the end of the data")
        if not whole:
            raise truncated(None, self._at, "8 bytes of tag and length", f"{len(rest)} bytes")
        if rest:
            self._note("zero bytes after the last element")

    def _has_frames(self) -> bool:
        """Tell whether there are at least as many fragments as frames."""
        frames = self.values.get(_NUMBER_OF_FRAMES, b"").strip(b" \0")
        return self._fragments >= max(1, int(frames) if frames.isdigit() else 1)
