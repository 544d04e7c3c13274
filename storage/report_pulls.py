"""What machines of a site have fetched of its reports by themselves.

A site behind a router lets nobody in: its software asks for the reports with its token, over FHIR,
REST or DICOM. Whoever answers notes it here, so that a recall knows who has the old version.
"""

from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID, uuid4

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, func, update
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
    first_at, last_at: when it was handed out. taken_at: since when the machine has it. Over DICOM
        the receiver says so itself (C-STORE); over HTTP nobody does, and it is when it was handed
        out.
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
    taken_at: Mapped[datetime | None]


def note_pull(
    session: Session,
    report_version_id: UUID,
    *,
    site_id: UUID,
    channel: PullChannel,
    machine: str,
    at: datetime,
    taken: bool = True,
) -> None:
    """Note in the caller's transaction that a machine of a site gets the content of a version now.

    Called as often as it is fetched: one row for each machine and version keeps the first time and
    the last. To be written before the content leaves, since a recall asks these rows.

    machine: the name of its token, or its AE title; what is too long for a list is cut.
    taken: whether that counts as having it; else `note_taken` says so when the machine has.
    """
    told = {"last_at": at}
    session.execute(
        insert(ReportPull)
        .values(
            id=uuid4(),
            report_version_id=report_version_id,
            site_id=site_id,
            channel=channel,
            machine=_name(machine),
            first_at=at,
            taken_at=at if taken else None,
            **told,
        )
        .on_conflict_do_update(
            index_elements=["report_version_id", "channel", "machine"],
            set_={**told, "taken_at": func.coalesce(ReportPull.taken_at, at)} if taken else told,
        )
    )


def note_taken(
    session: Session,
    report_version_id: UUID,
    *,
    channel: PullChannel,
    machine: str,
    at: datetime,
) -> bool:
    """Note that a machine has what it was handed out; tell whether that is news."""
    found = session.execute(
        update(ReportPull)
        .where(
            ReportPull.report_version_id == report_version_id,
            ReportPull.channel == channel,
            ReportPull.machine == _name(machine),
            ReportPull.taken_at.is_(None),
        )
        .values(taken_at=at)
        .returning(ReportPull.id)
    )
    return found.first() is not None


def _name(machine: str) -> str:
    return machine.strip()[:_MACHINE_LENGTH]
