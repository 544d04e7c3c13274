"""What the processes of a gateway tell each other, over one socket pair for each child.

Each message is one packet: a letter, then fixed fields. A connection travels
with its descriptor; a child asks for a seat when it knows the device.
"""

import socket
import struct
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from typing import Final
from uuid import UUID

_PACKET: Final = struct.Struct(">cI16sI")
_NO_DEVICE: Final = UUID(int=0)


class Word(Enum):
    """What a message says."""

    # From the supervisor.
    SERVE = b"c"
    SERVE_TLS = b"t"
    SEATED = b"y"
    FULL = b"n"
    DISMISS = b"d"
    STOP = b"q"
    # From a child.
    READY = b"r"
    SEAT = b"a"
    LEFT = b"l"


@dataclass(frozen=True, slots=True)
class Message:
    """One message.

    number: of the connection it is about, if any.
    device_id, limit: of SEAT.
    descriptor: of SERVE and SERVE_TLS; the receiver of the message owns it.
    """

    word: Word
    number: int = 0
    device_id: UUID = _NO_DEVICE
    limit: int = 0
    descriptor: int | None = None


class Channel:
    """One end of the socket pair."""

    def __init__(self, end: socket.socket) -> None:
        """Take over `end`."""
        self._end = end

    @staticmethod
    def pair() -> "tuple[Channel, Channel]":
        """Return both ends of a new channel."""
        one, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        return Channel(one), Channel(other)

    def fileno(self) -> int:
        """Return the descriptor to select on."""
        return self._end.fileno()

    def send(self, message: Message, *, wait: bool = True) -> bool:
        """Send a message; return whether the other end took it.

        wait: whether to wait for room. One that is gone takes nothing.
        """
        packet = _PACKET.pack(
            message.word.value, message.number, message.device_id.bytes, message.limit
        )
        flags = 0 if wait else socket.MSG_DONTWAIT
        with suppress(OSError):
            if message.descriptor is None:
                self._end.send(packet, flags)
            else:
                socket.send_fds(self._end, [packet], [message.descriptor], flags)
            return True
        return False

    def receive(self) -> Message | None:
        """Wait for the next message; None when the other end is gone."""
        try:
            packet, descriptors, _, _ = socket.recv_fds(self._end, _PACKET.size, 1)
        except OSError:
            return None
        if len(packet) != _PACKET.size:
            return None
        letter, number, device_id, limit = _PACKET.unpack(packet)
        return Message(
            Word(letter),
            number,
            UUID(bytes=device_id),
            limit,
            descriptors[0] if descriptors else None,
        )

    def shut(self) -> None:
        """Let `receive` return None from now on, also one that waits."""
        with suppress(OSError):
            self._end.shutdown(socket.SHUT_RD)

    def close(self) -> None:
        """Close this end."""
        self._end.close()
