"""Watched folders: only whole files are taken, each ends beside the words of what became of it."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from pacs_gateway.config import EcgIntakeConfig
from pacs_gateway.ecg_intake.engine import attempt, due
from pacs_gateway.ecg_intake.folders import WatchedFolder
from pacs_gateway.ecg_intake.workshop import Workshop
from storage.database import Database
from storage.ecg_files.tables import EcgFile, EcgFileState
from storage.objects import ObjectStore
from storage.registry import Device
from tests.support.ecg_files import aecg, scp
from tests.support.seed import Consortium


@pytest.fixture(scope="module")
def workshop() -> Iterator[Workshop]:
    with Workshop() as shop:
        yield shop


class Folder:
    def __init__(
        self, database: Database, objects: ObjectStore, workshop: Workshop, path: Path
    ) -> None:
        self.path = path / "in"
        self.now = 0.0
        self._database = database
        self._objects = objects
        self._workshop = workshop
        self._config = EcgIntakeConfig("RDC", path / "scratch")
        self.watched = self.watch()

    def watch(self, whose: str = "EAST") -> WatchedFolder:
        return WatchedFolder(
            whose,
            self.path,
            self._database,
            self._objects,
            settle_seconds=2.0,
            clock=lambda: self.now,
        )

    def pass_by(self) -> None:
        """Look, let the settling time pass, look again, take in, look once more."""
        self.watched.look()
        self.now += 3
        self.watched.look()
        with self._database.transaction() as session:
            waiting = due(session, 100)
        for file_id in waiting:
            attempt(file_id, self._database, self._objects, self._config, self._workshop)
        self.watched.look()

    def names(self, folder: str) -> list[str]:
        return sorted(path.name for path in (self.path / folder).iterdir())


@pytest.fixture
def folder(
    database: Database,
    objects: ObjectStore,
    consortium: Consortium,
    workshop: Workshop,
    tmp_path: Path,
) -> Folder:
    made = Folder(database, objects, workshop, tmp_path)
    made.watched.look()
    return made


def test_files_are_put_away_with_their_result(folder: Folder) -> None:
    (folder.path / "good.scp").write_bytes(scp())
    (folder.path / "nobody.xml").write_bytes(aecg(patient_id="0"))
    (folder.path / "bad.scp").write_bytes(scp()[:-99])
    (folder.path / "half.scp.part").write_bytes(scp())
    (folder.path / "elsewhere.scp").symlink_to("/etc/passwd")
    folder.pass_by()
    assert folder.names("done") == [
        "good.scp",
        "good.scp.txt",
        "nobody.xml",
        "nobody.xml.txt",
    ]
    assert folder.names("refused") == ["bad.scp", "bad.scp.txt"]
    assert "remedy:" in (folder.path / "refused" / "bad.scp.txt").read_text()
    assert "portal" in (folder.path / "done" / "nobody.xml.txt").read_text()
    left = {path.name for path in folder.path.iterdir() if not path.is_dir()}
    assert left == {"half.scp.part", "elsewhere.scp"}
    # The same file under the same name again is known, and overwrites nothing.
    (folder.path / "good.scp").write_bytes(scp())
    folder.pass_by()
    assert "good (2).scp" in folder.names("done")


def test_a_file_that_still_grows_is_left(folder: Folder, database: Database) -> None:
    path = folder.path / "slow.scp"
    content = scp()
    path.write_bytes(content[:5000])
    for _ in range(3):
        folder.watched.look()
        folder.now += 1.5
        with path.open("ab") as file:
            file.write(b"more")
        os.utime(path, ns=(int(folder.now * 1e9), int(folder.now * 1e9)))
    assert path.exists()
    path.write_bytes(content)
    folder.pass_by()
    assert not path.exists()
    with database.transaction() as session:
        assert session.scalars(select(EcgFile.state)).all() == [EcgFileState.FILED]


def test_what_was_taken_before_a_crash_is_taken_in_after_it(folder: Folder) -> None:
    (folder.path / "good.scp").write_bytes(scp())
    folder.watched.look()
    folder.now += 3
    folder.watched.look()
    assert folder.names(".taken") == ["good.scp"]
    folder.watched = folder.watch()
    folder.pass_by()
    assert folder.names("done") == ["good.scp", "good.scp.txt"]


@pytest.mark.parametrize(
    ("whose", "device"), [("EAST/EAST_CT", "EAST_CT"), ("WEST/EAST_CT", None), ("EAST/NONE", None)]
)
def test_the_folder_of_a_device_names_it_and_that_of_no_device_takes_nothing(
    folder: Folder, database: Database, whose: str, device: str | None
) -> None:
    folder.watched = folder.watch(whose)
    (folder.path / "good.scp").write_bytes(scp())
    folder.pass_by()
    with database.transaction() as session:
        senders = session.scalars(
            select(Device.ae_title).join(EcgFile, EcgFile.device_id == Device.id)
        ).all()
    assert senders == ([device] if device else [])
    # What nobody takes in stays where it is found again once the folder's name is right.
    assert folder.names(".taken") == ([] if device else ["good.scp"])
