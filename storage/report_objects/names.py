"""By which UIDs the objects of a report version are found.

The web application files them, the gateway returns them; all that both need to know is the
version's id. So an object that is made or sent twice is the same one.
"""

from enum import StrEnum
from typing import Final
from uuid import UUID, uuid5

from pydicom.uid import (
    BasicTextSRStorage,
    EncapsulatedPDFStorage,
    EnhancedSRStorage,
    KeyObjectSelectionDocumentStorage,
)

from storage.identifiers import Uid


class ReportObjectKind(StrEnum):
    """What an object of a report is; in the order in which they are sent."""

    PDF = "pdf"
    STRUCTURED = "structured"
    KEY_OBJECTS = "key_objects"


MADE_BY: Final = "RDC"
"""Stands where a device's AE title would, in what is written of such an object's reception."""
SOP_CLASSES: Final[frozenset[str]] = frozenset(
    {
        EncapsulatedPDFStorage,
        BasicTextSRStorage,
        EnhancedSRStorage,
        KeyObjectSelectionDocumentStorage,
    }
)
"""Of what classes objects of reports are."""

# The namespaces of these UIDs, of instances and of series; each drawn once.
_INSTANCES: Final = {
    ReportObjectKind.PDF: UUID("6e1f6d0c-9d9b-4a3e-8b8e-0d8d3a52c3d1"),
    ReportObjectKind.STRUCTURED: UUID("2f6f1a44-0a3e-4c0b-9f39-7a0c3f5f2f1d"),
    ReportObjectKind.KEY_OBJECTS: UUID("b6c3b1a2-58ff-4a63-9f0d-5f2c1f7e9c44"),
}
_SERIES: Final = {
    ReportObjectKind.PDF: UUID("6e1f6d0c-9d9b-4a3e-8b8e-0d8d3a52c3d1"),
    ReportObjectKind.STRUCTURED: UUID("0f0c0f4e-6c1b-4c41-9f0e-0d2a6f8f7a53"),
    ReportObjectKind.KEY_OBJECTS: UUID("b6c3b1a2-58ff-4a63-9f0d-5f2c1f7e9c44"),
}


def sop_instance_uid(kind: ReportObjectKind, report_version_id: UUID) -> Uid:
    """Return the SOP Instance UID of a version's object, whether or not it has one.

    report_version_id: or the id of the notice of a revoked report.
    """
    return Uid.from_uuid(uuid5(_INSTANCES[kind], f"instance:{report_version_id}"))


def series_instance_uid(kind: ReportObjectKind, workitem_id: UUID) -> Uid:
    """Return the UID of the series that holds the objects of one kind of a workitem's versions."""
    return Uid.from_uuid(uuid5(_SERIES[kind], f"series:{workitem_id}"))
