"""The signed documents that rows of this room name; see `storage.keeping.holdings`."""

from typing import Final

from sqlalchemy import BigInteger, Integer, String, cast, literal, null, select

from reading_worklist.reports.tables import ReportRevocation, ReportSubmission, ReportVersion
from reading_worklist.signing.tables import ReportTimeStamp
from reading_worklist.workitems.tables import Workitem
from storage.keeping.holdings import Holding

_PREFIXES: Final = ("reports/",)

REPORT_HOLDINGS: Final = (
    Holding(
        "report_submission",
        _PREFIXES,
        select(
            ReportSubmission.pdf_object_key,
            cast(null(), BigInteger),
            ReportSubmission.pdf_sha256,
            cast(literal(0), Integer),
            cast(ReportSubmission.id, String),
            Workitem.site_id,
            ReportSubmission.submitted_at,
        ).join(Workitem, Workitem.id == ReportSubmission.workitem_id),
    ),
    Holding(
        "report_version",
        _PREFIXES,
        select(
            ReportVersion.pdf_object_key,
            cast(null(), BigInteger),
            ReportVersion.pdf_sha256,
            cast(literal(0), Integer),
            cast(ReportVersion.id, String),
            Workitem.site_id,
            ReportVersion.issued_at,
        ).join(Workitem, Workitem.id == ReportVersion.workitem_id),
    ),
    Holding(
        "report_time_stamp",
        _PREFIXES,
        select(
            ReportTimeStamp.pdf_object_key,
            cast(null(), BigInteger),
            ReportTimeStamp.pdf_sha256,
            cast(literal(0), Integer),
            ReportTimeStamp.pdf_sha256,
            Workitem.site_id,
            ReportTimeStamp.created_at,
        )
        .join(ReportVersion, ReportVersion.pdf_sha256 == ReportTimeStamp.original_sha256)
        .join(Workitem, Workitem.id == ReportVersion.workitem_id)
        .where(ReportTimeStamp.pdf_object_key.is_not(None)),
    ),
    Holding(
        "report_revocation",
        _PREFIXES,
        select(
            ReportRevocation.pdf_object_key,
            cast(null(), BigInteger),
            ReportRevocation.pdf_sha256,
            cast(literal(0), Integer),
            cast(ReportRevocation.id, String),
            Workitem.site_id,
            ReportRevocation.decided_at,
        )
        .join(Workitem, Workitem.id == ReportRevocation.workitem_id)
        .where(ReportRevocation.pdf_object_key.is_not(None)),
    ),
)
