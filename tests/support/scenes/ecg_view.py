"""A patient with two ECGs a year apart, both analysed, and one that was recorded badly."""

import io
from collections.abc import Mapping
from typing import TYPE_CHECKING
from uuid import UUID

import numpy as np
from pydicom import Dataset, dcmread
from sqlalchemy import select

from reading_worklist.ecg.analysis.worker import analyse_study
from reading_worklist.workitems.tables import Workitem
from storage.index.tables import Study
from tests.reading_worklist.dicomweb.conftest import series_of
from tests.support.web import Browser

if TYPE_CHECKING:
    from tests.support.scene import Scene

NOW, BEFORE, NOISY = "DH000301", "DH000150", "DH000302"


def fill(scene: "Scene") -> Mapping[str, str]:
    """Return the ids of the readings; the first is claimed by the writer."""
    for data in (
        _ecg(BEFORE, "E9701", "Chen^GuoHua=陈^国华", "20251103", tenth=1.1),
        _ecg(NOW, "E9701", "Chen^GuoHua=陈^国华", "20261121"),
        _ecg(NOISY, "E9702", "Lin^Fang=林^芳", "20261121", noise=True),
    ):
        assert scene.files.file(data, scene.consortium.east)
    scene.files.complete()
    scene.settle()
    with scene.database.transaction() as session:
        rows = session.execute(
            select(Study.accession_number, Study.id, Workitem.id)
            .join(Workitem, Workitem.study_id == Study.id)
            .where(Study.accession_number.in_((NOW, BEFORE, NOISY)))
        ).all()
    items: dict[str, UUID] = {}
    for accession, study, item in rows:
        assert analyse_study(study, scene.database, scene.objects)
        items[str(accession)] = item
    scene.settle()
    claimed = Browser(scene.app, "writer").post(f"/api/workitems/{items[NOW]}/claim")
    assert claimed.status_code == 200, claimed.text
    return {"ecg-view": str(items[NOW]), "ecg-noisy": str(items[NOISY])}


def _ecg(
    accession: str, local_id: str, name: str, day: str, *, tenth: float = 1.0, noise: bool = False
) -> bytes:
    """The bundled ECG: `tenth` times as fast, or with mains noise in V1 and V4 off."""
    dataset = dcmread(
        io.BytesIO(
            series_of(
                "waveform_ecg.dcm",
                1,
                SpecificCharacterSet="GB18030",
                PatientName=name,
                PatientID=local_id,
                PatientSex="M",
                PatientBirthDate="19610908",
                AccessionNumber=accession,
                StudyDate=day,
                StudyTime="081500",
                AcquisitionDateTime=f"{day}081500",
                StudyDescription="常规心电图",
            )[0]
        )
    )
    group: Dataset = dataset.WaveformSequence[0]
    samples = np.frombuffer(group.WaveformData, dtype="<i2").reshape(
        -1, group.NumberOfWaveformChannels
    )
    if noise:
        samples = samples.copy()
        seconds = np.arange(len(samples)) / float(group.SamplingFrequency)
        samples[:, 6] += (60 * np.sin(2 * np.pi * 50 * seconds)).astype("<i2")
        samples[:, 9] = 0
    at = np.arange(0, len(samples) - 1, tenth)
    whole = np.arange(len(samples))
    samples = np.column_stack([np.interp(at, whole, one) for one in samples.T]).astype("<i2")
    group.NumberOfWaveformSamples = len(samples)
    group.WaveformData = samples.tobytes()
    target = io.BytesIO()
    dataset.save_as(target)
    return target.getvalue()
