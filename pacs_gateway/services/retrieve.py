"""C-GET and C-MOVE as SCP (PS3.4 §C.4.2, §C.4.3): a device has back what its own site has sent."""

import logging
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from pydicom.datadict import tag_for_keyword
from pydicom.dataset import Dataset
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from pacs_gateway.associations.commands import CommandField, MoveOriginator
from pacs_gateway.associations.exchange import Context, Exchange
from pacs_gateway.associations.status import SUCCESS, Answer, Status, SubOperations
from pacs_gateway.config import ReturnsConfig
from pacs_gateway.requesting import NoAssociation
from pacs_gateway.services.datasets import UnreadableDataset, encode
from pacs_gateway.services.identifiers import read_identifier
from pacs_gateway.services.operations import Call, Operation
from pacs_gateway.services.outgoing import context_for, dataset_of, proposals
from pacs_gateway.services.sending import SendingAssociation, open_sending
from storage import registry
from storage.database import Database
from storage.errors import RdcError
from storage.index.retrieval import KeptInstance, Selection, instances_of
from storage.objects import ObjectStore
from storage.report_objects.names import SOP_CLASSES as REPORT_CLASSES
from storage.report_objects.pulling import note_fetched, note_stored

PATIENT_ROOT: Final = "1.2.840.10008.5.1.4.1.2.1"
STUDY_ROOT: Final = "1.2.840.10008.5.1.4.1.2.2"
PATIENT_STUDY_ONLY: Final = "1.2.840.10008.5.1.4.1.2.3"
_MOVE: Final = "2"
_GET: Final = "3"
_LEVELS: Final[Mapping[str, tuple[str, ...]]] = {
    PATIENT_ROOT: ("PATIENT", "STUDY", "SERIES", "IMAGE"),
    STUDY_ROOT: ("STUDY", "SERIES", "IMAGE"),
    PATIENT_STUDY_ONLY: ("PATIENT", "STUDY"),
}
_KEYS: Final = {
    "PATIENT": "PatientID",
    "STUDY": "StudyInstanceUID",
    "SERIES": "SeriesInstanceUID",
    "IMAGE": "SOPInstanceUID",
}
_LEVEL: Final = "QueryRetrieveLevel"
_UIDS_MAX: Final = 10_000
# PS3.4 §B.2.3: stored, though not all of it as sent.
_WARNINGS: Final = frozenset({0xB000, 0xB006, 0xB007})
_STORED: Final = 0x0000

_log = logging.getLogger(__name__)


