"""What one device may take up, and that a short disk is told before it is full."""

import os
import signal
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import select

from pacs_gateway.associations import seats as seats_module
from pacs_gateway.associations.pacing import Rates
from pacs_gateway.associations.seats import Seats
from pacs_gateway.gateway import Gateway
from pacs_gateway.rate_sharing import RateSharing
from storage.audit import AuditRecord
from storage.database import Database
from storage.index.tables import Instance, Quarantine
from storage.leases import Lease
from storage.registry import (
    DeviceLimits,
    RegistryRefused,
    bind_certificate,
    device_by_ae_title,
    limit_device,
)
from tests.pacs_gateway.conftest import Site, left_in
from tests.pacs_gateway.datasets import sample
from tests.pacs_gateway.peers import RawPeer
from tests.pacs_gateway.test_store import count, drained, send
from tests.pacs_gateway.waiting import until


@pytest.fixture
def limit(database: Database, site: Site) -> Callable[[DeviceLimits], None]:
    """Sets the limits of the site's device."""

    def change(limits: DeviceLimits) -> None:
        with database.transaction() as session:
            limit_device(device_by_ae_title(session, site.ae_title), limits)

    return change


def test_an_instance_that_is_too_large_is_refused_and_the_next_one_taken(
    gateway: Gateway,
    database: Database,
    limit: Callable[[DeviceLimits], None],
    tmp_path: Path,
) -> None:
    small = sample(size=64)
    limit(DeviceLimits(max_instance_bytes=len(small.encoded)))
    assert send(gateway, [sample(size=65), small]) == [0xC105, 0]
    drained(gateway)
    assert (count(database, Instance), count(database, Quarantine)) == (1, 0)
    assert left_in(tmp_path / "spool") == []


def test_one_association_too_many_is_rejected_for_now_and_noted_once(
    gateway: Gateway,
    database: Database,
    other_site: Site,
    limit: Callable[[DeviceLimits], None],
) -> None:
    assert other_site
    limit(DeviceLimits(max_associations=1))
    with RawPeer(gateway.bound_port) as first, RawPeer(gateway.bound_port) as other:
        assert first.associate() == 2
        for _ in range(3):
            with RawPeer(gateway.bound_port) as second:
                assert second.associate() == 3
        # Another device has seats of its own.
        assert other.associate(calling="CT2") == 2
    with database.transaction() as session:
        noted = session.scalars(
            select(AuditRecord).where(AuditRecord.action == "association:reject")
        ).all()
        assert [(row.subject_id, row.detail["reason"]) for row in noted] == [
            ("CT1", "LOCAL_LIMIT_EXCEEDED")
        ]


def test_silence_ends_the_association_of_a_device_that_is_known_to_talk(
    gateway: Gateway, limit: Callable[[DeviceLimits], None]
) -> None:
    limit(DeviceLimits(idle_seconds=1))
    with RawPeer(gateway.bound_port) as peer:
        assert peer.associate() == 2
        begun = time.monotonic()
        assert peer.receive()[0] == 7
        assert time.monotonic() - begun < 10


def test_a_rate_slows_down_what_is_more_than_a_burst() -> None:
    now = [0.0]
    rates = Rates(clock=lambda: now[0])
    device, other = uuid4(), uuid4()
    waits: list[float] = []
    for _ in range(10):
        waits.append(rates.take(device, 1000, 1000))
        now[0] += waits[-1]
    assert 8.0 <= now[0] <= 10.0
    assert max(waits) <= 1.0
    assert rates.take(other, 1000, 900) == 0
    now[0] += 100
    assert rates.take(device, 1000, 900) == 0


def test_more_devices_than_there_is_room_for_forget_the_longest_quiet() -> None:
    now = [1000.0]
    rates = Rates(clock=lambda: now[0], devices=2)
    quiet, busy, new = uuid4(), uuid4(), uuid4()
    assert rates.take(quiet, 1000, 1000) == 0
    now[0] += 1
    assert rates.take(busy, 1000, 9000) == 8
    assert rates.take(new, 1000, 1000) == 0
    assert rates.take(busy, 1000, 1000) == 9
    assert rates.take(quiet, 1000, 1000) == 0


def test_a_rate_holds_over_all_processes_even_one_that_is_killed_at_it() -> None:
    rates = Rates(clock=lambda: 100.0)
    device = uuid4()
    for _ in range(3):
        pid = os.fork()
        if pid == 0:
            rates.take(device, 1000, 1000)
            with rates._locked():
                os.kill(os.getpid(), signal.SIGKILL)
        os.waitpid(pid, 0)
    assert rates.take(device, 1000, 1000) == 3.0


def test_gateways_that_a_device_sends_to_share_its_rate(database: Database) -> None:
    now = [100.0]
    device, quiet = uuid4(), uuid4()
    one, other = (Rates(clock=lambda: now[0]) for _ in range(2))
    parts = [RateSharing(database, rates, lasts=timedelta(hours=1)) for rates in (one, other)]
    assert one.take(quiet, 1000, 500) == 0
    now[0] += 60
    for rates in (one, other):
        assert rates.take(device, 1000, 1000) == 0
    for part in (*parts, *parts):
        part.look()
    # Each has half of it now; who did not send lately is nobody's.
    assert one.take(device, 1000, 500) == 1.0
    assert other.take(device, 1000, 500) == 1.0
    with database.transaction() as session:
        held = session.scalars(select(Lease)).all()
        assert len(held) == 2
        # One gateway is gone.
        held[0].held_until = held[0].held_until - timedelta(hours=2)
        left = held[1].holder
    now[0] += 8
    for part in parts:
        if part.id == left:
            part.look()
    waits = {rates.take(device, 1000, 2000) for rates in (one, other)}
    assert waits == {1.0, 3.0}


