"""Looking at a received dataset before its sender is answered: can it be filed?"""

import logging
from dataclasses import dataclass
from typing import BinaryIO, Final

from pacs_gateway.associations.commands import Command
from pacs_gateway.associations.status import Answer, Status
from storage.dicom_header import (
    DatasetError,
    InstanceHeader,
    InvalidUid,
    MalformedDataset,
    MissingUid,
    TruncatedDataset,
    read_header,
)
from storage.index.tables import QuarantineReason

_SOP_CLASS_UID: Final = 0x00080016
_SOP_INSTANCE_UID: Final = 0x00080018

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Refused:
    """A dataset that cannot be filed.

    reason, found: for the quarantine; answer: for the sender.
    """

    reason: QuarantineReason
    found: str
    answer: Answer


_BY_ERROR: Final[dict[type[DatasetError], tuple[QuarantineReason, Status]]] = {
    MissingUid: (QuarantineReason.MISSING_UID, Status.CANNOT_UNDERSTAND_MISSING_UID),
    InvalidUid: (QuarantineReason.INVALID_UID, Status.CANNOT_UNDERSTAND_INVALID_UID),
    TruncatedDataset: (QuarantineReason.TRUNCATED, Status.CANNOT_UNDERSTAND_TRUNCATED),
    MalformedDataset: (QuarantineReason.MALFORMED, Status.CANNOT_UNDERSTAND),
}


def examine(
    dataset: BinaryIO, transfer_syntax_uid: str, command: Command
) -> InstanceHeader | Refused:
    """Return what the index needs of a dataset, or why it cannot be filed; never raises for it.

    dataset: a seekable file that stands at the first byte of the dataset.
    """
    try:
        header = read_header(dataset, transfer_syntax_uid)
    except DatasetError as error:
        reason, status = _BY_ERROR.get(type(error), _BY_ERROR[MalformedDataset])
        return Refused(reason, f"{error.what}: {error.found}", Answer(status, error.what))
    except Exception as error:  # noqa: BLE001 -- a dataset that breaks our reader is kept, not lost
        _log.exception("dataset could not be examined")
        found = f"our reader failed: {type(error).__name__}"
        return Refused(QuarantineReason.MALFORMED, found, Answer(Status.PROCESSING_FAILURE, found))
    return _against_command(header, command) or header


def _against_command(header: InstanceHeader, command: Command) -> Refused | None:
    """Hold the dataset against the C-STORE command it came with (PS3.7 §9.1.1.1)."""
    pairs = (
        ("SOP Class UID", _SOP_CLASS_UID, header.sop_class_uid, command.sop_class_uid),
        ("SOP Instance UID", _SOP_INSTANCE_UID, header.sop_instance_uid, command.sop_instance_uid),
    )
    for name, tag, in_dataset, in_command in pairs:
        if in_dataset == in_command:
            continue
        status = (
            Status.DATA_SET_DOES_NOT_MATCH_SOP_CLASS
            if tag == _SOP_CLASS_UID
            else Status.CANNOT_UNDERSTAND_UID_DIFFERS_FROM_COMMAND
        )
        return Refused(
            QuarantineReason.COMMAND_MISMATCH,
            f"{name} {in_dataset} in the dataset, {in_command or 'none'} in the command",
            Answer(status, f"{name} differs from command", offending_tag=tag),
        )
    return None
