"""Filing in the index (`storage.index.ingest`), against a real PostgreSQL."""

import hashlib
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import func, select, update

from storage.clock import utc_now
from storage.database import Database
from storage.dicom_header import InstanceHeader
from storage.identifiers import Uid
from storage.index.ingest import Filing, IngestOutcome, ReceivedInstance, ingest
from storage.index.tables import Instance, Patient, QuarantineReason, Series, Study, StudyState
from tests.support.seed import Consortium

AT: Final = datetime(2026, 11, 1, 8, tzinfo=UTC)
QUIET: Final = timedelta(seconds=30)


def received(
    site_id: UUID,
    uid: str,
    *,
    study: str = "1.1",
    series: str = "1",
    patient_id: str | None = "P1",
    modality: str | None = "CT",
    content: str = "",
    received_at: datetime = AT,
    quiet: timedelta = QUIET,
) -> ReceivedInstance:
    digest = hashlib.sha256((content or uid).encode()).hexdigest()
    return ReceivedInstance(
        header=InstanceHeader(
            sop_class_uid=Uid("1.2.840.10008.5.1.4.1.1.2"),
            sop_instance_uid=Uid(uid),
            study_instance_uid=Uid(study),
            series_instance_uid=Uid(f"{study}.{series}"),
            transfer_syntax_uid="1.2.840.10008.1.2.1",
            patient_id=patient_id,
            patient_name='O"Brien\\^=王^小明',
            study_date=date(2026, 11, 1),
            modality=modality,
            instance_number=int(uid.rpartition(".")[2]),
            rows=512,
            columns=256,
        ),
        site_id=site_id,
        device_id=None,
        transfer_syntax_uid="1.2.840.10008.1.2.1",
        object_key=f"instances/{digest}",
        object_size=100,
        dataset_sha256=digest,
        dataset_offset=1200,
        pixel_data_offset=5 << 30,
        received_at=received_at,
        quiet=quiet,
    )


def file(database: Database, *batch: ReceivedInstance) -> list[IngestOutcome]:
    with database.transaction() as session:
        return ingest(session, batch)


def filings(outcomes: Sequence[IngestOutcome]) -> list[Filing]:
    return [outcome.filing for outcome in outcomes]


def rows(database: Database, table: type[Any]) -> list[Any]:
    with database.transaction() as session:
        return list(session.scalars(select(table).order_by(table.id)))


def test_a_batch_of_several_studies_is_filed_and_counted(
    database: Database, consortium: Consortium
) -> None:
    east, west = consortium.east.id, consortium.west.id
    batch = [
        received(east, "1.1.1.2", received_at=AT + timedelta(minutes=1)),
        received(west, "1.1.1.2"),
        received(east, "1.1.2.1", series="2", modality="SR"),
        received(east, "1.1.1.1"),
        received(east, "1.2.1.1", study="1.2", modality=None),
        received(east, "1.1.1.1"),
        received(east, "1.1.1.1", content="other"),
    ]
    outcomes = file(database, *batch)
    assert filings(outcomes) == [*[Filing.STORED] * 5, Filing.DUPLICATE, Filing.CONFLICT]
    assert outcomes[5].instance_id == outcomes[3].instance_id == outcomes[6].instance_id
    assert outcomes[6].reason is QuarantineReason.UID_CONFLICT
    assert len(rows(database, Patient)) == 2
    studies = {(one.site_id, one.study_instance_uid): one for one in rows(database, Study)}
    first = studies[east, "1.1"]
    assert (first.series_count, first.instance_count, first.byte_count) == (2, 3, 300)
    assert first.modalities == ["CT", "SR"]
    assert first.last_received_at == AT + timedelta(minutes=1)
    assert studies[east, "1.2"].modalities == []
    assert studies[west, "1.1"].instance_count == 1
    counted = {
        (one.study_id, one.series_instance_uid): (one.instance_count, one.byte_count, one.revision)
        for one in rows(database, Series)
    }
    assert counted[first.id, "1.1.1"] == (2, 200, 2)
    assert counted[first.id, "1.1.2"] == (1, 100, 1)
    instance = next(one for one in rows(database, Instance) if one.id == outcomes[0].instance_id)
    item = batch[0]
    assert (instance.site_id, instance.study_id, instance.device_id) == (east, first.id, None)
    assert (instance.rows, instance.columns, instance.number_of_frames) == (512, 256, None)
    assert (instance.object_key, instance.dataset_sha256) == (item.object_key, item.dataset_sha256)
    assert (instance.pixel_data_offset, instance.dataset_offset) == (5 << 30, 1200)
    assert instance.received_at == item.received_at


def test_what_is_known_changes_nothing(database: Database, consortium: Consortium) -> None:
    batch = [received(consortium.east.id, f"1.1.1.{number}") for number in range(3)]
    file(database, *batch)
    with database.transaction() as session:
        session.execute(update(Study).values(state=StudyState.COMPLETE, quiet_due_at=AT))
    assert filings(file(database, *batch)) == [Filing.DUPLICATE] * 3
    (study,) = rows(database, Study)
    assert (study.state, study.quiet_due_at) == (StudyState.COMPLETE, AT)
    assert (study.instance_count, study.series_count) == (3, 1)
    (series,) = rows(database, Series)
    assert (series.instance_count, series.revision) == (3, 3)


