"""Where issued reports are kept: a row each, in the transaction that issues the version.

A row and not an object of the store: what is issued and what is said of it are then there together
or not at all, and a machine that asks for what is new finds it in order.
"""

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Identity, Index, func, select
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from storage.database import Base, Word, one_of
from storage.issued_feed import service as feed
from storage.issued_reports.codec import from_json, to_json
from storage.issued_reports.model import IssuedReport
from storage.person_name import latin_name
from storage.report_status import IssuedKind
from storage.transliteration import with_pinyin


class IssuedReportRow(Base):
    """One issued report; rows are only added.

    number: grows with every row, for machines that ask what is new.
    report_version_id: of a revocation notice, the notice's own id.
    """

    __tablename__ = "issued_report"
    __table_args__ = (
        Index("ix_issued_report_site_id_number", "site_id", "number"),
        Index("ix_issued_report_workitem_id", "workitem_id"),
        Index("ix_issued_report_study_id", "study_id"),
    )

    report_version_id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(BigInteger, Identity(), unique=True)
    workitem_id: Mapped[UUID]
    study_id: Mapped[UUID] = mapped_column(ForeignKey("study.id"))
    site_id: Mapped[UUID] = mapped_column(ForeignKey("organisation.id"))
    kind: Mapped[IssuedKind] = mapped_column(Word(IssuedKind))
    version_number: Mapped[int]
    issued_at: Mapped[datetime]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    content: Mapped[dict[str, Any]] = mapped_column(JSONB)


def write(session: Session, report: IssuedReport) -> None:
    """Keep an issued report and put it into its site's feed; one that is kept stays as it is."""
    made = session.scalar(
        insert(IssuedReportRow)
        .values(
            report_version_id=report.report_version_id,
            workitem_id=report.workitem_id,
            study_id=report.study_id,
            site_id=report.site.id,
            kind=report.kind,
            version_number=report.version_number,
            issued_at=report.times.issued,
            content=to_json(report),
        )
        .on_conflict_do_nothing(index_elements=["report_version_id"])
        .returning(IssuedReportRow.report_version_id)
    )
    if made is not None:
        feed.append(session, report)


def read(session: Session, report_version_id: UUID) -> IssuedReport | None:
    """Return an issued report by its version, or a notice by its own id; None when none is kept."""
    content = session.scalar(
        select(IssuedReportRow.content).where(
            IssuedReportRow.report_version_id == report_version_id
        )
    )
    return None if content is None else _spelled(from_json(content))


def read_many(session: Session, report_version_ids: Collection[UUID]) -> dict[UUID, IssuedReport]:
    """Return those of some issued reports that are kept, by version."""
    if not report_version_ids:
        return {}
    rows = session.execute(
        select(IssuedReportRow.report_version_id, IssuedReportRow.content).where(
            one_of(IssuedReportRow.report_version_id, report_version_ids)
        )
    )
    return {version_id: _spelled(from_json(content)) for version_id, content in rows}


def _spelled(report: IssuedReport) -> IssuedReport:
    """Return a report with its patient's name in pinyin, where the device has written none.

    Made when read and not when issued: the dictionaries are large, and where reports are issued
    nothing else needs them.
    """
    patient = report.patient
    if patient.pinyin:
        return report
    latin = latin_name(with_pinyin(patient.name_value))
    return replace(report, patient=replace(patient, pinyin=latin)) if latin else report
