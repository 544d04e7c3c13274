"""Logs: one JSON object a line, without patient data.

What our code logs is chosen with care; what a database error says is not: it
quotes the row that broke a rule. Those parts are cut out of every traceback.
"""

import json
import logging
import logging.handlers
import re
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from storage import correlation

FILE_BYTES: Final = 16 << 20
FILES_KEPT: Final = 5

# PostgreSQL's DETAIL and CONTEXT quote values; SQLAlchemy quotes the statement and its parameters.
_QUOTING: Final = re.compile(
    r"^\s*(?:DETAIL|CONTEXT|QUERY): [^\n]*$|\[(?:SQL|parameters): .*?\](?=\s*$)",
    re.MULTILINE | re.DOTALL,
)

_STANDARD: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}

# Libraries that tell too much at INFO, requests with their query strings for one.
_QUIET: Final = (
    "httpx",
    "httpcore",
    "alembic",
    "celery.worker.strategy",
    "celery.app.trace",
    "pynetdicom",
    "pydicom",
)


class JsonFormatter(logging.Formatter):
    """Render a record as one line of JSON: time in UTC, level, logger, process, text, extras."""

    def __init__(self, process: str) -> None:
        super().__init__()
        self._process = process

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, without its end."""
        entry: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "process": self._process,
            "logger": record.name,
            "text": without_values(record.getMessage()),
            **correlation.current(),
        }
        extras = {name: value for name, value in vars(record).items() if name not in _STANDARD}
        entry.update(extras)
        if record.exc_info:
            entry["error"] = without_values(self.formatException(record.exc_info))
        return json.dumps(entry, ensure_ascii=False, default=str)


def without_values(text: str) -> str:
    """Cut the lines of an error text that quote rows, statements or parameters."""
    return _QUOTING.sub("(values withheld)", text)


def configure(process: str, *, level: str, directory: Path | None = None) -> None:
    """Send everything that is logged in this process to standard error, or to a rotating file.

    The file is `<directory>/<process>.log`.
    """
    if directory is None:
        handler: logging.Handler = logging.StreamHandler(sys.stderr)
    else:
        directory.mkdir(parents=True, exist_ok=True)
        handler = logging.handlers.RotatingFileHandler(
            directory / f"{process}.log",
            maxBytes=FILE_BYTES,
            backupCount=FILES_KEPT,
            encoding="utf-8",
        )
    handler.setFormatter(JsonFormatter(process))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in _QUIET:
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))
    logging.captureWarnings(capture=True)
