"""An association that we request: pynetdicom's, with a pause between its threads that holds.

pynetdicom's association has a thread of its own, which takes what the peer sends unasked, and
whoever sends a request has it pause first, so that it does not take the answer. Its own pause does
not hold: `_is_paused` is still true of a thread that has been woken and has not run yet. A request
sent at that moment, on a machine that is busy, goes out while the thread is about to look at the
queue, and when the answer is there first it is thrown away as an "unexpected message" and the
sender waits for it in vain (seen once in some thousand C-STORE requests under load). Here the
thread counts as paused only while it cannot go on before it is told to.
"""

import socket
import ssl
import threading
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from copy import deepcopy
from typing import Any, Final, cast

from pynetdicom import evt
from pynetdicom.ae import ApplicationEntity
from pynetdicom.association import Association
from pynetdicom.pdu_primitives import SCP_SCU_RoleSelectionNegotiation
from pynetdicom.presentation import PresentationContext
from pynetdicom.transport import AddressInformation, AssociationSocket

_LOOK_SECONDS: Final = 0.0001
_ANY_ADDRESS: Final = {socket.AF_INET: "", socket.AF_INET6: "::"}

Handlers = Sequence[tuple[evt.EventType, Callable[[evt.Event], object]]]


class Checkpoint:
    """Where one thread waits while it is closed; who closes it can tell when the thread is held.

    `set`, `clear` and `wait` are those of `threading.Event`, but a thread that was let go and had
    not run yet when the checkpoint was closed again stays.
    """

    def __init__(self) -> None:
        """Make an open one."""
        self._changed = threading.Condition()
        self._open = True
        self._waits = False

    def set(self) -> None:
        """Open it: who waits goes on."""
        with self._changed:
            self._open = True
            self._changed.notify_all()

    def clear(self) -> None:
        """Close it. Whoever came through before goes on, until he comes here again."""
        with self._changed:
            self._open = False

    def wait(self) -> None:
        """Come through, as soon as it is open."""
        with self._changed:
            self._waits = True
            while not self._open:
                self._changed.wait()
            self._waits = False

    @property
    def holds(self) -> bool:
        """Whether a thread waits and cannot go on before `set`."""
        with self._changed:
            return self._waits and not self._open


class RequestedAssociation(Association):
    """An association that we request; pynetdicom's `send_…` methods work as they do there."""

    def __init__(self, ae: ApplicationEntity) -> None:
        """Make one of `ae`, with its timeouts; nothing is connected yet, see `request_of`."""
        super().__init__(ae, "requestor")
        self.checkpoint = Checkpoint()
        # pynetdicom's only use of the event is the three methods that they have in common.
        self._reactor_checkpoint = cast("threading.Event", self.checkpoint)

    @property
    def _is_paused(self) -> bool:
        """Tell whether the association's thread can take nothing now: held, or at its end."""
        # One that it runs itself needs no pause; one that ends takes nothing any more.
        own = threading.current_thread() is self
        return own or self._kill or not self.is_alive() or self.checkpoint.holds

    @_is_paused.setter
    def _is_paused(  # pyright: ignore[reportIncompatibleVariableOverride] -- an attribute there
        self, value: bool
    ) -> None:
        # pynetdicom notes it beside what it does; it is asked of what is so.
        del value

    @contextmanager
    def held(self) -> Generator[None]:
        """Have the association's thread take nothing meanwhile, for who reads answers himself."""
        self.checkpoint.clear()
        try:
            while not self._is_paused:
                time.sleep(_LOOK_SECONDS)
            yield
        finally:
            self.checkpoint.set()


def request_association(
    ae: ApplicationEntity,
    host: str,
    port: int,
    contexts: Sequence[PresentationContext],
    *,
    called_ae_title: str,
    maximum_pdu: int,
    roles: Sequence[SCP_SCU_RoleSelectionNegotiation] = (),
    tls: tuple[ssl.SSLContext, str] | None = None,
    handlers: Handlers = (),
) -> RequestedAssociation:
    """Request an association; return it running when it `is_established`, ended otherwise.

    ae: whose title, implementation and timeouts it has. maximum_pdu: bytes that we take at most.
    tls: see `requesting.associate`. handlers: of what the peer requests over it. Small messages
    leave at once: with Nagle's algorithm each would wait 40 ms for an acknowledgement.

    Raises:
        OSError: the host's name is not known.
    """
    remote = AddressInformation(host, port)
    local = AddressInformation(_ANY_ADDRESS[remote.address_family], 0)
    association = RequestedAssociation(ae)
    association.name = f"association-to-{remote.address}:{port}"
    transport = AssociationSocket(association, address=local)
    transport.tls_args = tls
    association.set_socket(transport)
    acceptor, requestor = association.acceptor, association.requestor
    acceptor.ae_title = called_ae_title
    acceptor.address_info = remote
    requestor.address_info = local
    requestor.ae_title = ae.ae_title
    requestor.maximum_length = maximum_pdu
    requestor.implementation_class_uid = ae.implementation_class_uid
    requestor.implementation_version_name = ae.implementation_version_name
    untyped: Any = association  # pynetdicom is typed in part only
    for role in roles:
        untyped.requestor.add_negotiation_item(role)
    proposed = deepcopy(list(contexts))
    for number, context in enumerate(proposed):
        context.context_id = 2 * number + 1
    requestor.requested_contexts = proposed
    untyped.bind(evt.EVT_CONN_OPEN, without_delay)
    for event, handler in handlers:
        untyped.bind(event, handler)
    association.request()
    if association.is_established:
        association.start()
    return association


def without_delay(event: evt.Event) -> None:
    """Let small packets of a connection leave at once; for `evt.EVT_CONN_OPEN` of either side."""
    transport = event.assoc.dul.socket
    if transport is not None and transport.socket is not None:
        transport.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
