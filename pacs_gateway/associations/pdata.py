"""The data transfer phase of an association (PS3.8 §9.2 state Sta6), from socket to service.

Association control stays pynetdicom's: negotiation, release, abort, timers.
Between them this loop reads P-DATA-TF PDUs in large pieces, hands dataset
fragments to the service as they come, and answers at once. Nothing grows with
the size of an instance, and nothing polls.
"""

import struct
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from pacs_gateway.associations.commands import (
    COMMAND_SET_MAXIMUM,
    Command,
    CommandField,
    ProtocolViolation,
    encode_event_report_request,
    encode_response,
    encode_store_request,
    parse_command,
)
from pacs_gateway.associations.exchange import Context, FollowUp, Reception, Service
from pacs_gateway.associations.pdu_reader import PduReader
from pacs_gateway.associations.pdu_writer import Buffer, MessageWriter
from pacs_gateway.associations.status import Answer
from pacs_gateway.associations.transport import WAKE_SECONDS

_PDU_HEADER: Final = struct.Struct(">BxI")
_PDV_HEADER: Final = struct.Struct(">IBB")
_PDV_COUNTED: Final = 2
_NEXT_HEADERS: Final = _PDU_HEADER.size + _PDV_HEADER.size
_P_DATA_TF: Final = 0x04
_COMMAND_FRAGMENT: Final = 0x01
_LAST_FRAGMENT: Final = 0x02
_LARGEST_MESSAGE_ID: Final = 0xFFFF


class _PhaseEnded(Exception):
    """Another PDU than P-DATA-TF is next; it is unread."""


@dataclass(slots=True)
class _Serving:
    """One request from its command to its final answer."""

    command: Command
    context: Context
    reception: Reception
    cancelled: bool = False
    finishing: bool = False
    received: int = 0


