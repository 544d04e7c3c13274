"""A site, its destinations and its reports in the database, served by a test's own clock.

The receivers are real sockets on loopback; only the time is the test's.
"""

import hashlib
import io
import socket
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from pydicom.dataset import FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian
from sqlalchemy import select
from sqlalchemy.orm import Session

from pacs_gateway.config import ReturnsConfig
from pacs_gateway.returns import create_deliveries, due, serve
from pacs_gateway.returns.recalls import recall_deliveries
from pacs_gateway.returns.watching import run_clock
from storage import issued_reports
from storage.clock import utc_now
from storage.database import Database
from storage.deliveries import Delivery, DeliveryAttempt, DeliveryQueue
from storage.issued_reports import IssuedReport
from storage.messages import ReportIssued, ReportRecalled
from storage.objects import ObjectKey, ObjectStore
from storage.registry import (
    DestinationKind,
    Organisation,
    OrganisationKind,
    add_destination,
    add_organisation,
)
from storage.report_status import IssuedKind
from tests.pacs_gateway.datasets import ct
from tests.support.index_rows import add_study
from tests.support.issued import issued_report
from tests.support.ports import dead_port

PDF = b"%PDF-1.7\n%a page\n%%EOF\n"
CONFIG = ReturnsConfig(
    "RDC",
    outbound_allowed=("127.0.0.0/8",),
    connect_timeout_seconds=2,
    acse_timeout_seconds=2,
    dimse_timeout_seconds=5,
)


class Clock:
    """A clock that goes when it is told to."""

    def __init__(self) -> None:
        # What the database dates by its own clock is due by this one.
        self.at = utc_now() + timedelta(minutes=1)

    def __call__(self) -> datetime:
        return self.at

    def advance(self, **by: float) -> None:
        self.at += timedelta(**by)


class Mute:
    """Accepts connections and never says a word."""

    def __init__(self) -> None:
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._lines: list[socket.socket] = []
        self.port: int = self._listening.getsockname()[1]
        self._thread = threading.Thread(target=self._accept)
        self._thread.start()

    def close(self) -> None:
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._thread.join()
        for line in self._lines:
            line.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                self._lines.append(self._listening.accept()[0])


def _first_instance() -> bytes:
    """The instance that says whose the study is."""
    dataset = ct(SOPInstanceUID="1.2.3.100.1.1")
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    written = io.BytesIO()
    dataset.save_as(written, enforce_file_format=True)
    return written.getvalue()


