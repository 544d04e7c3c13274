"""Storage Commitment Push Model over associations opened to us (PS3.4 Annex J): both roles."""

import logging
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from pydicom.dataset import Dataset
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from pacs_gateway.associations.commands import CommandField
from pacs_gateway.associations.exchange import Exchange
from pacs_gateway.associations.status import SUCCESS, Answer, Status
from pacs_gateway.commitments import asking, engine
from pacs_gateway.commitments.results import (
    SOP_CLASS_UID,
    SOP_INSTANCE_UID,
    Result,
    Told,
    answer_of,
)
from pacs_gateway.config import CommitmentConfig, ReturnsConfig
from pacs_gateway.services.datasets import UnreadableDataset, decode, encode
from pacs_gateway.services.operations import Call, Greeting, Operation
from storage import attempts
from storage.clock import utc_now
from storage.commitments import (
    CommitmentRequest,
    CommitmentState,
    Reference,
    add_references,
    find_request,
    references_of,
    waiting_for_device,
)
from storage.database import Database
from storage.identifiers import InvalidIdentifier, Uid
from storage.objects import ObjectStore
from storage.receptions import Origin

_REQUEST_STORAGE_COMMITMENT: Final = 1
_SAME: Final = "same association"
_LATER: Final = "later association"
_SYNTAXES: Final = frozenset({SOP_CLASS_UID})

_log = logging.getLogger(__name__)


class _Refused(Exception):
    """A request is answered with a failure."""

    def __init__(self, status: Status, comment: str) -> None:
        super().__init__(comment)
        self.answer = Answer(status, comment)


class CommitmentService:
    """Accepts requests, and tells results over the associations of the devices."""

    def __init__(
        self,
        database: Database,
        objects: ObjectStore,
        config: CommitmentConfig,
        returns: ReturnsConfig,
    ) -> None:
        """Keep requests in `database`; vouch for what is there and in `objects`."""
        self._database = database
        self._objects = objects
        self._config = config
        self._returns = returns

    def operations(self) -> tuple[Operation, ...]:
        """Return what is served: N-ACTION, and N-EVENT-REPORT of whom we have asked."""
        return (
            Operation(CommandField.N_ACTION_RQ, _SYNTAXES, self._action),
            Operation(CommandField.N_EVENT_REPORT_RQ, _SYNTAXES, self._hear),
        )

    def greetings(self) -> tuple[Greeting, ...]:
        """Return what a device that associates hears: results it has not heard yet."""
        return (Greeting(_SYNTAXES, self._greet),)

    def _action(self, call: Call) -> Answer:
        try:
            request_id = self._accept(call)
        except _Refused as refused:
            return refused.answer
        except SQLAlchemyError as error:
            _log.error("storage commitment cannot be noted", extra={"error": type(error).__name__})
            return Answer(Status.RESOURCE_LIMITATION, "cannot be kept just now, ask again later")
        if request_id is not None:
            call.exchange.later(lambda exchange: self.tell_over(request_id, exchange, _SAME))
        return SUCCESS

    def _hear(self, call: Call) -> Answer:
        """Take a result that a receiver of reports tells over an association of its own."""
        try:
            event: Any = decode(call.dataset, call.exchange.context.transfer_syntax)
            known = asking.hear(event, call.caller.site_id, self._database)
        except (UnreadableDataset, asking.UnreadableResult) as error:
            _log.warning("storage commitment result unreadable", extra={"why": str(error)})
            return Answer(Status.INVALID_ARGUMENT_VALUE, "result cannot be read")
        except SQLAlchemyError as error:
            _log.error("storage commitment not noted", extra={"error": type(error).__name__})
            return Answer(
                Status.RESOURCE_LIMITATION, "cannot be kept just now, tell it again later"
            )
        if not known:
            return Answer(Status.INVALID_ARGUMENT_VALUE, "nothing was asked under this UID")
        return SUCCESS

    def _accept(self, call: Call) -> UUID | None:
        """Keep a request and return its id; None when it is known and the device has heard it.

        Raises:
            _Refused: it is not a request that can be kept.
        """
        device_id = call.caller.device_id
        if device_id is None:
            raise _Refused(Status.NOT_AUTHORIZED, "only a registered device may ask")
        if call.command.sop_instance_uid != SOP_INSTANCE_UID:
            raise _Refused(Status.NO_SUCH_SOP_INSTANCE, "not the well-known SOP instance")
        if call.command.action_type_id != _REQUEST_STORAGE_COMMITMENT:
            raise _Refused(Status.NO_SUCH_ACTION, "Action Type ID is not 1")
        transaction_uid, references = _read(call)
        try:
            with self._database.transaction() as session:
                known = find_request(session, device_id, transaction_uid)
                if known is not None:
                    if references_of(session, known.id) != references:
                        raise _Refused(
                            Status.DUPLICATE_TRANSACTION_UID, "Transaction UID was used before"
                        )
                    if known.state == CommitmentState.REPORTED:
                        # It has forgotten, or asks again after sending what was missing.
                        engine.reopened(
                            known,
                            wait_seconds=self._config.wait_seconds,
                            hold_seconds=self._config.hold_seconds,
                        )
                    return known.id
                now = utc_now()
                made = CommitmentRequest(
                    requested_at=now,
                    site_id=call.caller.site_id,
                    device_id=device_id,
                    calling_ae_title=call.caller.calling_ae_title,
                    transaction_uid=transaction_uid,
                    examine_until=now + timedelta(seconds=self._config.wait_seconds),
                )
                attempts.give_back(made, after_seconds=self._config.hold_seconds)
                session.add(made)
                session.flush()
                add_references(session, made.id, references)
                return made.id
        except IntegrityError as error:
            # The same request came over two associations at once.
            raise _Refused(
                Status.DUPLICATE_TRANSACTION_UID, "Transaction UID is being used"
            ) from error

    def tell_over(self, request_id: UUID, exchange: Exchange, by: str) -> bool:
        """Tell one result over this association; return whether it is done with here."""

        def telling(result: Result) -> Told:
            dataset = result.dataset(self._returns.calling_ae_title)
            return answer_of(
                exchange.report_event(
                    sop_class_uid=SOP_CLASS_UID,
                    sop_instance_uid=SOP_INSTANCE_UID,
                    event_type_id=result.event_type_id,
                    dataset=encode(dataset, exchange.context.transfer_syntax),
                )
            )

        try:
            return engine.attempt_now(
                request_id, self._database, self._objects, self._returns, telling=telling, by=by
            )
        except SQLAlchemyError as error:
            _log.warning(
                "storage commitment has to wait for the database",
                extra={"error": type(error).__name__},
            )
            return False

    def _greet(self, caller: Origin) -> "_Greeting":
        return _Greeting(self, self._database, caller)


