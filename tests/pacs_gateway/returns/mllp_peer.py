"""A site's receiver of messages that answers as a test says."""

import socket
import ssl
import threading
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager, suppress

from pacs_gateway.hl7.framing import FrameReader, framed
from pacs_gateway.hl7.message import Message

# Bytes are sent as they are; None closes the connection.
Script = Callable[[Message], Sequence[bytes | None]]


def ack(code: str, message: Message | str, *, error: str = "", text: str = "") -> bytes:
    """A framed acknowledgement, to a message or to a control id."""
    known = message if isinstance(message, str) else message.header.text(10) or ""
    lines = [
        "MSH|^~\\&|HIS|EAST|RDC|centre|20260314||ACK^R01^ACK|A1|P|2.5.1",
        f"MSA|{code}|{known}|{text}".rstrip("|"),
    ]
    if error:
        lines.append(f"ERR||PID^1^3|{error}^words^HL70357|E||||{text}")
    return framed("".join(f"{line}\r" for line in lines).encode())


class Peer:
    """port: where it listens. messages: what came. connections: how many were made."""

    def __init__(self, script: Script, secured: ssl.SSLContext | None, port: int) -> None:
        self._script = script
        self._secured = secured
        self._listening = socket.create_server(("127.0.0.1", port))
        self._lines: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._accepting = threading.Thread(target=self._accept)
        self.port: int = self._listening.getsockname()[1]
        self.messages: list[Message] = []
        self.connections = 0
        self._accepting.start()

    def close(self) -> None:
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._accepting.join()
        for line in self._lines:
            with suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)
            line.close()
        for thread in self._threads:
            thread.join()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                line, _ = self._listening.accept()
                self.connections += 1
                secured = self._handshake(line)
                if secured is not None:
                    self._lines.append(secured)
                    thread = threading.Thread(target=self._serve, args=(secured,))
                    self._threads.append(thread)
                    thread.start()

    def _handshake(self, line: socket.socket) -> socket.socket | None:
        if self._secured is None:
            return line
        try:
            return self._secured.wrap_socket(line, server_side=True)
        except OSError:
            line.close()
            return None

    def _serve(self, line: socket.socket) -> None:
        reader = FrameReader(10_000_000)
        with suppress(OSError), line:
            while data := line.recv(65_536):
                for frame in reader.feed(data):
                    message = Message.parse(frame.content)
                    self.messages.append(message)
                    for piece in self._script(message):
                        if piece is None:
                            line.shutdown(socket.SHUT_RDWR)
                            return
                        line.sendall(piece)


@contextmanager
def peer(
    script: Script, *, secured: ssl.SSLContext | None = None, port: int = 0
) -> Generator[Peer]:
    """Listen until the end of the block; port 0 takes a free one."""
    told = Peer(script, secured, port)
    try:
        yield told
    finally:
        told.close()
