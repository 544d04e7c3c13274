"""Storage commitment: true, told on every way there is, and told until it is heard."""

import threading
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from pydicom.dataset import Dataset
from pydicom.uid import UID, generate_uid
from pynetdicom import AE, evt
from pynetdicom.association import Association
from pynetdicom.presentation import build_role
from sqlalchemy import delete, select, update

from pacs_gateway.commitments import engine
from pacs_gateway.config import CommitmentConfig, ReturnsConfig
from pacs_gateway.gateway import Gateway
from storage.clock import utc_now
from storage.commitments import CommitmentReference, CommitmentRequest, CommitmentState
from storage.database import Database
from storage.index.tables import Instance
from storage.objects import ObjectKey, ObjectStore
from storage.registry import Device
from tests.pacs_gateway.conftest import Site
from tests.pacs_gateway.datasets import Sample, sample
from tests.pacs_gateway.peers import CT, associated
from tests.pacs_gateway.test_store import drained, send
from tests.pacs_gateway.waiting import until

PUSH = "1.2.840.10008.1.20.1"
WELL_KNOWN = "1.2.840.10008.1.20.1.1"
MR = "1.2.840.10008.5.1.4.1.1.4"
RETURNS = ReturnsConfig("RDC", first_retry_seconds=0.05, longest_retry_seconds=0.2)
StartGateway = Callable[..., Gateway]


class Ears:
    """What a device hears: N-EVENT-REPORTs, on whatever association."""

    def __init__(self, answer: int = 0x0000) -> None:
        self.heard: list[tuple[int, Dataset]] = []
        self.answer = answer
        self.arrived = threading.Event()

    def __call__(self, event: evt.Event) -> tuple[int, None]:
        self.heard.append((int(event.event_type or 0), event.event_information))
        self.arrived.set()
        return self.answer, None

    @property
    def result(self) -> tuple[int, str, list[str], dict[str, int]]:
        """Event type, transaction, instances vouched for, and the others with their reasons."""
        kind, event = self.heard[-1]
        return (
            kind,
            event.TransactionUID,
            [item.ReferencedSOPInstanceUID for item in event.get("ReferencedSOPSequence", [])],
            {
                item.ReferencedSOPInstanceUID: item.FailureReason
                for item in event.get("FailedSOPSequence", [])
            },
        )


@contextmanager
def association(gateway: Gateway, ears: Ears, *, ae_title: str = "CT1") -> Generator[Any]:
    entity: Any = AE(ae_title)
    entity.add_requested_context(PUSH)
    made = associated(
        entity,
        gateway.bound_port,
        handlers=[(evt.EVT_N_EVENT_REPORT, ears)],
    )
    assert made.is_established
    try:
        yield made
    finally:
        made.release()


@contextmanager
def listening(database: Database, ears: Ears, *, port: int = 0) -> Generator[int]:
    """The device's own listener, registered."""
    entity: Any = AE("CT1")
    # The peer that opens the association proposes the SCP role for itself.
    entity.add_supported_context(PUSH, scu_role=False, scp_role=True)
    server = entity.start_server(
        ("127.0.0.1", port), block=False, evt_handlers=[(evt.EVT_N_EVENT_REPORT, ears)]
    )
    try:
        bound: int = server.server_address[1]
        register(database, bound)
        yield bound
    finally:
        server.shutdown()


def register(database: Database, port: int) -> None:
    with database.transaction() as session:
        session.execute(
            update(Device)
            .where(Device.ae_title == "CT1")
            .values(listen_host="127.0.0.1", listen_port=port)
        )


def ask(
    over: Association,
    items: Sequence[tuple[str, str]],
    *,
    transaction: str | None = None,
    action: int = 1,
    instance: str = WELL_KNOWN,
) -> tuple[int, str]:
    """Ask for commitment of (class, instance) pairs; return the status and the Transaction UID."""
    request = Dataset()
    uid = transaction or str(generate_uid())
    if uid != "none":
        request.TransactionUID = uid
    request.ReferencedSOPSequence = [_item(*pair) for pair in items]
    status, _ = over.send_n_action(request, action, UID(PUSH), UID(instance))
    return int(status.Status), uid


def _item(sop_class_uid: str, sop_instance_uid: str) -> Dataset:
    item = Dataset()
    item.ReferencedSOPClassUID = sop_class_uid
    item.ReferencedSOPInstanceUID = sop_instance_uid
    return item


def pairs(items: Sequence[Sample]) -> list[tuple[str, str]]:
    return [(item.sop_class_uid, item.sop_instance_uid) for item in items]


