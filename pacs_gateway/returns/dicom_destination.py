"""Delivering to a DICOM receiver: C-STORE SCU (PS3.4 Annex B)."""

from dataclasses import dataclass
from typing import Final

from pydicom.dataset import Dataset
from pynetdicom.association import Association

from pacs_gateway.config import ReturnsConfig
from pacs_gateway.requesting import NoAssociation, open_association
from storage.registry import Listener

_SUCCESS: Final = 0x0000
# PS3.4 B.2.3: stored, though not all of it as sent.
_WARNINGS: Final = frozenset({0xB000, 0xB006, 0xB007})


@dataclass(frozen=True, slots=True)
class DeliveryAnswer:
    """How an attempt ended.

    answer: what the receiver said, or what kept us from asking it, in words for a person.
    """

    delivered: bool
    answer: str


def deliver(instance: Dataset, receiver: Listener, config: ReturnsConfig) -> DeliveryAnswer:
    """Send `instance` and return what came of it; a refusal or a dead line is no error here."""
    try:
        association = open_association(
            receiver, instance.SOPClassUID, config, what="Encapsulated PDF Storage"
        )
    except NoAssociation as error:
        return DeliveryAnswer(delivered=False, answer=str(error))
    return _store(association, instance)


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
