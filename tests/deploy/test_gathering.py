"""What the relay asks the database for the gauges."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from deploy.gathering import gather
from storage import metering
from storage.clock import utc_now
from storage.database import Database
from storage.metering.exposition import exposition
from tests.support.seed import Consortium


@pytest.fixture
def counting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    directory = tmp_path / "metrics"
    monkeypatch.setenv(metering.VARIABLE, str(directory))
    metering.enable(directory, "relay")
    yield directory
    metering.disable()


def test_the_worklist_the_messages_and_the_deliveries_are_told_without_a_patient(
    database: Database, consortium: Consortium, counting: Path
) -> None:
    consortium.queued_study(name="Zhang^San")
    with database.transaction() as session:
        gather(session, utc_now())
    text = exposition(counting).decode()
    found = {
        f"{one.name} {' '.join(sorted(one.labels.values()))}".strip(): one.value
        for family in text_string_to_metric_families(text)
        for one in family.samples
    }
    assert found["rdc_workitems QUEUED imaging"] == 1
    assert found["rdc_workitems CLAIMED imaging"] == 0
    assert found["rdc_workitems_overdue imaging"] == 0
    assert found["rdc_deliveries PENDING dicom"] == 0
    assert found["rdc_delivery_oldest_timestamp_seconds dicom"] == 0
    assert found["rdc_gathered_timestamp_seconds"] > 0
    assert found["rdc_database_connections_in_use"] >= 0
    assert "Zhang" not in text
