"""The sending side of MLLP (HL7 v2.5.1 Appendix C): a message out, the frames that come back."""

import select
import socket
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeVar

from pacs_gateway import tls
from pacs_gateway.hl7.framing import FrameReader, FramingLost, framed
from storage.registry.destination_settings import ClientTls

_PIECE: Final = 65_536
# An acknowledgement has a few hundred bytes; ERR segments may tell a story.
_LONGEST_ANSWER: Final = 64 * 1024
_LEFTOVERS: Final = 8
_SHORTEST_SECONDS: Final = 0.1

Found = TypeVar("Found")


class NoAnswer(Exception):
    """The receiver was not reached, or gave no answer that counts; the text says so to a person.

    sent: whether the message may have arrived all the same.
    heard: the last thing that was no answer, for the record; it may hold patient data.
    """

    def __init__(self, why: str, *, sent: bool, heard: bytes = b"") -> None:
        super().__init__(why)
        self.sent = sent
        self.heard = heard


@dataclass(frozen=True, slots=True)
class Receiver:
    """Where a receiver listens and how long it may take.

    answer_seconds: from the message's last byte until the answer that counts.
    """

    host: str
    port: int
    tls: ClientTls | None = None
    connect_seconds: float = 10.0
    answer_seconds: float = 30.0

    @property
    def where(self) -> str:
        """The address for a person."""
        return f"{self.host}:{self.port}"


class _Closed(Exception):
    """The receiver closed the connection; `answered`: after having said something."""

    def __init__(self, *, answered: bool) -> None:
        super().__init__()
        self.answered = answered


class MllpConnection:
    """A connection to one receiver, kept between messages; not shared between threads.

    One that the receiver has closed since the message before is opened anew, once: a message that
    is sent again is recognised by its control id.
    """

    def __init__(self, receiver: Receiver) -> None:
        """Connect at the first message."""
        self._receiver = receiver
        self._socket: socket.socket | None = None

    def exchange(
        self, content: bytes, judge: Callable[[bytes], Found | None], *, until: float
    ) -> Found:
        """Send a message and return what `judge` finds in the first frame that it recognises.

        until: when to give up, of `time.monotonic`, whatever the receiver's time may be.
        judge: gets the content of each frame that comes back, and returns None for those that are
            no answer to this message, which are passed over.

        Raises:
            NoAnswer: not reached, closed, silent, or nothing came that `judge` recognised.
            TlsUnusable: certificate, key or authorities cannot be used.
        """
        if self._socket is not None and _usable(self._socket):
            try:
                return self._ask(self._socket, content, judge, until)
            except _Closed as closed:
                if closed.answered:
                    raise self._lost() from closed
        self.close()
        self._socket = self._connect(until)
        try:
            return self._ask(self._socket, content, judge, until)
        except _Closed as closed:
            raise self._lost() from closed

    def reach(self, *, seconds: float) -> None:
        """Connect, and see that the receiver stays for so many seconds; nothing is sent.

        Raises:
            NoAnswer: not reached, or closed at once, as by a gateway with nobody behind it.
            TlsUnusable: certificate, key or authorities cannot be used.
        """
        self.close()
        self._socket = self._connect(time.monotonic() + self._receiver.connect_seconds)
        select.select([self._socket], [], [], seconds)
        if not _usable(self._socket):
            self.close()
            raise NoAnswer(f"{self._receiver.where} closed the connection at once", sent=True)

    def close(self) -> None:
        """Close the connection; the next message opens another."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _connect(self, until: float) -> socket.socket:
        receiver = self._receiver
        patience = max(min(receiver.connect_seconds, until - time.monotonic()), _SHORTEST_SECONDS)
        secured = receiver.tls
        context = None if secured is None else tls.client_context(secured)
        try:
            plain = socket.create_connection((receiver.host, receiver.port), timeout=patience)
        except OSError as error:
            raise NoAnswer(
                f"no connection to {receiver.where}: {_reason(error)}", sent=False
            ) from error
        if context is None or secured is None:
            return plain
        try:
            return context.wrap_socket(plain, server_hostname=secured.server_name or receiver.host)
        except OSError as error:
            plain.close()
            raise NoAnswer(
                f"no secure connection to {receiver.where}: {_reason(error)}", sent=False
            ) from error

    def _ask(
        self,
        line: socket.socket,
        content: bytes,
        judge: Callable[[bytes], Found | None],
        until: float,
    ) -> Found:
        try:
            return self._heard(line, content, judge, until)
        except BaseException:
            # Whatever may come over it yet would answer nothing.
            self.close()
            raise

    def _heard(
        self,
        line: socket.socket,
        content: bytes,
        judge: Callable[[bytes], Found | None],
        until: float,
    ) -> Found:
        receiver = self._receiver
        patience = receiver.answer_seconds
        reader = FrameReader(_LONGEST_ANSWER)
        came = others = 0
        heard = b""
        try:
            whole = memoryview(framed(content))
            for start in range(0, len(whole), _PIECE):
                # A document takes its time over a thin line; what counts is that it moves.
                line.settimeout(max(min(patience, until - time.monotonic()), _SHORTEST_SECONDS))
                line.sendall(whole[start : start + _PIECE])
            deadline = min(time.monotonic() + patience, until)
            while (left := deadline - time.monotonic()) > 0:
                line.settimeout(left)
                data = line.recv(_PIECE)
                if not data:
                    raise _Closed(answered=came > 0)
                came += len(data)
                heard = data
                for frame in reader.feed(data):
                    found = judge(frame.content)
                    if found is not None:
                        return found
                    others += 1
                    heard = frame.content
        except TimeoutError:
            pass
        except FramingLost as error:
            raise NoAnswer(
                f"{receiver.where} answers with what is no MLLP frame", sent=True, heard=heard
            ) from error
        except (ConnectionError, ssl.SSLError) as error:
            raise _Closed(answered=came > 0) from error
        except OSError as error:
            raise NoAnswer(
                f"connection to {receiver.where} lost: {_reason(error)}", sent=True
            ) from error
        said = (
            "nothing was answered"
            if came == 0
            else f"{others} came, none to this message"
            if others
            else "what came is no MLLP frame"
        )
        raise NoAnswer(
            f"no acknowledgement from {receiver.where} in {patience:g} s: {said}",
            sent=True,
            heard=heard,
        )

    def _lost(self) -> NoAnswer:
        return NoAnswer(
            f"{self._receiver.where} closed the connection without an acknowledgement", sent=True
        )


def _usable(line: socket.socket) -> bool:
    """Tell whether a kept connection still stands; a late or doubled answer on it is dropped."""
    line.settimeout(0)
    try:
        for _ in range(_LEFTOVERS):
            if not select.select([line], [], [], 0)[0]:
                return True
            if not line.recv(_PIECE):
                return False
    except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
        # TLS had something to say to itself.
        return True
    except (OSError, ValueError):
        return False
    # It does not stop talking.
    return False


def _reason(error: OSError) -> str:
    return error.strerror or str(error) or type(error).__name__
