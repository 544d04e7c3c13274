"""Objects that were made of report versions, and which of them a destination has taken."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, func
from sqlalchemy.orm import Mapped, mapped_column

from storage.database import Base, Word
from storage.report_objects.names import ReportObjectKind


class ReportObject(Base):
    """An object of a report version, and where its bytes are as long as its study is kept.

    report_version_id: of the version, or of the notice of a revoked report.
    superseded_at: since when another version or a notice stands in its place. From then on it is
        no instance of the archive; until then there is one of the same name and object.
    """

    __tablename__ = "report_object"

    site_id: Mapped[UUID] = mapped_column(ForeignKey("organisation.id"), primary_key=True)
    sop_instance_uid: Mapped[str] = mapped_column(primary_key=True)
    study_id: Mapped[UUID] = mapped_column(ForeignKey("study.id"), index=True)
    workitem_id: Mapped[UUID] = mapped_column(index=True)
    report_version_id: Mapped[UUID] = mapped_column(index=True)
    version_number: Mapped[int]
    kind: Mapped[ReportObjectKind] = mapped_column(Word(ReportObjectKind))
    sop_class_uid: Mapped[str]
    series_instance_uid: Mapped[str]
    object_key: Mapped[str] = mapped_column(index=True)
    object_size: Mapped[int] = mapped_column(BigInteger)
    dataset_sha256: Mapped[str]
    dataset_offset: Mapped[int]
    filed_at: Mapped[datetime]
    superseded_at: Mapped[datetime | None]


class TakenObject(Base):
    """A destination has said of one object of a delivery that it has it.

    So that what it refused for the time being is sent again by itself. Rows are only added; those
    from before a person had the delivery sent once more do not count.

    answer: what it said, in words.
    """

    __tablename__ = "taken_object"

    delivery_id: Mapped[UUID] = mapped_column(ForeignKey("delivery.id"), primary_key=True)
    sop_instance_uid: Mapped[str] = mapped_column(primary_key=True)
    taken_at: Mapped[datetime] = mapped_column(primary_key=True, server_default=func.now())
    answer: Mapped[str]
