"""A registered sender, and the service that takes its messages."""

from collections.abc import Callable

import pytest
from sqlalchemy import select

from pacs_gateway.hl7.framing import Frame
from pacs_gateway.hl7.service import Hl7Service, Peer
from storage.database import Database
from storage.hl7.senders import add_sender
from storage.orders.tables import Order
from storage.registry import organisation_by_code
from tests.pacs_gateway.conftest import Site

Say = Callable[..., str]


@pytest.fixture
def service(database: Database, site: Site) -> Hl7Service:
    """Takes messages of HIS|EAST from the loopback."""
    with database.transaction() as session:
        add_sender(
            session,
            organisation_by_code(session, site.code),
            "HIS",
            "EAST",
            addresses=["127.0.0.0/8"],
        )
    return Hl7Service(database, application="RDC", time_zone="Asia/Shanghai")


@pytest.fixture
def say(service: Hl7Service) -> Say:
    """Sends a message and returns the answer's text."""

    def say(message: str | bytes, *, encoding: str = "utf-8", address: str = "127.0.0.1") -> str:
        content = message if isinstance(message, bytes) else message.encode(encoding)
        return service.handle(Frame(content, len(content)), Peer(address)).decode(encoding)

    return say


@pytest.fixture
def orders(database: Database) -> Callable[[], list[Order]]:
    """The orders there are, oldest first, with their steps."""

    def orders() -> list[Order]:
        with database.transaction() as session:
            found = session.scalars(select(Order).order_by(Order.requested_procedure_id)).all()
            for order in found:
                assert order.steps
            return list(found)

    return orders
