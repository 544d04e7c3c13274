"""Destinations that are down, full, silent, late or unsteady: nobody else waits for them.

Real sockets on loopback; where days pass, the clock is the test's.
"""

import statistics
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy import select

from pacs_gateway.config import MOST_PROBES
from pacs_gateway.hl7.message import Message
from storage.database import Database
from storage.deliveries import DeliveryState
from storage.delivery_policy import set_deadlines
from storage.objects import ObjectStore
from storage.outbox import OutboxMessage
from storage.registry import DestinationKind
from tests.pacs_gateway.returns.mllp_peer import Peer, ack, peer
from tests.pacs_gateway.returns.world import CONFIG, Mute, Workers, World
from tests.pacs_gateway.waiting import until
from tests.support.ports import dead_port, free_port
from tests.support.soak import soak


@pytest.fixture
def world(database: Database, objects: ObjectStore) -> World:
    """A site with a study and no destination yet."""
    return World(database, objects)


def accept(message: Message) -> list[bytes | None]:
    """Take whatever comes."""
    return [ack("AA", message)]


def shown(receiver: Peer) -> dict[str, int]:
    """How often each message came to a receiver, by its MSH-10: one is shown, however often."""
    found: dict[str, int] = {}
    for message in receiver.messages:
        control_id = message.header.text(10) or ""
        found[control_id] = found.get(control_id, 0) + 1
    return found


def changes(database: Database) -> list[str]:
    """What was told of destinations, in order."""
    with database.transaction() as session:
        return [
            str(payload["change"])
            for payload in session.scalars(
                select(OutboxMessage.payload)
                .where(OutboxMessage.topic == "destination.changed")
                .order_by(OutboxMessage.created_at)
            )
        ]


def test_three_days_down_cost_one_probe_at_a_time_and_then_all_arrives_in_order(
    world: World, database: Database
) -> None:
    port = free_port()
    destination_id = world.mllp(port)
    first = world.report()
    world.issue(first)
    others = [world.report() for _ in range(4)]
    for report in others:
        world.issue(report)
    began = world.now()
    waits: list[timedelta] = []
    while world.now() < began + timedelta(days=3):
        assert world.work() == 0
        queue = world.queue(destination_id)
        waits.append(queue.next_attempt_at - world.now())
        world.now.at = queue.next_attempt_at + timedelta(milliseconds=1)
        if len(waits) == soak(100, else_=40):
            world.now.advance(days=3)
        world.watch()
    queue = world.queue(destination_id)
    # Growing to a quarter of an hour, and never more nor ending.
    assert waits[0] < timedelta(seconds=3)
    assert timedelta(minutes=12) <= min(waits[12:])
    assert max(waits) <= timedelta(minutes=18)
    assert sum(row.attempts for row in world.rows()) == len(waits) == queue.failures
    assert changes(database) == ["silent"]
    assert queue.told_at is not None
    assert timedelta(minutes=30) <= queue.told_at - began < timedelta(minutes=50)
    second = world.amend(first)
    with peer(accept, port=port) as receiver:
        assert world.work() == 5
        assert receiver.connections == 1
        assert set(shown(receiver).values()) == {1}
    states = {row.report_version_id: row.state for row in world.rows()}
    assert states.pop(first.report_version_id) is DeliveryState.CANCELED
    assert states.pop(second.report_version_id) is DeliveryState.DELIVERED
    assert set(states.values()) == {DeliveryState.DELIVERED}
    assert changes(database) == ["silent", "back"]
    assert world.queue(destination_id).failing_since is None


def test_people_are_told_when_their_centre_wants_it(world: World, database: Database) -> None:
    with database.transaction() as session:
        set_deadlines(
            session,
            world.site_id,
            silent_minutes=5,
            unopened_minutes=None,
            unopened_stat_minutes=None,
            always_open=None,
        )
    world.mllp(dead_port())
    world.issue(world.report())
    world.work()
    world.now.advance(minutes=4)
    assert world.watch() == 0
    world.now.advance(minutes=2)
    assert [world.watch(), world.watch()] == [1, 0]


def test_an_unsteady_destination_shows_each_report_once(world: World) -> None:
    port = free_port()
    world.mllp(port)
    for _ in range(6):
        world.issue(world.report())
    seen: dict[str, int] = {}
    left = 6
    for number in range(40):
        world.work()
        # Takes one message and hangs up, before or after it has said so.
        answers = number % 2 == 1
        with peer(lambda one: [ack("AA", one), None] if answers else [None], port=port) as receiver:  # noqa: B023 -- within the turn
            world.now.advance(minutes=20)
            left -= world.work()
            for control_id, times in shown(receiver).items():
                seen[control_id] = seen.get(control_id, 0) + times
        if not left:
            break
    assert left == 0
    assert {row.state for row in world.rows()} == {DeliveryState.DELIVERED}
    assert len(seen) == 6
    assert max(seen.values()) > 1, "something was sent twice, under one identity"


