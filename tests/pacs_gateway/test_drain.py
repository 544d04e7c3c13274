"""From spool to archive through outages, restarts, poison and crashes; and study completion."""

import logging
import threading
from collections.abc import Callable, Container, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import func, select

from deploy.embedded.postgres import EmbeddedPostgres
from pacs_gateway.gateway import Gateway
from pacs_gateway.inbox import Inbox
from pacs_gateway.spool import Spool
from storage.database import Database
from storage.index.tables import Instance, Quarantine, Study, StudyState
from storage.messages import READING_WORKLIST
from storage.objects import (
    FilesystemObjectStore,
    ObjectConflict,
    ObjectKey,
    ObjectStore,
    ObjectStoreUnavailable,
)
from storage.outbox import OutboxMessage
from storage.receptions import Origin
from tests.pacs_gateway.conftest import Site, left_in
from tests.pacs_gateway.datasets import EXPLICIT, Sample, sample
from tests.pacs_gateway.peers import CT, RawPeer
from tests.pacs_gateway.processes import GatewayProcess
from tests.pacs_gateway.test_store import count, drained, quarantined, request, send
from tests.pacs_gateway.waiting import until

StartGateway = Callable[..., Gateway]


def _spooled(directory: Path, site: Site, items: list[Sample], *, device_id: UUID) -> None:
    """Put instances into a spool as a gateway leaves them that died before filing them."""
    spool = Spool(directory, reserve_bytes=1)
    spool.open()
    origin = Origin(site.id, device_id, "CT1", "RDC", "127.0.0.1")
    for item in items:
        writer = spool.begin(
            origin,
            sop_class_uid=item.sop_class_uid,
            sop_instance_uid=item.sop_instance_uid,
            transfer_syntax_uid=item.transfer_syntax_uid,
        )
        writer.write(memoryview(item.encoded))
        writer.publish(datetime.now(UTC), None)
    spool.close()


def test_what_an_earlier_run_acknowledged_is_filed(
    start_gateway: StartGateway, database: Database, site: Site, tmp_path: Path
) -> None:
    items = [sample() for _ in range(3)]
    _spooled(tmp_path / "spool", site, items, device_id=site.device_id)
    gateway = start_gateway()
    drained(gateway)
    with database.transaction() as session:
        found = set(session.scalars(select(Instance.sop_instance_uid)))
        assert found == {item.sop_instance_uid for item in items}
        assert all(session.scalars(select(Instance.pixel_data_offset)))


def test_poison_is_put_aside_and_holds_nobody_up(
    start_gateway: StartGateway,
    database: Database,
    objects: ObjectStore,
    site: Site,
    tmp_path: Path,
) -> None:
    spool = tmp_path / "spool"
    # A device that has been removed from the registry since: its row cannot be referred to.
    _spooled(spool, site, [sample(SOPInstanceUID="1.2.3.1")], device_id=uuid4())
    _spooled(spool, site, [sample(SOPInstanceUID="1.2.3.2")], device_id=site.device_id)
    damaged = spool / "of-a-dead-process" / "00000000000000000000-damaged.dcm"
    damaged.parent.mkdir()
    damaged.write_bytes(b"not ours")
    gateway = start_gateway()
    assert send(gateway, [sample(SOPInstanceUID="1.2.3.3")]) == [0]
    drained(gateway)
    with database.transaction() as session:
        found = set(session.scalars(select(Instance.sop_instance_uid)))
        assert found == {"1.2.3.2", "1.2.3.3"}
    entries = quarantined(database)
    assert {(entry.reason, entry.site_id) for entry in entries} == {
        ("malformed", site.id),
        ("malformed", None),
    }
    assert {entry.detail["found"] for entry in entries} == {
        "filing failed with IntegrityError",
        "filing failed with NotASpooledFile",
    }
    for entry in entries:
        assert objects.stat(ObjectKey(entry.object_key)) is not None


class UnpluggedStore(FilesystemObjectStore):
    """The real store, whose writing can be cut off from outside."""

    plugged = threading.Event()

    def put_files(
        self,
        files: Mapping[ObjectKey, Path],
        *,
        content_type: str = "application/octet-stream",
        synced: Container[Path] = (),
    ) -> Mapping[ObjectKey, ObjectConflict]:
        if not self.plugged.is_set():
            raise ObjectStoreUnavailable("object store is unplugged")
        return super().put_files(files, content_type=content_type, synced=synced)


