"""Keeping what was received: the commands that prove it, copy it and bring it back."""

from typing import Final

from reading_worklist.reports.holdings import REPORT_HOLDINGS
from storage.ecg_files.holdings import ECG_FILE_HOLDINGS
from storage.keeping.holdings import INDEX_HOLDINGS, Holding
from storage.report_objects.holdings import REPORT_OBJECT_HOLDINGS

HOLDINGS: Final[tuple[Holding, ...]] = (
    *INDEX_HOLDINGS,
    *REPORT_HOLDINGS,
    *ECG_FILE_HOLDINGS,
    *REPORT_OBJECT_HOLDINGS,
)
"""Every table of every room whose rows name objects."""
