"""What the rooms tell each other: message contracts carried by the outbox.

A message is a fact in the past tense. It names ids, not copies of patient
data, and is understood in any order and any number of times. A new field has
a default, so that an older message still parses.
"""

from datetime import datetime
from typing import ClassVar, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict

READING_WORKLIST = "reading_worklist"
PACS_GATEWAY = "pacs_gateway"


class Message(BaseModel):
    """Base of every message: immutable, with a topic and the consumers that must handle it."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    topic: ClassVar[str]
    consumers: ClassVar[tuple[str, ...]]


class StudyReceived(Message):
    """A study is complete: its quiet time has passed, for the first time or after late instances.

    generation counts the completions of this study from 1; a consumer that has
    seen the same or a higher generation does nothing. missing_instances: how many the device says
    it has made that are not here.
    """

    topic = "study.received"
    consumers = (READING_WORKLIST, PACS_GATEWAY)

    study_id: UUID
    site_id: UUID
    study_instance_uid: str
    generation: int
    modalities: tuple[str, ...]
    instance_count: int
    missing_instances: int = 0


class OrderChanged(Message):
    """An order was placed, changed or cancelled, or its exam has gone on at the site.

    revision: of the order when this was written; the order itself may be further by now.
    """

    topic = "order.changed"
    consumers = (READING_WORKLIST,)

    order_id: UUID
    site_id: UUID
    revision: int


class ReportIssued(Message):
    """A report version carries both signatures and goes back to the site that sent the study."""

    topic = "report.issued"
    consumers = (PACS_GATEWAY,)

    report_version_id: UUID
    workitem_id: UUID
    study_id: UUID
    site_id: UUID
    study_instance_uid: str
    version_number: int
    pdf_object_key: str
    pdf_sha256: str
    title: str
    issued_at: datetime


class ReportRecalled(Message):
    """A report version that was issued does not stand any more.

    kind: "superseded", another version was issued with this message; or "revoked", and then the
        notice is a document that says so, for everybody who has the version or may get it yet.
    notice_id: identifies the notice as `report_version_id` does a version.
    """

    topic = "report.recalled"
    consumers = (PACS_GATEWAY,)

    report_version_id: UUID
    workitem_id: UUID
    study_id: UUID
    site_id: UUID
    version_number: int
    kind: Literal["superseded", "revoked"]
    recalled_at: datetime
    notice_id: UUID | None = None
    notice_object_key: str | None = None
    notice_sha256: str | None = None
    notice_title: str | None = None


class ReportDelivered(Message):
    """A destination has acknowledged a report version, or the notice that one was revoked.

    holds_report: whether it has the report itself, and not only been told that there is one.
    """

    topic = "report.delivered"
    consumers = (READING_WORKLIST,)

    delivery_id: UUID
    report_version_id: UUID
    workitem_id: UUID
    destination_id: UUID
    delivered_at: datetime
    holds_report: bool = True


class ReportFetched(Message):
    """A machine of the site has fetched a report version over DICOM, and has said that it has it.

    machine: its AE title.
    """

    topic = "report.fetched"
    consumers = (READING_WORKLIST,)

    report_version_id: UUID
    workitem_id: UUID
    site_id: UUID
    machine: str
    fetched_at: datetime


class DeliveryChanged(Message):
    """A delivery was refused by its receiver, or a person has decided about it."""

    topic = "delivery.changed"
    consumers = (READING_WORKLIST,)

    delivery_id: UUID
    workitem_id: UUID
    site_id: UUID
    destination_id: UUID
    state: str


class DestinationChanged(Message):
    """How a destination is doing as a whole has changed.

    change: "silent", it has been out of reach for longer than its centre allows; "back", it takes
        reports again after that; or what a person has done: "pause", "resume", "probe".
    """

    topic = "destination.changed"
    consumers = (READING_WORKLIST,)

    destination_id: UUID
    site_id: UUID
    change: str


class PurgeContinues(Message):
    """A purge that two people agreed on has something left to remove."""

    topic = "purge.continues"
    consumers = (READING_WORKLIST,)

    purge_id: UUID


MESSAGE_TYPES: dict[str, type[Message]] = {
    kind.topic: kind
    for kind in (
        StudyReceived,
        OrderChanged,
        ReportIssued,
        ReportRecalled,
        ReportDelivered,
        ReportFetched,
        DeliveryChanged,
        DestinationChanged,
        PurgeContinues,
    )
}