def test_a_rate_is_kept_on_the_line_by_all_associations_together(
    gateway: Gateway, database: Database, limit: Callable[[DeviceLimits], None]
) -> None:
    items = [sample(size=256) for _ in range(4)]
    limit(DeviceLimits(max_bytes_per_second=len(items[0].encoded)))
    begun = time.monotonic()
    with ThreadPoolExecutor(2) as peers:
        answers = peers.map(lambda part: send(gateway, part), (items[:2], items[2:]))
    assert [status for answer in answers for status in answer] == [0] * 4
    assert time.monotonic() - begun > 2.5
    drained(gateway)
    assert count(database, Instance) == 4


def test_strangers_who_say_nothing_take_no_seat_of_a_device(gateway: Gateway, site: Site) -> None:
    assert site
    silent = [RawPeer(gateway.bound_port) for _ in range(20)]
    try:
        begun = time.monotonic()
        assert send(gateway, [sample()]) == [0]
        assert time.monotonic() - begun < 10
    finally:
        for peer in silent:
            peer.socket.close()


def test_who_is_silent_longest_makes_room_for_a_device_behind_the_same_router(
    gateway: Gateway, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert site
    monkeypatch.setattr(seats_module, "_WAITING_OF_ADDRESS", 4)
    monkeypatch.setattr(seats_module, "_PATIENCE_SECONDS", 0.0)
    with ExitStack() as open_ones:
        silent = [open_ones.enter_context(RawPeer(gateway.bound_port)) for _ in range(4)]
        until(lambda: gateway.active() == 4, "the silent ones are being served")
        assert send(gateway, [sample()]) == [0]
        assert silent[0].receive()[0] in {0, 7}
        # The others had room left beside them.
        assert silent[1].associate() == 2


def test_seats() -> None:
    now = [0.0]
    seats = Seats(3, clock=lambda: now[0])
    one, two = uuid4(), uuid4()
    arrivals = [seats.arrive("10.0.0.1") for _ in range(40)]
    assert arrivals[31] is not None
    assert arrivals[32:] == [None] * 8
    assert seats.arrive("10.0.0.2") is not None
    waiting = [arrival.number for arrival in arrivals if arrival is not None]
    now[0] += 10.0
    # The oldest goes, and is seated all the same when its request has come at that moment.
    crowded = seats.arrive("10.0.0.1")
    assert crowded is not None
    assert crowded.dismissed == waiting[0]
    seats.leave(crowded.number)
    assert [seats.admit(number, one, 2) for number in waiting[:3]] == [True, True, False]
    assert seats.admit(waiting[3], two, 2)
    # Three altogether is the limit of all.
    assert not seats.admit(waiting[4], two, 2)
    seats.leave(waiting[0])
    seats.leave(waiting[0])
    assert seats.admit(waiting[4], two, 2)
    # Those that were admitted have made room at the door.
    found = [seats.arrive("10.0.0.1") for _ in range(4)]
    assert [arrival.dismissed for arrival in found if arrival is not None] == [None] * 4
    for number in range(100):
        seats.leave(number)
    assert len(seats) == 0


def test_the_door_stays_bounded_whoever_has_to_go_and_does_not() -> None:
    now = [0.0]
    seats = Seats(3, clock=lambda: now[0])
    taken = [seats.arrive(f"10.0.0.{number % 100}") for number in range(256)]
    assert None not in taken
    assert seats.arrive("10.9.9.9") is None
    now[0] += 10.0
    more = [seats.arrive(f"10.1.0.{number % 100}") for number in range(600)]
    dismissed = [arrival.dismissed for arrival in more if arrival is not None]
    assert len(dismissed) == len(set(dismissed)) == 256
    assert len(seats) == 512


@pytest.mark.parametrize(
    "limits",
    [DeviceLimits(max_associations=0), DeviceLimits(max_instance_bytes=-1)],
)
def test_limits_that_let_nothing_through_are_refused(
    database: Database, site: Site, limits: DeviceLimits
) -> None:
    with database.transaction() as session, pytest.raises(RegistryRefused, match="1 or more"):
        limit_device(device_by_ae_title(session, site.ae_title), limits)
    with database.transaction() as session, pytest.raises(RegistryRefused, match="64 hexadecimal"):
        bind_certificate(device_by_ae_title(session, site.ae_title), "12:34")


def test_a_short_disk_is_told_and_forgotten_when_there_is_room_again(
    gateway: Gateway, database: Database, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert site
    room = [1 << 30]
    free = os.statvfs

    def statvfs(path: str | Path) -> os.statvfs_result:
        found = list(free(path))
        found[4] = room[0] // found[1]
        return os.statvfs_result(found)

    monkeypatch.setattr("pacs_gateway.spool.os.statvfs", statvfs)
    # It is looked at for each instance here, and not so many times a second.
    monkeypatch.setattr("pacs_gateway.spool._SPACE_SEEN_SECONDS", 0.0)
    assert send(gateway, [sample()]) == [0]
    room[0] = 512 * 1024
    assert send(gateway, [sample(), sample()]) == [0xA700, 0xA700]
    room[0] = 1 << 30
    assert send(gateway, [sample()]) == [0]
    drained(gateway)
    assert (count(database, Instance), count(database, Quarantine)) == (2, 0)
