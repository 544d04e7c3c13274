"""Which service answers a request: by the request and the SOP class of its context."""

import logging
from collections.abc import Iterable, Sequence
from typing import Final

from pacs_gateway.associations.commands import Command, CommandField
from pacs_gateway.associations.contexts import is_storage
from pacs_gateway.associations.exchange import Context, FollowUp, Reception
from pacs_gateway.associations.status import SUCCESS, Answer, Status
from pacs_gateway.services.operations import CollectedRequest, Greeting, Operation
from pacs_gateway.services.settled import Settled
from pacs_gateway.services.store import begin_store
from pacs_gateway.spool import Spool
from storage.receptions import Origin
from storage.registry import DeviceLimits

_C_STORE_RQ: Final = int(CommandField.C_STORE_RQ)
_UNRECOGNIZED: Final = Answer(Status.UNRECOGNIZED_OPERATION, "operation is not supported here")

_log = logging.getLogger(__name__)


class Dispatch:
    """All services of a gateway; makes those of one association."""

    def __init__(
        self,
        spool: Spool,
        operations: Iterable[Operation],
        greetings: Iterable[Greeting] = (),
    ) -> None:
        """Receive into `spool`, serve `operations`, and greet who associates.

        Raises:
            ValueError: two operations claim the same request under the same SOP class.
        """
        self._spool = spool
        self._greetings = tuple(greetings)
        self._operations: dict[tuple[int, str], Operation] = {}
        for operation in operations:
            for abstract_syntax in operation.abstract_syntaxes:
                key = (int(operation.field), abstract_syntax)
                if key in self._operations:
                    raise ValueError(f"{operation.field.name} of {abstract_syntax} is served twice")
                self._operations[key] = operation

    @property
    def abstract_syntaxes(self) -> frozenset[str]:
        """The SOP classes, besides verification and storage, that contexts are accepted for."""
        return frozenset(abstract_syntax for _, abstract_syntax in self._operations)

    def serve(self, origin: Origin, limits: DeviceLimits) -> "AssociationServices":
        """Return the services of an association with `origin`."""
        return AssociationServices(self._spool, self._operations, self._greetings, origin, limits)


class AssociationServices:
    """Serves the requests of one admitted association; see `exchange.Service`."""

    def __init__(
        self,
        spool: Spool,
        operations: dict[tuple[int, str], Operation],
        greetings: Sequence[Greeting],
        origin: Origin,
        limits: DeviceLimits,
    ) -> None:
        """Serve what comes from `origin`, within its limits."""
        self._spool = spool
        self._operations = operations
        self._greetings = greetings
        self._origin = origin
        self._limits = limits

    def follow_ups(self, contexts: Iterable[Context]) -> Iterable[tuple[Context, FollowUp]]:
        """Return the greetings for which the association has a context."""
        accepted = list(contexts)
        for greeting in self._greetings:
            fit = (one for one in accepted if one.abstract_syntax in greeting.abstract_syntaxes)
            context = next(fit, None)
            if context is not None:
                yield context, greeting.follow_up(self._origin)

    def begin(self, command: Command, context: Context) -> Reception:
        """Start to serve a request."""
        if command.field == _C_STORE_RQ and is_storage(context.abstract_syntax):
            return begin_store(
                self._spool,
                self._origin,
                command,
                context.transfer_syntax,
                max_bytes=self._limits.max_instance_bytes,
            )
        if command.field == CommandField.C_ECHO_RQ:
            return Settled(SUCCESS)
        operation = self._operations.get((command.field, context.abstract_syntax))
        if operation is None:
            _log.warning(
                "request refused",
                extra={
                    "operation": f"{command.field:04X}H",
                    "calling_ae_title": self._origin.calling_ae_title,
                    "status": f"{int(_UNRECOGNIZED.status):04X}H",
                    "reason": _UNRECOGNIZED.comment,
                },
            )
            return Settled(_UNRECOGNIZED)
        return CollectedRequest(operation, command, self._origin)
