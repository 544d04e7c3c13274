"""TCP ports of this machine for tests."""

import socket
from contextlib import ExitStack
from typing import Final

HOST: Final = "127.0.0.1"
_held: Final[list[socket.socket]] = []


def free_ports(count: int) -> list[int]:
    """Return different ports that were free a moment ago, for programs that are about to listen.

    Another test may take one meanwhile: who can, tries again with others.
    """
    with ExitStack() as bound:
        sockets = [bound.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind((HOST, 0))
        return [int(one.getsockname()[1]) for one in sockets]


def free_port() -> int:
    """Return one port, see `free_ports`."""
    return free_ports(1)[0]


def dead_port() -> int:
    """Return a port that refuses every connection as long as this process lives.

    A port that is only free may be given to another test's server, which answers.
    """
    held = socket.socket()
    held.bind((HOST, 0))
    _held.append(held)
    return int(held.getsockname()[1])