class DataPhase:
    """Serves one association from its acceptance until something other than P-DATA comes."""

    def __init__(
        self,
        reader: PduReader,
        send: Callable[[Buffer], None],
        *,
        contexts: Mapping[int, Context],
        peer_maximum: int,
        service: Service,
    ) -> None:
        """Prepare to serve.

        send: sends all of a buffer or raises `PeerGone`.
        contexts: accepted presentation contexts by id.
        peer_maximum: see `MessageWriter`.
        """
        self._reader = reader
        self._writer = MessageWriter(send, peer_maximum)
        self._contexts = contexts
        self._service = service
        self._pdu_left = 0
        self._command = bytearray()
        self._command_context: int | None = None
        self._serving: _Serving | None = None
        self._replies: dict[int, int] = {}
        self._awaiting: set[int] = set()
        # A response to a request of ours may carry a dataset, which tells us nothing we need.
        self._passing_over: int | None = None
        self._message_id = 0
        self._follow_ups: list[tuple[Context, FollowUp]] = []
        self._answered = 0
        self._answered_at = time.monotonic()
        self._answering: Command | None = None
        self._unfinished = ""

    def run(self) -> None:
        """Serve requests; return when the next PDU is not P-DATA, that PDU unread.

        Raises:
            PeerGone, PeerSilent, ProtocolViolation: the association cannot go on.
        """
        try:
            with suppress(_PhaseEnded):
                while True:
                    if self._follow_ups and self._between_messages():
                        self._follow_up()
                    self._step()
        finally:
            self._unfinished = self._what_is_unfinished()
            if self._serving is not None:
                self._serving.reception.abandon()
                self._serving = None

    def account(self) -> dict[str, object]:
        """Tell how far it came, for the log of an association that did not end as it should.

        answered: requests with their final answer. quiet_seconds: since the last of them, or since
        the beginning. unfinished: what the phase ended in the middle of; empty between messages.
        """
        quiet = time.monotonic() - self._answered_at
        return {
            "answered": self._answered,
            "quiet_seconds": round(quiet, 1),
            "unfinished": self._unfinished,
        }

    def _what_is_unfinished(self) -> str:
        serving = self._serving
        if self._answering is not None:
            return f"sending the answer to {self._answering.field:04X}H"
        if serving is not None:
            doing = "working on" if serving.finishing else "receiving the dataset of"
            return f"{doing} {serving.command.field:04X}H, {serving.received} bytes so far"
        if self._command or self._pdu_left:
            return f"receiving a command, {len(self._command)} bytes so far"
        return ""

    def _between_messages(self) -> bool:
        return self._serving is None and not self._pdu_left and not self._command

    def _follow_up(self) -> None:
        """Call what waits for idle time until the peer speaks again."""
        while self._follow_ups and not self._reader.readable(WAKE_SECONDS):
            self._follow_ups = [
                (context, follow_up)
                for context, follow_up in self._follow_ups
                if not follow_up(_Exchange(self, context))
            ]

    def _step(self) -> None:
        """Take one presentation data value, or the header of the next PDU."""
        if self._pdu_left:
            self._take_pdv()
            return
        header = self._reader.exactly(_PDU_HEADER.size)
        pdu_type, length = _PDU_HEADER.unpack(header)
        if pdu_type != _P_DATA_TF:
            self._reader.unread(_PDU_HEADER.size)
            raise _PhaseEnded
        self._pdu_left = length

    def _take_pdv(self) -> None:
        if self._pdu_left < _PDV_HEADER.size:
            raise ProtocolViolation(f"P-DATA-TF ends with {self._pdu_left} stray bytes")
        item_length, context_id, control = _PDV_HEADER.unpack(
            self._reader.exactly(_PDV_HEADER.size)
        )
        self._pdu_left -= _PDV_HEADER.size
        length = item_length - _PDV_COUNTED
        if not 0 <= length <= self._pdu_left:
            raise ProtocolViolation(
                f"presentation data value of {item_length} bytes does not fit its PDU"
            )
        self._pdu_left -= length
        last = bool(control & _LAST_FRAGMENT)
        if control & _COMMAND_FRAGMENT:
            self._take_command(context_id, length, last=last)
        else:
            self._take_dataset(context_id, length, last=last)

    def _take_command(self, context_id: int, length: int, *, last: bool) -> None:
        serving = self._serving
        if self._passing_over is not None or (serving is not None and not serving.finishing):
            raise ProtocolViolation("a command came before the dataset of the one before had ended")
        if self._command_context not in {None, context_id}:
            raise ProtocolViolation("one command came under two presentation contexts")
        if len(self._command) + length > COMMAND_SET_MAXIMUM:
            raise ProtocolViolation(f"command set of more than {COMMAND_SET_MAXIMUM} bytes")
        self._command_context = context_id
        while length:
            fragment = self._reader.some(length)
            self._command += fragment
            length -= len(fragment)
        if last:
            command = parse_command(bytes(self._command))
            self._command.clear()
            self._command_context = None
            if command.is_request:
                self._begin(command, context_id)
            else:
                self._take_reply(command, context_id)

    def _begin(self, command: Command, context_id: int) -> None:
        if self._serving is not None:
            # Asynchronous operations are not negotiated (PS3.7 D.3.3.3). A request may only cross
            # one of ours that we sent while the association was idle: then none is being served.
            raise ProtocolViolation("a request came before the one before had been answered")
        context = self._contexts.get(context_id)
        if context is None:
            raise ProtocolViolation(f"presentation context {context_id} was not accepted")
        self._serving = _Serving(command, context, self._service.begin(command, context))
        if not command.has_dataset:
            self._answer()

    def _take_reply(self, command: Command, context_id: int) -> None:
        """Take a C-CANCEL, or the response to a request of ours."""
        serving = self._serving
        responded = command.responded_message_id
        if command.field == CommandField.C_CANCEL_RQ:
            # One for what is answered already is no fault (PS3.7 §9.3.2.3).
            if serving is not None and responded == serving.command.message_id:
                serving.cancelled = True
        elif responded is None or responded not in self._awaiting or command.status is None:
            raise ProtocolViolation(f"unexpected message with command field {command.field:04X}")
        else:
            self._replies[responded] = command.status
        if command.has_dataset:
            self._passing_over = context_id

    def _take_dataset(self, context_id: int, length: int, *, last: bool) -> None:
        serving = self._serving
        if self._passing_over is not None:
            if context_id != self._passing_over:
                raise ProtocolViolation("a dataset fragment came without its command")
            while length:
                length -= len(self._reader.some(length))
            if last:
                self._passing_over = None
            return
        if serving is None or serving.finishing or serving.context.id != context_id:
            raise ProtocolViolation("a dataset fragment came without its command")
        while length:
            taken = self._take_fragment(serving.reception, length)
            serving.received += taken
            length -= taken
        if last:
            self._answer()

    def _take_fragment(self, reception: Reception, limit: int) -> int:
        """Let `reception` have the next at most `limit` bytes; return how many."""
        room = reception.room() if self._reader.drained else None
        if room:
            received = self._reader.into(room, limit, ahead=_NEXT_HEADERS)
            reception.filled(received)
            return received
        fragment = self._reader.some(limit)
        reception.write(fragment)
        return len(fragment)

    def _answer(self) -> None:
        serving = self._serving
        assert serving is not None
        serving.finishing = True
        answer = serving.reception.finish(_Exchange(self, serving.context))
        self._answering = serving.command
        try:
            self.respond(answer)
            self._answering = None
            self._answered += 1
            self._answered_at = time.monotonic()
        finally:
            self._serving = None
            serving.reception.settle()

    def respond(self, answer: Answer) -> None:
        """Send a response to the request being served."""
        serving = self._serving
        assert serving is not None
        self._writer.send(
            serving.context.id,
            encode_response(serving.command, answer),
            None if answer.dataset is None else [answer.dataset],
        )

    def poll_cancelled(self) -> bool:
        """Take what the peer has sent meanwhile; tell whether it cancelled the request."""
        serving = self._serving
        assert serving is not None
        while not serving.cancelled and self._reader.readable(0):
            self._step()
        return serving.cancelled

    def request(
        self,
        context: Context,
        command_set: Callable[[int], bytes],
        dataset: Iterable[Buffer],
    ) -> int:
        """Send a request of ours and return the status of its response.

        command_set: makes it, given the message id.
        """
        within_a_request = self._serving is not None
        message_id = self._message_id = self._message_id % _LARGEST_MESSAGE_ID + 1
        self._writer.send(context.id, command_set(message_id), dataset)
        self._awaiting.add(message_id)
        while message_id not in self._replies or self._passing_over is not None:
            self._step()
        self._awaiting.discard(message_id)
        # A request of the peer that crossed ours is served to its end before anything else.
        while not within_a_request and not self._between_messages():
            self._step()
        return self._replies.pop(message_id)

    @property
    def contexts(self) -> Mapping[int, Context]:
        """The accepted presentation contexts by id."""
        return self._contexts

    def add_follow_up(self, context: Context, follow_up: FollowUp) -> None:
        """Call `follow_up` while the association is idle."""
        self._follow_ups.append((context, follow_up))


