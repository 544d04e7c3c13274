"""An ECG that meets a rule, and one whose arms look exchanged."""

from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import select

from reading_worklist.critical_values.tables import CriticalValue
from reading_worklist.ecg.analysis.worker import analyse_study
from reading_worklist.workitems.tables import Workitem
from storage.clock import utc_now
from storage.ecg.leads import Lead
from storage.index.tables import Study
from tests.support import heart
from tests.support.web import Browser

if TYPE_CHECKING:
    from tests.support.scene import Scene

ELEVATED, EXCHANGED = "DH000981", "DH000982"


def fill(scene: "Scene") -> Mapping[str, str]:
    """Return the ids of the readings and of the suspicion that the first has opened."""
    ordered = Browser(scene.app, "doctor-east").post(
        "/api/orders",
        patient_local_id="E9811",
        patient_name="马建军",
        patient_sex="M",
        patient_birth_date="1960-05-17",
        accession_number=ELEVATED,
        priority="STAT",
        priority_reason="chest_pain",
        first_contact_at=(utc_now() - timedelta(minutes=7)).isoformat(),
        procedure_description="12导联心电图",
        steps=[{"modality": "ECG"}],
    )
    assert ordered.status_code == 201, ordered.text
    beats = heart.regular(66)
    elevated = heart.beats_at(beats, st={Lead.II: 280.0, Lead.V2: -80.0})
    exchanged = heart.arms_exchanged(heart.beats_at(beats))
    for accession, leads, local_id, name in (
        (ELEVATED, elevated, "E9811", "Ma^JianJun=马^建军"),
        (EXCHANGED, exchanged, "E9812", "Xu^Li=徐^丽"),
    ):
        data = heart.dicom_of(
            leads,
            SpecificCharacterSet="GB18030",
            PatientName=name,
            PatientID=local_id,
            AccessionNumber=accession,
            StudyTime="082000",
            StudyDescription="十二导联心电图",
        )
        assert scene.files.file(data, scene.consortium.east)
    scene.files.complete()
    scene.settle()
    with scene.database.transaction() as session:
        rows = session.execute(
            select(Study.accession_number, Study.id, Workitem.id)
            .join(Workitem, Workitem.study_id == Study.id)
            .where(Study.accession_number.in_((ELEVATED, EXCHANGED)))
        ).all()
    items: dict[str, str] = {}
    for accession, study, item in rows:
        assert analyse_study(study, scene.database, scene.objects)
        items[str(accession)] = str(item)
    scene.settle()
    with scene.database.transaction() as session:
        value = session.scalars(
            select(CriticalValue.id).where(CriticalValue.workitem_id == items[ELEVATED])
        ).one()
    return {
        "ecg-elevated": items[ELEVATED],
        "ecg-exchanged": items[EXCHANGED],
        "ecg-suspected": str(value),
    }
