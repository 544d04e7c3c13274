"""The objects of versions that do not stand any more: no instance names them, and they are kept."""

from typing import Final

from sqlalchemy import Integer, cast, select

from storage.keeping.holdings import Holding
from storage.report_objects.tables import ReportObject

REPORT_OBJECT_HOLDINGS: Final = (
    Holding(
        "report_object",
        # Its objects lie among those of the instances, which `instance` answers for.
        (),
        select(
            ReportObject.object_key,
            ReportObject.object_size,
            ReportObject.dataset_sha256,
            cast(ReportObject.dataset_offset, Integer),
            ReportObject.sop_instance_uid,
            ReportObject.site_id,
            ReportObject.filed_at,
        ).where(ReportObject.superseded_at.is_not(None)),
    ),
)
