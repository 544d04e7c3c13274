"""A worker is killed in the middle of a delivery: the receiver shows the report once all the same.

For each kind of destination a worker of its own begins, and dies as the report arrives: before the
receiver's answer has left, or just after, when it may or may not have been written down. Another
one comes when the lease has run out.
"""

import signal
import subprocess
import sys
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from deploy.embedded.processes import tied
from pacs_gateway.hl7.message import Message
from storage.database import Database
from storage.deliveries import DeliveryState
from storage.objects import ObjectStore
from storage.registry import DestinationKind
from tests.pacs_gateway.receiver import Receiver
from tests.pacs_gateway.returns.fhir_peer import FhirPeer
from tests.pacs_gateway.returns.mllp_peer import ack, peer
from tests.pacs_gateway.returns.web_peer import Posted, Reply, web_peer
from tests.pacs_gateway.returns.world import World
from tests.pacs_gateway.waiting import until
from tests.support.soak import soak

_ROUNDS = soak(100, else_=1)
_WORKER = """
import sys
from uuid import UUID
from pacs_gateway.config import ReturnsConfig
from pacs_gateway.returns import serve
from storage.database import Database
from storage.objects import open_object_store
serve(
    UUID(sys.argv[1]),
    Database(sys.argv[2]),
    open_object_store(sys.argv[3]),
    ReturnsConfig("RDC", lease_seconds=20.0, outbound_allowed=("127.0.0.0/8",)),
)
"""


@dataclass
class Victim:
    """The worker of a round, and when it is killed."""

    after_answer: bool = False
    process: subprocess.Popen[bytes] | None = None

    def arrived(self) -> None:
        """The receiver has read the report and has not answered yet."""
        if not self.after_answer:
            self.kill()

    def kill(self) -> None:
        process, self.process = self.process, None
        if process is not None:
            process.send_signal(signal.SIGKILL)
            process.wait(30)


@dataclass
class Stand:
    """A receiver that stands somewhere. shown: how many reports it shows by now."""

    kind: DestinationKind
    settings: dict[str, Any]
    shown: Callable[[], int]
    came: Callable[[], int]


Kind = Callable[[Victim, Path], AbstractContextManager[Stand]]


@contextmanager
def dicom(victim: Victim, _: Path) -> Generator[Stand]:
    with Receiver(before_answer=victim.arrived) as receiver:
        yield Stand(
            DestinationKind.DICOM,
            {"ae_title": receiver.ae_title, "host": "127.0.0.1", "port": receiver.port},
            lambda: len({str(one.SOPInstanceUID) for one in receiver.received}),
            lambda: len(receiver.received),
        )


@contextmanager
def hl7(victim: Victim, _: Path) -> Generator[Stand]:
    def script(message: Message) -> list[bytes | None]:
        victim.arrived()
        return [ack("AA", message)]

    with peer(script) as receiver:
        yield Stand(
            DestinationKind.HL7,
            {"host": "127.0.0.1", "port": receiver.port},
            lambda: len({one.header.text(10) for one in receiver.messages}),
            lambda: len(receiver.messages),
        )


@contextmanager
def webhook(victim: Victim, directory: Path) -> Generator[Stand]:
    secret = directory / "secret"
    secret.write_text("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo=")
    secret.chmod(0o600)

    def script(_: Posted) -> Reply:
        victim.arrived()
        return Reply(200)

    with web_peer(script) as receiver:
        yield Stand(
            DestinationKind.WEBHOOK,
            {"url": f"http://127.0.0.1:{receiver.port}/", "secret_file": str(secret)},
            lambda: len({one.headers["webhook-id"] for one in receiver.posted}),
            lambda: len(receiver.posted),
        )


@contextmanager
def fhir(victim: Victim, _: Path) -> Generator[Stand]:
    server = FhirPeer()

    def script(posted: Posted) -> Reply:
        reply = server(posted)
        victim.arrived()
        return reply

    with web_peer(script) as receiver:
        yield Stand(
            DestinationKind.FHIR,
            {"url": f"http://127.0.0.1:{receiver.port}/"},
            lambda: len(server.of("DiagnosticReport")),
            lambda: len(receiver.posted),
        )


@pytest.mark.slow
@pytest.mark.timeout(soak(3600, else_=120))
# A killed C-STORE is tried in `test_returns` too.
@pytest.mark.parametrize("kind", [*soak([dicom], else_=[]), hl7, webhook, fhir])
def test_killed_in_the_middle_it_is_shown_once(
    database: Database,
    database_url: str,
    objects: ObjectStore,
    tmp_path: Path,
    kind: Kind,
) -> None:
    world = World(database, objects)
    victim = Victim()
    with kind(victim, tmp_path) as stand:
        destination_id = world.destination(stand.kind, **stand.settings)
        for number in range(1, _ROUNDS + 1):
            victim.after_answer = number % 2 == 0
            before = stand.came()
            world.issue(world.report())
            victim.process = _started(destination_id, database_url, tmp_path)
            _wait_for(stand, before, victim)
            victim.kill()
            _finish(world)
            assert stand.shown() == number
            assert {row.state for row in world.rows()} == {DeliveryState.DELIVERED}


def _finish(world: World) -> None:
    """Serve what is left; on a busy machine a receiver of the test may answer too late at first."""
    for _ in range(5):
        world.now.advance(minutes=20)
        world.work()
        if all(row.state is DeliveryState.DELIVERED for row in world.rows()):
            return


def _started(destination_id: UUID, database_url: str, directory: Path) -> subprocess.Popen[bytes]:
    arguments = [str(destination_id), database_url, f"file://{directory}/objects"]
    return subprocess.Popen(tied([sys.executable, "-c", _WORKER, *arguments]))


def _wait_for(stand: Stand, before: int, victim: Victim) -> None:
    """Return when the report has come, and the worker was killed if it was to be by then."""
    until(lambda: stand.came() > before, "the report has come")
    if not victim.after_answer:
        until(lambda: victim.process is None, "the worker is gone")
