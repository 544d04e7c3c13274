"""The trail on its way to a repository: a real receiver over TLS, which may be down or cut off."""

import re
import socket
import ssl
import struct
import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import func, select

from deploy.tls.authority import PrivateAuthority
from storage import audit_trail
from storage.audit import AuditRecord, record, system_actor
from storage.audit_export import syslog
from storage.audit_export.exporting import NAME, AuditExport, Exporter, about
from storage.audit_export.messages import About
from storage.audit_export.syslog import Repository, RepositoryUnavailable
from storage.audit_seals import seal_due
from storage.audit_trail import Search
from storage.database import Database
from tests.support.seed import Consortium

HEADER = re.compile(
    rb"<85>1 \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z \S+ rdc - DICOM\+RFC3881 - \xef\xbb\xbf<AuditM"
)


@dataclass
class Receiver:
    """An audit record repository that demands our certificate.

    cuts: how many of the next connections it resets after some octets, instead of reading on.
    """

    to: Repository
    cuts: int = 0
    messages: list[bytes] = field(default_factory=list[bytes])

    def data(self) -> bytes:
        return b"".join(self.messages)

    def take(self, line: ssl.SSLSocket) -> None:
        data = b""
        while part := line.recv(65_536):
            data += part
            if self.cuts:
                self.cuts -= 1
                # Closing with unread data or without lingering is a reset: the other end sees it.
                line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                return
        while data:
            length, _, rest = data.partition(b" ")
            self.messages.append(rest[: int(length)])
            data = rest[int(length) :]
        # Ours is the end of what it read; only then it closes in good order, too.
        line.unwrap()


@contextmanager
def receiving(folder: Path) -> Generator[Receiver]:
    authority = PrivateAuthority(folder / "tls")
    authority.make("Test")
    server = authority.issue("repository", hosts=["127.0.0.1"])
    client = authority.issue("rdc")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=authority.certificate)
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_cert_chain(server.certificate, server.key)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = int(listener.getsockname()[1])
        made = Receiver(
            Repository("127.0.0.1", port, authority.certificate, client.certificate, client.key)
        )

        def serve() -> None:
            while True:
                try:
                    plain, _ = listener.accept()
                except OSError:
                    return
                try:
                    with plain, context.wrap_socket(plain, server_side=True) as line:
                        made.take(line)
                except OSError:
                    continue

        thread = threading.Thread(target=serve)
        thread.start()
        yield made
        # Wakes the thread that waits for the next connection.
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()


def test_a_frame_has_its_length_a_header_and_the_text() -> None:
    made = syslog.frame(
        "<AuditMessage>中</AuditMessage>".encode(),
        at=datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=UTC),
        machine="host",
        process="rdc",
    )
    length, _, line = made.partition(b" ")
    assert int(length) == len(line)
    assert line.startswith(b"<85>1 2026-01-02T03:04:05.000678Z host rdc - DICOM+RFC3881 - \xef\xbb")


@pytest.mark.parametrize(
    "url", ["http://h:1", "tls://", "tls://h/path", "tls://h?password=x", "tls://h:port"]
)
def test_an_address_of_another_form_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"tls://|Port"):
        syslog.repository(url)


def test_an_address_names_host_port_and_files() -> None:
    assert syslog.repository("tls://arr.county?ca=/a&certificate=/b&key=/c") == Repository(
        "arr.county", 6514, Path("/a"), Path("/b"), Path("/c")
    )


def test_all_of_the_trail_goes_once_in_order_whatever_happens_to_the_repository(
    database: Database, tmp_path: Path
) -> None:
    with receiving(tmp_path) as receiver:
        exporter = Exporter(database, receiver.to, source="centre-1")
        down = Exporter(database, replace(receiver.to, port=_closed_port()), source="centre-1")
        acts(database, 3)
        assert exporter.run() == 0, "what is not sealed may still be joined by earlier records"
        seal_due(database)

        assert down.run() == 0
        assert _place(database).failing_since is not None
        receiver.cuts = 1
        assert exporter.run() == 0
        assert receiver.messages == []

        assert exporter.run() == _count(database)
        assert _place(database).failing_since is None
        assert exporter.run() == 0
        numbers = [int(found) for found in re.findall(rb"urn:rdc:test:(\d+)", receiver.data())]
        assert numbers == [0, 1, 2]
        assert all(HEADER.match(message) for message in receiver.messages)


def test_a_record_says_whose_study_it_is_about(database: Database) -> None:
    study = Consortium(database).complete_study()
    with database.transaction() as session:
        for kind, number in (
            ("study", study.id),
            ("workitem", uuid4()),
            ("report_version", uuid4()),
            ("workitem", "no number"),
            ("dicom_study", "1.2.3"),
        ):
            record(session, system_actor("test"), "study:see", subject_kind=kind, subject_id=number)
        session.flush()
        entries = audit_trail.following(session, Search(action="study:see"), after=0, limit=9)
        found = about(session, entries)
        assert [found.get(entry.record.id) for entry in entries] == [
            About(study.study_instance_uid, "P001^^^EAST"),
            None,
            None,
            None,
            About("1.2.3", None),
        ]


def test_a_stranger_gets_nothing_and_a_repository_without_our_certificate_is_none_of_ours(
    tmp_path: Path,
) -> None:
    with receiving(tmp_path) as receiver:
        other = PrivateAuthority(tmp_path / "other")
        other.make("Other")
        with pytest.raises(RepositoryUnavailable, match="CERTIFICATE_VERIFY_FAILED"):
            syslog.send(replace(receiver.to, authority=other.certificate), [b"1 x"])
        # In TLS 1.3 the refusal comes after we have sent, and whether before our end is chance.
        for _ in range(20):
            with pytest.raises(RepositoryUnavailable, match=r"CERTIFICATE_REQUIRED|reset"):
                syslog.send(replace(receiver.to, certificate=None, key=None), [b"1 x"])
        assert receiver.messages == []


def acts(database: Database, number: int) -> None:
    with database.transaction() as session:
        for index in range(number):
            record(
                session, system_actor("test"), "site:test", subject_kind="test", subject_id=index
            )


def _count(database: Database) -> int:
    with database.transaction() as session:
        return session.scalar(select(func.count()).select_from(AuditRecord)) or 0


def _place(database: Database) -> AuditExport:
    with database.transaction() as session:
        return session.get_one(AuditExport, NAME)


def _closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])
