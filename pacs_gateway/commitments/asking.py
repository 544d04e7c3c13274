"""Storage commitment as SCU (PS3.4 J): asked of a destination that took a report, until it answers.

The result comes on the same association while we stay, or later on one that the receiver opens to
us as a device of its site; see `services.commitment`.
"""

import logging
import threading
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final
from uuid import UUID, uuid4

from pydicom.dataset import Dataset
from pynetdicom import evt
from pynetdicom.pdu import P_DATA_TF
from pynetdicom.presentation import build_context
from sqlalchemy.orm import Session

from pacs_gateway.commitments.results import SOP_CLASS_UID, SOP_INSTANCE_UID, item_of
from pacs_gateway.config import ReturnsConfig
from pacs_gateway.requesting import SYNTAXES, NoAssociation, associate
from pacs_gateway.tls import TlsUnusable, context_for
from storage import attempts
from storage.clock import utc_now
from storage.commitments import Reference
from storage.database import Database
from storage.deliveries import Delivery
from storage.delivery_commitments import (
    CHANNEL,
    AskedState,
    DeliveryCommitment,
    decide,
    is_open,
)
from storage.identifiers import InvalidIdentifier, Uid
from storage.outbox import backoff_seconds
from storage.registry import Destination, Listener
from storage.registry.destination_settings import DicomSettings

__all__ = [
    "CHANNEL",
    "LONGEST_PATIENCE",
    "STAY_SECONDS",
    "UnreadableResult",
    "attempt",
    "due",
    "hear",
]

_REQUEST_STORAGE_COMMITMENT: Final = 1
_SUCCESS: Final = 0x0000
_PROCESSING_FAILURE: Final = 0x0110
_INVALID_ARGUMENT_VALUE: Final = 0x0115
STAY_SECONDS = 2.0
"""For a result on the same association: who can say it there says it at once, others call."""
# After which silence the receiver is asked again; doubled each time, since a tape may be slow.
_PATIENCE_SECONDS: Final = 600.0
LONGEST_PATIENCE: Final = timedelta(days=1)
"""After which a receiver that took the request and says nothing is asked again at the latest."""

_log = logging.getLogger(__name__)


class UnreadableResult(Exception):
    """A result without what every result has."""


def due(session: Session, limit: int = 20) -> Sequence[UUID]:
    """Return requests that are due, for `attempt`; each again in half a minute."""
    return attempts.due(session, DeliveryCommitment, is_open(), limit)


def attempt(asked_id: UUID, database: Database, config: ReturnsConfig) -> bool:
    """Ask once; return whether the receiver has committed itself by now.

    Called for one that is decided, not due or being asked elsewhere, it does nothing. A destination
    that is not to be asked any more is not: the request goes.
    """
    with database.transaction() as session:
        row = attempts.take(session, DeliveryCommitment, asked_id, config.lease_seconds)
        if row is None:
            return False
        if row.decided_at is not None or row.next_attempt_at > utc_now():
            row.lease_token = row.leased_until = None
            return row.state is AskedState.COMMITTED
        delivery = session.get_one(Delivery, row.delivery_id)
        settings = session.get_one(Destination, delivery.destination_id).typed_settings
        if not isinstance(settings, DicomSettings) or not settings.commitment:
            session.delete(row)
            return False
        token, site_id = row.lease_token, row.site_id
        # Another each time: a receiver may refuse one that it knows (PS3.4 J.3.2.1.2). Written
        # before it is sent, since the result may come over another association at once.
        row.transaction_uid = Uid.from_uuid(uuid4())
        request = _request(row)
    try:
        error = _ask(request, settings, config, database, site_id)
    except Exception as problem:  # noqa: BLE001 -- or it would be repeated without back-off
        _log.exception("storage commitment not asked", extra={"request_id": str(asked_id)})
        error = f"error of ours: {type(problem).__name__}"
    with database.transaction() as session:
        row = session.get_one(DeliveryCommitment, asked_id, with_for_update=True)
        if row.decided_at is not None or row.lease_token != token:
            return row.state is AskedState.COMMITTED
        if error is None:
            row.state = AskedState.WAITING
            row.asked_at = utc_now()
            row.attempts += 1
            row.last_error = None
            patience = backoff_seconds(
                row.attempts, base=_PATIENCE_SECONDS, cap=LONGEST_PATIENCE.total_seconds()
            )
            attempts.give_back(row, after_seconds=patience)
        else:
            attempts.failed(
                row,
                error,
                first_seconds=config.first_retry_seconds,
                longest_seconds=config.longest_retry_seconds,
            )
    return False


