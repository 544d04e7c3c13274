"""Who was only told that there is a report does not have it."""

from sqlalchemy import select

from storage.database import Database
from storage.objects import ObjectStore
from storage.outbox import OutboxMessage
from storage.registry import DestinationKind
from tests.pacs_gateway.returns.mllp_peer import ack, peer
from tests.pacs_gateway.returns.web_peer import Reply, web_peer
from tests.pacs_gateway.returns.world import World


def test_a_notice_that_was_taken_is_no_report_that_arrived(
    database: Database, objects: ObjectStore
) -> None:
    world = World(database, objects)
    with web_peer(lambda _: Reply()) as service, peer(lambda m: [ack("AA", m)]) as receiver:
        notice = world.destination(
            DestinationKind.NOTICE,
            way="sms",
            recipients=["13800000000"],
            url=f"http://127.0.0.1:{service.port}/",
        )
        system = world.mllp(receiver.port)
        world.issue(world.report())
        assert world.work() == 2
    with database.transaction() as session:
        told = session.scalars(
            select(OutboxMessage.payload).where(OutboxMessage.topic == "report.delivered")
        ).all()
    holds = {one["destination_id"]: one["holds_report"] for one in told}
    assert holds == {str(notice): False, str(system): True}


def test_what_is_issued_after_a_report_was_void_takes_the_place_of_the_notice_too(
    database: Database, objects: ObjectStore
) -> None:
    world = World(database, objects)
    with peer(lambda m: [ack("AA", m)]) as receiver:
        world.destination(DestinationKind.HL7, host="127.0.0.1", port=receiver.port)
        first = world.report()
        world.issue(first)
        world.work()
        world.now.advance(minutes=1)
        world.revoke(first)
        world.work()
        world.now.advance(minutes=1)
        world.amend(first)
        world.work()
    documents = [
        {one.text(4): one.text(11) for one in message.segments if one.text(2) == "ED"}
        for message in receiver.messages
    ]
    assert documents == [{"PDF": "F"}, {"NOTICE": "F", "PDF": "W"}, {"PDF": "C", "NOTICE": "D"}]