class _Death(BaseException):
    """Stands for the end of the process: nothing handles it, and the drain's thread is gone."""


@pytest.mark.parametrize("step", ["before put", "after put", "in transaction", "before remove"])
@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_whatever_step_the_drain_dies_at_the_next_run_ends_the_same(
    *,
    start_gateway: StartGateway,
    database: Database,
    objects: ObjectStore,
    site: Site,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    step: str,
) -> None:
    items = [sample() for _ in range(3)]
    _spooled(tmp_path / "spool", site, items, device_id=site.device_id)
    died = threading.Event()

    def die(*_arguments: object, **_keywords: object) -> None:
        died.set()
        raise _Death

    def put_and_die(files: Mapping[ObjectKey, Path], **_keywords: object) -> None:
        FilesystemObjectStore.put_files(objects, files)  # pyright: ignore[reportArgumentType]
        die()

    with monkeypatch.context() as patched:
        if step == "before put":
            patched.setattr(objects, "put_files", die)
        elif step == "after put":
            patched.setattr(objects, "put_files", put_and_die)
        elif step == "in transaction":
            patched.setattr("pacs_gateway.drain._enter_conflicts", die)
        else:
            patched.setattr(Inbox, "remove", die)
        dying = start_gateway()
        assert died.wait(20)
        dying.stop()
    gateway = start_gateway()
    # The same instances from their device again, as after an answer that got lost.
    assert send(gateway, items) == [0] * 3
    drained(gateway)
    assert count(database, Instance) == 3
    assert quarantined(database) == []
    assert len(list(objects.list())) == 3


def test_an_outage_of_the_object_store_delays_and_loses_nothing(
    start_gateway: StartGateway,
    database: Database,
    site: Site,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    assert site
    store = UnpluggedStore(tmp_path / "unplugged")
    store.plugged.clear()
    gateway = start_gateway(objects=store)
    with caplog.at_level(logging.WARNING, logger="pacs_gateway.drain"):
        assert send(gateway, [sample() for _ in range(30)]) == [0] * 30
        until(lambda: len(caplog.records) >= 3, "the drain has tried several times")
    # It waits between its tries instead of running in a circle.
    assert len(caplog.records) < 10
    assert gateway.waiting() == 30
    assert count(database, Instance) == 0
    store.plugged.set()
    drained(gateway)
    assert count(database, Instance) == 30
    assert quarantined(database) == []


@pytest.fixture
def cut_database(
    postgres: EmbeddedPostgres, database: Database
) -> Iterator[Callable[[bool], None]]:
    """Cuts everybody off from the test's database, and lets them back in."""
    name = database.engine.url.database or ""
    with psycopg.connect(postgres.superuser_url.replace("+psycopg", ""), autocommit=True) as admin:

        def cut(away: bool) -> None:  # noqa: FBT001 -- reads as a switch
            admin.execute(
                sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS {}").format(
                    sql.Identifier(name), sql.Literal(not away)
                )
            )
            if away:
                admin.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s",
                    (name,),
                )

        yield cut
        cut(False)


def test_an_outage_of_the_database_delays_and_loses_nothing(
    start_gateway: StartGateway,
    database: Database,
    site: Site,
    cut_database: Callable[[bool], None],
) -> None:
    assert site
    gateway = start_gateway()
    assert send(gateway, [sample()]) == [0]
    drained(gateway)
    cut_database(True)
    # The device is known, so it is still let in; what it sends is acknowledged and kept.
    assert send(gateway, [sample() for _ in range(20)]) == [0] * 20
    with RawPeer(gateway.bound_port) as peer:
        assert peer.associate(calling="CT9") == 3
    assert gateway.waiting() == 20
    cut_database(False)
    drained(gateway)
    assert count(database, Instance) == 21


def _received(database: Database) -> list[tuple[int, int]]:
    """Return generation and instance count of each StudyReceived for the worklist, in order."""
    with database.transaction() as session:
        rows = session.scalars(
            select(OutboxMessage.payload)
            .where(
                OutboxMessage.topic == "study.received",
                OutboxMessage.consumer == READING_WORKLIST,
            )
            .order_by(OutboxMessage.created_at)
        ).all()
    return [(row["generation"], row["instance_count"]) for row in rows]


