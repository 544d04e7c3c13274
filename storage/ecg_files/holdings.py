"""Which objects the rows of ECG files name."""

from typing import Final

from sqlalchemy import Integer, String, cast, literal, select

from storage.ecg_files.tables import EcgFile, EcgFileState
from storage.keeping.holdings import Holding

ECG_FILE_HOLDINGS: Final = (
    Holding(
        "ecg_file",
        ("ecg-files/",),
        select(
            EcgFile.object_key,
            EcgFile.size,
            EcgFile.sha256,
            cast(literal(0), Integer),
            cast(EcgFile.id, String),
            EcgFile.site_id,
            EcgFile.received_at,
        ).where(EcgFile.state != EcgFileState.REFUSED, EcgFile.purged_at.is_(None)),
    ),
)
