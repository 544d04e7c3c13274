"""The order of what was issued, and under which FHIR ids it is found."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ARRAY, BigInteger, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from storage.database import Base


class IssuedFeed(Base):
    """How far the feed of a site has come; its row is the lock under which positions are drawn."""

    __tablename__ = "issued_feed"

    site_id: Mapped[UUID] = mapped_column(ForeignKey("organisation.id"), primary_key=True)
    position: Mapped[int] = mapped_column(BigInteger)
    at: Mapped[datetime]


class IssuedFeedEntry(Base):
    """One issued report, or the notice that one is void, in the order in which they were committed.

    position: 1, 2, 3 … within the site, without a gap. at: to the millisecond, later than that of
        every entry before it.
    rank: grows with the versions of an exam; the notice that a version is void comes behind it.
    is_current: nothing of this exam has a higher rank.
    is_late: something of a higher rank was told before it, so that it must not be told as news.
    patient_id, study_id, order_id: ids of its FHIR resources (`storage.fhir.identities`).
    performed_at: when the exam was made.
    terms: tokens that a search asks for, see `service.terms_of`.
    """

    __tablename__ = "issued_feed_entry"
    __table_args__ = (
        UniqueConstraint("report_version_id"),
        Index("ix_issued_feed_entry_workitem_id", "workitem_id", "position"),
        Index("ix_issued_feed_entry_patient_id", "site_id", "patient_id", "position"),
        Index("ix_issued_feed_entry_terms", "terms", postgresql_using="gin"),
    )

    site_id: Mapped[UUID] = mapped_column(ForeignKey("organisation.id"), primary_key=True)
    position: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    at: Mapped[datetime]
    report_version_id: Mapped[UUID] = mapped_column(ForeignKey("issued_report.report_version_id"))
    workitem_id: Mapped[UUID]
    rank: Mapped[int]
    is_current: Mapped[bool]
    is_late: Mapped[bool]
    status: Mapped[str]
    patient_id: Mapped[UUID]
    study_id: Mapped[UUID]
    order_id: Mapped[UUID | None]
    issued_at: Mapped[datetime]
    performed_at: Mapped[datetime | None]
    terms: Mapped[list[str]] = mapped_column(ARRAY(String))


class IssuedResource(Base):
    """In which entry a FHIR resource of a site was told last.

    kind: its type. resource_id: its id. terms: tokens of its own, of those that its entry has.
    """

    __tablename__ = "issued_resource"
    __table_args__ = (Index("ix_issued_resource_position", "site_id", "kind", "position"),)

    site_id: Mapped[UUID] = mapped_column(ForeignKey("organisation.id"), primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    resource_id: Mapped[UUID] = mapped_column(primary_key=True)
    position: Mapped[int] = mapped_column(BigInteger)
    terms: Mapped[list[str]] = mapped_column(ARRAY(String), default=list, server_default="{}")
