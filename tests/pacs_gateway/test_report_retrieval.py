"""A site without a way in fetches its reports over DICOM: its own, and those that stand."""

import subprocess
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset
from sqlalchemy import select

from pacs_gateway.gateway import Gateway
from storage.database import Database
from storage.index.tables import Study
from storage.messages import ReportFetched
from storage.objects import ObjectStore
from storage.outbox import OutboxMessage
from storage.registry import Device
from storage.report_pulls import ReportPull
from tests.pacs_gateway.conftest import Site
from tests.pacs_gateway.peers import dcmtk
from tests.pacs_gateway.receiver import ENCAPSULATED_PDF, Receiver
from tests.reading_worklist.dicomweb.archive import Archive
from tests.reading_worklist.dicomweb.conftest import series_of
from tests.support.report_objects import PDF, file_page

_CT = "1.2.840.10008.5.1.4.1.1.2"


class Reported:
    """A study of the site and the versions of its report."""

    def __init__(self, database: Database, objects: ObjectStore, site: Site) -> None:
        self.database, self.objects, self.site = database, objects, site
        archive = Archive(database, objects)
        filed = [archive.file(one, site) for one in series_of("CT_small.dcm", 2)]  # pyright: ignore[reportArgumentType] -- a site by its id and code
        assert filed[0] is not None
        self.uid = str(filed[0].header.study_instance_uid)
        with database.transaction() as session:
            self.study_id = session.scalars(
                select(Study.id).where(Study.study_instance_uid == self.uid)
            ).one()
        self.workitem_id = uuid4()

    def issue(self, number: int) -> UUID:
        return file_page(self.database, self.objects, self.study_id, self.workitem_id, number)

    def taken(self) -> list[UUID]:
        """Of which versions a machine has said that it has them."""
        with self.database.transaction() as session:
            stmt = select(ReportPull.report_version_id).where(ReportPull.taken_at.is_not(None))
            return list(session.scalars(stmt.order_by(ReportPull.first_at)))

    def told(self) -> list[UUID]:
        """Of which versions the pages are told so."""
        with self.database.transaction() as session:
            rows = session.scalars(
                select(OutboxMessage.payload)
                .where(OutboxMessage.topic == ReportFetched.topic)
                .order_by(OutboxMessage.created_at)
            )
            return [UUID(one["report_version_id"]) for one in rows]

    def pulls(self) -> list[tuple[UUID, str, str]]:
        with self.database.transaction() as session:
            return [
                (one.report_version_id, one.channel, one.machine)
                for one in session.scalars(select(ReportPull).order_by(ReportPull.first_at))
            ]


@pytest.fixture
def reported(database: Database, objects: ObjectStore, site: Site) -> Reported:
    return Reported(database, objects, site)


def ask(program: str, gateway: Gateway, calling: str, uid: str, *more: str) -> int:
    done = dcmtk(
        program,
        *("-S", "-aet", calling, "-aec", "RDC", *more),
        *("-k", "QueryRetrieveLevel=STUDY", "-k", f"StudyInstanceUID={uid}"),
        "127.0.0.1",
        str(gateway.bound_port),
    )
    assert isinstance(done, subprocess.CompletedProcess)
    return done.returncode


def fetched(gateway: Gateway, calling: str, uid: str, folder: Path) -> dict[str, Dataset]:
    """Get the study with DCMTK's getscu; what came, by SOP class."""
    folder.mkdir()
    ask("getscu", gateway, calling, uid, "-od", str(folder))
    return {one.SOPClassUID: one for one in map(dcmread, folder.iterdir())}


def test_getscu_fetches_the_version_that_stands_and_that_is_known(
    gateway: Gateway, reported: Reported, site: Site, other_site: Site, tmp_path: Path
) -> None:
    first = reported.issue(1)
    came = fetched(gateway, site.ae_title, reported.uid, tmp_path / "first")
    assert set(came) == {_CT, ENCAPSULATED_PDF}
    page = came[ENCAPSULATED_PDF]
    assert page.EncapsulatedDocument[: page.EncapsulatedDocumentLength] == PDF
    assert reported.pulls() == [(first, "dicom", site.ae_title)]
    assert fetched(gateway, other_site.ae_title, reported.uid, tmp_path / "stranger") == {}
    second = reported.issue(2)
    again = fetched(gateway, site.ae_title, reported.uid, tmp_path / "second")
    assert again[ENCAPSULATED_PDF].InstanceNumber == 2
    assert reported.pulls() == [(one, "dicom", site.ae_title) for one in (first, second)]
    assert reported.taken() == reported.told() == [first, second]
    fetched(gateway, site.ae_title, reported.uid, tmp_path / "again")
    assert reported.told() == [first, second]


def test_movescu_brings_it_to_the_sites_pacs(
    gateway: Gateway, reported: Reported, database: Database, site: Site, other_site: Site
) -> None:
    version = reported.issue(1)
    with Receiver(ae_title=site.ae_title, also=_CT) as receiver:
        receiver.statuses = {ENCAPSULATED_PDF: 0xA700}
        with database.transaction() as session:
            device = session.get_one(Device, site.device_id)
            device.listen_host, device.listen_port = "127.0.0.1", receiver.port
        # It has no room for the page: the recall will ask it, and nobody takes it for delivered.
        ask("movescu", gateway, site.ae_title, reported.uid, "-aem", site.ae_title)
        assert (len(reported.pulls()), reported.taken()) == (1, [])
        receiver.statuses = {}
        receiver.received.clear()
        assert ask("movescu", gateway, site.ae_title, reported.uid, "-aem", site.ae_title) == 0
        assert reported.taken() == reported.told() == [version]
        assert {one.SOPClassUID for one in receiver.received} == {_CT, ENCAPSULATED_PDF}
        receiver.received.clear()
        ask("movescu", gateway, other_site.ae_title, reported.uid, "-aem", site.ae_title)
        assert receiver.received == []
    assert reported.pulls() == [(version, "dicom", site.ae_title)]