def filed(gateway: Gateway, number: int = 3) -> list[Sample]:
    items = [sample() for _ in range(number)]
    assert send(gateway, items) == [0] * number
    drained(gateway)
    return items


def only_request(database: Database) -> CommitmentRequest:
    with database.transaction() as session:
        return session.scalars(select(CommitmentRequest)).one()


def hears(ears: Ears, database: Database) -> None:
    """Wait until the device has heard a result and we know that it has.

    Only then may it release: pynetdicom cannot while it still answers.
    """
    assert ears.arrived.wait(15)
    until(lambda: only_request(database).state == CommitmentState.REPORTED, "it is noted")
    ears.arrived.clear()


def drive(database: Database, objects: ObjectStore) -> list[bool]:
    """Do what relay and worker do with what is due now."""
    with database.transaction() as session:
        found = engine.due(session)
    return [engine.attempt(one, database, objects, RETURNS) for one in found]


def quick(start_gateway: StartGateway, *, wait: float = 60.0, hold: float = 60.0) -> Gateway:
    return start_gateway(commitment=CommitmentConfig(wait_seconds=wait, hold_seconds=hold))


def test_what_is_filed_is_vouched_for_on_the_same_association(
    start_gateway: StartGateway, database: Database, site: Site
) -> None:
    gateway = quick(start_gateway)
    items = filed(gateway)
    ears = Ears()
    with association(gateway, ears) as device:
        status, transaction = ask(device, pairs(items))
        assert status == 0
        hears(ears, database)
    assert ears.result == (1, transaction, [item.sop_instance_uid for item in items], {})
    assert ears.heard[0][1].RetrieveAETitle == "RDC"
    assert only_request(database).reported_by == "same association"


def test_what_is_on_its_way_is_waited_for(
    start_gateway: StartGateway, database: Database, site: Site
) -> None:
    gateway = quick(start_gateway)
    item = sample()
    ears = Ears()
    with association(gateway, ears) as device:
        assert ask(device, pairs([item]))[0] == 0
        until(lambda: only_request(database).next_attempt_at > utc_now(), "it was looked at")
        assert not ears.heard
        assert send(gateway, [item]) == [0]
        hears(ears, database)
    assert ears.result[2] == [item.sop_instance_uid]


def test_only_what_is_there_is_vouched_for(
    start_gateway: StartGateway,
    database: Database,
    objects: ObjectStore,
    site: Site,
    other_site: Site,
) -> None:
    gateway = quick(start_gateway, wait=0.2)
    kept, lost, disputed = filed(gateway)
    with database.transaction() as session:
        key = session.scalars(
            select(Instance.object_key).where(Instance.sop_instance_uid == lost.sop_instance_uid)
        ).one()
    objects.delete(ObjectKey(key))
    assert send(gateway, [sample(SOPInstanceUID=disputed.sop_instance_uid, Rows=8, Columns=32)])
    foreign = sample(StudyInstanceUID="1.2.3.200", SeriesInstanceUID="1.2.3.200.1")
    assert send(gateway, [foreign], calling=other_site.ae_title) == [0]
    drained(gateway)
    never_sent = sample().sop_instance_uid
    ears = Ears()
    with association(gateway, ears) as device:
        asked = [*pairs([kept, lost, disputed, foreign]), (MR, never_sent)]
        asked.append((CT, "1.2.3.4.5"))
        assert ask(device, asked)[0] == 0
        hears(ears, database)
        assert ears.result[0] == 2
        assert ears.result[2] == [kept.sop_instance_uid]
        assert ears.result[3] == {
            lost.sop_instance_uid: 0x0110,
            disputed.sop_instance_uid: 0x0110,
            foreign.sop_instance_uid: 0x0112,
            never_sent: 0x0112,
            "1.2.3.4.5": 0x0112,
        }
        with database.transaction() as session:
            session.execute(delete(CommitmentReference))
            session.execute(delete(CommitmentRequest))
        assert ask(device, [(MR, kept.sop_instance_uid)])[0] == 0
        hears(ears, database)
        assert ears.result[3] == {kept.sop_instance_uid: 0x0119}


def test_a_device_that_hung_up_is_called_until_it_hears(
    start_gateway: StartGateway, database: Database, objects: ObjectStore, site: Site
) -> None:
    gateway = quick(start_gateway, hold=0.0)
    items = filed(gateway)
    with listening(database, Ears()) as port:
        pass  # known now, and gone
    with association(gateway, Ears()) as device:
        _, transaction = ask(device, pairs(items))
    until(lambda: drive(database, objects) == [False], "tried in vain")
    until(lambda: only_request(database).attempts >= 1, "counted")
    assert f"no connection to CT1 at 127.0.0.1:{port}" in (only_request(database).last_error or "")
    refusing = Ears(answer=0x0110)
    with listening(database, refusing, port=port):
        until(lambda: drive(database, objects) == [False], "refused")
    assert only_request(database).last_error == "N-EVENT-REPORT status 0110H"
    ears = Ears()
    with listening(database, ears, port=port):
        until(lambda: drive(database, objects) == [True], "heard")
    assert ears.result == (1, transaction, [item.sop_instance_uid for item in items], {})
    assert only_request(database).reported_by == "own association"
    assert drive(database, objects) == []


