"""From the rows of an exam to the printed report: every fact on the paper is gathered here."""

import secrets
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from urllib.parse import urljoin
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from reading_worklist.access.scope import Scope
from reading_worklist.modalities import examined
from reading_worklist.patient_age import Age
from reading_worklist.reports.document import (
    Institution,
    PrintedPatient,
    ReportDocument,
    ReportStatus,
)
from reading_worklist.reports.ordered import as_ordered, order_of
from reading_worklist.reports.tables import ReportVersion
from reading_worklist.workitems.tables import Workitem
from storage.clock import utc_now
from storage.index.tables import Instance, Patient, Series, Study
from storage.person_name import display_name
from storage.registry import Device, Organisation, mark_of

# Without letters and digits that are mistaken for each other when read from paper.
_CODE_LETTERS: Final = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"
_CODE_LENGTH: Final = 12


@dataclass(frozen=True, slots=True)
class ReportText:
    """What the writer wrote; paragraphs are separated by line breaks.

    comparison: with earlier exams.
    addendum: what is added to a report that stands; the other texts are that report's then.
    """

    findings: str
    impression: str
    advice: str
    addendum: str = ""
    comparison: str = ""


def new_verification_code() -> str:
    """Return a word of 12 letters (59 bits) by which a report is found from its paper."""
    return "".join(secrets.choice(_CODE_LETTERS) for _ in range(_CODE_LENGTH))


def with_new_code(document: ReportDocument, public_url: str) -> ReportDocument:
    """Return the facts for another piece of paper, which has a word of its own."""
    code = new_verification_code()
    return replace(
        document, verification_code=code, verification_url=_verification_url(public_url, code)
    )


def report_document(
    session: Session,
    scope: Scope,
    item: Workitem,
    text: ReportText,
    *,
    public_url: str,
    time_zone: str,
) -> ReportDocument:
    """Return the report of a workitem as its writer, acting for the centre, would sign it now.

    An ECG's measurements and trace are added by `ecg_block`, which reads objects.
    """
    study = session.get_one(Study, item.study_id)
    patient = session.get_one(Patient, study.patient_id)
    site = session.get_one(Organisation, item.site_id)
    series = session.scalars(
        select(Series)
        .where(Series.study_id == study.id)
        .order_by(Series.series_number.nulls_last(), Series.id)
    ).all()
    on = study.study_date or study.first_received_at.date()
    code = new_verification_code()
    document = ReportDocument(
        status=ReportStatus.FINAL,
        version_number=_next_version(session, item.id),
        modality=_main_modality(study.modalities),
        examining=printed_institution(session, site, study.id),
        diagnosing=printed_institution(
            session, session.get_one(Organisation, scope.organisation_id)
        ),
        patient=PrintedPatient(
            name=display_name(patient.name),
            sex=patient.sex or "",
            age=Age.between(patient.birth_date, on) if patient.birth_date else None,
            local_id=patient.local_id or "",
        ),
        study_instance_uid=study.study_instance_uid,
        verification_code=code,
        verification_url=_verification_url(public_url, code),
        findings=text.findings,
        impression=text.impression,
        advice=text.advice,
        comparison=text.comparison,
        reported_at=utc_now(),
        time_zone=time_zone,
        accession_number=study.accession_number or "",
        requester=display_name(study.referring_physician_name or ""),
        procedure=study.study_description or "",
        body_part=", ".join(
            dict.fromkeys(one.body_part_examined for one in series if one.body_part_examined)
        ),
        laterality=_one_laterality([one.laterality for one in series if one.laterality]),
        device=_device_name(session, study.id),
        performed_at=_performed_at(study, ZoneInfo(time_zone)),
        received_at=study.last_received_at,
        recognition_mark=mark_of(session, site.id, _main_modality(study.modalities), on),
        technique=", ".join(
            dict.fromkeys(one.protocol_name for one in series if one.protocol_name)
        ),
    )
    return as_ordered(document, order_of(session, study.id))


def printed_institution(
    session: Session, organisation: Organisation, study_id: UUID | None = None
) -> Institution:
    """Return an organisation with its branch: that of the device which made a study, or its own."""
    device = None
    if study_id is not None:
        device = session.scalar(
            select(Device)
            .join(Instance, Instance.device_id == Device.id)
            .where(Instance.study_id == study_id, Device.branch != "")
            .order_by(Instance.id)
            .limit(1)
        )
    at = device or organisation
    return Institution(
        name=organisation.name,
        name_en=organisation.name_en,
        branch=at.branch,
        branch_en=at.branch_en,
    )


def _verification_url(public_url: str, code: str) -> str:
    return urljoin(public_url.rstrip("/") + "/", f"verify/{code}")


def _performed_at(study: Study, zone: ZoneInfo) -> datetime | None:
    """Return when the exam was made: the device's wall clock, taken to be of the site's zone."""
    if study.study_date is None or study.study_time is None:
        return None
    return datetime.combine(study.study_date, study.study_time, zone)


def _next_version(session: Session, workitem_id: UUID) -> int:
    numbers = session.scalars(
        select(ReportVersion.number).where(ReportVersion.workitem_id == workitem_id)
    ).all()
    return max(numbers, default=0) + 1


def _main_modality(modalities: list[str]) -> str:
    """Return the modality the title names; results and references beside images do not count."""
    return (examined(modalities) or ["OT"])[0]


def _one_laterality(sides: list[str]) -> str:
    """Return the side when every series that names one names the same, B for both, else nothing."""
    named = set(sides)
    if named == {"L", "R"}:
        return "B"
    return named.pop() if len(named) == 1 else ""


def _device_name(session: Session, study_id: UUID) -> str:
    return (
        session.scalar(
            select(Device.name)
            .join(Instance, Instance.device_id == Device.id)
            .where(Instance.study_id == study_id)
            .order_by(Instance.id)
            .limit(1)
        )
        or ""
    )
