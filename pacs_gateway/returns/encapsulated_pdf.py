"""The signed report as an Encapsulated PDF instance, under the name of its version."""

from uuid import UUID

from storage.identifiers import Uid
from storage.report_objects import names
from storage.report_objects.encapsulated_pdf import ReportFacts, encapsulate
from storage.report_objects.names import ReportObjectKind

__all__ = ["ReportFacts", "encapsulate", "sop_instance_uid"]


def sop_instance_uid(report_version_id: UUID) -> Uid:
    """Return the SOP Instance UID of a report version; always the same for the same version."""
    return names.sop_instance_uid(ReportObjectKind.PDF, report_version_id)
