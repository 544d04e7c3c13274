"""Delivering to a DICOM receiver: C-STORE SCU (PS3.4 Annex B)."""

from dataclasses import dataclass
from typing import Any, Final

from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian
from pynetdicom.ae import ApplicationEntity
from pynetdicom.association import Association
from pynetdicom.presentation import build_context

from pacs_gateway.config import ReturnsConfig
from pacs_gateway.implementation import IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME

# pynetdicom's entity is typed in part only.
_Entity: Any = ApplicationEntity
_SUCCESS: Final = 0x0000
# PS3.4 B.2.3: stored, though not all of it as sent.
_WARNINGS: Final = frozenset({0xB000, 0xB006, 0xB007})


@dataclass(frozen=True, slots=True)
class DicomReceiver:
    """Where to deliver."""

    ae_title: str
    host: str
    port: int


@dataclass(frozen=True, slots=True)
class DeliveryAnswer:
    """How an attempt ended.

    answer: what the receiver said, or what kept us from asking it, in words for a person.
    """

    delivered: bool
    answer: str


def deliver(instance: Dataset, receiver: DicomReceiver, config: ReturnsConfig) -> DeliveryAnswer:
    """Send `instance` and return what came of it; a refusal or a dead line is no error here."""
    try:
        association = _associate(receiver, instance, config)
    except OSError as error:
        return DeliveryAnswer(
            delivered=False, answer=f"host {receiver.host} is not known: {error.strerror}"
        )
    if not association.is_established:
        return _no_association(association, receiver)
    return _store(association, instance)


def _associate(receiver: DicomReceiver, instance: Dataset, config: ReturnsConfig) -> Association:
    """Ask for an association; established or not.

    Raises:
        OSError: the host's name leads nowhere.
    """
    ae = _Entity(config.calling_ae_title)
    ae.implementation_class_uid = IMPLEMENTATION_CLASS_UID
    ae.implementation_version_name = IMPLEMENTATION_VERSION_NAME
    ae.connection_timeout = config.connect_timeout_seconds
    ae.acse_timeout = config.acse_timeout_seconds
    ae.dimse_timeout = config.dimse_timeout_seconds
    ae.network_timeout = config.dimse_timeout_seconds
    # In two contexts: a receiver that can only read the default still gets it.
    contexts = [
        build_context(instance.SOPClassUID, syntax)
        for syntax in (ExplicitVRLittleEndian, ImplicitVRLittleEndian)
    ]
    return ae.associate(receiver.host, receiver.port, contexts=contexts, ae_title=receiver.ae_title)


def _no_association(association: Association, receiver: DicomReceiver) -> DeliveryAnswer:
    where = f"{receiver.ae_title} at {receiver.host}:{receiver.port}"
    primitive = association.acceptor.primitive
    if association.is_rejected and primitive is not None:
        return DeliveryAnswer(
            delivered=False,
            answer=f"association rejected by {where}: "
            f"{primitive.result_str}, {primitive.source_str}, {primitive.reason_str}",
        )
    if primitive is not None:
        return DeliveryAnswer(
            delivered=False, answer=f"{where} does not accept Encapsulated PDF Storage"
        )
    return DeliveryAnswer(delivered=False, answer=f"no connection to {where}")


def _store(association: Association, instance: Dataset) -> DeliveryAnswer:
    try:
        status = association.send_c_store(instance)
    except (ValueError, RuntimeError) as error:
        association.abort()
        return DeliveryAnswer(delivered=False, answer=f"not sent: {error}")
    association.release()
    if "Status" not in status:
        return DeliveryAnswer(
            delivered=False, answer="no answer to C-STORE before the association ended"
        )
    code = int(status.Status)
    comment = str(status.get("ErrorComment", ""))
    answer = f"C-STORE status {code:04X}H{f': {comment}' if comment else ''}"
    return DeliveryAnswer(delivered=code == _SUCCESS or code in _WARNINGS, answer=answer)
