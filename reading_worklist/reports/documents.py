"""The signed documents of reports in the object store."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID, uuid4

from reading_worklist.problems import Problem
from storage.objects import ObjectKey, ObjectStore

_PDF: Final = "application/pdf"


@dataclass(frozen=True, slots=True)
class StoredPdf:
    """A document in the object store, complete at `at`."""

    key: ObjectKey
    sha256: str
    at: datetime


def store_pdf(objects: ObjectStore, workitem_id: UUID, pdf: bytes, at: datetime) -> StoredPdf:
    """Store a document of a workitem under a key of its own; outside of any transaction."""
    key = ObjectKey.parse(f"reports/{workitem_id}/{uuid4()}.pdf")
    objects.put(key, pdf, content_type=_PDF)
    return StoredPdf(key, _sha256(pdf), at)


def read_pdf(objects: ObjectStore, key: str, sha256: str) -> bytes:
    """Return a stored document after comparing it with its digest in the database.

    Raises:
        Problem: 500 when the stored bytes are not those that were signed.
    """
    pdf = objects.read(ObjectKey.parse(key))
    if _sha256(pdf) != sha256:
        raise Problem(
            500,
            "document-damaged",
            "The stored report is not the one that was signed",
            remedy="Do not use it; tell your system administrator, who restores it from backup.",
        )
    return pdf


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