class _Refused(Exception):
    """A request that is answered with `answer` before any sub-operation."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.comment)
        self.answer = answer


class _DestinationGone(Exception):
    """The association to the destination of a C-MOVE has ended."""


# Sends one instance and returns the status of the response; None when the peer takes it in no
# presentation context.
_Send = Callable[[KeptInstance], int | None]


@dataclass(slots=True)
class _Counts:
    """How far a retrieval has come."""

    remaining: int
    completed: int = 0
    warning: int = 0
    failed: list[str] = field(default_factory=list[str])

    def told(self, *, final: bool) -> SubOperations:
        return SubOperations(
            None if final else self.remaining, self.completed, len(self.failed), self.warning
        )


def operations(
    database: Database, objects: ObjectStore, config: ReturnsConfig
) -> tuple[Operation, ...]:
    """Return the C-GET and C-MOVE services over what is kept.

    config: how associations to the destinations of C-MOVE are opened.
    """
    retriever = _Retriever(database, objects, config)
    return (
        Operation(
            CommandField.C_GET_RQ,
            frozenset(f"{model}.{_GET}" for model in _LEVELS),
            retriever.get,
        ),
        Operation(
            CommandField.C_MOVE_RQ,
            frozenset(f"{model}.{_MOVE}" for model in _LEVELS),
            retriever.move,
        ),
    )


class _Retriever:
    def __init__(self, database: Database, objects: ObjectStore, config: ReturnsConfig) -> None:
        self._database = database
        self._objects = objects
        self._config = config

    def get(self, call: Call) -> Answer:
        """Answer a C-GET: its sub-operations go over the same association."""
        exchange = call.exchange
        contexts = [one for one in exchange.contexts.values() if one.as_scu]
        try:
            instances = self._selected(call, call.caller.calling_ae_title)
        except _Refused as refused:
            return refused.answer

        def send(instance: KeptInstance) -> int | None:
            context: Context | None = context_for(instance, contexts)
            if context is None:
                return None
            return exchange.store(
                context,
                sop_class_uid=instance.sop_class_uid,
                sop_instance_uid=instance.sop_instance_uid,
                dataset=dataset_of(instance, context.transfer_syntax, self._objects),
            )

        return self._retrieve(call, instances, send, call.caller.calling_ae_title)

    def move(self, call: Call) -> Answer:
        """Answer a C-MOVE: its sub-operations go to a destination of the same site."""
        try:
            listener = self._destination(call)
            instances = self._selected(call, listener.ae_title)
        except _Refused as refused:
            return refused.answer
        if not instances:
            return Answer(SUCCESS.status, sub_operations=_Counts(0).told(final=True))
        originator = MoveOriginator(call.caller.calling_ae_title, call.command.message_id)
        try:
            with open_sending(listener, proposals(instances), self._config) as association:
                return self._retrieve(
                    call,
                    instances,
                    lambda instance: self._send(association, instance, originator),
                    listener.ae_title,
                )
        except NoAssociation as error:
            _log.warning(
                "destination of a retrieval cannot be reached",
                extra={"ae_title": listener.ae_title, "reason": str(error)},
            )
            return Answer(
                Status.UNABLE_TO_PERFORM_SUB_OPERATIONS,
                str(error),
                sub_operations=SubOperations(None, 0, len(instances), 0),
            )

    def _retrieve(
        self, call: Call, instances: list[KeptInstance], send: _Send, receiver: str
    ) -> Answer:
        """Perform the sub-operations, and note which reports the receiver has said to have."""
        stored: list[str] = []

        def noting(instance: KeptInstance) -> int | None:
            status = send(instance)
            is_stored = status == _STORED or status in _WARNINGS
            if is_stored and instance.sop_class_uid in REPORT_CLASSES:
                stored.append(instance.sop_instance_uid)
            return status

        try:
            return _retrieve(call.exchange, instances, noting)
        finally:
            # Also when it broke off: what was answered for is there.
            if stored:
                self._note_stored(call.caller.site_id, stored, receiver)

    def _note_stored(self, site_id: UUID, stored: list[str], receiver: str) -> None:
        try:
            with self._database.transaction() as session:
                note_stored(session, site_id, stored, receiver)
        except (OperationalError, InterfaceError, PoolTimeout) as error:
            # It stays noted as handed out, for its recall; it counts as taken the next time.
            _log.error("a fetched report is not noted", extra={"error": type(error).__name__})

    def _send(
        self, association: SendingAssociation, instance: KeptInstance, originator: MoveOriginator
    ) -> int | None:
        context = context_for(instance, association.contexts)
        if context is None:
            return None
        dataset = dataset_of(instance, context.transfer_syntax, self._objects)
        status = association.store(context, instance, dataset, originator)
        if status is None:
            raise _DestinationGone
        return status

    def _destination(self, call: Call) -> registry.Listener:
        name = call.command.move_destination
        with _index_answers(), self._database.transaction() as session:
            listener = registry.find_listener(session, call.caller.site_id, name)
        if listener is None:
            raise _Refused(
                Answer(
                    Status.MOVE_DESTINATION_UNKNOWN,
                    "destination is not registered for your site",
                )
            )
        return listener

    def _selected(self, call: Call, receiver: str) -> list[KeptInstance]:
        """Return what is asked for; which reports are among it is noted for their recall.

        receiver: the AE title of who will have it.
        """
        selection = _selection(call)
        site_id: UUID = call.caller.site_id
        with _index_answers(), self._database.transaction() as session:
            found = instances_of(session, site_id, selection)
            documents = [
                one.sop_instance_uid for one in found if one.sop_class_uid in REPORT_CLASSES
            ]
            recalled = (
                note_fetched(session, site_id, documents, receiver)
                if documents
                else frozenset[str]()
            )
            return [one for one in found if one.sop_instance_uid not in recalled]


@contextmanager
def _index_answers() -> Generator[None]:
    try:
        yield
    except (OperationalError, InterfaceError, PoolTimeout) as error:
        _log.error("the index cannot be asked", extra={"error": type(error).__name__})
        raise _Refused(
            Answer(Status.UNABLE_TO_CALCULATE_MATCHES, "the index cannot be asked now")
        ) from error


def _selection(call: Call) -> Selection:
    """Read the identifier: one level, single keys above it, one or more at it."""
    context = call.exchange.context
    try:
        identifier = read_identifier(call.dataset, context.transfer_syntax)
    except UnreadableDataset as error:
        raise _Refused(Answer(Status.CANNOT_UNDERSTAND, "the identifier cannot be read")) from error
    levels = _LEVELS[context.abstract_syntax.rpartition(".")[0]]
    level = identifier.values.get(_LEVEL, "").strip()
    if level not in levels:
        raise _mismatch(_LEVEL, f"(0008,0052) has to be one of {', '.join(levels)}")
    found: dict[str, list[str]] = {}
    for name in levels[: levels.index(level) + 1]:
        keyword = _KEYS[name]
        values = [one.strip() for one in identifier.values.get(keyword, "").split("\\")]
        values = [one for one in values if one]
        several = name == level and name != "PATIENT"
        if not values or len(values) > (_UIDS_MAX if several else 1) or _is_pattern(values):
            raise _mismatch(keyword, f"{keyword} has to be {'given' if several else 'one value'}")
        found[name] = values
    return Selection(
        patient_id=found.get("PATIENT", [""])[0],
        study_instance_uids=found.get("STUDY", ()),
        series_instance_uids=found.get("SERIES", ()),
        sop_instance_uids=found.get("IMAGE", ()),
    )


def _is_pattern(values: list[str]) -> bool:
    return any("*" in one or "?" in one for one in values)


def _mismatch(keyword: str, comment: str) -> _Refused:
    return _Refused(
        Answer(
            Status.DATA_SET_DOES_NOT_MATCH_SOP_CLASS,
            comment,
            offending_tag=tag_for_keyword(keyword),
        )
    )


def _retrieve(exchange: Exchange, instances: list[KeptInstance], send: _Send) -> Answer:
    """Perform the sub-operations, telling after each how many are left, and say how it ended."""
    counts = _Counts(len(instances))
    for number, instance in enumerate(instances):
        if exchange.cancelled():
            return _final(exchange, Status.CANCEL, "", counts)
        try:
            status = send(instance)
        except _DestinationGone:
            counts.failed += [one.sop_instance_uid for one in instances[number:]]
            counts.remaining = 0
            break
        except RdcError as error:
            _log.warning(
                "instance cannot be retrieved",
                extra={"object_key": instance.object_key, "reason": error.what},
            )
            status = None
        counts.remaining -= 1
        if status == _STORED:
            counts.completed += 1
        elif status in _WARNINGS:
            counts.warning += 1
        else:
            counts.failed.append(instance.sop_instance_uid)
        if counts.remaining:
            exchange.respond(Answer(Status.PENDING, sub_operations=counts.told(final=False)))
    if counts.failed and not counts.completed and not counts.warning:
        return _final(
            exchange,
            Status.UNABLE_TO_PERFORM_SUB_OPERATIONS,
            "no instance could be sent: contexts, or the destination",
            counts,
        )
    if counts.failed or counts.warning:
        return _final(exchange, Status.SUB_OPERATIONS_WITH_FAILURES, "", counts)
    return Answer(SUCCESS.status, sub_operations=counts.told(final=True))


def _final(exchange: Exchange, status: Status, comment: str, counts: _Counts) -> Answer:
    """Return a final answer that is no success, with what has failed (PS3.4 §C.4.2.1.4.2)."""
    failed = Dataset()
    failed.FailedSOPInstanceUIDList = counts.failed
    return Answer(
        status,
        comment,
        dataset=encode(failed, exchange.context.transfer_syntax),
        sub_operations=counts.told(final=status != Status.CANCEL),
    )
