"""An archive with synthetic volumes, and the worker's task over it."""

import io
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

import numpy as np
import pytest
import SimpleITK
from pydicom import Dataset, dcmread, dcmwrite
from pydicom.uid import generate_uid
from sqlalchemy import select

from reading_worklist.volume import service
from reading_worklist.volume.analysis import analyse
from reading_worklist.workitems.service import queue_study
from storage.database import Database
from storage.index.tables import Study
from storage.objects import ObjectStore
from storage.registry import Organisation
from tests.reading_worklist.dicomweb.archive import Archive
from tests.support.seed import Consortium, received


def volume_image(slices: int = 24, *, spacing: float = 2.5) -> SimpleITK.Image:
    """A ball in air with noise, in Hounsfield units."""
    noise = np.random.default_rng(5).normal(0, 8, (slices, 48, 64))
    z, y, x = np.mgrid[0:slices, 0:48, 0:64]
    ball = ((z - slices / 2) / (slices / 2)) ** 2 + ((y - 24) / 20) ** 2 + ((x - 32) / 24) ** 2 < 1
    image = SimpleITK.GetImageFromArray((np.where(ball, 40, -1000) + noise).astype(np.int16))
    image.SetSpacing((0.8, 0.9, spacing))
    image.SetOrigin((-25.6, -21.6, 100.0))
    return image


def slices_of(
    image: SimpleITK.Image, *, modality: str = "CT", **attributes: object
) -> list[Dataset]:
    """The volume as DICOM written by SimpleITK, slice by slice, of one series."""
    study, series = generate_uid(), generate_uid()
    direction = image.GetDirection()
    orientation = [direction[index] for index in (0, 3, 6, 1, 4, 7)]
    made: list[Dataset] = []
    with tempfile.TemporaryDirectory() as directory:
        writer = SimpleITK.ImageFileWriter()
        writer.KeepOriginalImageUIDOn()
        for index in range(image.GetSize()[2]):
            one = image[:, :, index]
            place = image.TransformIndexToPhysicalPoint((0, 0, index))
            tags = {
                "0008|0016": "1.2.840.10008.5.1.4.1.1.2",
                "0008|0018": generate_uid(),
                "0008|0060": modality,
                "0008|0008": "ORIGINAL\\PRIMARY\\AXIAL",
                "0010|0010": "Phantom^Ball",
                "0010|0020": "PH1",
                "0020|000d": study,
                "0020|000e": series,
                "0020|0011": "3",
                "0020|0013": str(index + 1),
                "0020|0032": "\\".join(f"{value:.4f}" for value in place),
                "0020|0037": "\\".join(f"{value:.6f}" for value in orientation),
            }
            for tag, value in tags.items():
                one.SetMetaData(tag, value)
            path = Path(directory) / f"{index}.dcm"
            writer.SetFileName(path)
            writer.Execute(one)
            dataset = dcmread(path)
            for keyword, value in attributes.items():
                setattr(dataset, keyword, value)
            made.append(dataset)
    return made


def part10(dataset: Dataset) -> bytes:
    """The dataset as a file."""
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    stream = io.BytesIO()
    dcmwrite(stream, dataset)
    return stream.getvalue()


@dataclass
class Reading:
    """A centre that receives studies and looks at them."""

    consortium: Consortium
    objects: ObjectStore
    archive: Archive
    workitems: dict[UUID, UUID] = field(default_factory=dict[UUID, UUID])

    @property
    def database(self) -> Database:
        return self.consortium.database

    def receive(self, datasets: Sequence[Dataset], site: Organisation | None = None) -> UUID:
        """File the instances, complete the study and queue it; returns the study's id."""
        for dataset in datasets:
            assert self.archive.file(part10(dataset), site or self.consortium.east)
        self.archive.complete()
        uid = str(datasets[0].StudyInstanceUID)
        with self.database.transaction() as session:
            study = session.scalars(select(Study).where(Study.study_instance_uid == uid)).one()
            item = queue_study(session, received(study))
            service.TASKS.request(session, received(study))
            if item is not None:
                self.workitems[study.id] = item.id
        return study.id

    def look(self, study_id: UUID) -> bool:
        """Do what the analysis worker does."""
        return analyse(study_id, self.database, self.objects)


@pytest.fixture
def reading(consortium: Consortium, objects: ObjectStore) -> Reading:
    return Reading(consortium, objects, Archive(consortium.database, objects))
