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
