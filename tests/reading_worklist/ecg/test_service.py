"""Records out of the store: read once, listed in the order in which they were acquired."""

from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from reading_worklist.ecg.queries import EcgInstance
from reading_worklist.ecg.service import (
    RecordCache,
    first_ecg,
    list_ecgs,
    load_record,
)
from storage.ecg.errors import EcgBroken, NotAnEcg
from storage.ecg.leads import Lead
from storage.objects import ObjectKey, ObjectNotFound, ObjectStore, open_object_store
from tests.support.ecg import (
    channel,
    ecg_dataset,
    file_bytes,
    multiplex_group,
    record,
)

SHANGHAI = ZoneInfo("Asia/Shanghai")


def stored(objects: ObjectStore, name: str, **elements: object) -> EcgInstance:
    """An ECG in the store; `elements` are those of its dataset."""
    samples = np.full((50, 1), len(name), dtype="<i2")
    data = file_bytes(ecg_dataset(multiplex_group(samples, [channel(Lead.I)]), **elements))
    key = ObjectKey(f"ecg/{name}.dcm")
    objects.put(key, data)
    return EcgInstance(f"2.25.{len(name)}", None, key)


def broken(objects: ObjectStore) -> EcgInstance:
    key = ObjectKey("ecg/broken.dcm")
    objects.put(key, b"no ECG")
    return EcgInstance("2.25.99", 1, key)


def test_a_record_is_read_once(objects: ObjectStore) -> None:
    instance = stored(objects, "one")
    first = load_record(objects, instance.object_key)
    objects.delete(instance.object_key)
    assert load_record(objects, instance.object_key) is first


def test_two_stores_may_use_the_same_key(objects: ObjectStore, tmp_path: Path) -> None:
    other = open_object_store(f"file://{tmp_path / 'other'}")
    load_record(objects, stored(objects, "one").object_key)
    with pytest.raises(ObjectNotFound):
        load_record(other, ObjectKey("ecg/one.dcm"))


def test_the_cache_keeps_what_was_used_last_within_its_bytes() -> None:
    cache = RecordCache(max_bytes=2 * 8 * 5000)
    records = {name: record({Lead.II: np.zeros(5000)}) for name in "abc"}
    cache.put("a", records["a"])
    cache.put("b", records["b"])
    assert cache.get("a") is records["a"]
    cache.put("c", records["c"])
    assert cache.get("b") is None
    assert cache.get("a") is records["a"]
    assert cache.get("c") is records["c"]
    cache.put("a", records["b"])
    assert cache.get("a") is records["b"]
    assert cache.get("c") is records["c"]


def test_what_exceeds_the_cache_alone_is_not_kept() -> None:
    cache = RecordCache(max_bytes=100)
    cache.put("a", record({Lead.II: np.zeros(5000)}))
    assert cache.get("a") is None


def test_ecgs_are_listed_by_time_of_acquisition(objects: ObjectStore) -> None:
    instances = [
        broken(objects),
        stored(objects, "undated"),
        stored(objects, "later", AcquisitionDateTime="20261120090000"),
        # 08:30 in Shanghai, though it reads like the earliest.
        stored(objects, "utc", AcquisitionDateTime="20261120003000+0000"),
        stored(objects, "early", AcquisitionDateTime="20261120081530"),
    ]
    ecgs = list_ecgs(objects, instances, SHANGHAI)
    names = [ecg.instance.object_key for ecg in ecgs]
    assert names == [f"ecg/{name}.dcm" for name in ("early", "utc", "later", "undated", "broken")]
    assert ecgs[0].acquired_at == datetime(2026, 11, 20, 8, 15, 30, tzinfo=SHANGHAI)
    assert ecgs[1].acquired_at is not None
    assert ecgs[1].acquired_at.utcoffset() == timedelta(0)
    assert isinstance(ecgs[-1].error, EcgBroken | NotAnEcg)


def test_the_first_readable_one_is_chosen(objects: ObjectStore) -> None:
    ecgs = list_ecgs(objects, [broken(objects), stored(objects, "undated")], SHANGHAI)
    chosen, found = first_ecg(objects, ecgs)
    assert chosen.instance.object_key == "ecg/undated.dcm"
    assert found.duration_seconds == 0.1


def test_only_broken_ones_give_their_own_reason(objects: ObjectStore) -> None:
    ecgs = list_ecgs(objects, [broken(objects)], SHANGHAI)
    with pytest.raises(NotAnEcg, match="no waveform"):
        first_ecg(objects, ecgs)


def test_a_study_without_waveforms_says_so(objects: ObjectStore) -> None:
    with pytest.raises(NotAnEcg, match="document"):
        first_ecg(objects, list_ecgs(objects, [], SHANGHAI))


def test_the_samples_of_a_large_object_stay_in_the_store(
    objects: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reading_worklist.ecg.service.IN_MEMORY_BYTES", 10)
    instance = stored(objects, "large")
    record = load_record(objects, instance.object_key)
    found = record.groups[0].channels[0]
    assert record.size_bytes == 0
    np.testing.assert_array_equal(found.microvolts(), np.full(50, len("large")))
    assert load_record(objects, instance.object_key) is record