def test_a_full_destination_is_asked_with_one_report(world: World) -> None:
    full = True

    def script(message: Message) -> list[bytes | None]:
        return [ack("AR", message, error="207", text="disk full") if full else ack("AA", message)]

    with peer(script) as receiver:
        destination_id = world.mllp(receiver.port)
        for _ in range(5):
            world.issue(world.report())
        for number in range(1, 4):
            assert world.work() == 0
            assert len(receiver.messages) == number
            world.now.advance(minutes=20)
        assert "error 207" in (world.queue(destination_id).last_error or "")
        full = False
        assert world.work() == 5


def test_an_answer_that_comes_late_and_again_is_no_second_report(world: World) -> None:
    late: list[Message] = []

    def script(message: Message) -> Iterator[bytes]:
        late.append(message)
        if len(late) == 1:
            # Until the sender has given up, as the test's settings have it.
            time.sleep(0.5)
        yield ack("AA", message)
        yield ack("AA", message)

    with peer(script) as receiver:  # pyright: ignore[reportArgumentType] -- made piece by piece
        world.mllp(receiver.port, answer_seconds=0.2)
        world.issue(world.report())
        assert world.work() == 0
        world.now.advance(minutes=1)
        assert world.work() == 1
        assert list(shown(receiver).values()) == [2]
    (row,) = world.rows()
    assert row.state is DeliveryState.DELIVERED
    assert [one.succeeded for one in world.attempts(row.id)] == [False, True]


def test_what_is_refused_for_good_holds_up_nothing_else(world: World, database: Database) -> None:
    refused = world.report()
    name = str(refused.report_version_id)

    def script(message: Message) -> list[bytes | None]:
        if len(receiver.messages) == 1:
            return [ack("AE", message, error="204", text="no such patient")]
        return [ack("AA", message)]

    with peer(script) as receiver:
        world.mllp(receiver.port)
        world.issue(refused)
        for _ in range(3):
            world.issue(world.report())
        world.work()
    states = {str(row.report_version_id): row.state for row in world.rows()}
    assert states.pop(name) in {DeliveryState.REFUSED, DeliveryState.PENDING}
    assert set(states.values()) == {DeliveryState.DELIVERED}


def test_a_channel_that_cannot_be_made_is_put_off_like_a_dead_destination(world: World) -> None:
    destination_id = world.destination(DestinationKind.FHIR, url="http://127.0.0.1:9/fhir")
    world.issue(world.report())
    wrong = replace(CONFIG, outbound_denied=("no network",))
    world.due()
    assert world.serve(destination_id, wrong) == 0
    queue = world.queue(destination_id)
    assert (queue.failures, queue.last_error) == (1, "error of ours: ValueError")
    assert queue.lease_token is None
    (row,) = world.rows()
    assert row.state is DeliveryState.PENDING


def test_of_many_dead_destinations_some_are_probed_at_a_time(world: World) -> None:
    dead = [world.mllp(dead_port()) for _ in range(12)]
    world.issue(world.report())
    assert set(world.due()) == set(dead), "nobody knows it yet"
    for destination_id in dead:
        world.serve(destination_id)
    world.now.advance(minutes=1)
    first = world.due()
    assert len(first) == MOST_PROBES
    assert list(world.due()) == []
    for destination_id in first:
        world.serve(destination_id)
    # Those whose turn was longest ago come first.
    world.now.advance(seconds=1)
    assert set(dead) - set(first) <= set(world.due())


@pytest.mark.slow
def test_forty_of_fifty_get_theirs_within_seconds_while_ten_are_dead(
    world: World, database: Database
) -> None:
    """Five refuse connections, five accept them and never say a word for half a minute."""
    with ExitStack() as open_ones:
        living = [open_ones.enter_context(peer(accept)) for _ in range(40)]
        mutes = [Mute() for _ in range(5)]
        dead = {world.mllp(one.port, answer_seconds=30) for one in mutes}
        dead |= {world.mllp(dead_port()) for _ in range(5)}
        alive = {world.mllp(one.port) for one in living}
        rounds = soak(10, else_=1)

        def all_have(number: int) -> bool:
            return sum(row.delivered_at is not None for row in world.rows()) >= 40 * number

        with Workers(world, CONFIG, slots=32):
            for number in range(1, rounds + 1):
                world.issue(world.report())
                until(partial(all_have, number), "every living destination has said that it has it")
            for mute in mutes:
                mute.close()
    took: list[float] = []
    for row in world.rows():
        if row.destination_id in alive:
            assert row.state is DeliveryState.DELIVERED
            assert row.delivered_at is not None
            took.append((row.delivered_at - row.created_at).total_seconds())
        else:
            assert row.destination_id in dead
            assert row.delivered_at is None
    p95 = statistics.quantiles(took, n=20)[-1]
    assert p95 < 5, took
