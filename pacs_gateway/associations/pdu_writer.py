"""DIMSE messages as P-DATA-TF PDUs, towards the peer (PS3.8 §9.3.5)."""

import struct
from collections.abc import Callable, Iterable, Iterator
from typing import Final

_PDU_AND_PDV_HEADER: Final = struct.Struct(">BxIIBB")
_PDV_HEADER_LENGTH: Final = 6
_P_DATA_TF: Final = 0x04
_COMMAND: Final = 0x01
_LAST: Final = 0x02
_SMALLEST_PDU: Final = 64
# What we send at most though a peer may take more: the receivers we know gain nothing beyond.
_LARGEST_PDU: Final = 131_072

Buffer = bytes | bytearray | memoryview


class MessageWriter:
    """Sends whole messages over one association; from one thread at a time."""

    def __init__(self, send: Callable[[Buffer], None], peer_maximum: int) -> None:
        """Send with `send`, which takes all of a buffer before it returns.

        peer_maximum: the peer's maximum length of the PDV list, 0 for none (PS3.8 D.1).
        """
        self._send = send
        # A peer that offers to take almost nothing would otherwise make us send byte by byte.
        largest = max(min(peer_maximum or _LARGEST_PDU, _LARGEST_PDU), _SMALLEST_PDU)
        self._room = largest - _PDV_HEADER_LENGTH

    def send(
        self, context_id: int, command_set: bytes, dataset: Iterable[Buffer] | None = None
    ) -> None:
        """Send one message: its command set, and its dataset in pieces of any length.

        A message without a large dataset leaves in one piece. Whatever the
        size, no more than one PDU is held in memory.

        Raises:
            what `send` or the iteration of `dataset` raises; the message is then incomplete and
            the association cannot go on.
        """
        pending = bytearray()
        for pdu in self._pdus(context_id, command_set, dataset):
            pending = pending + pdu if pending else pdu
            if len(pending) >= self._room:
                self._send(pending)
                pending = bytearray()
        if pending:
            self._send(pending)

    def _pdus(
        self, context_id: int, command_set: bytes, dataset: Iterable[Buffer] | None
    ) -> Iterator[bytearray]:
        yield from self._fragments(context_id, _COMMAND, [command_set])
        if dataset is not None:
            yield from self._fragments(context_id, 0, dataset)

    def _fragments(
        self, context_id: int, kind: int, pieces: Iterable[Buffer]
    ) -> Iterator[bytearray]:
        """Yield PDUs of one fragment each; only what follows tells whether one is the last."""
        held = bytearray()
        for piece in pieces:
            rest = memoryview(piece)
            while len(held) + len(rest) > self._room:
                taken = self._room - len(held)
                held += rest[:taken]
                rest = rest[taken:]
                yield _pdu(context_id, kind, held)
                held = bytearray()
            held += rest
        yield _pdu(context_id, kind | _LAST, held)


def _pdu(context_id: int, control: int, fragment: Buffer) -> bytearray:
    length = len(fragment)
    header = _PDU_AND_PDV_HEADER.pack(
        _P_DATA_TF, length + _PDV_HEADER_LENGTH, length + 2, context_id, control
    )
    pdu = bytearray(header)
    pdu += fragment
    return pdu
