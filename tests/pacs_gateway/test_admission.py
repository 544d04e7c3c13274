"""Who is let in, by the registry in PostgreSQL and without it."""

import threading

import pytest
from sqlalchemy.orm import Session

from pacs_gateway.associations.admission import Admission, Admitted, Rejection
from storage import registry
from storage.database import Database
from storage.receptions import Origin
from storage.registry import (
    Caller,
    Device,
    DeviceLimits,
    add_device,
    organisation_by_code,
)
from tests.pacs_gateway.conftest import Site


class Clock:
    """A clock the test moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def admission(database: Database, site: Site, clock: Clock) -> Admission:
    assert site
    return Admission(database, ae_title="RDC", fresh_seconds=5.0, grace_seconds=3600.0, clock=clock)


def _decide(
    admission: Admission, calling: str = "CT1", called: str = "RDC", address: str = "10.1.1.1"
) -> Admitted | Rejection:
    return admission.decide(called_ae_title=called, calling_ae_title=calling, address=address)


def test_a_device_of_the_registry_is_let_in(admission: Admission, site: Site) -> None:
    found = _decide(admission, calling="CT1             ", called="RDC ")
    assert isinstance(found, Admitted)
    assert found.origin == Origin(site.id, site.device_id, "CT1", "RDC", "10.1.1.1")
    assert found.limits == DeviceLimits()


def test_an_unknown_caller_is_told_so(admission: Admission) -> None:
    assert _decide(admission, calling="CT9") is Rejection.CALLING_AE_TITLE_NOT_RECOGNIZED


def test_a_wrong_called_title_is_told_so(admission: Admission) -> None:
    assert _decide(admission, called="OTHER") is Rejection.CALLED_AE_TITLE_NOT_RECOGNIZED


def test_a_known_title_from_a_wrong_address_is_a_stranger(
    admission: Admission, database: Database
) -> None:
    with database.transaction() as session:
        add_device(
            session, organisation_by_code(session, "east"), "DR1", "DR", addresses=["10.2.0.0/16"]
        )
    assert isinstance(_decide(admission, calling="DR1", address="10.2.3.4"), Admitted)
    assert (
        _decide(admission, calling="DR1", address="10.3.3.4")
        is Rejection.CALLING_AE_TITLE_NOT_RECOGNIZED
    )


def test_a_device_switched_off_is_refused_within_seconds(
    admission: Admission, database: Database, site: Site, clock: Clock
) -> None:
    assert isinstance(_decide(admission), Admitted)
    with database.transaction() as session:
        session.get_one(Device, site.device_id).active = False
    clock.now = 5.1
    assert _decide(admission) is Rejection.CALLING_AE_TITLE_NOT_RECOGNIZED


def test_without_the_database_known_devices_get_in_and_others_are_asked_to_come_again(
    admission: Admission, database: Database, site: Site, clock: Clock
) -> None:
    assert isinstance(_decide(admission), Admitted)
    away = Database("postgresql://nobody@127.0.0.1:1/nothing")
    admission._database = away
    clock.now = 3000.0
    assert isinstance(_decide(admission), Admitted)
    assert _decide(admission, calling="CT9") is Rejection.TEMPORARY_CONGESTION
    # A stranger's address does not borrow the device's good name.
    assert _decide(admission, address="10.9.9.9") is Rejection.TEMPORARY_CONGESTION
    clock.now = 3601.0
    assert _decide(admission) is Rejection.TEMPORARY_CONGESTION
    admission._database = database
    assert isinstance(_decide(admission), Admitted)
    away.close()


def test_a_silent_database_is_not_waited_for(
    database: Database, site: Site, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert site
    admission = Admission(
        database,
        ae_title="RDC",
        fresh_seconds=5.0,
        grace_seconds=3600.0,
        patience_seconds=0.05,
        clock=clock,
    )
    # The first look-up opens a connection, which may take longer than that.
    while not isinstance(_decide(admission), Admitted):
        clock.now += 10
    speaks = threading.Event()
    ask = registry.find_device
    asked: list[str] = []

    def silent(session: Session, calling: str, address: str) -> Caller | None:
        asked.append(calling)
        speaks.wait(60)
        return ask(session, calling, address)

    monkeypatch.setattr(registry, "find_device", silent)
    clock.now += 6
    assert isinstance(_decide(admission), Admitted)
    # It is not asked again at once, for whomever.
    assert _decide(admission, calling="CT9") is Rejection.TEMPORARY_CONGESTION
    assert asked == ["CT1"]
    speaks.set()
    clock.now += 6
    monkeypatch.setattr(registry, "find_device", ask)
    while _decide(admission, calling="CT9") is Rejection.TEMPORARY_CONGESTION:
        clock.now += 10
    assert _decide(admission, calling="CT9") is Rejection.CALLING_AE_TITLE_NOT_RECOGNIZED