def test_a_device_hears_when_it_associates_again(
    start_gateway: StartGateway, database: Database, objects: ObjectStore, site: Site
) -> None:
    gateway = quick(start_gateway, hold=0.0)
    items = filed(gateway)
    with association(gateway, Ears()) as device:
        _, transaction = ask(device, pairs(items))
    until(lambda: drive(database, objects) == [False], "it is not known where the device listens")
    assert "not known where the device listens" in (only_request(database).last_error or "")
    ears = Ears()
    with association(gateway, ears):
        hears(ears, database)
    assert ears.result[1] == transaction
    assert only_request(database).reported_by == "later association"


def test_a_result_is_told_again_when_its_process_died(
    start_gateway: StartGateway, database: Database, objects: ObjectStore, site: Site
) -> None:
    gateway = quick(start_gateway, hold=0.0)
    items = filed(gateway)
    ears = Ears()
    with listening(database, ears):
        with association(gateway, Ears()) as device:
            ask(device, pairs(items))
        until(lambda: drive(database, objects) == [True], "heard")
        with database.transaction() as session:
            # As a worker leaves it that died after the device had heard.
            session.execute(
                update(CommitmentRequest).values(
                    state=CommitmentState.REPORTING,
                    lease_token=uuid4(),
                    leased_until=utc_now() + timedelta(seconds=0.3),
                )
            )
        assert drive(database, objects) == []
        until(lambda: drive(database, objects) == [True], "told again when the lease ran out")
    assert len(ears.heard) == 2
    assert ears.heard[0][1] == ears.heard[1][1]


def test_the_same_request_twice_is_one_and_another_under_its_uid_is_refused(
    start_gateway: StartGateway, database: Database, site: Site
) -> None:
    gateway = quick(start_gateway)
    items = filed(gateway)
    ears = Ears()
    with association(gateway, ears) as device:
        _, transaction = ask(device, pairs(items))
        hears(ears, database)
        assert ask(device, pairs(items[:1]), transaction=transaction)[0] == 0x0131
        # Its state was lost: it asks again and hears again.
        assert ask(device, pairs(items), transaction=transaction)[0] == 0
        hears(ears, database)
    assert ears.heard[0][1] == ears.heard[1][1]
    assert only_request(database).transaction_uid == transaction


def test_requests_that_make_no_sense_are_refused_and_not_kept(
    start_gateway: StartGateway, database: Database, site: Site
) -> None:
    gateway = quick(start_gateway)
    one = [(CT, "1.2.3.4")]
    with association(gateway, Ears()) as device:
        assert ask(device, one, action=2)[0] == 0x0123
        assert ask(device, one, instance="1.2.3")[0] == 0x0112
        assert ask(device, one, transaction="none")[0] == 0x0115
        assert ask(device, [])[0] == 0x0115
        assert ask(device, [("", "1.2.3.4")])[0] == 0x0115
    with database.transaction() as session:
        assert session.scalars(select(CommitmentRequest.id)).all() == []


def test_a_request_is_not_accepted_while_it_cannot_be_kept(
    start_gateway: StartGateway, database: Database, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    gateway = quick(start_gateway)
    with association(gateway, Ears()) as device:
        database.close()
        monkeypatch.setattr(database, "transaction", Database(_NOWHERE).transaction)
        assert ask(device, [(CT, "1.2.3.4")])[0] == 0x0213


_NOWHERE = "postgresql://nobody@127.0.0.1:1/nothing"


def test_roles_may_be_negotiated_by_the_device(
    start_gateway: StartGateway, database: Database, site: Site
) -> None:
    gateway = quick(start_gateway)
    items = filed(gateway, 1)
    ears = Ears()
    entity: Any = AE("CT1")
    entity.add_requested_context(PUSH)
    made = associated(
        entity,
        gateway.bound_port,
        handlers=[(evt.EVT_N_EVENT_REPORT, ears)],
        roles=[build_role(PUSH, scu_role=True)],
    )
    assert made.is_established
    assert ask(made, pairs(items))[0] == 0
    hears(ears, database)
    made.release()
