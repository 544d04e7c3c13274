"""From the bytes of a message to the bytes of its answer: one transaction in between.

A message is kept with its answer in the transaction of what it ordered, so that the same message
again gets the same answer and changes nothing, whatever died in between.
"""

import logging
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import uuid4
from zoneinfo import ZoneInfo

from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session

from pacs_gateway.hl7.acknowledgement import VERSIONS, Heading, acknowledge
from pacs_gateway.hl7.framing import Frame
from pacs_gateway.hl7.message import Message, MessageRefused
from pacs_gateway.hl7.orders import PLACES, Control, OrderedExam, read_orders
from storage import metering
from storage.audit import Actor
from storage.database import Database
from storage.hl7 import messages
from storage.hl7.senders import KnownSender, find_sender
from storage.orders import procedures
from storage.orders import service as orders
from storage.orders.request import OrderRefused
from storage.orders.tables import Order

_UNSUPPORTED_TYPE: Final = 200
_UNSUPPORTED_EVENT: Final = 201
_UNSUPPORTED_PROCESSING: Final = 202
_UNSUPPORTED_VERSION: Final = 203
_UNKNOWN_KEY: Final = 204
_DUPLICATE_KEY: Final = 205
_LOCKED: Final = 206
_INTERNAL: Final = 207
_REQUIRED: Final = 101
_DATA_TYPE: Final = 102
_UNKNOWN_SENDER: Final = 103
_EVENTS: Final = {"ORM": "O01", "OMI": "O23"}
_SHOWN: Final = 40
_TRIES: Final = 2

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Peer:
    """Who is at the other end of a connection.

    address: its IP address.
    certificate_sha256: fingerprint of the verified certificate it came with, if any.
    """

    address: str
    certificate_sha256: str | None = None


class Hl7Service:
    """Takes the messages of registered senders; thread-safe."""

    def __init__(self, database: Database, *, application: str, time_zone: str) -> None:
        """Note orders in `database`.

        application: our name in MSH-3. time_zone: of times without an offset, an IANA name.
        """
        self._database = database
        self._application = application
        self._zone = ZoneInfo(time_zone)

    def handle(self, frame: Frame, peer: Peer) -> bytes:
        """Return the answer to what came from `peer`; never raises for what it holds."""
        heading = Heading()
        try:
            message = Message.parse(frame.content)
            heading = Heading.of(message)
            if frame.oversized:
                return self._answer(heading, _too_long(frame))[1]
            for attempt in range(_TRIES):
                try:
                    return self._handle(message, heading, frame.content, peer)
                except IntegrityError:
                    # The same message or order came over another connection: now it is there.
                    if attempt == _TRIES - 1:
                        raise
        except MessageRefused as refused:
            _log.warning(
                "HL7 message refused", extra={"why": refused.what, "peer_address": peer.address}
            )
            return self._answer(heading, refused)[1]
        except (DBAPIError, PoolTimeout) as error:
            _log.error("HL7 message cannot be stored", extra={"error": type(error).__name__})
        except Exception as error:  # noqa: BLE001 -- the sender gets an answer and may send again
            # Without the traceback's text: it may hold a value of the message.
            _log.error("HL7 message failed", extra={"error": type(error).__name__})
        return self._answer(heading, _unavailable())[1]

    def _handle(self, message: Message, heading: Heading, content: bytes, peer: Peer) -> bytes:
        with self._database.transaction() as session:
            sender = find_sender(
                session,
                heading.application,
                heading.facility,
                peer.address,
                certificate_sha256=peer.certificate_sha256,
            )
            if sender is None:
                raise _unknown(heading)
            if not heading.control_id:
                raise _refused_header("MSH-10 is missing", 10, _REQUIRED, "a control id")
            given = messages.answer_given(session, sender, heading.control_id, content)
            if given is not None:
                return given
            refused: MessageRefused | None = None
            try:
                with session.begin_nested():
                    self._order(session, message, heading, sender)
            except MessageRefused as error:
                refused = error
            code, answer = self._answer(heading, refused)
            messages.keep(
                session,
                sender,
                control_id=heading.control_id,
                message_type=message.header.text(9) or "",
                content=content,
                acknowledgement_code=code,
                acknowledgement=answer,
            )
        metering.count("rdc_hl7_messages_total", code)
        if refused is not None:
            _log.warning(
                "HL7 message refused", extra={"why": refused.what, "peer_address": peer.address}
            )
        return answer

    def _order(
        self, session: Session, message: Message, heading: Heading, sender: KnownSender
    ) -> None:
        _check_header(message)
        actor = Actor(
            person_id=None,
            organisation_id=sender.site_id,
            client=f"HL7 {heading.application}"[:_SHOWN],
        )
        for ordered in read_orders(message, sender.site_id, self._zone):
            try:
                _carry_out(session, actor, ordered, sender)
            except OrderRefused as error:
                raise _as_refusal(error, ordered) from error

    def _answer(self, heading: Heading, refused: MessageRefused | None) -> tuple[str, bytes]:
        return acknowledge(
            heading,
            application=self._application,
            control_id=uuid4().hex[:20],
            at=datetime.now(self._zone),
            refused=refused,
        )


