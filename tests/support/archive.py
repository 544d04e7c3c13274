"""Instances as the gateway leaves them: an object with our record in its head, and its rows."""

import hashlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from io import BytesIO
from uuid import UUID

from sqlalchemy import Delete, text
from sqlalchemy.orm import Session

from storage import receptions
from storage.database import Database, as_owner
from storage.dicom_header import read_header
from storage.index.ingest import IngestOutcome, ReceivedInstance, ingest
from storage.objects import ObjectKey, ObjectStore
from storage.receptions import Origin, Reception, Refusal
from tests.pacs_gateway.datasets import Sample

BEGINNING = datetime(2026, 11, 1, 8, tzinfo=UTC)


class Archive:
    """Files samples for one device of one site; each is received a second after the one before."""

    def __init__(
        self,
        database: Database,
        objects: ObjectStore,
        site_id: UUID,
        device_id: UUID | None,
        *,
        ae_title: str = "CT1",
    ) -> None:
        self.database = database
        self.objects = objects
        self.origin = Origin(site_id, device_id, ae_title, "RDC", "127.0.0.1")
        self.received_at = BEGINNING

    def store(self, item: Sample, *, refusal: Refusal | None = None, key: str = "") -> ObjectKey:
        """Put the object alone, without a row."""
        self.received_at += timedelta(seconds=1)
        head = receptions.head(
            self.origin, item.sop_class_uid, item.sop_instance_uid, item.transfer_syntax_uid
        )
        digest = hashlib.sha256(item.encoded).hexdigest()
        reception = Reception(
            self.origin,
            item.transfer_syntax_uid,
            self.received_at,
            len(item.encoded),
            digest,
            refusal,
        )
        made = ObjectKey(key or f"instances/{self.origin.site_id}/{digest[:2]}/{digest}.dcm")
        encoded = head.encoded[: head.record_at] + receptions.record(reception) + item.encoded
        self.objects.put(made, encoded)
        return made

    def file(self, item: Sample) -> tuple[IngestOutcome, ReceivedInstance]:
        """Put the object and file it in the index."""
        return self.index(item, self.store(item))

    def index(self, item: Sample, key: ObjectKey) -> tuple[IngestOutcome, ReceivedInstance]:
        """File in the index what was stored last."""
        offset = receptions.dataset_offset(self.objects.read(key, 0, 4096))
        assert offset is not None
        header = read_header(BytesIO(item.encoded), item.transfer_syntax_uid)
        pixels = header.pixel_data_offset
        received = ReceivedInstance(
            header=replace(header, pixel_data_offset=None),
            site_id=self.origin.site_id,
            device_id=self.origin.device_id,
            transfer_syntax_uid=item.transfer_syntax_uid,
            object_key=key,
            object_size=offset + len(item.encoded),
            dataset_sha256=hashlib.sha256(item.encoded).hexdigest(),
            dataset_offset=offset,
            pixel_data_offset=None if pixels is None else pixels + offset,
            received_at=self.received_at,
            quiet=timedelta(0),
        )
        with self.database.transaction() as session:
            (outcome,) = ingest(session, [received])
        return outcome, received


def lose_rows(session: Session, *statements: Delete) -> None:
    """Delete index rows as a lost database would, past the guard that no instance goes unpurged."""
    as_owner(session)
    for table in ("instance", "report_object"):
        session.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER guard_removal"))
    for statement in statements:
        session.execute(statement)
    for table in ("instance", "report_object"):
        session.execute(text(f"ALTER TABLE {table} ENABLE TRIGGER guard_removal"))
