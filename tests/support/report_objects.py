"""Versions of a report as objects of their study, without anybody who wrote them."""

import io
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from sqlalchemy import select

from storage.database import Database
from storage.dicom_header import read_header
from storage.index.putting import put_instance
from storage.index.tables import Instance, Study
from storage.objects import ObjectKey, ObjectStore
from storage.receptions import Origin
from storage.report_objects.encapsulated_pdf import ReportFacts, encapsulate
from storage.report_objects.names import ReportObjectKind
from storage.report_objects.service import MadeObject, Version, file
from storage.study_facts import StudyFacts

PDF = b"%PDF-1.7 even"


def file_page(
    database: Database, objects: ObjectStore, study_id: UUID, workitem_id: UUID, number: int
) -> UUID:
    """Issue a version of a report, its page alone, and return the version's id."""
    version_id = uuid4()
    with database.transaction() as session:
        study = session.get_one(Study, study_id)
        first = select(Instance.object_key).where(Instance.study_id == study_id)
        key = ObjectKey(session.scalars(first.order_by(Instance.id).limit(1)).one())
        site_id, modalities = study.site_id, tuple(study.modalities)
    with objects.open(key) as source:
        facts = StudyFacts.of(read_header(source), modalities, None)
    report = ReportFacts(version_id, workitem_id, number, "CT", datetime.now(UTC))
    page = io.BytesIO()
    encapsulate(report, facts, PDF, utc_offset=timedelta()).save_as(page, enforce_file_format=True)
    page.seek(0)
    origin = Origin(site_id, None, "RDC", "RDC", "")
    received = put_instance(objects, origin, read_header(page), page, quiet=timedelta())
    with database.transaction() as session:
        version = Version(version_id, workitem_id, study_id, number)
        file(session, version, [MadeObject(ReportObjectKind.PDF, replace(received, evidence=True))])
    return version_id
