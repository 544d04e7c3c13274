"""How a service other than storage plugs into an association.

A service module offers `operations(…) -> tuple[Operation, ...]`, built once by
the gateway with what the service needs (database, objects, configuration). An
`Operation` names the DIMSE request and the SOP classes it serves and a function
that is called with the whole request, in the association's own thread, and
gives the final answer. It may take as long as it needs: other associations
have threads of their own.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from pacs_gateway.associations.commands import Command, CommandField, ProtocolViolation
from pacs_gateway.associations.exchange import Exchange, FollowUp
from pacs_gateway.associations.pdu_reader import PeerGone, PeerSilent
from pacs_gateway.associations.status import NOT_REFUSALS, Answer, Status
from storage import walls
from storage.receptions import Origin

# Identifiers, worklist queries, commitment requests of 20,000 references: far below.
DATASET_MAXIMUM: Final = 8 * 1024 * 1024
_TOO_LARGE: Final = Answer(
    Status.OUT_OF_RESOURCES, f"dataset of more than {DATASET_MAXIMUM} bytes refused"
)
_FAILED: Final = Answer(Status.PROCESSING_FAILURE, "failed here, the log of the centre says why")

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Call:
    """One whole request.

    caller: the device that asks, and its site: nothing of another site may be told to it.
    dataset: identifier or attribute list as received, in the transfer syntax of
        `exchange.context`; empty when the request had none. See `services.datasets`.
    exchange: for pending responses, cancellation, sub-operations.
    """

    command: Command
    caller: Origin
    dataset: bytes
    exchange: Exchange


@dataclass(frozen=True, slots=True)
class Operation:
    """A DIMSE request under a set of SOP classes, and what serves it.

    serve: gives the final answer. What it raises is answered with 0110H and logged, save the end
        of the association.
    """

    field: CommandField
    abstract_syntaxes: frozenset[str]
    serve: Callable[[Call], Answer]


@dataclass(frozen=True, slots=True)
class Greeting:
    """Something that a device which associates shall hear without asking.

    follow_up: made once for each association that accepted one of the SOP classes, and called while
        it is idle, see `exchange.FollowUp`.
    """

    abstract_syntaxes: frozenset[str]
    follow_up: Callable[[Origin], FollowUp]


class CollectedRequest:
    """The reception of a request whose dataset is small enough to be held."""

    def __init__(self, operation: Operation, command: Command, caller: Origin) -> None:
        """Collect the dataset of `command`, then let `operation` serve it."""
        self._operation = operation
        self._command = command
        self._caller = caller
        self._dataset = bytearray()
        self._too_large = False

    def write(self, fragment: memoryview) -> None:
        """Keep `fragment`, or forget all when it becomes too much."""
        if self._too_large or len(self._dataset) + len(fragment) > DATASET_MAXIMUM:
            self._too_large = True
            self._dataset.clear()
            return
        self._dataset += fragment

    def room(self) -> None:
        """Offer no memory: how much comes is not known."""

    def filled(self, count: int) -> None:
        """Nothing can be there."""

    def finish(self, exchange: Exchange) -> Answer:
        """Serve the request."""
        if self._too_large:
            self._note(_TOO_LARGE)
            return _TOO_LARGE
        call = Call(self._command, self._caller, bytes(self._dataset), exchange)
        try:
            # Whatever a service asks the database, it is told of the caller's site alone.
            with walls.within((self._caller.site_id,)):
                answer = self._operation.serve(call)
        except (PeerGone, PeerSilent, ProtocolViolation):
            raise
        except Exception:  # noqa: BLE001 -- the peer gets an answer, the association goes on
            _log.exception(
                "request failed",
                extra={
                    "operation": self._operation.field.name,
                    "calling_ae_title": self._caller.calling_ae_title,
                },
            )
            return _FAILED
        self._note(answer)
        return answer

    def _note(self, answer: Answer) -> None:
        """Leave a line in the log of what was refused; an Error Comment has no patient data."""
        if answer.status in NOT_REFUSALS:
            return
        _log.warning(
            "request refused",
            extra={
                "operation": self._operation.field.name,
                "calling_ae_title": self._caller.calling_ae_title,
                "status": f"{int(answer.status):04X}H",
                "reason": answer.comment,
            },
        )

    def settle(self) -> None:
        """Nothing is left to do."""

    def abandon(self) -> None:
        """Forget the dataset."""
        self._dataset.clear()
