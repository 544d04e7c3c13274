"""The result of a storage commitment request as an N-EVENT-REPORT (PS3.4 J.3.3)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from pydicom.dataset import Dataset
from pynetdicom.sop_class import (
    StorageCommitmentPushModel,  # pyright: ignore[reportAttributeAccessIssue, reportUnknownVariableType] -- made at run time
    StorageCommitmentPushModelInstance,  # pyright: ignore[reportAttributeAccessIssue, reportUnknownVariableType]
)

from pacs_gateway.config import ReturnsConfig
from pacs_gateway.requesting import NoAssociation, open_association
from storage.commitments import FailureReason, Reference
from storage.registry import Listener

SOP_CLASS_UID: Final = str(StorageCommitmentPushModel)  # pyright: ignore[reportUnknownArgumentType]
SOP_INSTANCE_UID: Final = str(StorageCommitmentPushModelInstance)  # pyright: ignore[reportUnknownArgumentType]
_ALL_COMMITTED: Final = 1
_SOME_FAILED: Final = 2
_SUCCESS: Final = 0x0000


@dataclass(frozen=True, slots=True)
class Result:
    """What is told to the device: what we vouch for, and what not with the reason."""

    transaction_uid: str
    kept: Sequence[Reference]
    missing: Sequence[tuple[Reference, FailureReason]]

    @property
    def event_type_id(self) -> int:
        """Event Type ID (PS3.4 Table J.3-4)."""
        return _SOME_FAILED if self.missing else _ALL_COMMITTED

    def dataset(self, retrieve_ae_title: str) -> Dataset:
        """Return the event information; the instances can be retrieved from `retrieve_ae_title`."""
        event = Dataset()
        event.TransactionUID = self.transaction_uid
        event.RetrieveAETitle = retrieve_ae_title
        if self.kept or not self.missing:
            event.ReferencedSOPSequence = [item_of(one) for one in self.kept]
        if self.missing:
            event.FailedSOPSequence = [item_of(one, reason) for one, reason in self.missing]
        return event


@dataclass(frozen=True, slots=True)
class Told:
    """Whether the device has acknowledged a result; if not, why, in words for a person."""

    heard: bool
    answer: str


def answer_of(status: int | None) -> Told:
    """Say what the status of an N-EVENT-REPORT response means; None when none came."""
    if status is None:
        return Told(heard=False, answer="no answer to N-EVENT-REPORT")
    return Told(heard=status == _SUCCESS, answer=f"N-EVENT-REPORT status {status:04X}H")


def tell(result: Result, listener: Listener, config: ReturnsConfig) -> Told:
    """Open an association and report `result`; a refusal or a dead line is no error here."""
    try:
        association = open_association(
            listener, SOP_CLASS_UID, config, what="Storage Commitment Push Model", as_scp=True
        )
    except NoAssociation as error:
        return Told(heard=False, answer=str(error))
    try:
        status, _ = association.send_n_event_report(
            result.dataset(config.calling_ae_title),
            result.event_type_id,
            SOP_CLASS_UID,  # pyright: ignore[reportArgumentType] -- it makes a UID of it
            SOP_INSTANCE_UID,  # pyright: ignore[reportArgumentType]
        )
    except (ValueError, RuntimeError) as error:
        association.abort()
        return Told(heard=False, answer=f"not sent: {error}")
    association.release()
    return answer_of(int(status.Status) if "Status" in status else None)


def item_of(reference: Reference, reason: FailureReason | None = None) -> Dataset:
    """Return an item of a Referenced SOP or Failed SOP Sequence (PS3.3 C.14.1)."""
    item = Dataset()
    item.ReferencedSOPClassUID = reference.sop_class_uid
    item.ReferencedSOPInstanceUID = reference.sop_instance_uid
    if reason is not None:
        item.FailureReason = int(reason)
    return item