class World:
    """One site, its reports and its destinations.

    now: the clock of everything that is done. last: the version that was made last by `amend`.
    """

    last: IssuedReport

    def __init__(self, database: Database, objects: ObjectStore) -> None:
        self.database = database
        self.objects = objects
        self.now = Clock()
        with database.transaction() as session:
            site = add_organisation(
                session,
                kind=OrganisationKind.SITE,
                code="EAST",
                name="东乡卫生院",
                name_en="East",
                parent=None,
            )
            self.site_id = site.id
            self.study_id = add_study(
                session,
                site.id,
                uid="1.2.3.100",
                patient_id="P1",
                name="Zhang^San",
                series=[("1.2.3.100.1", "CT", ["1.2.3.100.1.1"])],
            ).id
        self._pdf_key = ObjectKey("reports/one.pdf")
        objects.put(self._pdf_key, PDF)
        objects.put(ObjectKey("instances/1.2.3.100.1.1"), _first_instance())

    def other_sites_destination(self, session: Session) -> UUID:
        other = add_organisation(
            session,
            kind=OrganisationKind.SITE,
            code="WEST",
            name="西乡卫生院",
            name_en="West",
            parent=None,
        )
        return add_destination(
            session, other, DestinationKind.HL7, {"host": "127.0.0.1", "port": dead_port()}
        ).id

    def destination(self, kind: DestinationKind, **settings: Any) -> UUID:  # noqa: ANN401
        with self.database.transaction() as session:
            site = session.get_one(Organisation, self.site_id)
            return add_destination(session, site, kind, settings).id

    def mllp(self, port: int, **settings: Any) -> UUID:  # noqa: ANN401
        return self.destination(
            DestinationKind.HL7, host="127.0.0.1", port=port, content="text", **settings
        )

    def report(self, **changes: Any) -> IssuedReport:  # noqa: ANN401 -- any field of the report
        """A report of the site that is not issued yet, the first version of a workitem."""
        plain = issued_report()
        return replace(
            plain,
            report_version_id=uuid4(),
            study_id=self.study_id,
            site=replace(plain.site, id=self.site_id),
            times=replace(plain.times, issued=self.now()),
            document=replace(
                plain.document,
                object_key=self._pdf_key,
                sha256=hashlib.sha256(PDF).hexdigest(),
                verification_code=uuid4().hex[:12],
            ),
            **{"workitem_id": uuid4(), **changes},
        )

    def issue(self, report: IssuedReport, *, describe: bool = True) -> ReportIssued:
        """Issue a report, and have the gateway make its deliveries."""
        message = ReportIssued(
            report_version_id=report.report_version_id,
            workitem_id=report.workitem_id,
            study_id=report.study_id,
            site_id=self.site_id,
            study_instance_uid=report.exam.study_instance_uid,
            version_number=report.version_number,
            pdf_object_key=report.document.object_key,
            pdf_sha256=report.document.sha256,
            title=report.title,
            issued_at=report.times.issued,
        )
        with self.database.transaction() as session:
            if describe:
                issued_reports.write(session, report)
            create_deliveries(session, message)
        return message

    def amend(self, report: IssuedReport) -> IssuedReport:
        """Issue the version after a report."""
        made = self.report(
            workitem_id=report.workitem_id,
            version_number=report.version_number + 1,
            kind=IssuedKind.AMENDMENT,
        )
        self.last = made
        self.issue(made)
        return made

    def revoke(self, report: IssuedReport) -> UUID:
        """Declare a report void; return the id of its notice."""
        notice = self.report(
            workitem_id=report.workitem_id,
            version_number=report.version_number,
            kind=IssuedKind.NOTICE,
        )
        message = ReportRecalled(
            report_version_id=report.report_version_id,
            workitem_id=report.workitem_id,
            study_id=self.study_id,
            site_id=self.site_id,
            version_number=report.version_number,
            kind="revoked",
            recalled_at=self.now(),
            notice_id=notice.report_version_id,
            notice_object_key=notice.document.object_key,
            notice_sha256=notice.document.sha256,
            notice_title="void",
        )
        with self.database.transaction() as session:
            issued_reports.write(session, notice)
            recall_deliveries(session, message)
        return notice.report_version_id

    def work(self, config: ReturnsConfig = CONFIG) -> int:
        """Serve whatever is due until nothing is; return how many deliveries arrived."""
        arrived = 0
        while found := self.due():
            for destination_id in found:
                arrived += self.serve(destination_id, config)
        return arrived

    def due(self, limit: int = 100) -> Sequence[UUID]:
        with self.database.transaction() as session:
            return due(session, limit, now=self.now)

    def serve(self, destination_id: UUID, config: ReturnsConfig = CONFIG) -> int:
        return serve(destination_id, self.database, self.objects, config, now=self.now)

    def watch(self) -> int:
        """The clock's look at destinations that stay away; how many people were told of."""
        with self.database.transaction() as session:
            return run_clock(session, self.now())

    def rows(self) -> Sequence[Delivery]:
        with self.database.transaction() as session:
            return session.scalars(
                select(Delivery).order_by(Delivery.issued_at, Delivery.version_number, Delivery.id)
            ).all()

    def queue(self, destination_id: UUID) -> DeliveryQueue:
        with self.database.transaction() as session:
            return session.get_one(DeliveryQueue, destination_id)

    def attempts(self, delivery_id: UUID) -> Sequence[DeliveryAttempt]:
        with self.database.transaction() as session:
            return session.scalars(
                select(DeliveryAttempt)
                .where(DeliveryAttempt.delivery_id == delivery_id)
                .order_by(DeliveryAttempt.number)
            ).all()


class Workers:
    """What relay and worker do between them, by the real clock: so many turns at once."""

    def __init__(self, world: World, config: ReturnsConfig, slots: int) -> None:
        self._world = world
        self._config = config
        self._slots = slots
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        with ThreadPoolExecutor(self._slots) as pool:
            while not self._stop.is_set():
                with self._world.database.transaction() as session:
                    found = due(session, 100)
                for destination_id in found:
                    pool.submit(
                        serve,
                        destination_id,
                        self._world.database,
                        self._world.objects,
                        self._config,
                    )
                self._stop.wait(0.05)
