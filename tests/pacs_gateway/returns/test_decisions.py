"""What people decide about deliveries, and that no destination is left with two live versions."""

from uuid import UUID

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from pacs_gateway.returns import turns
from pacs_gateway.returns.channels import DeliveryAnswer
from pacs_gateway.returns.parcels import Store
from storage.audit import Actor, AuditRecord
from storage.database import Database
from storage.deliveries import Delivery, DeliveryState
from storage.delivery_actions import (
    DeliveryActionRefused,
    pause,
    pause_queue,
    probe_queue,
    redirect,
    redirect_queue,
    replay,
    resume,
    resume_queue,
)
from storage.issued_reports import IssuedReport
from storage.objects import ObjectStore
from storage.outbox import OutboxMessage
from storage.registry import Destination
from tests.pacs_gateway.returns.mllp_peer import Peer, ack, peer
from tests.pacs_gateway.returns.test_faults import accept
from tests.pacs_gateway.returns.world import CONFIG, World
from tests.support.ports import dead_port, free_port

ACTOR = Actor(person_id=None, organisation_id=None, client="test")
S = DeliveryState


@pytest.fixture
def world(database: Database, objects: ObjectStore) -> World:
    """A site with a study and no destination yet."""
    return World(database, objects)


def state_of(world: World, delivery_id: UUID) -> DeliveryState:
    with world.database.transaction() as session:
        return session.get_one(Delivery, delivery_id).state


def brought(receiver: Peer) -> list[str]:
    """The status and version of what came, in order: OBR-25 of each message."""
    return [
        segment.text(25) or ""
        for message in receiver.messages
        for segment in message.segments
        if segment.name == "OBR"
    ]


def of(world: World, report: IssuedReport, destination_id: UUID) -> Delivery:
    (row,) = [
        row
        for row in world.rows()
        if (row.report_version_id, row.destination_id) == (report.report_version_id, destination_id)
    ]
    return row


def test_what_is_paused_waits_and_goes_on_when_it_is_resumed(world: World) -> None:
    with peer(accept) as receiver:
        world.mllp(receiver.port)
        world.issue(world.report())
        (row,) = world.rows()
        with world.database.transaction() as session:
            with pytest.raises(DeliveryActionRefused, match="reason"):
                pause(session, ACTOR, row.id, " ")
            pause(session, ACTOR, row.id, "the site asked for it")
        assert world.work() == 0
        with world.database.transaction() as session:
            with pytest.raises(DeliveryActionRefused, match="found PAUSED"):
                replay(session, ACTOR, row.id, "now")
            resume(session, ACTOR, row.id)
        assert world.work() == 1
    with world.database.transaction() as session:
        said = session.scalars(select(AuditRecord.action).order_by(AuditRecord.id)).all()
        told = session.scalars(
            select(OutboxMessage.topic).where(OutboxMessage.topic == "delivery.changed")
        ).all()
    assert list(said) == ["delivery:pause", "delivery:resume"]
    assert len(told) == 2


def test_a_queue_that_is_paused_waits_as_a_whole(world: World) -> None:
    with peer(accept) as receiver:
        destination_id = world.mllp(receiver.port)
        for _ in range(3):
            world.issue(world.report())
        with world.database.transaction() as session:
            pause_queue(session, ACTOR, destination_id, "their upgrade")
        assert world.work() == 0
        with world.database.transaction() as session:
            with pytest.raises(DeliveryActionRefused, match="paused"):
                probe_queue(session, ACTOR, destination_id)
            resume_queue(session, ACTOR, destination_id)
        assert world.work() == 3


def test_a_probe_does_not_wait_for_its_time(world: World) -> None:
    port = free_port()
    destination_id = world.mllp(port)
    world.issue(world.report())
    world.work()
    with peer(accept, port=port):
        assert world.work() == 0
        with world.database.transaction() as session:
            probe_queue(session, ACTOR, destination_id)
        assert world.work() == 1


def test_what_is_redirected_arrives_elsewhere_and_is_corrected_there(world: World) -> None:
    with peer(accept) as there:
        dead = world.mllp(dead_port())
        report = world.report()
        world.issue(report)
        others = [world.report() for _ in range(2)]
        for other in others:
            world.issue(other)
        world.work()
        alive = world.mllp(there.port)
        row = of(world, report, dead)
        with world.database.transaction() as session:
            made = redirect(session, ACTOR, row.id, alive, "their PACS is gone")
        assert world.work() == 1
        assert (state_of(world, row.id), state_of(world, made)) == (S.CANCELED, S.DELIVERED)
        with world.database.transaction() as session:
            assert redirect_queue(session, ACTOR, dead, alive, "for good") == 2
            session.execute(update(Destination).where(Destination.id == alive).values(active=False))
        assert world.work() == 0, "it is switched off"
        world.amend(report)
        assert of(world, world.last, alive).state is S.PENDING
        with world.database.transaction() as session:
            session.execute(update(Destination).values(active=True))
        assert world.work() >= 3


