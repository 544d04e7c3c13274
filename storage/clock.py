"""The server's clock: every time the centre stores comes from here or from PostgreSQL."""

from datetime import UTC, datetime


def utc_now() -> datetime:
    """Return the current time, aware, in UTC."""
    return datetime.now(UTC)
