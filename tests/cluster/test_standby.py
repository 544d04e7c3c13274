"""Lists are read at the standby of the database, whatever becomes of it or of the primary."""

import time
from collections import Counter
from collections.abc import Iterator
from typing import Final

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from deploy.demo.people import DemoClient
from deploy.demo.walk import Road
from tests.cluster.county import County, road, running_county
from tests.cluster.faults import (
    OUTAGE_SECONDS,
    Fault,
    fail_over,
    fails,
    fall_in,
    report,
    say,
)
from tests.cluster.load import Load
from tests.cluster.network import require_namespaces
from tests.cluster.servers import Postgres
from tests.e2e.system import wait_for
from tests.support.soak import SOAK

WEBS: Final = ("web1", "web2")
MANAGER_SECONDS: Final = 5.0
"""After which the failover manager lets the primary commit alone."""
AGAIN_SECONDS: Final = 60.0

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(1200),
    pytest.mark.skipif(not SOAK, reason="`make cluster` runs it"),
]


@pytest.fixture(scope="module")
def county(tmp_path_factory: pytest.TempPathFactory) -> Iterator[County]:
    require_namespaces()
    with running_county(tmp_path_factory.mktemp("county"), shared_folder=True) as running:
        yield running


@pytest.fixture(scope="module")
def walked(county: County) -> Iterator[Road]:
    with road(county) as made:
        yield made


def answered(county: County) -> Counter[str]:
    """How many reads each server has answered so far, and how the standby was."""
    found: Counter[str] = Counter()
    for machine in WEBS:
        page = httpx.get(f"{county.web(machine)}/metrics", timeout=30).text
        for family in text_string_to_metric_families(page):
            for sample in family.samples:
                if sample.name == "rdc_standby_reads_total":
                    found[f"{sample.labels['server']} ({sample.labels['state']})"] += int(
                        sample.value
                    )
    return found


def read_at_standby(county: County, walked: Road) -> None:
    """Ask each web for the worklist until the standby has answered."""
    for machine in WEBS:
        with DemoClient(county.web(machine), walked.people["li.shu"]) as doctor:

            def there(doctor: DemoClient = doctor) -> bool | None:
                before = answered(county)
                doctor.workitems()
                return bool((answered(county) - before)["standby (fit)"]) or None

            wait_for(f"{machine} to read at the standby", there, timeout=AGAIN_SECONDS)


def _standby(county: County) -> Postgres:
    return county.other(county.primary())


def _let_alone(county: County) -> None:
    """Do what a failover manager does that finds the standby gone: else no commit would end."""
    time.sleep(MANAGER_SECONDS)
    county.primary().commit_at(None)


def _killed(county: County) -> None:
    _standby(county).kill()
    _let_alone(county)


def _started(county: County) -> None:
    _standby(county).start()
    county.primary().commit_at(_standby(county))


def _cut(county: County) -> None:
    county.network.cut(_standby(county).machine)
    _let_alone(county)


def _mended(county: County) -> None:
    county.network.mend(_standby(county).machine)
    county.primary().commit_at(_standby(county))


FAULTS: Final = (
    Fault(
        "the standby replays nothing",
        lambda county: _standby(county).execute("SELECT pg_wal_replay_pause()"),
        lambda county: _standby(county).execute("SELECT pg_wal_replay_resume()"),
    ),
    Fault("the standby loses its power", _killed, _started),
    Fault("the standby loses its cable", _cut, _mended),
)


def test_lists_are_read_at_the_standby(county: County, walked: Road) -> None:
    read_at_standby(county, walked)
    before = answered(county)
    with Load(walked) as load:
        time.sleep(OUTAGE_SECONDS)
    asked = answered(county) - before
    report(load, county, "nothing")
    say(f"reads: {dict(asked)}")
    assert load.reading.failed == []
    assert asked["standby (fit)"] > asked.total() / 2
    assert not asked["primary (foreign)"]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_without_the_standby_the_primary_answers(
    county: County, walked: Road, fault: Fault
) -> None:
    before = answered(county)
    load = fails(county, walked, fault)
    say(f"reads: {dict(answered(county) - before)}")
    assert load.reading.failed == []
    read_at_standby(county, walked)


def test_the_standby_takes_over_and_the_old_primary_is_read_from(
    county: County, walked: Road
) -> None:
    before = answered(county)
    old, new = county.primary(), _standby(county)
    fails(county, walked, Fault("the standby that is read from takes over", fail_over, fall_in))
    say(f"reads: {dict(answered(county) - before)}")
    assert (county.primary(), _standby(county)) == (new, old)
    read_at_standby(county, walked)
