"""What is filed in the index."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from storage.dicom_header import InstanceHeader


@dataclass(frozen=True, slots=True)
class ReceivedInstance:
    """An instance whose bytes are already durable in the object store.

    quiet: how long its study must be quiet afterwards to count as complete; of a batch the longest
        counts.
    dataset_offset, pixel_data_offset: see `Instance`.
    """

    header: InstanceHeader
    site_id: UUID
    device_id: UUID | None
    transfer_syntax_uid: str
    object_key: str
    object_size: int
    dataset_sha256: str
    dataset_offset: int
    pixel_data_offset: int | None
    received_at: datetime
    quiet: timedelta
