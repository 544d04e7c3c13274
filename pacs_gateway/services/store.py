"""C-STORE: instances from the association to the spool (PS3.4 Annex B)."""

import logging
from contextlib import suppress
from typing import Final

from pacs_gateway.associations.commands import Command
from pacs_gateway.associations.exchange import Exchange, Reception
from pacs_gateway.associations.status import SUCCESS, Answer, Status
from pacs_gateway.examination import Refused, examine
from pacs_gateway.services.settled import Settled
from pacs_gateway.spool import Spool
from pacs_gateway.spool_writer import SpoolFailed, SpoolFull, SpoolWriter
from storage import metering
from storage.clock import utc_now
from storage.dicom_header import InstanceHeader
from storage.identifiers import InvalidIdentifier, Uid
from storage.receptions import Origin, Refusal

_OUT_OF_RESOURCES: Final = Answer(
    Status.OUT_OF_RESOURCES, "no disk space at the archive, send again later"
)
_TOO_LARGE: Final = Answer(
    Status.CANNOT_UNDERSTAND_TOO_LARGE, "dataset larger than this device may send"
)
_NO_DATASET: Final = Answer(Status.CANNOT_UNDERSTAND, "C-STORE request without a dataset")

_log = logging.getLogger(__name__)


def begin_store(
    spool: Spool, origin: Origin, command: Command, transfer_syntax: str, *, max_bytes: int
) -> Reception:
    """Start to receive the instance of a C-STORE request into `spool`.

    max_bytes: a dataset of more is passed over and refused.
    """
    if not command.has_dataset:
        return Settled(_NO_DATASET)
    try:
        writer = spool.begin(
            origin,
            sop_class_uid=_uid_or_empty(command.sop_class_uid),
            sop_instance_uid=_uid_or_empty(command.sop_instance_uid),
            transfer_syntax_uid=transfer_syntax,
        )
    except (SpoolFull, SpoolFailed) as error:
        _log.error("instance refused, the spool cannot take it", extra={"why": str(error)})
        return Settled(_OUT_OF_RESOURCES)
    return _Storing(writer, origin, command, transfer_syntax, max_bytes)


def _uid_or_empty(text: str) -> str:
    with suppress(InvalidIdentifier):
        return Uid.parse(text)
    return ""


class _Storing:
    """A C-STORE request whose dataset goes to the spool as it comes."""

    def __init__(
        self,
        writer: SpoolWriter,
        origin: Origin,
        command: Command,
        transfer_syntax: str,
        max_bytes: int,
    ) -> None:
        self._writer = writer
        self._origin = origin
        self._command = command
        self._transfer_syntax = transfer_syntax
        self._max_bytes = max_bytes
        self._failure: Answer | None = None

    def write(self, fragment: memoryview) -> None:
        if self._failure is not None:
            return
        if self._writer.size + len(fragment) > self._max_bytes:
            _log.warning(
                "instance refused",
                extra={
                    "calling_ae_title": self._origin.calling_ae_title,
                    "found": f"dataset of more than {self._max_bytes} bytes",
                },
            )
            self._give_up(_TOO_LARGE)
            return
        try:
            self._writer.write(fragment)
        except (SpoolFull, SpoolFailed) as error:
            self._fail(error)

    def room(self) -> memoryview | None:
        if self._failure is not None:
            return None
        return self._writer.room()[: self._max_bytes - self._writer.size]

    def filled(self, count: int) -> None:
        self._writer.filled(count)

    def finish(self, exchange: Exchange) -> Answer:
        """Answer success only for what is durable; what cannot be filed is kept for a person."""
        del exchange
        size = self._writer.size
        answer = self._answer()
        metering.count("rdc_dicom_instances_total", f"{int(answer.status):04X}")
        metering.count("rdc_dicom_received_bytes_total", by=size)
        return answer

    def _answer(self) -> Answer:
        if self._failure is not None:
            return self._failure
        try:
            examined = self._publish()
        except (SpoolFull, SpoolFailed) as error:
            self._fail(error)
            return _OUT_OF_RESOURCES
        return examined.answer if isinstance(examined, Refused) else SUCCESS

    def settle(self) -> None:
        self._writer.announce()

    def abandon(self) -> None:
        self._writer.discard()

    def _publish(self) -> InstanceHeader | Refused:
        """Examine the dataset and make it durable, with what the examination found."""
        command = self._command
        with self._writer.open_dataset() as dataset:
            examined = examine(dataset, self._transfer_syntax, command)
        if isinstance(examined, Refused):
            _log.warning(
                "instance refused",
                extra={
                    "calling_ae_title": self._origin.calling_ae_title,
                    "reason": examined.reason.value,
                    "found": examined.found,
                },
            )
            refusal = Refusal(
                examined.reason, examined.found, command.sop_class_uid, command.sop_instance_uid
            )
            self._writer.publish(utc_now(), refusal)
        else:
            self._writer.publish(utc_now(), None, examined)
        return examined

    def _fail(self, error: SpoolFull | SpoolFailed) -> None:
        _log.error("instance refused, the spool failed", extra={"why": str(error)})
        self._give_up(_OUT_OF_RESOURCES)

    def _give_up(self, answer: Answer) -> None:
        self._failure = answer
        self._writer.discard()
