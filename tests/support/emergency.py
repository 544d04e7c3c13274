"""A chest-pain ECG as its site orders and sends it."""

from datetime import timedelta

from fastapi import FastAPI
from sqlalchemy import select

from reading_worklist.identity import arrival
from reading_worklist.workitems.tables import Workitem
from storage.clock import utc_now
from tests.support.desk import Desk
from tests.support.seed import Consortium, received
from tests.support.web import Browser


def chest_pain_ecg(app: FastAPI, consortium: Consortium, *, minutes_since_contact: float) -> Desk:
    """The STAT order of 王五 of the eastern site, the ECG that answers it, queued; its desk."""
    study = consortium.complete_study(
        modalities=("ECG",), local_id="P900", accession_number="STAT900", name="Wang^Wu=王^五"
    )
    ordered = Browser(app, "doctor-east").post(
        "/api/orders",
        patient_local_id="P900",
        patient_name="王五",
        patient_sex="M",
        patient_birth_date="1960-05-17",
        accession_number="STAT900",
        priority="STAT",
        priority_reason="chest_pain",
        first_contact_at=(utc_now() - timedelta(minutes=minutes_since_contact)).isoformat(),
        procedure_description="12导联心电图",
        steps=[{"modality": "ECG"}],
    )
    assert ordered.status_code == 201, ordered.text
    with consortium.database.transaction() as session:
        arrival.study_received(session, received(study))
        item = session.scalars(select(Workitem.id).where(Workitem.study_id == study.id)).one()
    return Desk(app, consortium, item)