def test_a_quiet_study_is_complete_once_and_late_instances_reopen_it(
    start_gateway: StartGateway, database: Database, site: Site
) -> None:
    assert site
    gateway = start_gateway(quiet_seconds_default=1.0)
    assert send(gateway, [sample(), sample()]) == [0, 0]
    until(lambda: len(_received(database)) == 1, "the study is complete")
    # By the rows' own times: how soon a test on a busy machine looks does not count.
    with database.transaction() as session:
        received = OutboxMessage.topic == "study.received"
        told = session.scalars(select(func.min(OutboxMessage.created_at)).where(received)).one()
        last = session.scalars(select(Study.last_received_at)).one()
    took = (told - last).total_seconds()
    assert 0.5 < took < 3.0, f"complete {took} s after the last instance, quiet time 1 s"
    assert _received(database) == [(1, 2)]
    assert send(gateway, [sample()]) == [0]
    until(lambda: len(_received(database)) == 2, "the study is complete again")
    assert _received(database) == [(1, 2), (2, 3)]
    with database.transaction() as session:
        assert session.scalars(select(Study.state)).one() == StudyState.COMPLETE


def test_quiet_time_goes_by_modality(
    start_gateway: StartGateway, database: Database, site: Site
) -> None:
    assert site
    gateway = start_gateway(quiet_seconds_default=3600.0, quiet_seconds={"ECG": 0.1})
    assert send(
        gateway,
        [
            sample(Modality="CT"),
            sample(Modality="ECG", StudyInstanceUID="1.2.5", SeriesInstanceUID="1.2.5.1"),
        ],
    ) == [0, 0]
    until(lambda: len(_received(database)) == 1, "the ECG is complete")
    with database.transaction() as session:
        rows = session.execute(select(Study.study_instance_uid, Study.state))
        states = {uid: state for uid, state in rows}  # noqa: C416 -- a Row is no pair to a type checker
    assert states == {"1.2.5": StudyState.COMPLETE, "1.2.3.100": StudyState.RECEIVING}


def test_a_stopped_gateway_goes_on_where_it_was(
    start_gateway: StartGateway, database: Database, site: Site
) -> None:
    assert site
    for _ in range(3):
        gateway = start_gateway()
        assert send(gateway, [sample() for _ in range(5)]) == [0] * 5
        gateway.stop()
    start_gateway()
    until(lambda: count(database, Instance) == 15, "all are filed")


@pytest.mark.slow
@pytest.mark.parametrize("patience", [20, 45])
def test_killed_while_receiving_it_keeps_what_it_acknowledged_once(
    gateway_process: GatewayProcess, database: Database, site: Site, tmp_path: Path, patience: int
) -> None:
    assert site
    items = [sample(size=128, InstanceNumber=number) for number in range(150)]
    acknowledged: set[str] = set()
    gateway_process.start()
    for _ in range(2):
        count_to = len(acknowledged) + patience
        sender = threading.Thread(
            target=_send_until_cut, args=(gateway_process.port, items, acknowledged)
        )
        sender.start()
        until(lambda: len(acknowledged) >= count_to, "some are acknowledged")  # noqa: B023
        gateway_process.kill()
        sender.join()
        gateway_process.start()
    _send_until_cut(gateway_process.port, items, acknowledged)
    assert len(acknowledged) == len(items)
    until(lambda: count(database, Instance) >= len(items), "all are filed", seconds=60)
    until(lambda: not left_in(tmp_path / "spool"), "the spool is empty")
    assert gateway_process.stop() == 0
    assert left_in(tmp_path / "spool") == []
    with database.transaction() as session:
        stored = session.scalars(select(Instance.sop_instance_uid)).all()
        assert sorted(stored) == sorted(acknowledged)
        assert session.scalars(select(Study.instance_count)).one() == len(items)
        assert session.scalar(select(func.count()).select_from(Quarantine)) == 0
    files = list((tmp_path / "objects" / "instances").rglob("*.dcm"))
    assert len(files) == len(items)


def _send_until_cut(port: int, items: list[Sample], acknowledged: set[str]) -> None:
    """Send what is not acknowledged yet, until all is or the connection ends."""
    try:
        with RawPeer(port) as peer:
            if peer.associate({1: (CT, [EXPLICIT])}) != 2:
                return
            for item in items:
                if item.sop_instance_uid not in acknowledged:
                    peer.send(request(1, item))
                    kind, body = peer.receive()
                    if kind != 4:
                        return
                    assert b"\x00\x09\x02\x00\x00\x00\x00\x00" in body, "status is not success"
                    acknowledged.add(item.sop_instance_uid)
            peer.release()
    except OSError:
        return