class _Exchange:
    """`exchange.Exchange` over a data phase."""

    def __init__(self, phase: DataPhase, context: Context) -> None:
        self._phase = phase
        self.context = context

    @property
    def contexts(self) -> Mapping[int, Context]:
        return self._phase.contexts

    def respond(self, answer: Answer) -> None:
        self._phase.respond(answer)

    def cancelled(self) -> bool:
        return self._phase.poll_cancelled()

    def store(
        self,
        context: Context,
        *,
        sop_class_uid: str,
        sop_instance_uid: str,
        dataset: Iterable[Buffer],
    ) -> int:
        return self._phase.request(
            context,
            lambda message_id: encode_store_request(
                message_id, sop_class_uid=sop_class_uid, sop_instance_uid=sop_instance_uid
            ),
            dataset,
        )

    def report_event(
        self, *, sop_class_uid: str, sop_instance_uid: str, event_type_id: int, dataset: bytes
    ) -> int:
        return self._phase.request(
            self.context,
            lambda message_id: encode_event_report_request(
                message_id,
                sop_class_uid=sop_class_uid,
                sop_instance_uid=sop_instance_uid,
                event_type_id=event_type_id,
            ),
            [dataset],
        )

    def later(self, follow_up: FollowUp) -> None:
        self._phase.add_follow_up(self.context, follow_up)
