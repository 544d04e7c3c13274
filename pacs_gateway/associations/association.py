"""One accepted association: pynetdicom's, with our admission before and our data phase inside."""

import logging
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final, Protocol, cast
from uuid import UUID

from pynetdicom import evt
from pynetdicom.ae import ApplicationEntity
from pynetdicom.association import Association
from pynetdicom.pdu_primitives import A_ASSOCIATE, A_P_ABORT
from pynetdicom.transport import AddressInformation

from pacs_gateway.associations.admission import Admission, Admitted, Rejection
from pacs_gateway.associations.commands import ProtocolViolation
from pacs_gateway.associations.contexts import supported_contexts
from pacs_gateway.associations.exchange import AssociationService, Context
from pacs_gateway.associations.pacing import Pace, Rates
from pacs_gateway.associations.pdata import DataPhase
from pacs_gateway.associations.pdu_reader import PduReader, PeerGone, PeerSilent
from pacs_gateway.associations.pdu_writer import Buffer
from pacs_gateway.associations.transport import (
    WAKE_SECONDS,
    SharedSocket,
    abort_at_once,
    abort_provider,
)
from pacs_gateway.proxy_header import Balancers, ProxyHeaderInvalid, read_origin
from pacs_gateway.tls import CertificateRevoked, Doorkeeper, fingerprint
from storage import metering
from storage.correlation import correlated, new_id
from storage.receptions import Origin
from storage.registry import DeviceLimits

# PS3.8 Tables 9-4 and 9-2.
_IDLE: Final = "Sta1"
_DATA_TRANSFER: Final = "Sta6"
_ASSOCIATE_REQUESTED: Final = "Evt6"

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Acceptor:
    """What every association accepted by one listener shares.

    service: makes the service of one association, given where its instances come from.
    served: SOP classes besides verification and storage that contexts are accepted for.
    stopping: set when the gateway is to end.
    tls: for connections that are to be secured; None when there are none.
    balancers: whose connections say first who is behind them.
    rates: what devices with a limit have sent lately, shared by all receiving processes.
    """

    admission: Admission
    service: Callable[[Origin, DeviceLimits], AssociationService]
    served: frozenset[str]
    stopping: threading.Event
    tls: Doorkeeper | None = None
    balancers: Balancers = field(default_factory=Balancers)
    rates: Rates = field(default_factory=Rates)


class Ticket(Protocol):
    """A connection's place among all that are open at once; see `seats`."""

    def admit(self, device_id: UUID, limit: int) -> bool:
        """Take a seat for a device that may have `limit`; False when that is too many."""
        ...

    def leave(self) -> None:
        """Give the place back. Idempotent."""
        ...


