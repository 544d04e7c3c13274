"""A PACS that took a report is asked to keep it, and its word stands beside the delivery."""

import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydicom.dataset import Dataset
from pydicom.uid import UID, EncapsulatedPDFStorage, generate_uid
from pynetdicom import AE, evt
from pynetdicom.presentation import build_role
from sqlalchemy import delete, select, update

from pacs_gateway.commitments import asking
from pacs_gateway.gateway import Gateway
from storage import delivery_commitments
from storage.audit import AuditRecord
from storage.database import Database
from storage.delivery_commitments import AskedState, DeliveryCommitment
from storage.objects import ObjectStore
from storage.registry import DestinationKind, Organisation, add_device, organisation_by_code
from tests.pacs_gateway.peers import EXPLICIT, associated
from tests.pacs_gateway.returns.world import CONFIG, World
from tests.pacs_gateway.waiting import until
from tests.support.orthanc import Orthanc
from tests.support.peers import require_program

PUSH = "1.2.840.10008.1.20.1"
WELL_KNOWN = "1.2.840.10008.1.20.1.1"


class Pacs:
    """Takes reports and requests for storage commitment.

    commits: says at once, on the same association, that it keeps all. status: of N-ACTION.
    """

    def __init__(self, *, commits: bool = False, status: int = 0x0000) -> None:
        self.asked: list[Dataset] = []
        self.heard: list[int | None] = []
        self._commits = commits
        self.status = status
        self._telling: list[threading.Thread] = []
        entity = AE("EASTPACS")
        entity.add_supported_context(EncapsulatedPDFStorage, [EXPLICIT])
        entity.add_supported_context(PUSH)
        handlers: list[Any] = [
            (evt.EVT_C_STORE, lambda _: 0x0000),
            (evt.EVT_N_ACTION, self._action),
        ]
        server = entity.start_server(("127.0.0.1", 0), block=False, evt_handlers=handlers)
        assert server is not None
        self.server = server
        self.port = int(server.server_address[1])

    def _action(self, event: evt.Event) -> tuple[int, None]:
        self.asked.append(event.action_information)
        if self._commits:
            telling = threading.Thread(target=self._tell, args=(event.assoc,))
            telling.start()
            self._telling.append(telling)
        return self.status, None

    def _tell(self, association: Any) -> None:  # noqa: ANN401 -- pynetdicom's
        status, _ = association.send_n_event_report(
            result(self.asked[-1]), 1, UID(PUSH), UID(WELL_KNOWN)
        )
        self.heard.append(status.get("Status"))

    def stop(self) -> None:
        for one in self._telling:
            one.join(10)
        self.server.shutdown()


def result(asked: Dataset, *, failed: bool = False) -> Dataset:
    """The word on everything that was asked for."""
    event = Dataset()
    event.TransactionUID = asked.TransactionUID
    items = asked.ReferencedSOPSequence
    if failed:
        items[0].FailureReason = 0x0112
        event.FailedSOPSequence = items
    else:
        event.ReferencedSOPSequence = items
    return event


@contextmanager
def pacs(**how: Any) -> Generator[Pacs]:  # noqa: ANN401 -- of Pacs
    one = Pacs(**how)
    try:
        yield one
    finally:
        one.stop()


@pytest.fixture
def world(database: Database, objects: ObjectStore, monkeypatch: pytest.MonkeyPatch) -> World:
    # Most of these peers say nothing while we stay.
    monkeypatch.setattr(asking, "STAY_SECONDS", 0.1)
    return World(database, objects)


def delivered(world: World, port: int, *, commitment: bool = True) -> None:
    """Have a report delivered."""
    world.destination(
        DestinationKind.DICOM,
        ae_title="EASTPACS",
        host="127.0.0.1",
        port=port,
        structured=False,
        commitment=commitment,
    )
    world.issue(world.report())
    assert world.work() == 1


def ask(world: World) -> bool | None:
    """Let what is due be asked; None when nothing is."""
    with world.database.transaction() as session:
        found = asking.due(session)
    return asking.attempt(found[0], world.database, CONFIG) if found else None


def row(world: World) -> DeliveryCommitment:
    with world.database.transaction() as session:
        return session.scalars(select(DeliveryCommitment)).one()


def answer(world: World) -> str:
    return world.attempts(world.rows()[0].id)[-1].answer or ""


def test_committed_on_the_same_association(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "STAY_SECONDS", 30.0)
    with pacs(commits=True) as peer:
        delivered(world, peer.port)
        assert row(world).state is AskedState.ASKING
        assert ask(world) is True
        assert ask(world) is None
    assert peer.heard == [0x0000]
    (item,) = peer.asked[0].ReferencedSOPSequence
    assert item.ReferencedSOPClassUID == EncapsulatedPDFStorage
    assert item.ReferencedSOPInstanceUID == world.rows()[0].sop_instance_uid
    assert row(world).state is AskedState.COMMITTED
    assert answer(world) == "C-STORE status 0000H; storage committed"
    with world.database.transaction() as session:
        assert "delivery:committed" in session.scalars(select(AuditRecord.action)).all()


