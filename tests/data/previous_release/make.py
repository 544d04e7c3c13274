"""Makes `backup.tar.gz` and `facts.json` with the code of an earlier commit, not of this one.

They are what that code's `rdc backup` left of a small centre: studies of two sites, an ECG, signed
reports, deliveries, an audit trail. `tests/deploy/test_upgrade.py` brings it to this version.

    git worktree add /tmp/previous 9362938
    cd /tmp/previous && PYTHONPATH=. python <checkout>/tests/data/previous_release/make.py OUT

Make it anew from a newer commit when data from before that one need not be taken over any more.
"""

import hashlib
import json
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
from psycopg import sql
from pydicom.uid import generate_uid
from sqlalchemy import make_url, select

from deploy.embedded.postgres import EmbeddedPostgres
from deploy.keeping import backup
from reading_worklist.reports.tables import ReportVersion
from reading_worklist.workitems.service import queue_study
from reading_worklist.workitems.tables import Workitem
from storage import registry
from storage.database import Database, migrate
from storage.ecg.leads import Lead
from storage.index.completion import complete_quiet_studies
from storage.index.tables import Study
from storage.messages import ReportIssued
from storage.objects import ObjectStore, open_object_store
from tests.pacs_gateway.datasets import Sample, sample
from tests.support.archive import Archive
from tests.support.desk import Desk
from tests.support.ecg import channel, ecg_dataset, multiplex_group
from tests.support.seed import Consortium, received
from tests.support.web import PIN, application


def main(out: Path) -> None:
    """Make both files in `out`."""
    with tempfile.TemporaryDirectory(prefix="rdc-previous-") as name:
        directory = Path(name)
        with EmbeddedPostgres(directory / "postgres", durable=False) as server:
            migrate(server.url)
            database = Database(server.url)
            facts = fill(database, directory, server.url)
            database.close()
        with tarfile.open(out / "backup.tar.gz", "w:gz") as archive:
            archive.add(directory / "backup", "backup")
    (out / "facts.json").write_text(json.dumps(facts, indent=1, sort_keys=True) + "\n")


def fill(database: Database, directory: Path, url: str) -> dict[str, Any]:
    """Let the people of a centre work, back it up, and return what must not be lost."""
    data = directory / "data"
    objects = open_object_store(f"file://{data / 'objects'}")
    consortium = Consortium(database)
    app = application(consortium, objects, data)
    with database.transaction() as session:
        registry.add_dicom_destination(session, consortium.east, "EAST_PACS", "10.0.0.1", 104)
    instances = {
        item.sop_instance_uid: hashlib.sha256(item.encoded).hexdigest()
        for item in _instances(database, objects, consortium)
    }
    with database.transaction() as session:
        complete_quiet_studies(session)
        studies = session.scalars(select(Study).order_by(Study.study_instance_uid)).all()
        for study in studies:
            queue_study(session, received(study))
        items = {
            study.study_instance_uid: session.scalars(
                select(Workitem.id).where(Workitem.study_id == study.id)
            ).one()
            for study in studies
        }
    desks = {uid: Desk(app, consortium, item) for uid, item in items.items()}
    read = desks["1.2.3.100"]
    read.write(impression="右肺上叶结节，建议随访。")
    read.finalise()
    read.deliver(read.messages(ReportIssued)[-1])
    read("writer").post(f"{read.path}/critical-values", finding="气胸")
    heart = desks["1.2.3.300"]
    heart.do("writer", "claim")
    revision = heart.draft("writer", "窦性心律，正常心电图。", ecg_class="normal")
    heart.do("writer", "submit", revision=revision, signing_pin=PIN)
    heart.finalise()
    desks["1.2.3.200"].write()
    snapshot, _ = backup.make(directory / "backup", url, objects, data, lambda _done: None)
    with database.transaction() as session:
        reports = {
            str(version.id): version.pdf_sha256
            for version in session.scalars(select(ReportVersion))
        }
    return {
        "snapshot": snapshot.name,
        "tables": _counts(url),
        "instances": instances,
        "reports": reports,
        "workitems": {uid: str(item) for uid, item in items.items()},
    }


def _instances(database: Database, objects: ObjectStore, consortium: Consortium) -> list[Sample]:
    east = Archive(database, objects, consortium.east.id, consortium.east_device.id)
    west = Archive(database, objects, consortium.west.id, consortium.west_device.id)
    slices = [sample(InstanceNumber=number) for number in range(1, 4)]
    for item in slices:
        east.file(item)
    other: dict[str, Any] = {
        "StudyInstanceUID": "1.2.3.200",
        "SeriesInstanceUID": "1.2.3.200.1",
        "SpecificCharacterSet": "ISO_IR 192",
    }
    far = sample(PatientID="P9", PatientName="Wang^Fang=王^芳", **other)
    west.file(far)
    waves = np.arange(500, dtype="<i2")[:, None] % 100
    heart = sample(
        ecg_dataset(
            multiplex_group(waves, [channel(Lead.I)]),
            StudyInstanceUID="1.2.3.300",
            SeriesInstanceUID="1.2.3.300.1",
            SOPInstanceUID=generate_uid(),
            PatientID="P2",
            PatientName="Li^Lei=李^雷",
            Modality="ECG",
            StudyDate="20260304",
            SpecificCharacterSet="ISO_IR 192",
        )
    )
    east.file(heart)
    return [*slices, far, heart]


def _counts(url: str) -> dict[str, int]:
    plain = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(plain) as connection:
        names = connection.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1"
        ).fetchall()
        found: dict[str, int] = {}
        for (name,) in names:
            count = sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(str(name)))
            found[str(name)] = int(connection.execute(count).fetchall()[0][0])
    return found


if __name__ == "__main__":
    main(Path(sys.argv[1]))