class ReceivingAssociation(Association):
    """An association that a site's machine opened to us."""

    def __init__(
        self,
        ae: ApplicationEntity,
        acceptor: Acceptor,
        connection: socket.socket,
        *,
        local: AddressInformation,
        remote: AddressInformation,
        ae_title: str,
        ticket: Ticket,
        secure: bool,
        ended: Callable[["ReceivingAssociation"], None],
    ) -> None:
        """Take over an accepted connection; `start` begins to serve it in a thread of its own.

        secure: the connection begins with a TLS handshake.
        ended: called at the end, whatever it was.
        """
        super().__init__(ae, "acceptor")
        self._parts = acceptor
        self._admitted: Admitted | None = None
        self._requested = False
        self._accept_sent = threading.Event()
        self._connection = connection
        self._ticket = ticket
        self._secure = secure
        self._ended = ended
        self.name = f"association-{remote.address}:{remote.port}"
        self._transport = SharedSocket(self, connection, timeout=ae.acse_timeout or 30.0)
        self.set_socket(self._transport)
        self.acceptor.maximum_length = ae.maximum_pdu_size
        self.acceptor.ae_title = ae_title
        self.acceptor.address_info = local
        self.acceptor.implementation_class_uid = ae.implementation_class_uid
        self.acceptor.implementation_version_name = ae.implementation_version_name
        self.requestor.address_info = remote
        self._end_with_the_upper_layer()
        untyped: Any = self  # pynetdicom types its handlers in part only
        untyped.bind(evt.EVT_REQUESTED, self._decide)

    def _end_with_the_upper_layer(self) -> None:
        """Let the association end when pynetdicom's state machine has, whatever ended that.

        By itself it would wait for a request until its timer runs out although the connection is
        gone; and a peer can bring the machine's thread to an end by an error, with an A-ABORT from
        a source that does not exist, or by closing the connection while a release is answered.
        """
        machine = self.dul.state_machine
        act = machine.do_action
        queue: Any = self.dul.to_user_queue
        asked = False

        def do_action(event: str) -> None:
            nonlocal asked
            asked = asked or event == _ASSOCIATE_REQUESTED
            try:
                act(event)
            except Exception as error:  # noqa: BLE001 -- whatever it is, the association ends
                _log.info(
                    "association ended by its upper layer",
                    extra={"peer": self.name, "reason": type(error).__name__},
                )
                self.dul.kill_dul()
                self._accept_sent.set()
            else:
                if machine.current_state == _DATA_TRANSFER:
                    self._accept_sent.set()
                if asked or machine.current_state != _IDLE:
                    return
            # Nothing, for whoever waits for a request, and an abort for all others.
            queue.put(A_P_ABORT() if asked else None)

        machine.do_action = do_action

    def run_reactor(self) -> None:
        """Serve the association to its end; no peer may leave its connection without an owner."""
        metering.count("rdc_dicom_associations_open")
        try:
            with correlated(association=new_id()):
                if self._unwrap() and self._handshake():
                    super().run_reactor()
        except Exception:  # noqa: BLE001 -- the thread's last line of defence
            _log.exception("association ended by an error", extra={"peer": self.name})
            abort_provider(self._connection)
            self.dul.kill_dul()
            self._transport.hand_back(b"")
        finally:
            metering.count("rdc_dicom_associations_open", by=-1)
            with suppress(OSError):
                self._connection.shutdown(socket.SHUT_WR)
            self._connection.close()
            self._ticket.leave()
            self._ended(self)

    def _unwrap(self) -> bool:
        """Learn who is behind a balancer; return whether the connection can be used."""
        peer = cast("AddressInformation", self.requestor.address_info)
        if not self._parts.balancers.have(peer.address):
            return True
        try:
            origin = read_origin(self._connection, timeout=self.acse_timeout or 30.0)
        except ProxyHeaderInvalid as error:
            _log.warning("no PROXY header", extra={"peer": self.name, "reason": str(error)})
            return False
        except OSError:
            # It went away meanwhile.
            return False
        if origin is not None:
            self.requestor.address_info = AddressInformation.from_tuple(origin)
            self.name = f"association-{origin[0]}:{origin[1]}"
        # The balancer itself only looks whether we are there, and goes.
        return origin is not None

    def _handshake(self) -> bool:
        """Secure the connection if it is to be; return whether it can be used."""
        doorkeeper = self._parts.tls
        if not self._secure:
            return True
        assert doorkeeper is not None
        try:
            secured = doorkeeper.accept(self._connection, timeout=self.acse_timeout or 30.0)
        except CertificateRevoked as error:
            _log.warning("revoked certificate", extra={"peer": self.name, "reason": str(error)})
            return False
        except OSError as error:
            _log.warning(
                "TLS handshake failed", extra={"peer": self.name, "reason": type(error).__name__}
            )
            return False
        secured.settimeout(WAKE_SECONDS)
        self._connection = self._transport.socket = secured
        return True

    def cut(self) -> None:
        """End the association now, from another thread; what was not acknowledged is forgotten."""
        abort_at_once(self._connection)

    def dismiss(self) -> None:
        """End the association, from another thread, if nothing has been requested yet."""
        if not self._requested:
            _log.warning("silent connection closed for another", extra={"peer": self.name})
            self.cut()

    def _decide(self, event: evt.Event) -> None:
        """Admit or reject; runs in the association's thread, before the negotiation."""
        del event
        self._requested = True
        request = cast("A_ASSOCIATE", self.requestor.primitive)
        address = cast("AddressInformation", self.requestor.address_info).address
        try:
            decision = self._parts.admission.decide(
                called_ae_title=request.called_ae_title or "",
                calling_ae_title=request.calling_ae_title or "",
                address=address,
                certificate_sha256=fingerprint(self._connection),
            )
            if isinstance(decision, Admitted):
                decision = self._seated(decision, request)
            if isinstance(decision, Admitted):
                self.acceptor.supported_contexts = supported_contexts(
                    request.presentation_context_definition_list, self._parts.served
                )
                self._admitted = decision
                metering.count("rdc_dicom_associations_total", "accepted")
                return
        except Exception:  # noqa: BLE001 -- see below
            # pynetdicom would log what a handler raises and go on to accept.
            _log.exception("association could not be decided", extra={"peer": address})
            decision = Rejection.TEMPORARY_CONGESTION
        _log.warning(
            "association rejected",
            extra={
                "peer": address,
                "calling_ae_title": request.calling_ae_title,
                "called_ae_title": request.called_ae_title,
                "reason": decision.name,
            },
        )
        metering.count("rdc_dicom_associations_total", decision.name.lower())
        self._parts.admission.note_rejection(
            decision, calling_ae_title=request.calling_ae_title or "", address=address
        )
        self.acse.send_reject(*decision.value)
        # Waits until the rejection has been sent.
        self.kill()

    def _seated(self, admitted: Admitted, request: A_ASSOCIATE) -> Admitted | Rejection:
        if not _complete(request):
            return Rejection.NO_REASON_GIVEN
        device_id, limits = admitted.origin.device_id, admitted.limits
        if device_id is not None and not self._ticket.admit(device_id, limits.max_associations):
            return Rejection.LOCAL_LIMIT_EXCEEDED
        return admitted

    def _run_reactor(self) -> None:
        """Serve the data phase, then let pynetdicom release or abort the association."""
        upper_layer = self.dul
        # One TLS connection may not be used by two threads: the upper layer's is still within its
        # write when the peer, which has the A-ASSOCIATE-AC already, sends its first request.
        self._accept_sent.wait(self.acse_timeout)
        reader = PduReader(self._connection, self._keep_waiting, self._pace())
        ended_by_us = False
        unread = b""
        phase: DataPhase | None = None
        try:
            phase = self._data_phase(reader)
            phase.run()
            unread = reader.remainder()
        except PeerSilent as reason:
            ended_by_us = True
            self._tell("association ended by us", phase, logging.INFO, reason)
        except ProtocolViolation as error:
            self._tell("association aborted", phase, logging.WARNING, error)
            abort_provider(self._connection)
        except PeerGone:
            # pynetdicom will find the connection at its end, as we did.
            self._tell("connection ended without a release", phase, logging.INFO)
        except Exception:  # noqa: BLE001 -- the peer must hear of it
            _log.exception("association aborted after an error of ours", extra={"peer": self.name})
            ended_by_us = True
        # Started with the association and not since: a minute of honest work would expire it.
        upper_layer._idle_timer.restart()  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
        self._transport.hand_back(unread)
        if ended_by_us:
            self.abort()
            return
        super()._run_reactor()
        if unread and self.is_aborted:
            # For all that we know it has waited in vain for what we believe to have said.
            self._tell("association aborted by its peer", phase, logging.WARNING)

    def _tell(
        self, what: str, phase: DataPhase | None, level: int, reason: Exception | None = None
    ) -> None:
        """Log an end that is none by release, and how far the association had come."""
        assert self._admitted is not None
        account = {} if phase is None else phase.account()
        extra: dict[str, object] = {
            "peer": self.name,
            "calling_ae_title": self._admitted.origin.calling_ae_title,
            **account,
            **({} if reason is None else {"reason": str(reason)}),
        }
        # In the middle of a message somebody waits for something that does not come.
        _log.log(logging.WARNING if account.get("unfinished") else level, what, extra=extra)

    def _data_phase(self, reader: PduReader) -> DataPhase:
        admitted = self._admitted
        assert admitted is not None
        contexts = {
            cast("int", context.context_id): Context(
                cast("int", context.context_id),
                str(context.abstract_syntax),
                str(context.transfer_syntax[0]),
                as_scu=bool(context.as_scu),
            )
            for context in self.accepted_contexts
        }
        service = self._parts.service(admitted.origin, admitted.limits)
        phase = DataPhase(
            reader,
            self._send,
            contexts=contexts,
            peer_maximum=self.requestor.maximum_length or 0,
            service=service,
        )
        for context, follow_up in service.follow_ups(contexts.values()):
            phase.add_follow_up(context, follow_up)
        return phase

    def _send(self, pdu: Buffer) -> None:
        connection = self._connection
        try:
            if self._secure:
                # Its timeouts are of Python's making, not the kernel's, and for both directions.
                connection.settimeout(self.network_timeout)
            connection.sendall(pdu)
            if self._secure:
                connection.settimeout(WAKE_SECONDS)
        except OSError as error:
            raise PeerGone from error

    def _pace(self) -> Callable[[int], None] | None:
        """Return what slows the reading down to the device's rate, if it has one."""
        assert self._admitted is not None
        rate = self._admitted.limits.max_bytes_per_second
        device_id = self._admitted.origin.device_id
        if rate is None or device_id is None:
            return None
        return Pace(self._parts.rates, device_id, rate, self._parts.stopping).take

    def _keep_waiting(self, silent_seconds: float) -> None:
        """Decide, after some silence, whether to go on listening."""
        if self._kill or self.is_aborted:
            raise PeerSilent("stopped")
        if self._parts.stopping.is_set():
            raise PeerSilent("gateway stops and the peer is idle")
        assert self._admitted is not None
        if silent_seconds > (self._admitted.limits.idle_seconds or self.network_timeout or 60.0):
            raise PeerSilent(f"nothing received for {silent_seconds:.0f} s")


def _complete(request: A_ASSOCIATE) -> bool:
    """Tell whether every proposed presentation context names its syntaxes (PS3.8 Table 9-13)."""
    contexts = request.presentation_context_definition_list
    return all(
        context.abstract_syntax and context.transfer_syntax and all(context.transfer_syntax)
        for context in contexts
    )
