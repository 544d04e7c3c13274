"""What machines of a site have fetched of its reports by themselves.

A site behind a router lets nobody in: its software asks for the reports with its token, over FHIR,
REST or DICOM. Whoever answers notes it here, so that a recall knows who has the old version.
"""

from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID, uuid4

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from storage.database import Base, Word

_MACHINE_LENGTH: Final = 200


class PullChannel(StrEnum):
    """How a machine fetched a report."""

    FHIR = "fhir"
    REST = "rest"
    DICOM = "dicom"


class ReportPull(Base):
    """A machine has fetched the content of a report version, or the notice that one is void.

    report_version_id: of the version, or of the notice as `ReportRecalled.notice_id` names it.
    machine: what the site calls it: the name of its token, or its AE title.
    """

    __tablename__ = "report_pull"
    __table_args__ = (
        UniqueConstraint("report_version_id", "channel", "machine"),
        Index("ix_report_pull_site_id_last_at", "site_id", "last_at"),
        CheckConstraint("machine <> ''", name="machine"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    report_version_id: Mapped[UUID]
    site_id: Mapped[UUID] = mapped_column(ForeignKey("organisation.id"))
    channel: Mapped[PullChannel] = mapped_column(Word(PullChannel))
    machine: Mapped[str]
    first_at: Mapped[datetime]
    last_at: Mapped[datetime]


def note_pull(
    session: Session,
    report_version_id: UUID,
    *,
    site_id: UUID,
    channel: PullChannel,
    machine: str,
    at: datetime,
) -> None:
    """Note in the caller's transaction that a machine of a site gets the content of a version now.

    Called as often as it is fetched: one row for each machine and version keeps the first time and
    the last. To be written before the content leaves, since a recall asks these rows.

    machine: the name of its token, or its AE title; what is too long for a list is cut.
    """
    session.execute(
        insert(ReportPull)
        .values(
            id=uuid4(),
            report_version_id=report_version_id,
            site_id=site_id,
            channel=channel,
            machine=machine.strip()[:_MACHINE_LENGTH],
            first_at=at,
            last_at=at,
        )
        .on_conflict_do_update(
            index_elements=["report_version_id", "channel", "machine"], set_={"last_at": at}
        )
    )
