"""A site with many destinations and many issued reports, in a running system."""

import hashlib
import io
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Final, Self
from uuid import UUID, uuid4

from pydicom.dataset import FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from pacs_gateway.returns import create_deliveries
from reading_worklist.workitems.service import queue_study
from storage import issued_reports
from storage.clock import utc_now
from storage.database import Database, notify
from storage.deliveries import CHANNEL, Delivery, DeliveryQueue, DeliveryState
from storage.identifiers import Uid
from storage.index.tables import Instance
from storage.messages import ReportIssued, StudyReceived
from storage.objects import ObjectKey, open_object_store
from storage.registry import Destination, DestinationKind, Organisation, add_destination
from tests.bench.row import RunFailed
from tests.bench.stage import dcmtk_environment, need
from tests.e2e.system import ROOT
from tests.pacs_gateway.datasets import ct
from tests.support.index_rows import add_study
from tests.support.issued import issued_report
from tests.support.ports import free_port

_BATCH: Final = 50
# What a report of two pages with both signatures and the fonts that it needs comes to.
_PDF: Final = b"%PDF-1.7\n" + os.urandom(120_000) + b"\n%%EOF\n"
_PDF_KEY: Final = ObjectKey("reports/bench.pdf")
_SOURCE_KEY: Final = ObjectKey("instances/bench")


class Receivers:
    """One MLLP receiver and one storescp, each a process, for any number of destinations."""

    def __init__(self, directory: Path) -> None:
        """Start both."""
        self._mllp = subprocess.Popen(
            [sys.executable, "-P", "-m", "tests.bench.mllp_sink"],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._mllp.stdout is not None
        self.mllp_port = int(self._mllp.stdout.readline())
        directory.mkdir(parents=True, exist_ok=True)
        self.dicom_port = free_port()
        self._dicom = subprocess.Popen(
            [
                *(need("storescp", "dcmtk"), "--fork", "--ignore", "--max-pdu", "131072"),
                str(self.dicom_port),
            ],
            env=dcmtk_environment(),
            cwd=directory,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def __enter__(self) -> Self:
        """Return it, running."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End both."""
        for process in (self._mllp, self._dicom):
            process.kill()
            process.wait()


class ReturnsWorld:
    """The site's reports and destinations. Everything new is paused until `go`."""

    def __init__(self, database: Database, data_dir: Path, site_id: UUID) -> None:
        """Put what every report refers to into the object store."""
        self._database = database
        self._site_id = site_id
        objects = open_object_store(f"file://{data_dir / 'objects'}")
        objects.put(_PDF_KEY, _PDF)
        dataset = ct(SOPInstanceUID="1.2.3.100.1.1")
        dataset.file_meta = FileMetaDataset()
        dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        written = io.BytesIO()
        dataset.save_as(written, enforce_file_format=True)
        objects.put(_SOURCE_KEY, written.getvalue())

    def hl7(self, port: int, **settings: object) -> UUID:
        """Add a receiver of messages on loopback."""
        return self._add(DestinationKind.HL7, {"host": "127.0.0.1", "port": port, **settings})

    def dicom(self, port: int) -> UUID:
        """Add a PACS on loopback."""
        number = uuid4().hex[:8].upper()
        return self._add(
            DestinationKind.DICOM,
            {"ae_title": f"PACS_{number}", "host": "127.0.0.1", "port": port},
        )

    def drop_destinations(self) -> None:
        """Switch every destination off: those of another run take nothing of this one."""
        with self._database.transaction() as session:
            session.execute(
                update(Destination).where(Destination.site_id == self._site_id).values(active=False)
            )

    def issue(self, count: int) -> Sequence[UUID]:
        """Issue so many reports, each of an exam of its own; return their versions."""
        versions: list[UUID] = []
        for begin in range(0, count, _BATCH):
            with self._database.transaction() as session:
                versions += [self._issue(session) for _ in range(min(_BATCH, count - begin))]
        return versions

    def hold(self) -> None:
        """Pause every queue."""
        with self._database.transaction() as session:
            session.execute(update(DeliveryQueue).values(paused_at=utc_now(), pause_reason="bench"))

    def go(self) -> None:
        """Let every queue go on, all at once."""
        with self._database.transaction() as session:
            session.execute(update(DeliveryQueue).values(paused_at=None, pause_reason=None))
            notify(session, CHANNEL)

    def open_count(self, versions: Sequence[UUID]) -> int:
        """Return how many deliveries of some versions have not arrived."""
        with self._database.transaction() as session:
            return (
                session.scalar(
                    select(func.count()).where(
                        Delivery.report_version_id.in_(versions),
                        Delivery.state != DeliveryState.DELIVERED,
                    )
                )
                or 0
            )

    def seconds(self, versions: Sequence[UUID], destination_ids: Sequence[UUID]) -> list[float]:
        """Return from creation to arrival, of each delivery of versions to some destinations."""
        with self._database.transaction() as session:
            rows = session.scalars(
                select(Delivery).where(
                    Delivery.report_version_id.in_(versions),
                    Delivery.destination_id.in_(destination_ids),
                )
            ).all()
        if missing := [row.id for row in rows if row.delivered_at is None]:
            raise RunFailed(f"{len(missing)} deliveries have not arrived")
        return [
            (row.delivered_at - row.created_at).total_seconds() for row in rows if row.delivered_at
        ]

    def _add(self, kind: DestinationKind, settings: dict[str, object]) -> UUID:
        with self._database.transaction() as session:
            site = session.get_one(Organisation, self._site_id)
            return add_destination(session, site, kind, settings).id

    def _issue(self, session: Session) -> UUID:
        uid = Uid.from_uuid(uuid4())
        study = add_study(
            session,
            self._site_id,
            uid=uid,
            patient_id=uid[-30:],
            name="Zhang^San=张^三",
            series=[(f"{uid[:50]}.1", "CT", [f"{uid[:50]}.1.1"])],
        )
        session.execute(
            update(Instance).where(Instance.study_id == study.id).values(object_key=_SOURCE_KEY)
        )
        item = queue_study(
            session,
            StudyReceived(
                study_id=study.id,
                site_id=self._site_id,
                study_instance_uid=uid,
                generation=1,
                modalities=("CT",),
                instance_count=1,
            ),
        )
        assert item is not None
        plain = issued_report()
        version_id = uuid4()
        issued_at = utc_now()
        report = replace(
            plain,
            report_version_id=version_id,
            workitem_id=item.id,
            study_id=study.id,
            site=replace(plain.site, id=self._site_id),
            times=replace(plain.times, issued=issued_at),
            document=replace(
                plain.document,
                object_key=_PDF_KEY,
                sha256=hashlib.sha256(_PDF).hexdigest(),
                verification_code=version_id.hex[:12],
            ),
        )
        issued_reports.write(session, report)
        create_deliveries(
            session,
            ReportIssued(
                report_version_id=version_id,
                workitem_id=item.id,
                study_id=study.id,
                site_id=self._site_id,
                study_instance_uid=uid,
                version_number=1,
                pdf_object_key=report.document.object_key,
                pdf_sha256=report.document.sha256,
                title=report.title,
                issued_at=issued_at,
            ),
        )
        return version_id
