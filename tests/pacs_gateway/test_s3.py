"""The same road with the objects in a real S3 store."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pacs_gateway.gateway import Gateway
from storage.database import Database
from storage.index.tables import Instance
from storage.objects import ObjectKey, ObjectStore, open_object_store
from tests.pacs_gateway.conftest import Site, left_in
from tests.pacs_gateway.datasets import sample
from tests.pacs_gateway.test_store import count, drained, quarantined, send, stored_dataset
from tests.support.weed import Weed, running_weed


@pytest.fixture(scope="module")
def weed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Weed]:
    """A SeaweedFS S3 store."""
    with running_weed(tmp_path_factory.mktemp("weed")) as server:
        yield server


@pytest.mark.slow
def test_instances_duplicates_and_conflicts_in_s3(
    start_gateway: Callable[..., Gateway],
    database: Database,
    site: Site,
    weed: Weed,
    tmp_path: Path,
) -> None:
    assert site
    objects: ObjectStore = open_object_store(weed.url("gateway"))
    gateway = start_gateway(objects=objects)
    first = [sample(size=512) for _ in range(8)]
    other = sample(SOPInstanceUID=first[0].sop_instance_uid, SeriesDescription="other")
    assert send(gateway, first) == [0] * 8
    drained(gateway)
    # Another association writes another head before the same dataset.
    assert send(gateway, [*first, other]) == [0] * 9
    drained(gateway)
    assert count(database, Instance) == 8
    for item in first:
        assert stored_dataset(database, objects, item.sop_instance_uid) == item.encoded
    (entry,) = quarantined(database)
    assert entry.reason == "uid_conflict"
    assert objects.read(ObjectKey(entry.object_key)).endswith(other.encoded)
    assert len(list(objects.list("instances/"))) == 9
    assert left_in(tmp_path / "spool") == []


@pytest.mark.slow
def test_an_outage_of_the_store_loses_nothing_and_drains_by_itself(
    start_gateway: Callable[..., Gateway],
    database: Database,
    site: Site,
    tmp_path: Path,
) -> None:
    assert site
    with running_weed(tmp_path / "weed") as weed:
        weed.kill()
        # The gateway starts and acknowledges while the store has never been reached.
        objects = open_object_store(weed.url("outage"))
        gateway = start_gateway(objects=objects)
        items = [sample(size=512) for _ in range(4)]
        assert send(gateway, items) == [0] * 4
        assert gateway.waiting() == 4
        weed.start_again()
        drained(gateway)
        weed.kill()
        later = [sample(size=512) for _ in range(4)]
        assert send(gateway, later) == [0] * 4
        assert gateway.waiting() == 4
        assert count(database, Instance) == 4
        weed.start_again()
        drained(gateway)
        assert count(database, Instance) == 8
        for item in (*items, *later):
            assert stored_dataset(database, objects, item.sop_instance_uid) == item.encoded
        assert left_in(tmp_path / "spool") == []
