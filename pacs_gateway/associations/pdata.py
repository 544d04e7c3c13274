"""The data transfer phase of an association (PS3.8 §9.2 state Sta6), from socket to service.

Association control stays pynetdicom's: negotiation, release, abort, timers.
Between them this loop reads P-DATA-TF PDUs in large pieces, hands dataset
fragments to the service as they come, and answers at once. Nothing grows with
the size of an instance, and nothing polls.
"""

import socket
import struct
import time
from collections.abc import Callable, Mapping
from typing import Final, Protocol

from pacs_gateway.associations.commands import (
    COMMAND_SET_MAXIMUM,
    Command,
    ProtocolViolation,
    command_pdus,
    encode_response,
    parse_command,
)
from pacs_gateway.associations.status import Answer
from pacs_gateway.associations.transport import WAKE_SECONDS, acknowledge_at_once

_BUFFER: Final = 512 * 1024
_PDU_HEADER: Final = struct.Struct(">BxI")
_PDV_HEADER: Final = struct.Struct(">IBB")
_PDV_COUNTED: Final = 2
_P_DATA_TF: Final = 0x04
_COMMAND_FRAGMENT: Final = 0x01
_LAST_FRAGMENT: Final = 0x02


class Reception(Protocol):
    """Takes the dataset of one request and answers it."""

    def write(self, fragment: memoryview) -> None:
        """Take the next fragment, valid only during the call; never raises for what it holds."""
        ...

    def finish(self) -> Answer:
        """Answer, after the last fragment."""
        ...

    def abandon(self) -> None:
        """Forget the request: the association ended before its last fragment."""
        ...


class Service(Protocol):
    """Serves the requests of one association."""

    def begin(self, command: Command, abstract_syntax: str, transfer_syntax: str) -> Reception:
        """Start to serve a request that came under this presentation context."""
        ...


class PeerSilent(Exception):
    """Nothing came for longer than the network timeout, or we are to stop."""


class PeerGone(Exception):
    """The connection ended."""


class PduReader:
    """Reads one connection in large pieces, and can give back what it read too much."""

    def __init__(self, connection: socket.socket, wait: Callable[[float], None]) -> None:
        """Read `connection`, whose SO_RCVTIMEO is set.

        wait: called whenever that time passes without data, with the seconds of silence so far;
            raises `PeerSilent` to end the reading.
        """
        self._connection = connection
        self._wait = wait
        self._buffer = memoryview(bytearray(_BUFFER))
        self._start = 0
        self._end = 0

    def exactly(self, count: int) -> memoryview:
        """Return the next `count` bytes, at most the buffer's size; valid until the next call.

        Raises:
            PeerGone, PeerSilent: they did not come.
        """
        while self._end - self._start < count:
            if len(self._buffer) - self._start < count:
                self._compact()
            self._receive()
        taken = self._buffer[self._start : self._start + count]
        self._start += count
        return taken

    def some(self, limit: int) -> memoryview:
        """Return at least one and at most `limit` bytes; valid until the next call.

        Raises:
            PeerGone, PeerSilent: none came.
        """
        if self._start == self._end:
            self._receive()
        taken = self._buffer[self._start : min(self._end, self._start + limit)]
        self._start += len(taken)
        return taken

    def unread(self, count: int) -> None:
        """Give the last `count` bytes of the last `exactly` back."""
        self._start -= count

    def remainder(self) -> bytes:
        """Return what was read from the connection and not taken."""
        return bytes(self._buffer[self._start : self._end])

    def _compact(self) -> None:
        left = self._end - self._start
        self._buffer[:left] = bytes(self._buffer[self._start : self._end])
        self._start, self._end = 0, left

    def _receive(self) -> None:
        if self._start == self._end:
            self._start = self._end = 0
        since = 0.0
        while True:
            try:
                received = self._connection.recv_into(self._buffer[self._end :])
            except BlockingIOError:
                since = since or time.monotonic() - WAKE_SECONDS
                self._wait(time.monotonic() - since)
                continue
            except OSError as error:
                raise PeerGone from error
            if not received:
                raise PeerGone
            acknowledge_at_once(self._connection)
            self._end += received
            return


