"""One of everything that belongs to a site, by the names that routes have for it."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from fastapi import FastAPI
from sqlalchemy import select
from sqlalchemy.orm import Session

from reading_worklist.keeping.tables import Purge
from reading_worklist.priors.tables import PriorAccess, Purpose
from reading_worklist.reports.tables import ReportVersion
from reading_worklist.retakes.states import RetakeKind, RetakeState
from reading_worklist.retakes.tables import Retake
from reading_worklist.shares.tables import ShareLink
from storage import registry
from storage.clock import utc_now
from storage.deliveries import Delivery
from storage.ecg_files.tables import EcgFile, EcgFileState, EcgFileWay
from storage.identifiers import Uid
from storage.index.tables import Quarantine, QuarantineReason, Series, Study
from storage.messages import ReportIssued
from storage.orders.words import Priority
from storage.registry import Person, Role
from tests.support.desk import Desk
from tests.support.seed import Consortium
from tests.support.web import Browser

_PLAIN = {
    "clock": "ct_mr",
    "priority": "STAT",
    "code": "ABCDEFGHJKLM",
    "encoded": "MAA=",
    "version": "1",
    "day": "2026-11-20",
    "action": "discard",
    "decision": "pause",
    "frames": "1",
    "path": "0",
    "kind": "DiagnosticReport",
    "provider": "county",
    "identity_id": "5f0c8d1e-2b7a-4f7e-9a55-3d2f6c0b1a76",
    "session_id": "5f0c8d1e-2b7a-4f7e-9a55-3d2f6c0b1a80",
    "resource_id": "5f0c8d1e-2b7a-4f7e-9a55-3d2f6c0b1a78",
    "report_version_id": "5f0c8d1e-2b7a-4f7e-9a55-3d2f6c0b1a79",
    "ae_title": "READER",
    "key_image_id": "5f0c8d1e-2b7a-4f7e-9a55-3d2f6c0b1a77",
}
"""What is the same for everybody, or a word of the asker's own."""


def owned(app: FastAPI, consortium: Consortium) -> dict[str, str]:
    """Identifiers of things of the site EAST and its centre, by path parameter.

    People `our-<role>` are there already, and doctors have their keys.
    """
    desk = Desk(app, consortium, consortium.queued_study(local_id="P-EAST").workitem_id)
    with consortium.database.transaction() as session:
        destination = registry.add_dicom_destination(
            session, consortium.east, "EAST_PACS", "10.0.0.1", 104
        )
        expert = session.scalars(
            select(Person.id).where(Person.login == f"our-{Role.EXPERT}")
        ).one()
    made = _by_people(app, consortium, desk, expert)
    made["destination_id"] = str(destination.id)
    desk.write()
    desk.finalise()
    desk.deliver(desk.messages(ReportIssued)[-1])
    with consortium.database.transaction() as session:
        made |= _by_machines(session, consortium, desk.id, UUID(made["order_id"]))
    return _PLAIN | made


def _by_people(app: FastAPI, consortium: Consortium, desk: Desk, expert: UUID) -> dict[str, str]:
    """What people make over HTTP."""
    technician, writer, dispatcher, admin = (
        Browser(app, f"our-{role}")
        for role in (
            Role.SITE_TECHNICIAN,
            Role.WRITER,
            Role.DISPATCHER,
            Role.CONSORTIUM_ADMIN,
        )
    )
    item = desk.path
    now = utc_now()
    order = technician.post(
        "/api/orders",
        patient_name="Zhang^Wei=张^伟",
        patient_local_id="P-EAST2",
        accession_number="A-EAST2",
        procedure_description="胸部CT",
        steps=[{"modality": "CT"}],
    )
    admin.put("/api/reading-groups/ABCDEFGHJKLM", name="胸组", name_en="Chest", lane="imaging")
    duty = dispatcher.post(
        "/api/roster",
        person_id=str(expert),
        lane="imaging",
        starts_at=now.isoformat(),
        ends_at=(now + timedelta(hours=8)).isoformat(),
    )
    agreement = admin.post(
        "/api/agreements",
        service="priors",
        provider="EAST",
        client="WEST",
        valid_from="2026-01-01",
        document="x",
    )
    period = admin.post(
        "/api/single-signatures",
        valid_from=str(now.date()),
        valid_until=str((now + timedelta(days=9)).date()),
        basis="x",
    )
    mark = {
        "site_code": "EAST",
        "modality": "CT",
        "mark": "HR",
        "basis": "x",
        "valid_from": "2026-01-01",
    }
    question = {
        "invitee_id": str(expert),
        "urgency": "routine",
        "reason": "疑难",
        "purpose": "性质",
        "summary": "咳嗽",
        "specialty": "胸部影像",
        "consent_basis": "consent",
        "consent_note": "同意",
    }
    expertise = {
        "specialty": "胸部影像",
        "title": "主任医师",
        "licence_number": "110320000000001",
        "practising_since": "2010-01-01",
    }
    admin.put(f"/api/experts/{expert}", **expertise)
    template = {"title": "胸部", "modalities": ["CT"], "findings": "x", "impression": "y"}
    answers: dict[str, Any] = {
        "order_id": order,
        "duty_id": duty.json()[0],
        "agreement_id": agreement.json()[0],
        "period_id": period.json()[0],
        "mark_id": admin.post("/api/recognition-marks", **mark),
        "view_id": writer.post("/api/worklist/views", name="mine", filter={}),
        "snippet_id": writer.post("/api/snippets", shortcut="xx", text="x"),
        "template_id": admin.post("/api/templates", **template),
        "value_id": writer.post(f"{item}/critical-values", finding="脑疝"),
        "consultation_id": writer.post(f"{item}/consultations", **question),
        "hold_id": admin.post(
            "/api/keeping/holds", patient_id=_patient(consortium, desk), reason="法院函"
        ),
        "case_id": dispatcher.post(
            "/api/identity/cases",
            workitem_id=str(consortium.queued_study(local_id="P-EAST3").workitem_id),
            reason="x",
        ),
    }
    made = {"workitem_id": str(desk.id), "exam_id": str(desk.id), "reading_id": str(desk.id)}
    made |= {"person_id": str(expert), "uid": Uid.from_uuid(desk.id), "site_code": "EAST"}
    for name, answer in answers.items():
        body = answer if isinstance(answer, dict) else answer.json()
        body = body.get("items", body) if isinstance(body, dict) else body
        body = body[0] if isinstance(body, list) else body
        assert "id" in body, f"{name}: {body}"
        made[name] = str(body["id"])
    return made


