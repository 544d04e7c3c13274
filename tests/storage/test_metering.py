"""Counting over several processes, restarts included, and the words that say what is counted."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from storage import metering
from storage.metering.exposition import exposition
from storage.metering.table import METRICS, Kind, describe

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "deploy" / "docs" / "metrics.md"
PROCESS = """
import os, sys
from pathlib import Path
from storage import metering
directory = Path(sys.argv[1])
os.environ[metering.VARIABLE] = str(directory)
metering.enable(directory, sys.argv[2])
metering.count("rdc_dicom_instances_total", "0000", by=3)
metering.count("rdc_dicom_associations_open")
metering.observe("rdc_filing_lag_seconds", 0.2)
metering.put("rdc_outbox_pending", 7)
os._exit(9)  # as if killed: nothing is written at the end
"""


@pytest.fixture
def counting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    directory = tmp_path / "metrics"
    monkeypatch.setenv(metering.VARIABLE, str(directory))
    metering.enable(directory, "test")
    yield directory
    metering.disable()


def samples(directory: Path) -> dict[str, float]:
    return {
        f"{one.name}{sorted(one.labels.values())}": one.value
        for family in text_string_to_metric_families(exposition(directory).decode())
        for one in family.samples
    }


def test_processes_are_added_up_and_a_killed_one_goes_on_where_it_stood(tmp_path: Path) -> None:
    for process in ("gateway-1", "gateway-2", "gateway-1"):
        subprocess.run(
            [sys.executable, "-c", PROCESS, str(tmp_path), process],
            check=False,
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
    found = samples(tmp_path)
    assert found["rdc_dicom_instances_total['0000']"] == 9
    assert found["rdc_filing_lag_seconds_count[]"] == 3
    # What a killed process had open is not open any more when it is there again.
    assert found["rdc_dicom_associations_open[]"] == 2
    assert found["rdc_outbox_pending[]"] == 7
    assert len(list(tmp_path.glob("counter_*.db"))) == 2


def test_every_metric_is_shown_also_before_it_was_counted(counting: Path) -> None:
    text = exposition(counting).decode()
    names = set(re.findall(r"^# TYPE (\S+)", text, re.MULTILINE))
    assert names == set(METRICS)


def test_a_histogram_takes_clocks_that_differ_for_no_time(counting: Path) -> None:
    metering.observe("rdc_turnaround_seconds", -3.0, "ecg")
    assert samples(counting)["rdc_turnaround_seconds_sum['ecg']"] == 0


def test_the_page_of_metrics_is_made_of_the_table() -> None:
    assert describe() in PAGE.read_text(encoding="utf-8"), (
        "write storage.metering.table.describe() into deploy/docs/metrics.md"
    )


def test_every_metric_has_a_meaning_and_is_named_as_prometheus_wants_it() -> None:
    for one in METRICS.values():
        assert one.meaning.endswith("."), one.name
        assert one.name.startswith("rdc_")
        assert (one.kind is Kind.COUNTER) == one.name.endswith("_total"), one.name
        assert (one.kind is Kind.HISTOGRAM) == bool(one.buckets), one.name


def test_every_metric_is_counted_somewhere() -> None:
    sources = "".join(
        path.read_text(encoding="utf-8")
        for room in ("storage", "pacs_gateway", "reading_worklist", "deploy")
        for path in (ROOT / room).rglob("*.py")
        if "node_modules" not in path.parts and path.name != "table.py"
    )
    assert [name for name in METRICS if f'"{name}"' not in sources] == []
    used = set(re.findall(r'"(rdc_[a-z_]+(?:_total|_seconds|_bytes))"', sources))
    assert used <= set(METRICS)
