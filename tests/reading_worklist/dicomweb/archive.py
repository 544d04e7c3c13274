"""An archive filled as the gateway fills it: objects first, then the index."""

import hashlib
import io
from dataclasses import dataclass
from datetime import timedelta

from storage.clock import utc_now
from storage.database import Database
from storage.dicom_header import InstanceHeader, read_header
from storage.index.completion import complete_quiet_studies
from storage.index.ingest import Filing, ReceivedInstance, ingest
from storage.index.received import instance_key
from storage.objects import ObjectStore
from storage.registry import Organisation


@dataclass(frozen=True, slots=True)
class Filed:
    """An instance that was filed: what it is, and its file."""

    header: InstanceHeader
    data: bytes
    site_code: str

    @property
    def path(self) -> str:
        """Its address below a DICOMweb root."""
        header = self.header
        return (
            f"studies/{header.study_instance_uid}/series/{header.series_instance_uid}"
            f"/instances/{header.sop_instance_uid}"
        )

    @property
    def dataset(self) -> bytes:
        """The bytes of its dataset."""
        return self.data[self.header.dataset_offset :]


class Archive:
    """Files instances under sites."""

    def __init__(self, database: Database, objects: ObjectStore) -> None:
        self.database = database
        self.objects = objects

    def file(self, data: bytes, site: Organisation) -> Filed | None:
        """File a Part 10 file; None when the site has its instance or its patient disagrees.

        Raises `DatasetError` for what the gateway would put aside.
        """
        header = read_header(io.BytesIO(data))
        digest = hashlib.sha256(data[header.dataset_offset :]).hexdigest()
        key = instance_key(site.id, header.study_instance_uid, digest)
        if self.objects.stat(key) is None:
            self.objects.put(key, data)
        received = ReceivedInstance(
            header=header,
            site_id=site.id,
            device_id=None,
            transfer_syntax_uid=header.transfer_syntax_uid,
            object_key=key,
            object_size=len(data),
            dataset_sha256=digest,
            dataset_offset=header.dataset_offset,
            pixel_data_offset=header.pixel_data_offset,
            received_at=utc_now(),
            quiet=timedelta(0),
        )
        with self.database.transaction() as session:
            (outcome,) = ingest(session, [received])
        return Filed(header, data, site.code) if outcome.filing is Filing.STORED else None

    def complete(self) -> None:
        """Let the quiet time of every study be over."""
        with self.database.transaction() as session:
            complete_quiet_studies(session)
