"""The seam between an association and the services that it carries.

A `Service` is asked to begin a `Reception` for each request. The reception
takes the request's dataset as it comes and, after the last fragment, gives the
final answer. Before it does, it may use the `Exchange`: send responses that
are not the final one, see whether the peer wants to cancel, and send requests
of its own over the same association.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from pacs_gateway.associations.commands import Command
from pacs_gateway.associations.pdu_writer import Buffer
from pacs_gateway.associations.status import Answer


@dataclass(frozen=True, slots=True)
class Context:
    """An accepted presentation context (PS3.8 §7.1.1.13).

    as_scu: the peer took the SCP role (PS3.7 D.3.3.4), so we may send requests under it.
    """

    id: int
    abstract_syntax: str
    transfer_syntax: str
    as_scu: bool = False


class Exchange(Protocol):
    """What a reception may do with its association while it finishes one request.

    Its methods are called from the association's thread only. Each may raise
    `pdu_reader.PeerGone`, `pdu_reader.PeerSilent` or `commands.ProtocolViolation`
    when the association has come to its end; let them pass.
    """

    @property
    def context(self) -> Context:
        """The presentation context of the request."""
        ...

    @property
    def contexts(self) -> Mapping[int, Context]:
        """All accepted presentation contexts by id."""
        ...

    def respond(self, answer: Answer) -> None:
        """Send a response that is not the final one; `answer` has a pending status."""
        ...

    def cancelled(self) -> bool:
        """Tell whether a C-CANCEL for this request has come (PS3.7 §9.3.2.3); does not wait."""
        ...

    def store(
        self,
        context: Context,
        *,
        sop_class_uid: str,
        sop_instance_uid: str,
        dataset: Iterable[Buffer],
    ) -> int:
        """Send a C-STORE sub-operation (C-GET) and return the status of its response.

        context: one with `as_scu`; `dataset` is encoded in its transfer syntax and consumed as it
            is sent, never held.
        """
        ...

    def report_event(
        self, *, sop_class_uid: str, sop_instance_uid: str, event_type_id: int, dataset: bytes
    ) -> int:
        """Send an N-EVENT-REPORT under the request's context; return its response's status."""
        ...

    def later(self, follow_up: "FollowUp") -> None:
        """Have `follow_up` called while the association is idle, after this request's answer."""
        ...


# Called about twice a second between requests until it returns True (done) or the association
# ends, in which case it is forgotten.
FollowUp = Callable[[Exchange], bool]


class Reception(Protocol):
    """Takes the dataset of one request and answers it."""

    def write(self, fragment: memoryview) -> None:
        """Take the next fragment, valid only during the call; never raises for what it holds."""
        ...

    def room(self) -> memoryview | None:
        """Return memory in which the next of the dataset may be received, instead of `write`.

        None, or none left: there is no such memory, and `write` takes the next fragment.
        """
        ...

    def filled(self, count: int) -> None:
        """Take the next `count` bytes, which are at the beginning of the last `room`."""
        ...

    def finish(self, exchange: Exchange) -> Answer:
        """Give the final answer, after the last fragment."""
        ...

    def settle(self) -> None:
        """Do what the peer need not wait for; after the final answer was sent, or could not be."""
        ...

    def abandon(self) -> None:
        """Forget the request: the association ended before its final answer."""
        ...


class Service(Protocol):
    """Serves the requests of one association."""

    def begin(self, command: Command, context: Context) -> Reception:
        """Start to serve a request that came under this presentation context."""
        ...


class AssociationService(Service, Protocol):
    """A service that may also speak first."""

    def follow_ups(self, contexts: Iterable[Context]) -> Iterable[tuple[Context, FollowUp]]:
        """Return what to call while the association is idle, from its beginning on."""
        ...
