"""The drill: a system is lost while it works, and comes back out of its backup."""

import json
import shutil
import signal
import threading
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import pytest
from sqlalchemy import select

from deploy.database_access import open_database
from deploy.settings import load
from pacs_gateway.inbox import waiting
from storage.database import Database
from storage.index.tables import Instance
from storage.objects import ObjectKey, ObjectStore, open_object_store
from tests.deploy.servers import eventually
from tests.deploy.system import System, rdc
from tests.pacs_gateway.datasets import Sample, sample
from tests.pacs_gateway.peers import RawPeer
from tests.pacs_gateway.test_store import request
from tests.support.ending import left_of

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


def send(port: int, item: Sample) -> int:
    """Send one instance as the device EAST_CT; return the status."""
    contexts = {1: (item.sop_class_uid, [item.transfer_syntax_uid])}
    with RawPeer(port) as peer:
        assert peer.associate(contexts, calling="EAST_CT") == 2
        peer.send(request(1, item))
        status = peer.status()
        peer.release()
    return status


def said(data: Path, *words: str) -> str:
    done = rdc(data, *words)
    assert done.returncode == 0, done.stderr
    return done.stdout


def enter_a_site(data: Path) -> None:
    said(data, "site", "add", "county", "--name", "青山县医共体", "--kind", "consortium")
    said(data, "site", "add", "EAST", "--name", "东河镇卫生院", "--parent", "county")
    said(data, "device", "add", "EAST", "EAST_CT")


@contextmanager
def sending(port: int) -> Generator[list[Sample]]:
    """Send instances for the length of the block; yield those acknowledged."""
    stop = threading.Event()
    acknowledged: list[Sample] = []

    def keep_on() -> None:
        while not stop.is_set():
            item = sample()
            if send(port, item) == 0:
                acknowledged.append(item)

    sender = threading.Thread(target=keep_on)
    sender.start()
    try:
        yield acknowledged
    finally:
        stop.set()
        sender.join()


def kill(system: System) -> None:
    """End everything at once, as a burning machine would."""
    processes = system.processes()
    for process in (psutil.Process(system.process.pid), *processes):
        with suppress(psutil.NoSuchProcess):  # a child ends with its parent
            process.kill()
    system.process.wait()
    left_of(processes, 30)


def test_a_lost_system_comes_back_with_all_that_was_acknowledged_before(tmp_path: Path) -> None:
    data, backup, disc = tmp_path / "var", tmp_path / "backup", tmp_path / "disc"
    disc.mkdir()
    (disc / "1").write_bytes(sample(SOPInstanceUID="1.2.3.77").encoded)
    enter_a_site(data)
    system = System(data)
    try:
        port = system.wait_ready().dicom_port
        imported = json.loads(said(data, "import", str(disc), "--site", "EAST", "--json"))
        assert imported["stored"] == 1
        before = [sample() for _ in range(20)]
        assert [send(port, item) for item in before] == [0] * 20
        with sending(port) as during:
            said(data, "backup", str(backup))
        assert during, "instances arrived while it was made"
        running = rdc(data, "restore", str(backup), "--force")
        assert running.returncode == 3, "never over a running system"
        kill(system)
    finally:
        system.end()
    shutil.rmtree(data)
    assert "objects copied" in said(data, "restore", str(backup))
    refused = rdc(data, "restore", str(backup))
    assert refused.returncode == 1
    assert "holds a system already" in refused.stderr
    again = System(data)
    try:
        # What was in the spool when the backup began is filed by the gateway of now.
        port = again.wait_ready().dicom_port
        assert send(port, before[0]) == 0
        assert eventually(lambda: waiting(data / "spool") == 0)
        report = json.loads(said(data, "verify", "--settle", "0", "--json"))
        assert (report["findings"], report["spool_files"]) == (0, 0)
        assert report["objects"] >= 21
        assert "whole" in said(data, "audit", "verify")
        assert again.send(signal.SIGTERM) == 0
    finally:
        again.end()
    settings = load(data_dir=data)
    with open_database(settings) as database:
        objects = open_object_store(settings.object_store)
        assert all(kept(database, objects, item) == item.encoded for item in before)


def kept(database: Database, objects: ObjectStore, item: Sample) -> bytes:
    with database.transaction() as session:
        row = session.scalars(
            select(Instance).where(Instance.sop_instance_uid == item.sop_instance_uid)
        ).one()
    return objects.read(ObjectKey(row.object_key), row.dataset_offset)
