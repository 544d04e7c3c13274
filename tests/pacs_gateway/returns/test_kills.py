"""A worker is killed in the middle of a delivery: the receiver shows the report once all the same.

For each kind of destination a worker of its own begins, and dies as the report arrives: before the
receiver's answer has left, or just after, when it may or may not have been written down. Another
one comes when the lease has run out.
"""

import json
import os
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import Envelope

from deploy.embedded.processes import tied
from pacs_gateway.hl7.message import Message
from storage.database import Database
from storage.deliveries import DeliveryState
from storage.objects import ObjectStore
from storage.registry import DestinationKind
from tests.pacs_gateway.receiver import Receiver
from tests.pacs_gateway.returns.fhir_peer import FhirPeer
from tests.pacs_gateway.returns.mail_peer import Mailbox, mail_server
from tests.pacs_gateway.returns.mllp_peer import ack, peer
from tests.pacs_gateway.returns.web_peer import Posted, Reply, web_peer
from tests.pacs_gateway.returns.world import World
from tests.pacs_gateway.waiting import until
from tests.support.soak import soak

# Killed before the answer has left, and after it.
_ROUNDS = soak(100, else_=2)
_SPREAD = 10
"""Milliseconds after the report's arrival within which a worker is killed that got an answer."""

# Loads everything once and bears a process for each delivery.
_NURSERY = """
import json, os, sys
from uuid import UUID
from pacs_gateway.config import ReturnsConfig
from pacs_gateway.returns import channels, serve
from storage.database import Database
from storage.objects import open_object_store
for kind in channels.DestinationKind:
    channels.opener(kind)
for line in sys.stdin:
    destination_id, database_url, object_store_url = json.loads(line)
    child = os.fork()
    if not child:
        try:
            serve(
                UUID(destination_id),
                Database(database_url),
                open_object_store(object_store_url),
                ReturnsConfig("RDC", lease_seconds=20.0, outbound_allowed=("127.0.0.0/8",)),
            )
        finally:
            os._exit(0)
    print(child, flush=True)
    # Its number stays its own until the test has said that it is gone.
    sys.stdin.readline()
    os.waitpid(child, 0)
"""


class Nursery:
    """Bears workers; each is a process of its own."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            tied([sys.executable, "-c", _NURSERY]), stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )

    def bear(self, *arguments: str) -> int:
        """Let a worker serve a destination; return its number."""
        self._say(json.dumps(arguments))
        assert self._process.stdout is not None
        return int(self._process.stdout.readline())

    def bury(self) -> None:
        """Say that the worker is gone."""
        self._say("gone")

    def close(self) -> None:
        self._process.communicate(timeout=30)

    def _say(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{line}\n".encode())
        self._process.stdin.flush()


@pytest.fixture(scope="module")
def nursery() -> Generator[Nursery]:
    made = Nursery()
    yield made
    made.close()


@dataclass
class Victim:
    """The worker of a round, and when it is killed."""

    nursery: Nursery
    after_answer: bool = False
    is_gone: bool = True
    _process: int = -1
    _born: threading.Event = field(default_factory=threading.Event)

    def begin(self, *arguments: str) -> None:
        """Let a worker serve."""
        self.is_gone = False
        self._process = os.pidfd_open(self.nursery.bear(*arguments))
        self._born.set()

    def arrived(self) -> None:
        """The receiver has read the report and has not answered yet."""
        if not self.after_answer and not self.is_gone:
            self._born.wait(30)
            self.kill()

    def kill(self, *, after_milliseconds: int = 0) -> None:
        """Kill it, if it has not ended by then, and return when it is gone."""
        if self.is_gone:
            return
        process = self._process
        select.select([process], [], [], after_milliseconds / 1000)
        signal.pidfd_send_signal(process, signal.SIGKILL)
        assert select.select([process], [], [], 30)[0]
        os.close(process)
        self._born.clear()
        self.nursery.bury()
        self.is_gone = True


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


@contextmanager
def e_mail(victim: Victim, _: Path) -> Generator[Stand]:
    """A mailbox as mail systems keep it: a Message-ID that it has is not shown again."""
    mailbox = Mailbox(before_answer=victim.arrived)
    with mail_server(mailbox) as port:
        yield Stand(
            DestinationKind.NOTICE,
            {
                "way": "email",
                "host": "127.0.0.1",
                "port": port,
                "security": "none",
                "sender": "rdc@centre.example",
                "recipients": ["doctor@east.example"],
            },
            lambda: len({_message_id(one) for one in mailbox.taken}),
            lambda: len(mailbox.taken),
        )


@contextmanager
def short_message(victim: Victim, _: Path) -> Generator[Stand]:
    """A service that sends what comes under one key once."""

    def script(_: Posted) -> Reply:
        victim.arrived()
        return Reply(200)

    with web_peer(script) as receiver:
        yield Stand(
            DestinationKind.NOTICE,
            {
                "way": "sms",
                "url": f"http://127.0.0.1:{receiver.port}/",
                "recipients": ["13800000000"],
            },
            lambda: len({one.headers["idempotency-key"] for one in receiver.posted}),
            lambda: len(receiver.posted),
        )


@pytest.mark.slow
@pytest.mark.timeout(soak(3600, else_=120))
@pytest.mark.parametrize("kind", [dicom, hl7, webhook, fhir, e_mail, short_message])
def test_killed_in_the_middle_it_is_shown_once(  # noqa: PLR0917 -- what pytest brings
    database: Database,
    database_url: str,
    objects: ObjectStore,
    tmp_path: Path,
    nursery: Nursery,
    kind: Kind,
) -> None:
    world = World(database, objects)
    victim = Victim(nursery)
    repeated = 0
    with kind(victim, tmp_path) as stand:
        destination_id = world.destination(stand.kind, **stand.settings)
        for number in range(1, _ROUNDS + 1):
            victim.after_answer = number % 2 == 0
            before = stand.came()
            world.issue(world.report())
            victim.begin(str(destination_id), database_url, f"file://{tmp_path}/objects")
            _wait_for(stand, before, victim)
            victim.kill(after_milliseconds=number % _SPREAD)
            _finish(world)
            assert stand.shown() == number
            assert {row.state for row in world.rows()} == {DeliveryState.DELIVERED}
            repeated += stand.came() - before > 1
    # What was killed before the answer has come a second time, and was recognised.
    assert repeated >= _ROUNDS // 2


def _finish(world: World) -> None:
    """Serve what is left; on a busy machine a receiver of the test may answer too late at first."""
    for _ in range(5):
        world.now.advance(minutes=20)
        world.work()
        if all(row.state is DeliveryState.DELIVERED for row in world.rows()):
            return


def _message_id(envelope: Envelope) -> str:
    assert isinstance(envelope.content, bytes)
    return str(message_from_bytes(envelope.content)["Message-ID"])


def _wait_for(stand: Stand, before: int, victim: Victim) -> None:
    """Return when the report has come, and the worker was killed if it was to be by then."""
    until(lambda: stand.came() > before, "the report has come")
    if not victim.after_answer:
        until(lambda: victim.is_gone, "the worker is gone")
