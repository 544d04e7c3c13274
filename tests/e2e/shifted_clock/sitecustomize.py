"""Python starts with this when its folder is on PYTHONPATH: the server's clock, moved by a file.

Every time of ours comes from `storage.clock`; it is replaced before any module has taken it.
PostgreSQL's own clock stays, so that the two also disagree.
"""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

from storage import clock

_OFFSET = Path(os.environ["SHIFTED_CLOCK"])


def _shifted() -> datetime:
    return datetime.now(UTC) + timedelta(seconds=float(_OFFSET.read_text(encoding="ascii")))


clock.utc_now = _shifted
