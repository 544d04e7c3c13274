"""The odd records of LUDB, annotated by two cardiologists lead by lead."""

import shutil
from pathlib import Path

import pytest

from reading_worklist.ecg.measurement.measure import measure
from reading_worklist.ecg.scoring.score import score
from reading_worklist.ecg.scoring.wfdb_files import WfdbRecord, read_record, record_headers
from tests.support.peers import require_corpus

# Sinus rhythm, bradycardia, fibrillation, bundle branch block, a pacemaker, extrasystoles.
FEW = ("1", "13", "51", "67", "93", "99", "105", "127", "145", "199")


@pytest.fixture
def ludb() -> Path:
    return require_corpus("ecg", "ludb-odd")


def test_few_records_are_measured_within_the_bounds(ludb: Path, tmp_path: Path) -> None:
    for name in FEW:
        for file in ludb.glob(f"{name}.*"):
            shutil.copy(file, tmp_path)
    found = score(tmp_path)

    assert found.records == len(FEW)
    assert found.beats_missed == 0
    assert found.beats_false == 0
    assert {interval.name: interval.not_measured for interval in found.intervals} == {
        "PR": [],
        "QRS": [],
        "QT": [],
    }
    for interval in found.intervals:
        assert abs(interval.mean_ms) <= 12
        assert interval.within_percent >= 80


@pytest.mark.slow
def test_the_odd_records_are_within_all_bounds(ludb: Path) -> None:
    found = score(ludb)

    assert found.records == 100
    assert found.missed == []
    assert all(len(interval.not_measured) <= 4 for interval in found.intervals)


def fibrillates(record: WfdbRecord) -> bool:
    return any("Atrial fibrillation" in comment for comment in record.comments)


def flutters(record: WfdbRecord) -> bool:
    return any("Atrial flutter" in comment for comment in record.comments)


@pytest.mark.slow
def test_what_looks_like_fibrillation_is_and_no_sinus_rhythm_does(ludb: Path) -> None:
    records = [read_record(header) for header in record_headers(ludb)]
    flagged = {
        record.name
        for record in records
        if measure(record.ecg).rhythm.irregular_without_p and not flutters(record)
    }
    fibrillating = {record.name for record in records if fibrillates(record)}

    assert flagged <= fibrillating
    # 93 and 95 have a pacemaker, which is regular.
    assert flagged == fibrillating - {"93", "95"}
