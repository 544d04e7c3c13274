"""What is filed in the index, and where its bytes are."""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from storage.dicom_header import InstanceHeader
from storage.objects import ObjectKey

_SHARD_LENGTH: Final = 3


@dataclass(frozen=True, slots=True)
class ReceivedInstance:
    """An instance whose bytes are already durable in the object store.

    quiet: how long its study must be quiet afterwards to count as complete; of a batch the longest
        counts.
    dataset_offset, pixel_data_offset: see `Instance`.
    evidence: made by whoever reads the study, who was found to mean its patient. A complete study
        stays so, and when it was received does not change: nobody waited for this.
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
    evidence: bool = False


def instance_key(site_id: UUID, study_instance_uid: str, dataset_sha256: str) -> ObjectKey:
    """Return where the bytes of an instance are kept: by site and content.

    The same dataset from the same site has the same key, so it is kept once. What one study has
    lies together in one of 4096 folders of the site, so that filing makes the names of a batch
    durable with one sync for each study (by digest alone it took one for nearly each instance).
    """
    shard = hashlib.sha256(study_instance_uid.encode("ascii")).hexdigest()[:_SHARD_LENGTH]
    return ObjectKey(f"instances/{site_id}/{shard}/{dataset_sha256}.dcm")