def hear(event: Any, site_id: UUID, database: Database) -> bool:  # noqa: ANN401 -- see below
    """Take a result, the event information of an N-EVENT-REPORT (PS3.4 Table J.3-2).

    event: a pydicom dataset, which is typed in part only. Returns False when nothing was asked
    under its Transaction UID at the site.

    Raises:
        UnreadableResult: it names no transaction, or objects without UIDs.
    """
    try:
        transaction_uid = Uid.parse(str(event.get("TransactionUID", "")), what="Transaction UID")
        kept = [_reference(item) for item in event.get("ReferencedSOPSequence") or ()]
        failed = {
            _reference(item).sop_instance_uid: _reason(item)
            for item in event.get("FailedSOPSequence") or ()
        }
    except InvalidIdentifier as error:
        raise UnreadableResult(str(error.args[0])) from error
    with database.transaction() as session:
        known = decide(session, site_id, transaction_uid, kept, failed)
    if known and failed:
        _log.warning(
            "a destination does not keep what it has taken",
            extra={"transaction_uid": transaction_uid, "objects": len(failed)},
        )
    return known


def _request(row: DeliveryCommitment) -> Dataset:
    """Return the action information (PS3.4 Table J.3-1)."""
    request = Dataset()
    request.TransactionUID = row.transaction_uid
    request.ReferencedSOPSequence = [item_of(one) for one in row.references]
    return request


def _ask(
    request: Dataset,
    settings: DicomSettings,
    config: ReturnsConfig,
    database: Database,
    site_id: UUID,
) -> str | None:
    """Send the request and stay for a quick result; None when it was taken, else why not."""
    listener = Listener(settings.ae_title, settings.host, settings.port)
    ears = _Ears(site_id, database)
    try:
        association = associate(
            listener,
            [build_context(SOP_CLASS_UID, syntax) for syntax in SYNTAXES],
            config,
            what="Storage Commitment Push Model",
            tls=context_for(settings.tls, settings.host),
            handlers=[(evt.EVT_N_EVENT_REPORT, ears.hear), (evt.EVT_PDU_SENT, ears.note_sent)],
        )
    except (NoAssociation, TlsUnusable) as error:
        return str(error)
    try:
        status, _ = association.send_n_action(
            request,
            _REQUEST_STORAGE_COMMITMENT,
            SOP_CLASS_UID,  # pyright: ignore[reportArgumentType] -- it makes a UID of it
            SOP_INSTANCE_UID,  # pyright: ignore[reportArgumentType]
        )
    except (ValueError, RuntimeError) as error:
        association.abort()
        return f"not sent: {error}"
    if "Status" in status and status.Status == _SUCCESS:
        ears.answered.wait(STAY_SECONDS)
    association.release()
    if "Status" not in status:
        return "no answer to N-ACTION before the association ended"
    code = int(status.Status)
    return None if code == _SUCCESS else f"N-ACTION status {code:04X}H"


class _Ears:
    """Hears the result on the association that asked; `answered` when our answer has left."""

    def __init__(self, site_id: UUID, database: Database) -> None:
        self.answered = threading.Event()
        self._site_id = site_id
        self._database = database
        self._heard = False

    def hear(self, event: evt.Event) -> tuple[int, None]:
        try:
            known = hear(event.event_information, self._site_id, self._database)
        except UnreadableResult:
            return _INVALID_ARGUMENT_VALUE, None
        except Exception as error:  # noqa: BLE001 -- the receiver hears of it, and tells it again
            _log.warning("a result was not kept", extra={"error": type(error).__name__})
            return _PROCESSING_FAILURE, None
        finally:
            self._heard = True
        return (_SUCCESS if known else _INVALID_ARGUMENT_VALUE), None

    def note_sent(self, event: Any) -> None:  # noqa: ANN401 -- its PDU has no type
        if self._heard and isinstance(event.pdu, P_DATA_TF):
            self.answered.set()


def _reference(item: Any) -> Reference:  # noqa: ANN401 -- pydicom's datasets are typed in part
    return Reference(
        Uid.parse(str(item.get("ReferencedSOPClassUID", "")), what="Referenced SOP Class UID"),
        Uid.parse(str(item.get("ReferencedSOPInstanceUID", "")), what="Referenced SOP Inst. UID"),
    )


def _reason(item: Any) -> int | None:  # noqa: ANN401 -- as above
    reason = item.get("FailureReason")
    return None if reason is None else int(reason)
