"""Sending kept instances to a machine of a site: pynetdicom's association, our own P-DATA.

pynetdicom would load and encode each dataset; here it leaves as it is kept,
piece by piece, whatever its size.
"""

import socket
import struct
from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager
from typing import Any, Final, cast

from pynetdicom.association import Association
from pynetdicom.presentation import PresentationContext, build_context

from pacs_gateway.associations.commands import MoveOriginator, encode_store_request
from pacs_gateway.associations.exchange import Context
from pacs_gateway.associations.pdu_writer import Buffer, MessageWriter
from pacs_gateway.config import ReturnsConfig
from pacs_gateway.requesting import associate
from storage.index.retrieval import KeptInstance
from storage.registry import Listener

_CONTEXTS_MAX: Final = 128
_MESSAGE_IDS: Final = 0xFFFF
_TIMEVAL: Final = struct.Struct("@ll")


class SendingAssociation:
    """An established association over which instances are stored at its peer."""

    def __init__(self, association: Association, *, send_timeout: float) -> None:
        """Take over the data phase of `association`."""
        self._association = association
        self._message_id = 0
        untyped: Any = association
        self._connection = cast("socket.socket", untyped.dul.socket.socket)
        self._connection.setsockopt(
            socket.SOL_SOCKET, socket.SO_SNDTIMEO, _TIMEVAL.pack(int(send_timeout), 0)
        )
        self._writer = MessageWriter(
            self._connection.sendall, association.acceptor.maximum_length or 0
        )
        self.contexts: Final = [
            Context(
                cast("int", one.context_id), str(one.abstract_syntax), str(one.transfer_syntax[0])
            )
            for one in association.accepted_contexts
        ]

    def store(
        self,
        context: Context,
        instance: KeptInstance,
        dataset: Iterable[Buffer],
        originator: MoveOriginator,
    ) -> int | None:
        """Store one instance and return the response's status.

        None when the association has come to its end.
        """
        self._message_id = self._message_id % _MESSAGE_IDS + 1
        command = encode_store_request(
            self._message_id,
            sop_class_uid=instance.sop_class_uid,
            sop_instance_uid=instance.sop_instance_uid,
            originator=originator,
        )
        untyped: Any = self._association
        try:
            self._writer.send(context.id, command, dataset)
        except OSError:
            return None
        except Exception:
            # Half a message is on the line: nothing more can be said over it.
            self._association.abort()
            raise
        _, response = untyped.dimse.get_msg(block=True)
        status = None if response is None else response.Status
        return None if status is None else int(status)


@contextmanager
def open_sending(
    listener: Listener, proposed: Sequence[tuple[str, str]], config: ReturnsConfig
) -> Generator[SendingAssociation]:
    """Associate with `listener` for storing; released, or aborted after an error, at the end.

    proposed: SOP class and transfer syntax of each context; at most the first 128 are.

    Raises:
        NoAssociation: not reached, rejected, or nothing is accepted.
    """
    contexts: list[PresentationContext] = [
        build_context(sop_class, syntax) for sop_class, syntax in proposed[:_CONTEXTS_MAX]
    ]
    association = associate(listener, contexts, config, what="any of the instances")
    with association.held():
        try:
            yield SendingAssociation(association, send_timeout=config.dimse_timeout_seconds)
        finally:
            if association.is_established:
                association.release()
