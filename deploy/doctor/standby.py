"""The standby that answers searches and lists: is it one, and does it keep up."""

from collections.abc import Iterator
from contextlib import closing
from typing import Final

from deploy import bootstrap
from deploy.doctor.findings import Finding, fine, warning
from deploy.settings import Settings
from storage.database import Database
from storage.standby import StandbyState, standing_of

_SUBJECT: Final = "standby"
_PATIENCE_SECONDS: Final = 5.0

_WRONG: Final = {
    StandbyState.AWAY: (
        "does not answer; the primary answers everything meanwhile",
        "Start it, or correct RDC_DATABASE_READ_URL: its log says who was refused and why.",
    ),
    StandbyState.FOREIGN: (
        "RDC_DATABASE_READ_URL leads to a server that is no standby of the primary",
        (
            "Name a streaming standby of the primary of today; one that has just been moved"
            " to it is used after its next restart point."
        ),
    ),
    StandbyState.BEHIND: (
        (
            f"does not know after {_PATIENCE_SECONDS:.0f} s what the primary knew before;"
            " the primary answers everything meanwhile"
        ),
        "See pg_stat_replication on the primary, and pg_is_wal_replay_paused() on the standby.",
    ),
}


def look(settings: Settings) -> Iterator[Finding]:
    """Look whether reads can go to the standby, when one is set; nothing of it is urgent."""
    if settings.database_read_url is None:
        return
    with closing(Database(bootstrap.database_url(settings), pool_size=1)) as primary:
        state, seconds = standing_of(
            primary, settings.database_read_url, patience=_PATIENCE_SECONDS
        )
    if state is StandbyState.FIT:
        yield fine(_SUBJECT, f"knew what the primary knows after {seconds * 1000:.0f} ms")
    else:
        yield warning(_SUBJECT, *_WRONG[state])
