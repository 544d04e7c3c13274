"""Rows of the index written directly, for tests of what is asked of it."""

from collections.abc import Sequence
from datetime import date, time
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from storage.clock import utc_now
from storage.index.tables import Instance, Patient, Series, Study, StudyState
from storage.person_name import search_keys

SeriesRows = Sequence[tuple[str, str, Sequence[str]]]


def add_study(
    session: Session,
    site_id: UUID,
    *,
    uid: str,
    patient_id: str | None,
    name: str,
    series: SeriesRows = (),
    study_date: date | None = date(2026, 3, 4),
    study_time: time | None = time(9, 15),
    accession_number: str | None = None,
    **columns: object,
) -> Study:
    """Add a complete study with its patient; `series` are UID, Modality and SOP Instance UIDs."""
    patient = session.scalar(
        select(Patient).where(
            Patient.site_id == site_id,
            Patient.local_id == patient_id,
            Patient.local_id.is_not(None),
        )
    )
    if patient is None:
        patient = Patient(
            site_id=site_id,
            local_id=patient_id,
            name=name,
            name_original=name.encode(),
            name_keys=search_keys(name),
            sex="F",
            birth_date=date(1960, 5, 17),
        )
        session.add(patient)
        session.flush()
    now = utc_now()
    study = Study(
        site_id=site_id,
        patient_id=patient.id,
        study_instance_uid=uid,
        study_date=study_date,
        study_time=study_time,
        accession_number=accession_number,
        modalities=sorted({modality for _, modality, _ in series}),
        state=StudyState.COMPLETE,
        first_received_at=now,
        last_received_at=now,
        quiet_due_at=now,
        series_count=len(series),
        instance_count=sum(len(instances) for _, _, instances in series),
        **columns,
    )
    session.add(study)
    session.flush()
    for number, (series_uid, modality, instances) in enumerate(series, 1):
        row = Series(
            study_id=study.id,
            series_instance_uid=series_uid,
            modality=modality,
            series_number=number,
            instance_count=len(instances),
        )
        session.add(row)
        session.flush()
        for position, instance_uid in enumerate(instances, 1):
            session.add(
                Instance(
                    site_id=site_id,
                    study_id=study.id,
                    series_id=row.id,
                    sop_instance_uid=instance_uid,
                    sop_class_uid="1.2.840.10008.5.1.4.1.1.2",
                    transfer_syntax_uid="1.2.840.10008.1.2.1",
                    instance_number=position,
                    rows=512,
                    columns=512,
                    object_key=f"instances/{instance_uid}",
                    object_size=1,
                    dataset_sha256="0" * 64,
                    dataset_offset=132,
                    received_at=now,
                )
            )
    session.flush()
    return study