def test_a_report_never_leaves_its_site(world: World) -> None:
    with world.database.transaction() as session:
        elsewhere = world.other_sites_destination(session)
    world.mllp(dead_port())
    world.issue(world.report())
    (row,) = world.rows()
    with (
        world.database.transaction() as session,
        pytest.raises(DeliveryActionRefused, match="cannot be sent there"),
    ):
        redirect(session, ACTOR, row.id, elsewhere, "to the neighbours")


def test_what_was_replaced_is_never_sent_again(world: World) -> None:
    with peer(accept) as receiver:
        destination_id = world.mllp(receiver.port)
        first = world.report()
        world.issue(first)
        world.work()
        world.amend(first)
        row = of(world, first, destination_id)
        with (
            world.database.transaction() as session,
            pytest.raises(DeliveryActionRefused, match="does not stand"),
        ):
            replay(session, ACTOR, row.id, "they lost it")
        world.work()
        newest = of(world, world.last, destination_id)
        with world.database.transaction() as session:
            replay(session, ACTOR, newest.id, "they lost it")
        world.work()
        assert brought(receiver) == ["F", "C", "C"]


def test_the_correction_and_the_notice_reach_whoever_has_the_old_one(world: World) -> None:
    """Be it switched off in between, and whoever never had it hears nothing."""
    with peer(accept) as had, peer(accept) as had_not:
        one = world.mllp(had.port)
        first = world.report()
        world.issue(first)
        world.work()
        with world.database.transaction() as session:
            session.execute(update(Destination).values(active=False))
        two = world.mllp(had_not.port)
        second = world.amend(first)
        world.work()
        assert of(world, second, one).state is S.PENDING
        with world.database.transaction() as session:
            session.execute(update(Destination).values(active=True))
        world.work()
        assert (brought(had), brought(had_not)) == (["F", "C"], ["C"])
        three = world.mllp(had_not.port)
        world.revoke(second)
        world.work()
        assert {row.destination_id for row in world.rows() if row.is_notice} == {one, two}
        assert three not in {row.destination_id for row in world.rows()}


def test_messages_in_the_wrong_order_do_no_harm(world: World) -> None:
    with peer(accept) as receiver:
        world.mllp(receiver.port)
        first = world.report()
        second = world.amend(first)
        assert second.version_number == 2
        world.issue(first)
        world.work()
        assert [row.version_number for row in world.rows()] == [2]


def test_an_old_version_that_arrives_late_is_followed_by_the_one_that_stands(world: World) -> None:
    """A worker that was given up for dead hears from the receiver after all."""
    answers: list[str] = ["AA"]
    with peer(lambda one: [ack(answers[-1], one)]) as receiver:
        destination_id = world.mllp(receiver.port)
        first = world.report()
        world.issue(first)
        store = Store(world.database, world.objects, CONFIG)
        lost = turns.begin(destination_id, store, world.now)
        assert lost is not None
        world.now.advance(minutes=10)
        second = world.amend(first)
        world.work()
        assert of(world, first, destination_id).state is S.CANCELED
        assert of(world, second, destination_id).state is S.DELIVERED
        turn, begun = lost
        assert turns.step(turn, begun, DeliveryAnswer.delivered("late"), go_on=True) is None
        assert of(world, first, destination_id).state is S.DELIVERED
        assert of(world, second, destination_id).state is S.PENDING
        world.work()
        assert brought(receiver) == ["C", "C"]
        assert of(world, second, destination_id).state is S.DELIVERED


@pytest.mark.parametrize(
    ("before", "after"),
    [(S.CANCELED, S.PENDING), (S.DELIVERED, S.CANCELED), (S.PENDING, S.REFUSED)],
)
def test_the_database_refuses_what_the_table_does_not_have(
    world: World, before: DeliveryState, after: DeliveryState
) -> None:
    world.mllp(dead_port())
    world.issue(world.report())
    with world.database.transaction() as session:
        session.execute(update(Delivery).values(state=before))
    with pytest.raises(IntegrityError), world.database.transaction() as session:
        session.execute(update(Delivery).values(state=after))