class DataPhase:
    """Serves one association from its acceptance until something other than P-DATA comes."""

    def __init__(
        self,
        reader: PduReader,
        send: Callable[[bytes], None],
        *,
        contexts: Mapping[int, tuple[str, str]],
        peer_maximum: int,
        service: Service,
    ) -> None:
        """Prepare to serve.

        send: sends all of a PDU or raises `PeerGone`.
        contexts: accepted presentation contexts, id to (abstract syntax, transfer syntax).
        peer_maximum: see `command_pdus`.
        """
        self._reader = reader
        self._send = send
        self._contexts = contexts
        self._peer_maximum = peer_maximum
        self._service = service
        self._command = bytearray()
        self._context_id: int | None = None
        self._request: Command | None = None
        self._reception: Reception | None = None

    def run(self) -> None:
        """Serve requests; return when the next PDU is not P-DATA, that PDU unread.

        Raises:
            PeerGone, PeerSilent, ProtocolViolation: the association cannot go on.
        """
        try:
            while True:
                header = self._reader.exactly(_PDU_HEADER.size)
                pdu_type, length = _PDU_HEADER.unpack(header)
                if pdu_type != _P_DATA_TF:
                    self._reader.unread(_PDU_HEADER.size)
                    return
                self._take_pdu(length)
        finally:
            if self._reception is not None:
                self._reception.abandon()
                self._reception = None

    def _take_pdu(self, length: int) -> None:
        while length:
            if length < _PDV_HEADER.size:
                raise ProtocolViolation(f"P-DATA-TF ends with {length} stray bytes")
            item_length, context_id, control = _PDV_HEADER.unpack(
                self._reader.exactly(_PDV_HEADER.size)
            )
            length -= _PDV_HEADER.size
            data_length = item_length - _PDV_COUNTED
            if not 0 <= data_length <= length:
                raise ProtocolViolation(
                    f"presentation data value of {item_length} bytes does not fit its PDU"
                )
            length -= data_length
            if control & _COMMAND_FRAGMENT:
                self._take_command(context_id, data_length, last=bool(control & _LAST_FRAGMENT))
            else:
                self._take_dataset(context_id, data_length, last=bool(control & _LAST_FRAGMENT))

    def _take_command(self, context_id: int, length: int, *, last: bool) -> None:
        if self._reception is not None:
            raise ProtocolViolation("a command came before the dataset of the one before had ended")
        if self._context_id not in {None, context_id}:
            raise ProtocolViolation("one command came under two presentation contexts")
        if len(self._command) + length > COMMAND_SET_MAXIMUM:
            raise ProtocolViolation(f"command set of more than {COMMAND_SET_MAXIMUM} bytes")
        self._context_id = context_id
        while length:
            fragment = self._reader.some(length)
            self._command += fragment
            length -= len(fragment)
        if last:
            self._begin(context_id)

    def _begin(self, context_id: int) -> None:
        command = parse_command(bytes(self._command))
        self._command.clear()
        if context_id not in self._contexts:
            raise ProtocolViolation(f"presentation context {context_id} was not accepted")
        if not command.is_request:
            # A C-CANCEL for what is answered already (PS3.7 §9.3.2.3), or an answer unasked for.
            if command.has_dataset:
                raise ProtocolViolation(
                    f"unexpected message with command field {command.field:04X}"
                )
            self._context_id = None
            return
        abstract_syntax, transfer_syntax = self._contexts[context_id]
        self._request = command
        self._reception = self._service.begin(command, abstract_syntax, transfer_syntax)
        if not command.has_dataset:
            self._answer()

    def _take_dataset(self, context_id: int, length: int, *, last: bool) -> None:
        reception = self._reception
        if reception is None or self._context_id != context_id:
            raise ProtocolViolation("a dataset fragment came without its command")
        while length:
            fragment = self._reader.some(length)
            reception.write(fragment)
            length -= len(fragment)
        if last:
            self._answer()

    def _answer(self) -> None:
        request, reception, context_id = self._request, self._reception, self._context_id
        assert request is not None
        assert reception is not None
        assert context_id is not None
        self._request = self._reception = self._context_id = None
        answer = reception.finish()
        self._send(
            b"".join(command_pdus(context_id, encode_response(request, answer), self._peer_maximum))
        )
