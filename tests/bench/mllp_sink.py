"""A receiver of messages that takes everything at once: `python -m tests.bench.mllp_sink`.

Prints the port it listens on, on loopback, and works until it is killed. A process of its own, so
that what it costs is not the sender's.
"""

import socket
import threading
from contextlib import suppress

_END = b"\x1c\r"
_ANSWER = b"\x0bMSH|^~\\&|HIS|EAST|RDC|centre|20260314||ACK^R01^ACK|A1|P|2.5.1\rMSA|AA|%b\r\x1c\r"


def main() -> None:
    """Listen and acknowledge."""
    listening = socket.create_server(("127.0.0.1", 0), backlog=256)
    print(listening.getsockname()[1], flush=True)  # noqa: T201 -- its output
    while True:
        line, _ = listening.accept()
        threading.Thread(target=_serve, args=(line,), daemon=True).start()


def _serve(line: socket.socket) -> None:
    held = b""
    with suppress(OSError), line:
        while data := line.recv(262_144):
            held += data
            while _END in held:
                message, _, held = held.partition(_END)
                control_id = message.partition(b"\r")[0].split(b"|")[9]
                line.sendall(_ANSWER % control_id)


if __name__ == "__main__":
    main()
