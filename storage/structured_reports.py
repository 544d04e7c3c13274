"""By which name the structured report of a version is found.

The web application files it in the study, the gateway returns it with the PDF; all that both need
to know is the version's id.
"""

from typing import Final
from uuid import UUID, uuid5

from storage.identifiers import Uid

# The namespace of these UIDs; drawn once.
_NAMESPACE: Final = UUID("2f6f1a44-0a3e-4c0b-9f39-7a0c3f5f2f1d")


def sop_instance_uid(report_version_id: UUID) -> Uid:
    """Return the SOP Instance UID of a version's structured report, whether or not it has one."""
    return Uid.from_uuid(uuid5(_NAMESPACE, f"instance:{report_version_id}"))