def test_a_destination_that_is_not_to_be_asked_is_not(world: World) -> None:
    with pacs() as peer:
        delivered(world, peer.port, commitment=False)
        assert ask(world) is None
    assert peer.asked == []


def tell(gateway: Gateway, event: Dataset, *, calling: str = "EASTPACS") -> int:
    """Tell a result over an association of the PACS' own; the status that answers it."""
    entity = AE(calling)
    entity.add_requested_context(PUSH)
    roles = [build_role(PUSH, scp_role=True)]
    association: Any = associated(entity, gateway.bound_port, roles=roles)
    assert association.is_established
    status, _ = association.send_n_event_report(event, 1, UID(PUSH), UID(WELL_KNOWN))
    association.release()
    return int(status.Status)


@pytest.fixture
def gateway(world: World, start_gateway: Callable[..., Gateway]) -> Gateway:
    """A gateway that knows the PACS of the site, and a machine of another."""
    with world.database.transaction() as session:
        world.other_sites_destination(session)
        add_device(session, session.get_one(Organisation, world.site_id), "EASTPACS", "PACS")
        add_device(session, organisation_by_code(session, "WEST"), "WESTPACS", "PACS")
    return start_gateway()


def test_committed_on_an_association_of_the_receivers_own(world: World, gateway: Gateway) -> None:
    with pacs() as peer:
        delivered(world, peer.port)
        assert ask(world) is False
    assert row(world).state is AskedState.WAITING
    event = result(peer.asked[0])
    assert tell(gateway, event, calling="WESTPACS") == 0x0115
    assert row(world).state is AskedState.WAITING
    assert tell(gateway, event) == 0x0000
    assert row(world).state is AskedState.COMMITTED
    # Said again it is heard again, and nothing changes.
    assert tell(gateway, event) == 0x0000
    assert answer(world).count("storage committed") == 1


def test_what_nobody_asked_for_is_refused(gateway: Gateway) -> None:
    event = Dataset()
    event.TransactionUID = generate_uid()
    event.ReferencedSOPSequence = []
    assert tell(gateway, event) == 0x0115
    event.TransactionUID = ""
    assert tell(gateway, event) == 0x0115


def test_what_is_not_kept_is_said(world: World, gateway: Gateway) -> None:
    with pacs() as peer:
        delivered(world, peer.port)
        ask(world)
    assert tell(gateway, result(peer.asked[0], failed=True)) == 0x0000
    assert row(world).state is AskedState.REFUSED
    assert answer(world).endswith("storage NOT committed for 1 of 1 objects: 0112H")


def test_what_is_not_named_is_not_committed(world: World, gateway: Gateway) -> None:
    with pacs() as peer:
        delivered(world, peer.port)
        ask(world)
    event = result(peer.asked[0])
    event.ReferencedSOPSequence[0].ReferencedSOPInstanceUID = "1.2.3"
    assert tell(gateway, event) == 0x0000
    assert row(world).state is AskedState.REFUSED
    assert answer(world).endswith("1 of 1 objects: not named")


def test_who_does_not_take_the_request_or_says_nothing_is_asked_again(world: World) -> None:
    def make_due() -> None:
        with world.database.transaction() as session:
            session.execute(
                update(DeliveryCommitment).values(
                    next_attempt_at=DeliveryCommitment.next_attempt_at - asking.LONGEST_PATIENCE
                )
            )

    with pacs(status=0x0213) as peer:
        delivered(world, peer.port)
        assert ask(world) is False
        assert row(world).state is AskedState.ASKING
        assert row(world).last_error == "N-ACTION status 0213H"
        peer.status = 0x0000
        for _ in range(2):
            assert ask(world) is None
            make_due()
            assert ask(world) is False
            assert row(world).state is AskedState.WAITING
            assert row(world).last_error is None
    make_due()
    assert ask(world) is False
    assert "no connection" in (row(world).last_error or "")
    assert len({one.TransactionUID for one in peer.asked}) == 3


@pytest.mark.slow
def test_orthanc_commits_itself(world: World, gateway: Gateway, tmp_path: Path) -> None:
    program = require_program("Orthanc", package="orthanc")
    us = {"centre": ("RDC", "127.0.0.1", gateway.bound_port)}
    with Orthanc(program, tmp_path, ae_title="EASTPACS", modalities=us) as peer:
        delivered(world, peer.dicom_port)
        ask(world)
        until(lambda: row(world).decided_at is not None, "Orthanc tells its result")
        assert row(world).state is AskedState.COMMITTED, answer(world)
        # What has been lost there since is not kept any more.
        for study in peer.get("/studies"):
            httpx.delete(f"{peer.web}/studies/{study}", timeout=20).raise_for_status()
        with world.database.transaction() as session:
            delivery_commitments.ask(session, world.rows()[0], row(world).references)
            session.execute(
                delete(DeliveryCommitment).where(DeliveryCommitment.decided_at.is_not(None))
            )
        ask(world)
        until(lambda: row(world).decided_at is not None, "Orthanc tells its result")
    assert answer(world).endswith("storage NOT committed for 1 of 1 objects: 0112H")
