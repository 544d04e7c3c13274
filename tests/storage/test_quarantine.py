"""Keeping many broken instances aside at once."""

from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

from sqlalchemy import select

from storage.database import Database
from storage.index.quarantine import Entry, keep_aside, object_key
from storage.index.tables import Quarantine, QuarantineReason
from storage.objects import ObjectStore
from storage.receptions import Origin
from tests.support.seed import Consortium


def test_a_batch_makes_one_entry_for_the_same_bytes_and_loses_none_when_repeated(
    consortium: Consortium, objects: ObjectStore, tmp_path: Path
) -> None:
    database: Database = consortium.database
    origin = Origin(consortium.east.id, consortium.east_device.id, "EAST_CT", "RDC", "127.0.0.1")
    contents = {"a": b"one", "b": b"one", "c": b"two", "d": b"one"}
    entries: dict[Path, Entry] = {}
    for name, content in contents.items():
        path = tmp_path / name
        path.write_bytes(content)
        entries[path] = Entry(
            name,
            origin,
            QuarantineReason.TRUNCATED,
            "cut",
            None,
            content.hex(),
            utc(),
            {},
        )
    nobody = tmp_path / "e"
    nobody.write_bytes(b"one")
    entries[nobody] = Entry("e", None, QuarantineReason.MALFORMED, "cut", None, "", utc(), {})

    def kept() -> list[tuple[str, int, str]]:
        with database.transaction() as session:
            rows = session.scalars(select(Quarantine)).all()
        return sorted(
            (row.dataset_sha256, row.object_size, row.detail.get("times_received", "1"))
            for row in rows
        )

    keep_aside(database, objects, entries, content_type="application/dicom")
    assert kept() == [("", 3, "1"), (b"one".hex(), 3, "3"), (b"two".hex(), 3, "1")]
    assert objects.read(object_key(entries[tmp_path / "a"])) == b"one"
    assert objects.stat(object_key(entries[tmp_path / "b"])) is None
    # The same files after a crash: no entry is made twice.
    one = {tmp_path / "a": entries[tmp_path / "a"], nobody: entries[nobody]}
    keep_aside(database, objects, one, content_type="application/dicom")
    assert kept() == [("", 3, "1"), (b"one".hex(), 3, "3"), (b"two".hex(), 3, "1")]
    # What a person has decided about is open no more: the same bytes make a new entry.
    with database.transaction() as session:
        for row in session.scalars(select(Quarantine)):
            row.resolved_at, row.resolution = utc(), "discard"
    again = tmp_path / "f"
    again.write_bytes(b"one")
    entry = entries[tmp_path / "a"]
    renewed = Entry(str(uuid4()), origin, entry.reason, "cut", None, b"one".hex(), utc(), {})
    keep_aside(database, objects, {again: renewed}, content_type="application/dicom")
    assert len(kept()) == 4


def utc() -> datetime:
    return datetime.now(UTC)
