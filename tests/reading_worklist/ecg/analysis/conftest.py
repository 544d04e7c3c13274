"""A centre that receives ECGs and analyses them."""

from dataclasses import dataclass, field
from uuid import UUID

import pytest
from pydicom import dcmread
from pydicom.filebase import DicomBytesIO
from sqlalchemy import select

from reading_worklist.ecg.analysis.tables import EcgAnalysis
from reading_worklist.ecg.analysis.worker import analyse_study
from reading_worklist.tasks import HANDLERS
from reading_worklist.workitems.tables import Workitem
from storage.database import Database
from storage.index.tables import Study
from storage.messages import StudyReceived
from storage.objects import ObjectStore
from storage.registry import Organisation
from tests.reading_worklist.dicomweb.archive import Archive
from tests.support.seed import Consortium, received


@dataclass
class EcgCentre:
    """What arrives here goes the whole way of a study."""

    consortium: Consortium
    objects: ObjectStore
    archive: Archive
    workitems: dict[UUID, UUID] = field(default_factory=dict[UUID, UUID])

    @property
    def database(self) -> Database:
        return self.consortium.database

    def receive(self, *files: bytes, site: Organisation | None = None) -> UUID:
        """File the instances, complete the study and handle the message; returns its id."""
        for data in files:
            assert self.archive.file(data, site or self.consortium.east)
        self.archive.complete()
        uid = str(dcmread(DicomBytesIO(files[0])).StudyInstanceUID)
        with self.database.transaction() as session:
            study = session.scalars(select(Study).where(Study.study_instance_uid == uid)).one()
            HANDLERS[StudyReceived](session, received(study))
        return study.id

    def analyse(self, study_id: UUID) -> bool:
        """Do what the ECG worker does."""
        return analyse_study(study_id, self.database, self.objects)

    def arrived(self, *files: bytes) -> UUID:
        """Receive and analyse; returns the study's id."""
        study_id = self.receive(*files)
        assert self.analyse(study_id)
        return study_id

    def analyses(self, study_id: UUID) -> list[EcgAnalysis]:
        with self.database.transaction() as session:
            return list(
                session.scalars(
                    select(EcgAnalysis)
                    .where(EcgAnalysis.study_id == study_id)
                    .order_by(EcgAnalysis.analysed_at, EcgAnalysis.instance_id)
                )
            )

    def workitem(self, study_id: UUID) -> Workitem:
        with self.database.transaction() as session:
            return session.scalars(select(Workitem).where(Workitem.study_id == study_id)).one()


@pytest.fixture
def centre(consortium: Consortium, objects: ObjectStore) -> EcgCentre:
    return EcgCentre(consortium, objects, Archive(consortium.database, objects))
