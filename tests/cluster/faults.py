"""A part of the centre goes and comes again while devices send and people read."""

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from deploy.demo.walk import Road
from tests.cluster.county import County
from tests.cluster.load import Load

BEFORE_SECONDS: Final = 3.0
OUTAGE_SECONDS: Final = 15.0
AFTER_SECONDS: Final = 5.0


@dataclass(frozen=True)
class Fault:
    """How a part goes and comes again."""

    name: str
    go: Callable[[County], object]
    come: Callable[[County], object]
    seconds: float = OUTAGE_SECONDS


def fails(county: County, walked: Road, fault: Fault) -> Load:
    """Let a part go and come again under load, and see that nothing is lost."""
    with Load(walked) as load:
        time.sleep(BEFORE_SECONDS)
        fault.go(county)
        time.sleep(fault.seconds)
        fault.come(county)
        time.sleep(AFTER_SECONDS)
    report(load, county, fault.name)
    return load


def report(load: Load, county: County, what: str) -> None:
    """See that all is there, and write a row of the table in deploy/docs/distributed.md."""
    database = county.database()
    try:
        seconds = load.check(database, county.objects())
    finally:
        database.close()
    say(
        f"| {what} | {len(load.acknowledged)} | {load.sending.longest():.1f}"
        f" | {load.reading.longest():.1f} | {len(load.reading.failed)} | {seconds:.1f} |"
    )
    for failure in load.reading.failed:
        say(f"    {failure}")
    if load.reading.failed:
        say(county.front.last_words())


def say(line: str) -> None:
    """Show a line while the test runs."""
    sys.stderr.write(f"{line}\n")


def fail_over(county: County) -> None:
    """Do what a failover manager does: the primary is dead for certain, the standby takes over."""
    primary = county.primary()
    primary.kill()
    county.other(primary).promote()


def fall_in(county: County) -> None:
    """Have the old primary follow the new one, which waits for it again."""
    new = county.primary()
    county.other(new).follow(new)
