"""Bodies of which a server sends parts straight from files: an ASGI extension of our own.

A server that offers `EXTENSION` in `scope["extensions"]` takes, after `http.response.start` with a
Content-Length, one message of that type in place of all `http.response.body`: `parts` is an
iterator of bytes and `FileRange`, `length` the number of bytes in all of them. It may be advanced
in any thread, one at a time; a range's file is open until the next part is asked for. (The
extension that ASGI has for this sends one range of one file; a study has hundreds, and a message
for each was half of the work of sending them.)
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, TypeAlias

EXTENSION: Final = "rdc.http.response.parts"


@dataclass(frozen=True, slots=True)
class FileRange:
    """A range of an open file."""

    file: int
    offset: int
    length: int


BodyPart: TypeAlias = bytes | FileRange
BodyParts: TypeAlias = Iterator[BodyPart]
