"""The test of one site, check after check."""

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select

from pacs_gateway.config import ReturnsConfig
from pacs_gateway.site_test import devices, records, rehearsed, returning
from storage import attempts
from storage.clock import utc_now
from storage.database import Database
from storage.objects import ObjectStore
from storage.registry import Destination, Device, Organisation, destinations_of
from storage.site_tests import service
from storage.site_tests.findings import Check, Finding, Outcome
from storage.site_tests.tables import SiteTest

_LEASE_SECONDS: Final = 300.0

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SiteTestConfig:
    """How sites are tested.

    returns: how their machines are called. time_zone: of the clocks at the sites, an IANA name.
    """

    returns: ReturnsConfig
    time_zone: str = "Asia/Shanghai"


def run(
    site_id: UUID, database: Database, objects: ObjectStore, config: SiteTestConfig
) -> Iterator[Finding]:
    """Look at everything of a site, and yield each finding as soon as it is there.

    Nothing that is written stays: test patient and test order are rehearsed in a transaction that
    is rolled back. Nobody is sent anything but a greeting (C-ECHO and the like).
    """
    with database.transaction() as session:
        site = session.get_one(Organisation, site_id)
        code = site.code
        machines: Sequence[Device] = session.scalars(
            select(Device).where(Device.site_id == site_id, Device.active).order_by(Device.ae_title)
        ).all()
        receivers: Sequence[Destination] = [
            one for one in destinations_of(session, site_id) if one.active
        ]
    zone = ZoneInfo(config.time_zone)
    now = utc_now()
    checks: list[tuple[Check, str, Callable[[], Iterator[Finding]]]] = [
        (Check.DEVICES, "", lambda: devices.registered(machines)),
        (
            Check.HEARD,
            "",
            lambda: devices.heard(machines, config.returns.calling_ae_title, now, zone),
        ),
        (Check.RECEIVED, "", lambda: records.received(database, site_id, machines, zone)),
        (Check.QUARANTINE, "", lambda: records.quarantined(database, site_id)),
        *(
            (Check.ECHO, one.ae_title, lambda one=one: devices.echo(one, config.returns))
            for one in machines
        ),
        (Check.FILING, "", lambda: rehearsed.filing(database, objects, site_id)),
        *(
            (
                Check.WORKLIST,
                one.ae_title,
                lambda one=one: rehearsed.worklist(database, one, config.time_zone),
            )
            for one in machines
        ),
        (Check.ORDERS, "", lambda: records.orders(database, site_id, now, zone)),
        *(
            (
                Check.DESTINATION,
                one.label,
                lambda one=one: returning.reached(one, database, config.returns, now),
            )
            for one in receivers
        ),
        (Check.DESTINATION, "", lambda: returning.any_way(receivers)),
        (Check.DELIVERED, "", lambda: records.delivered(database, receivers, now, zone)),
        (Check.TOKEN, "", lambda: records.tokens(database, site_id, now, zone)),
        (Check.PEOPLE, "", lambda: records.people(database, site_id)),
    ]
    for check, subject, look in checks:
        try:
            yield from look()
        except Exception as error:  # noqa: BLE001 -- one check that fails says nothing of the others
            _log.exception("site test: a check failed", extra={"check": check, "site": code})
            yield Finding(check, Outcome.FAILED, "broken", subject, {"said": type(error).__name__})


def attempt(
    test_id: UUID, database: Database, objects: ObjectStore, config: SiteTestConfig
) -> None:
    """Do a test that was asked for and write down each finding as it comes.

    Called for one that is done or under way elsewhere, it does nothing.
    """
    with database.transaction() as session:
        test = attempts.take(session, SiteTest, test_id, _LEASE_SECONDS)
        if test is None or test.ended_at is not None:
            return
        site_id = test.site_id
    found: list[Finding] = []
    for one in run(site_id, database, objects, config):
        found.append(one)
        with database.transaction() as session:
            service.note(session, test_id, found, ended=False)
    with database.transaction() as session:
        service.note(session, test_id, found, ended=True)