class _Greeting:
    """Tells a device that has associated what it has not heard yet, oldest first."""

    def __init__(self, service: CommitmentService, database: Database, caller: Origin) -> None:
        self._service = service
        self._database = database
        self._device_id = caller.device_id
        # What it asks for over this association it hears anyway.
        self._began = utc_now()
        self._left: list[UUID] | None = None

    def __call__(self, exchange: Exchange) -> bool:
        if self._left is None:
            self._left = self._find()
        while self._left:
            if not self._service.tell_over(self._left[0], exchange, _LATER):
                return False
            self._left.pop(0)
        return self._left is not None

    def _find(self) -> list[UUID] | None:
        if self._device_id is None:
            return []
        try:
            with self._database.transaction() as session:
                return list(waiting_for_device(session, self._device_id, self._began))
        except SQLAlchemyError:
            return None


def _read(call: Call) -> tuple[str, list[Reference]]:
    """Return Transaction UID and references of a request (PS3.4 Table J.3-1).

    Raises:
        _Refused: it lacks them, or they are no UIDs.
    """
    try:
        dataset: Any = decode(call.dataset, call.exchange.context.transfer_syntax)
    except UnreadableDataset as error:
        raise _Refused(Status.INVALID_ARGUMENT_VALUE, "dataset cannot be read") from error
    try:
        transaction_uid = Uid.parse(str(dataset.get("TransactionUID", "")), what="Transaction UID")
        items: Sequence[Dataset] = dataset.get("ReferencedSOPSequence") or ()
        references = [_reference(item) for item in items]
    except InvalidIdentifier as error:
        raise _Refused(Status.INVALID_ARGUMENT_VALUE, str(error.args[0])) from error
    if not references:
        raise _Refused(Status.INVALID_ARGUMENT_VALUE, "Referenced SOP Sequence is empty")
    return transaction_uid, references


def _reference(item: Any) -> Reference:  # noqa: ANN401 -- pydicom's datasets are typed in part
    return Reference(
        Uid.parse(str(item.get("ReferencedSOPClassUID", "")), what="Referenced SOP Class UID"),
        Uid.parse(str(item.get("ReferencedSOPInstanceUID", "")), what="Referenced SOP Inst. UID"),
    )