def _carry_out(session: Session, actor: Actor, ordered: OrderedExam, sender: KnownSender) -> None:
    known = orders.by_placer_order_number(session, sender.site_id, ordered.placer_order_number)
    request = ordered.request
    if request is not None:
        request = procedures.completed(session, request, known)
    if ordered.control is Control.NEW and request is not None:
        if known is None:
            orders.place(session, actor, request)
        elif orders.differs(known, request):
            raise _refused_order(
                ordered,
                "another order has this placer order number",
                _DUPLICATE_KEY,
                "a new number, or XO to change the order",
            )
        return
    if known is None:
        raise _refused_order(
            ordered, "there is no order with this placer order number", _UNKNOWN_KEY, "a known one"
        )
    if request is not None:
        orders.change(session, actor, known, request)
    else:
        _cancel(session, actor, known, ordered)


def _cancel(session: Session, actor: Actor, known: Order, ordered: OrderedExam) -> None:
    reason = ordered.orc.text(16, 2) or ordered.orc.text(16)
    orders.cancel(session, actor, known, reason)


def _check_header(message: Message) -> None:
    header = message.header
    kind, event = header.text(9) or "", header.text(9, 2)
    if kind not in _EVENTS:
        raise _refused_header(
            "messages of this type are not taken", 9, _UNSUPPORTED_TYPE, "ORM^O01 or OMI^O23", kind
        )
    if event is not None and event != _EVENTS[kind]:
        raise _refused_header(
            "messages of this event are not taken", 9, _UNSUPPORTED_EVENT, _EVENTS[kind], event
        )
    if header.text(11) not in {None, "P"}:
        raise _refused_header(
            "only messages of production are taken",
            11,
            _UNSUPPORTED_PROCESSING,
            "P",
            header.text(11) or "",
        )
    version = header.text(12) or ""
    if version not in VERSIONS:
        raise _refused_header(
            "messages of this version are not taken",
            12,
            _UNSUPPORTED_VERSION,
            ", ".join(VERSIONS),
            version,
        )


def _refused_header(
    what: str, field: int, code: int, expected: str, found: str = ""
) -> MessageRefused:
    return MessageRefused(
        what,
        location=("MSH", 1, field),
        code=code,
        rejected=code != _REQUIRED,
        expected=expected,
        found=repr(found[:_SHOWN]) if found else "nothing",
    )


def _unknown(heading: Heading) -> MessageRefused:
    return MessageRefused(
        "the sender is not registered",
        location=("MSH", 1, 3),
        code=_UNKNOWN_SENDER,
        rejected=True,
        expected="application, facility, address and certificate of a registered sender",
        found=repr(f"{heading.application}|{heading.facility}"[:_SHOWN]),
        remedy="Register it at the centre: rdc hl7-sender add.",
    )


def _too_long(frame: Frame) -> MessageRefused:
    return MessageRefused(
        "the message is too long",
        code=_INTERNAL,
        rejected=True,
        expected="fewer bytes",
        found=f"{frame.length} bytes",
        remedy="Send each order in a message of its own, documents by another way.",
    )


def _unavailable() -> MessageRefused:
    return MessageRefused(
        "the message cannot be stored now",
        code=_INTERNAL,
        rejected=True,
        remedy="Send it again later.",
    )


def _refused_order(ordered: OrderedExam, what: str, code: int, expected: str) -> MessageRefused:
    return MessageRefused(
        what,
        location=ordered.orc.place(2),
        code=code,
        expected=expected,
        found=repr(ordered.placer_order_number[:_SHOWN]),
    )


def _as_refusal(error: OrderRefused, ordered: OrderedExam) -> MessageRefused:
    segment, field = PLACES.get(error.field, ("ORC", 0))
    number = ordered.orc.number if segment in {"ORC", "OBR", "IPC"} else 1
    if error.duplicate:
        code = _DUPLICATE_KEY
    elif error.field == "state":
        code = _LOCKED
    else:
        code = _DATA_TYPE
    return MessageRefused(
        error.what,
        location=(segment, number, field),
        code=code,
        expected=error.expected,
        found=error.found,
        remedy=error.remedy,
    )
