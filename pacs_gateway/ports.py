"""Ports that machines of sites connect to."""

import socket
from collections.abc import Iterable
from contextlib import suppress
from typing import Final

from storage.errors import RdcError

# Many devices start to send at the same minute of a morning.
_BACKLOG: Final = 128


class PortUnavailable(RdcError):
    """We cannot listen where we were told to."""


def bind(host: str, port: int, setting: str = "RDC_DICOM_PORT") -> socket.socket:
    """Return a listening socket that does not block.

    Raises:
        PortUnavailable: the address cannot be bound.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        listening.listen(_BACKLOG)
        listening.setblocking(False)
    except OSError as error:
        listening.close()
        raise PortUnavailable(
            f"cannot listen on {host} port {port}",
            found=error.strerror or str(error),
            remedy=f"Stop the program that uses the port, or set {setting} to another.",
        ) from error
    return listening


def wake(sockets: Iterable[socket.socket]) -> None:
    """Take no more connections on listening sockets, and wake who waits for one, from any thread.

    A waiting `select` returns; `accept` raises OSError from now on.
    """
    for listening in sockets:
        # Where the system does not know this for sockets that listen, who waits looks soon himself.
        with suppress(OSError):
            listening.shutdown(socket.SHUT_RDWR)
