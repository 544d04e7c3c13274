"""Delivering to a DICOM receiver: C-STORE SCU (PS3.4 Annex B)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from pydicom.dataset import Dataset
from pydicom.uid import UID
from pynetdicom.association import Association
from pynetdicom.presentation import build_context

from pacs_gateway.config import ReturnsConfig
from pacs_gateway.requesting import SYNTAXES, NoAssociation, associate
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


def deliver(
    instances: Sequence[Dataset], receiver: Listener, config: ReturnsConfig
) -> DeliveryAnswer:
    """Send a report's objects and return what came of it; a refusal is no error here.

    instances: the document that people read first. It alone decides whether the report is
        delivered: a receiver that does not take what comes beside it is told of in the answer.
    """
    contexts = [
        build_context(instance.SOPClassUID, syntax) for instance in instances for syntax in SYNTAXES
    ]
    first, *others = instances
    what = UID(first.SOPClassUID).name
    try:
        association = associate(receiver, contexts, config, what=what)
    except NoAssociation as error:
        return DeliveryAnswer(delivered=False, answer=str(error))
    taken = {context.abstract_syntax for context in association.accepted_contexts}
    if first.SOPClassUID not in taken:
        association.abort()
        where = f"{receiver.ae_title} at {receiver.host}:{receiver.port}"
        return DeliveryAnswer(delivered=False, answer=f"{where} does not accept {what}")
    answer = _store(association, first)
    said = [answer.answer]
    for other in others:
        name = UID(other.SOPClassUID).name
        if not answer.delivered or not association.is_established:
            break
        told = _store(association, other).answer if other.SOPClassUID in taken else "not accepted"
        said.append(f"{name}: {told}")
    if association.is_established:
        association.release()
    return DeliveryAnswer(delivered=answer.delivered, answer="; ".join(said))


def _store(association: Association, instance: Dataset) -> DeliveryAnswer:
    try:
        status = association.send_c_store(instance)
    except (ValueError, RuntimeError) as error:
        association.abort()
        return DeliveryAnswer(delivered=False, answer=f"not sent: {error}")
    if "Status" not in status:
        return DeliveryAnswer(
            delivered=False, answer="no answer to C-STORE before the association ended"
        )
    code = int(status.Status)
    comment = str(status.get("ErrorComment", ""))
    answer = f"C-STORE status {code:04X}H{f': {comment}' if comment else ''}"
    return DeliveryAnswer(delivered=code == _SUCCESS or code in _WARNINGS, answer=answer)