def _patient(consortium: Consortium, desk: Desk) -> str:
    with consortium.database.transaction() as session:
        study = session.get_one(Study, desk.item().study_id)
        return str(study.patient_id)


def _by_machines(
    session: Session, consortium: Consortium, workitem_id: UUID, order_id: UUID
) -> dict[str, str]:
    """What devices and the centre's own machines make, and a proposed purge."""
    study = session.scalars(select(Study).where(Study.site_id == consortium.east.id)).first()
    assert study is not None
    entry = Quarantine(
        site_id=consortium.east.id,
        device_id=consortium.east_device.id,
        calling_ae_title="EAST_CT",
        peer_address="10.0.0.1",
        reason=QuarantineReason.UID_CONFLICT,
        object_key="quarantine/none",
        object_size=1,
        dataset_sha256="0" * 64,
        received_at=utc_now(),
    )
    purge = Purge(site_id=consortium.east.id, reason="x", proposed_by=consortium.people["head"].id)
    series = Series(study_id=study.id, series_instance_uid="1.2.3.4.5", modality="CT")
    retake = Retake(
        site_id=consortium.east.id,
        workitem_id=workitem_id,
        study_id=study.id,
        order_id=order_id,
        kind=RetakeKind.RETAKE,
        state=RetakeState.REQUESTED,
        priority=Priority.ROUTINE,
        reason="x",
        requested_by=consortium.people["reviewer"].id,
        requested_at=utc_now(),
    )
    file = EcgFile(
        site_id=consortium.east.id,
        sha256="0" * 64,
        size=1,
        object_key="ecg-files/none",
        file_name="ecg",
        way=EcgFileWay.MACHINE,
        client="10.0.0.1",
        state=EcgFileState.FILED,
        study_instance_uid=study.study_instance_uid,
        sop_instance_uid="1.2.3.4.5.6",
    )
    access = PriorAccess(
        workitem_id=workitem_id,
        patient_id=study.patient_id,
        person_id=consortium.people["writer"].id,
        organisation_id=consortium.centre.id,
        purpose=Purpose.EMERGENCY,
        note="x",
        in_emergency=True,
        until=utc_now() + timedelta(hours=1),
    )
    share = ShareLink(
        workitem_id=workitem_id,
        study_id=study.id,
        site_id=consortium.east.id,
        token_sha256="0" * 64,
        recipient="x",
        basis="x",
        with_report=True,
        made_by=consortium.people["writer"].id,
        made_for=consortium.centre.id,
        expires_at=utc_now() + timedelta(hours=1),
    )
    session.add_all([entry, purge, series, retake, file, access, share])
    session.flush()
    version = session.scalars(select(ReportVersion.id)).first()
    return {
        "entry_id": str(entry.id),
        "purge_id": str(purge.id),
        "access_id": str(access.id),
        "share_id": str(share.id),
        "token_id": str(registry.issue_token(session, consortium.east, "HIS").row.id),
        "retake_id": str(retake.id),
        "version_id": str(version),
        "recall_id": str(version),
        "delivery_id": str(session.scalars(select(Delivery.id)).one()),
        "site_id": str(consortium.east.id),
        "study_id": str(study.id),
        "study": study.study_instance_uid,
        "series": series.series_instance_uid,
        "instance": "1.2.3.4.5.6",
        "sop_instance_uid": "1.2.3.4.5.6",
        "file_id": str(file.id),
        "series_id": str(series.id),
    }