def test_a_late_instance_reopens_its_study_for_the_longest_quiet_time(
    database: Database, consortium: Consortium
) -> None:
    site_id = consortium.east.id
    file(database, received(site_id, "1.1.1.1"))
    with database.transaction() as session:
        session.execute(update(Study).values(state=StudyState.COMPLETE, quiet_due_at=AT))
    before = utc_now()
    file(
        database,
        received(site_id, "1.1.1.2", quiet=timedelta(hours=1), received_at=AT + QUIET),
        received(site_id, "1.1.2.1", series="2", modality="SR", quiet=timedelta(0)),
    )
    (study,) = rows(database, Study)
    assert study.state == StudyState.RECEIVING
    assert study.last_received_at == AT + QUIET
    assert study.quiet_due_at >= before + timedelta(hours=1)
    assert study.modalities == ["CT", "SR"]
    assert (study.series_count, study.instance_count) == (2, 3)


def test_what_is_refused_leaves_nothing_behind(database: Database, consortium: Consortium) -> None:
    site_id = consortium.east.id
    (filed,) = file(database, received(site_id, "1.1.1.1"))
    conflict = IngestOutcome(Filing.CONFLICT, filed.instance_id, QuarantineReason.UID_CONFLICT)
    mismatch = IngestOutcome(Filing.CONFLICT, None, QuarantineReason.PATIENT_MISMATCH)
    outcomes = file(
        database,
        received(site_id, "1.1.1.1", study="1.9", patient_id="P9", content="another study"),
        received(site_id, "1.1.1.1", study="1.8", patient_id=None, content="nobody's"),
        received(site_id, "1.1.1.1", series="7", content="another series", modality="MR"),
        received(site_id, "1.1.1.2", patient_id="P2"),
        received(site_id, "1.1.1.1", patient_id="P2", content="another patient"),
    )
    assert outcomes == [conflict, conflict, conflict, mismatch, conflict]
    assert [one.local_id for one in rows(database, Patient)] == ["P1"]
    (study,) = rows(database, Study)
    assert (study.series_count, study.instance_count, study.modalities) == (1, 1, ["CT"])
    assert [one.series_instance_uid for one in rows(database, Series)] == ["1.1.1"]


def test_one_uid_in_two_studies_of_a_batch_is_filed_once(
    database: Database, consortium: Consortium
) -> None:
    site_id = consortium.east.id
    outcomes = file(
        database,
        received(site_id, "1.1.1.1", study="1.2", content="one"),
        received(site_id, "1.1.1.1", study="1.1", content="two"),
        received(site_id, "1.1.1.2", study="1.2"),
    )
    assert sorted(filings(outcomes)) == [Filing.CONFLICT, Filing.STORED, Filing.STORED]
    assert len(rows(database, Instance)) == 2
    assert sum(one.instance_count for one in rows(database, Study)) == 2


def test_a_study_without_instances_outlives_a_refusal(
    database: Database, consortium: Consortium
) -> None:
    site_id = consortium.east.id
    file(database, received(site_id, "1.1.1.1"))
    with database.transaction() as session:
        # As a study whose instances were removed at the end of their retention.
        session.execute(update(Study).values(instance_count=0))
    file(database, received(site_id, "1.1.1.2", patient_id="P2"))
    assert len(rows(database, Study)) == 1


def test_what_the_caller_has_loaded_is_read_again(
    database: Database, consortium: Consortium
) -> None:
    site_id = consortium.east.id
    file(database, received(site_id, "1.1.1.1"))
    with database.transaction() as session:
        study = session.scalars(select(Study)).one()
        series = session.scalars(select(Series)).one()
        study.study_description = "written before"
        ingest(session, [received(site_id, "1.1.1.2")])
        assert (study.instance_count, series.revision) == (2, 2)
        study.series_count += 5
    (study,) = rows(database, Study)
    assert (study.study_description, study.series_count) == ("written before", 6)
    assert study.instance_count == 2


def test_two_gateways_that_file_parts_of_the_same_studies_count_right(
    database: Database, consortium: Consortium
) -> None:
    site_id = consortium.east.id
    studies = [f"1.{number}" for number in range(1, 7)]
    together = threading.Barrier(2)

    def gateway(part: int) -> None:
        for batch in range(5):
            order = studies if part else studies[::-1]
            items = [
                # The last of each is sent to both of them.
                received(site_id, f"{study}.1.{min(part * 10 + n, 12)}{batch}", study=study)
                for study in order
                for n in range(3)
            ]
            together.wait(20)
            file(database, *items)

    with ThreadPoolExecutor(2) as both:
        list(both.map(gateway, range(2)))
    with database.transaction() as session:
        counts = session.execute(
            select(Study.instance_count, func.count(Instance.id))
            .join(Instance, Instance.study_id == Study.id)
            .group_by(Study.id)
        ).all()
        by_series = session.scalars(select(Series.instance_count)).all()
    assert len(counts) == len(studies)
    assert all(counted == there for counted, there in counts)
    assert sorted(by_series) == sorted(there for _, there in counts)
    assert len(rows(database, Patient)) == 1
