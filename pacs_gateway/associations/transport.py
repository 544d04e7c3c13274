"""The connection of one accepted association, read either by pynetdicom or by our data phase."""

import socket
import ssl
import struct
import threading
import time
from contextlib import suppress
from typing import Final

from pynetdicom.association import Association
from pynetdicom.transport import AssociationSocket

# Longer than any honest A-ASSOCIATE-RQ (128 contexts, each with dozens of
# transfer syntaxes): a peer that is not admitted yet must not fill our memory.
LARGEST_CONTROL_PDU: Final = 1 << 20
WAKE_SECONDS: Final = 0.5
_PIECE: Final = 65_536
_LINGER_SECONDS: Final = 1.0
# Nothing but `hand_back` ends the data phase; it is looked again all the same.
_AT_REST_SECONDS: Final = 5.0
# Source: service provider; reason: invalid PDU parameter value (PS3.8 Table 9-26).
_A_ABORT: Final = struct.pack(">BxIxxBB", 0x07, 4, 2, 6)
_TIMEVAL: Final = struct.Struct("@ll")
# Linger on, for no time: closing sends a reset.
_RESET: Final = struct.pack("@ii", 1, 0)


def prepare(connection: socket.socket, *, send_timeout: float) -> None:
    """Set the options of an accepted connection.

    Responses leave at once, a receive wakes after `WAKE_SECONDS` without data,
    and a peer that does not read blocks a send for `send_timeout` seconds at most.
    """
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, _timeval(WAKE_SECONDS))
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, _timeval(send_timeout))


def acknowledge_at_once(connection: socket.socket) -> None:
    """Let the kernel acknowledge what has come without delay; holds until it decides otherwise.

    A sender that has left Nagle's algorithm on holds its last fragment back
    until the ones before are acknowledged: 40 ms for every instance otherwise.
    """
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)


def _timeval(seconds: float) -> bytes:
    return _TIMEVAL.pack(int(seconds), int(seconds % 1 * 1_000_000))


def abort_provider(connection: socket.socket) -> None:
    """Send an A-ABORT of the service provider (PS3.8 §9.3.8) and let the peer read it.

    A connection closed while bytes of the peer lie unread is reset, and the
    reset may overtake the abort: what still comes is thrown away for a moment.
    """
    with suppress(OSError):
        connection.sendall(_A_ABORT)
        connection.shutdown(socket.SHUT_WR)
        deadline = time.monotonic() + _LINGER_SECONDS
        while time.monotonic() < deadline and connection.recv(_PIECE):
            pass


def abort_at_once(connection: socket.socket) -> None:
    """Send an A-ABORT if the peer has room for it, and end the connection in both directions.

    Who goes on sending is reset when the connection is closed. Without that, one that has found our
    window shut waits before it until the kernel's FIN-WAIT-2 ends, 60 s.
    """
    # Another thread may be using the TLS layer, which has no such flag: there it is only ended.
    if not isinstance(connection, ssl.SSLSocket):
        with suppress(OSError):
            connection.send(_A_ABORT, socket.MSG_DONTWAIT)
    with suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        connection.shutdown(socket.SHUT_RDWR)


class SharedSocket(AssociationSocket):
    """A socket that pynetdicom's upper layer leaves alone during the data transfer phase.

    pynetdicom asks `ready` before each read, from the thread that also moves
    its state machine; answering "no" in the states of the data phase is all it
    takes to have the socket to ourselves until `hand_back`. During the transfer
    itself that thread has nothing to do at all, and gets its answer only then: asking
    50 times a second took 1 % of the processor time of four senders, and delayed each release.
    """

    # PS3.8 Table 9-5.
    _AWAITING_OUR_ANSWER: Final = "Sta3"
    _DATA_TRANSFER: Final = "Sta6"

    def __init__(
        self, association: Association, connection: socket.socket, *, timeout: float
    ) -> None:
        """Wrap an accepted and prepared connection.

        timeout: seconds within which a control PDU must be complete once its first byte has come.
        """
        super().__init__(association, client_socket=connection)
        self._timeout = timeout
        self._handed_back = threading.Event()
        self._unread = b""

    def hand_back(self, unread: bytes) -> None:
        """Let pynetdicom read from now on, `unread` first."""
        self._unread = unread
        self._handed_back.set()

    @property
    def ready(self) -> bool:
        """Tell pynetdicom whether there is something for it to read."""
        if not self._handed_back.is_set():
            state = self.assoc.dul.state_machine.current_state
            if state == self._AWAITING_OUR_ANSWER:
                return False
            if state == self._DATA_TRANSFER and not self._handed_back.wait(_AT_REST_SECONDS):
                return False
        # What TLS has decrypted already no longer shows on the socket.
        decrypted = isinstance(self.socket, ssl.SSLSocket) and self.socket.pending() > 0
        return bool(self._unread) or decrypted or super().ready

    def recv(self, nr_bytes: int) -> bytearray:
        """Return `nr_bytes`, or fewer when the connection ends.

        Raises:
            OSError: more than any control PDU may have was asked for.
            TimeoutError: they did not come in time.
        """
        if nr_bytes > LARGEST_CONTROL_PDU:
            raise OSError(f"PDU of {nr_bytes} bytes refused, the limit is {LARGEST_CONTROL_PDU}")
        received = bytearray(self._unread[:nr_bytes])
        self._unread = self._unread[nr_bytes:]
        deadline = time.monotonic() + self._timeout
        while len(received) < nr_bytes and self.socket is not None:
            try:
                piece = self.socket.recv(min(_PIECE, nr_bytes - len(received)))
            except (BlockingIOError, TimeoutError, ssl.SSLWantReadError):
                piece = None
            if piece == b"":
                break
            received += piece or b""
            if time.monotonic() > deadline:
                raise TimeoutError(f"{len(received)} of {nr_bytes} bytes after {self._timeout} s")
        return received
