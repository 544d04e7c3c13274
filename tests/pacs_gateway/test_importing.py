"""DICOM files of a folder on the same road as what devices send."""

from collections import Counter
from pathlib import Path

import pytest
from pydicom.data import get_testdata_file
from sqlalchemy import select

from pacs_gateway.config import GatewayConfig
from pacs_gateway.importing import CALLING_AE_TITLE, FileResult, Importer, Outcome, files_below
from pacs_gateway.rebuilding import Rebuilder
from storage.clock import utc_now
from storage.database import Database
from storage.dicom_header import read_file_meta
from storage.index.tables import Instance, Quarantine
from storage.objects import ObjectKey, ObjectStore
from tests.pacs_gateway.conftest import Site
from tests.pacs_gateway.datasets import pydicom_file, sample
from tests.support.ecg_files import aecg, scp

FILES = ("CT_small.dcm", "JPEG2000.dcm", "waveform_ecg.dcm", "image_dfl.dcm", "rtplan.dcm")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Files of a disc: some below, one without preamble, a DICOMDIR and one that is none."""
    made = tmp_path / "disc"
    (made / "sub").mkdir(parents=True)
    for number, name in enumerate(FILES):
        found = get_testdata_file(name, download=False)
        assert isinstance(found, str)
        (made / "sub" / f"{number}").write_bytes(Path(found).read_bytes())
    (made / "DICOMDIR").write_bytes(b"whatever")
    (made / "bare").write_bytes(sample(SOPInstanceUID="1.2.3.7").encoded)
    (made / "readme.txt").write_text("no DICOM")
    (made / "cut").write_bytes(Path(made / "sub" / "0").read_bytes()[:3000])
    (made / ".hidden").write_bytes(b"x")
    return made


def run(
    folder: Path, tmp_path: Path, database: Database, objects: ObjectStore, site: Site
) -> list[FileResult]:
    config = GatewayConfig("RDC", "127.0.0.1", 0, tmp_path / "import", spool_reserve_bytes=1)
    with Importer(config, database, objects, site.id) as importer:
        return list(importer.run(files_below(folder)))


def counts(results: list[FileResult]) -> Counter[Outcome]:
    return Counter(one.outcome for one in results)


def test_a_folder_is_filed_byte_for_byte_and_again_changes_nothing(
    folder: Path, tmp_path: Path, database: Database, objects: ObjectStore, site: Site
) -> None:
    results = run(folder, tmp_path, database, objects, site)
    assert counts(results) == {Outcome.STORED: 6, Outcome.IGNORED: 1, Outcome.REFUSED: 2}
    reasons = {one.path.name: one.reason for one in results if one.reason}
    assert set(reasons) == {"DICOMDIR", "readme.txt", "cut"}
    with database.transaction() as session:
        rows = session.scalars(select(Instance)).all()
        assert {row.device_id for row in rows} == {None}
        for name in FILES:
            item = pydicom_file(name)
            (row,) = (one for one in rows if one.sop_instance_uid == item.sop_instance_uid)
            key = ObjectKey(row.object_key)
            assert objects.read(key, row.dataset_offset) == item.encoded
            assert CALLING_AE_TITLE.encode() in objects.read(key, 0, row.dataset_offset)
            with objects.open(key) as file:
                assert read_file_meta(file).transfer_syntax_uid == item.transfer_syntax_uid
    again = counts(run(folder, tmp_path, database, objects, site))
    assert again == {Outcome.DUPLICATE: 6, Outcome.IGNORED: 1, Outcome.REFUSED: 2}
    with database.transaction() as session:
        assert len(session.scalars(select(Instance)).all()) == 6
    done = Rebuilder(database, objects, announce_since=utc_now()).run(lambda _done: None)
    assert (done.known, done.without_record, done.refused) == (6, 0, {})


def test_another_version_goes_to_quarantine_and_is_named(
    tmp_path: Path, database: Database, objects: ObjectStore, site: Site
) -> None:
    folder = tmp_path / "disc"
    folder.mkdir()
    first = sample()
    other = sample(SOPInstanceUID=first.sop_instance_uid, SeriesDescription="other")
    (folder / "1").write_bytes(first.encoded)
    (folder / "2").write_bytes(other.encoded)
    results = run(folder, tmp_path, database, objects, site)
    assert [(one.outcome, one.reason) for one in results] == [
        (Outcome.STORED, ""),
        (Outcome.QUARANTINED, "uid_conflict"),
    ]
    with database.transaction() as session:
        assert session.scalars(select(Quarantine.reason)).one() == "uid_conflict"


def test_ecgs_of_other_formats_are_filed_too(
    tmp_path: Path, database: Database, objects: ObjectStore, site: Site
) -> None:
    folder = tmp_path / "ecgs"
    folder.mkdir()
    (folder / "1.scp").write_bytes(scp())
    (folder / "2.xml").write_bytes(aecg(patient_id="0"))
    (folder / "3.scp").write_bytes(scp()[:-99])
    (folder / "4.txt").write_text("nothing")
    outcomes = [Outcome.STORED, Outcome.QUARANTINED, Outcome.QUARANTINED, Outcome.REFUSED]
    found = run(folder, tmp_path, database, objects, site)
    assert [one.outcome for one in found] == outcomes
    again = run(folder, tmp_path, database, objects, site)
    assert [one.outcome for one in again] == [Outcome.DUPLICATE, *outcomes[1:]]
