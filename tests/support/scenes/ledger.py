"""What the ledger and the deliveries show: destinations in trouble, and a recall nobody answers."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from uuid import uuid4

from sqlalchemy import select, update

from reading_worklist.critical_values.clocks import Step
from reading_worklist.critical_values.tables import CriticalContact
from reading_worklist.reports import acknowledging
from reading_worklist.reports.tables import RecallRecipient, ReportRecall
from reading_worklist.workitems.tables import Workitem
from storage import destination_trials, registry
from storage.clock import utc_now
from storage.deliveries import (
    AttemptOutcome,
    Delivery,
    DeliveryAttempt,
    DeliveryQueue,
    DeliveryState,
    ensure_queue,
)
from storage.destination_trials import Finding, Tried
from storage.registry import Destination, DestinationKind, Role
from tests.support.seed import password_hash

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from tests.support.scene import Scene

_SENT = (
    "MSH|^~\\&|RDC|QSRMYY|HIS|DHZ|20261122141502+0800||ORU^R01^ORU_R01|7f3a|P|2.5.1|||AL|NE\r"
    "PID|1||DH3005^^^EAST^PI||唐小燕^^^^^^L||19710802|F\r"
    "OBR|1|A3005|F3005|CT^胸部CT|||20261122103000+0800|||||||||||||||||RAD|F\r"
    "OBX|1|TX|IMP^影像诊断||右肺上叶结节，建议增强扫描。||||||F"
)
_ANSWERED = (
    "MSH|^~\\&|HIS|DHZ|RDC|QSRMYY|20261122141503||ACK^R01^ACK|9931|P|2.5.1\r"
    "MSA|AR|7f3a\rERR||PID^1^3|204^Unknown key identifier^HL70357|E"
)


def fill(scene: "Scene") -> Mapping[str, str]:
    """A PACS out of reach, a HIS that refuses, a paused one, one that is well, an old recall."""
    now = utc_now()
    with scene.database.transaction() as session:
        centre = session.merge(scene.consortium.centre, load=False)
        registry.add_person(
            session,
            "system",
            "沈系统",
            password_hash(),
            organisation=centre,
            roles=(Role.SYSTEM_ADMIN,),
        )
        _silent(session, now)
        refused = _refuses(session, scene, now)
        _paused_and_well(session, scene, now)
        session.execute(
            update(Workitem)
            .where(Workitem.delivered_at.is_(None), Workitem.opened_at.is_(None))
            .where(Workitem.finalised_at.is_not(None))
            .values(delivery_overdue_at=now)
        )
        recalled = _recalled(session, scene, now)
    return {"refused-delivery": str(refused), "recalled-exam": str(recalled)}


def _silent(session: "Session", now: datetime) -> None:
    """The PACS has been out of reach for three days; it takes nothing."""
    pacs = session.scalars(select(Destination).where(Destination.ae_title == "EAST_PACS")).one()
    ensure_queue(session, pacs.id)
    queue = session.get_one(DeliveryQueue, pacs.id)
    queue.failures = 41
    queue.failing_since = now - timedelta(days=3, hours=2)
    queue.last_success_at = now - timedelta(days=3, hours=3)
    queue.last_error = "no connection to EAST_PACS at 10.8.1.20:104"
    queue.next_attempt_at = now + timedelta(minutes=24)
    session.execute(
        update(Delivery)
        .where(Delivery.destination_id == pacs.id, Delivery.state == DeliveryState.PENDING)
        .values(
            last_error=queue.last_error,
            issued_at=Delivery.issued_at - timedelta(hours=30),
        )
    )


def _refuses(session: "Session", scene: "Scene", now: datetime) -> object:
    """The HIS does not know the patient of one report."""
    his = registry.add_destination(
        session,
        session.merge(scene.consortium.east, load=False),
        DestinationKind.HL7,
        {"host": "10.8.1.31", "port": 2575, "receiving_application": "HIS"},
        name="东河 HIS",
    )
    ensure_queue(session, his.id)
    session.get_one(DeliveryQueue, his.id).last_success_at = now - timedelta(minutes=7)
    like = session.scalars(select(Delivery).order_by(Delivery.issued_at.desc())).first()
    assert like is not None
    row = _copy(like, his.id)
    session.add(row)
    session.flush()
    row.state = DeliveryState.IN_PROGRESS
    session.flush()
    row.state = DeliveryState.REFUSED
    row.attempts = 2
    row.last_error = "acknowledged AR 204 Unknown key identifier (PID-3)"
    session.add_all(
        DeliveryAttempt(
            delivery_id=row.id,
            number=number,
            started_at=now - timedelta(minutes=40 // number),
            ended_at=now - timedelta(minutes=40 // number),
            succeeded=False,
            outcome=outcome,
            answer=answer,
            request=_SENT,
            response=response,
        )
        for number, outcome, answer, response in (
            (1, AttemptOutcome.TRY_AGAIN, "no answer within 30 s", ""),
            (2, AttemptOutcome.REFUSED, row.last_error, _ANSWERED),
        )
    )
    return row.id


def _paused_and_well(session: "Session", scene: "Scene", now: datetime) -> None:
    west = session.merge(scene.consortium.west, load=False)
    paused = registry.add_dicom_destination(session, west, "WEST_PACS", "10.8.2.20", 104)
    ensure_queue(session, paused.id)
    queue = session.get_one(DeliveryQueue, paused.id)
    queue.paused_at = now - timedelta(hours=2)
    queue.paused_by = scene.consortium.people["dispatcher"].id
    queue.pause_reason = "院内 PACS 升级，预计 18:00 完成"
    well = registry.add_destination(
        session,
        west,
        DestinationKind.FHIR,
        {"url": "https://his.xiling.example/fhir"},
        name="西岭区域平台",
    )
    ensure_queue(session, well.id)
    session.get_one(DeliveryQueue, well.id).last_success_at = now - timedelta(minutes=3)
    off = registry.add_dicom_destination(session, west, "WEST_OLD", "10.8.2.9", 11112)
    registry.change_destination(session, off, active=False)
    for one, finding, said in (
        (paused, Finding.NOT_TAKEN, "C-ECHO status 0000H; it does not accept Encapsulated PDF"),
        (well, Finding.WORKS, "FHIR 4.0.1; a transaction without entries: HTTP 200"),
    ):
        trial = destination_trials.ask(session, one.id, None)
        destination_trials.note(session, one.id, trial, Tried(finding, said))


def _recalled(session: "Session", scene: "Scene", now: datetime) -> object:
    """Nobody has acknowledged the recall of an amended report: the clock has told the centre."""
    session.add(
        CriticalContact(
            id=uuid4(),
            site_id=scene.consortium.east.id,
            step=int(Step.SITE_DUTY_HEAD),
            position=90,
            name="冯院长",
            role="值班领导",
            phone="13900001234",
        )
    )
    session.flush()
    for _ in ("the site's head", "the centre"):
        session.execute(
            update(RecallRecipient).where(RecallRecipient.told_at.is_(None)).values(next_at=now)
        )
        acknowledging.run_clock(session, now)
        session.flush()
    return session.scalars(
        select(ReportRecall.workitem_id)
        .join(RecallRecipient, RecallRecipient.report_version_id == ReportRecall.report_version_id)
        .where(RecallRecipient.told_at.is_(None))
        .limit(1)
    ).one()


def _copy(like: Delivery, destination_id: object) -> Delivery:
    return Delivery(
        id=uuid4(),
        report_version_id=like.report_version_id,
        workitem_id=like.workitem_id,
        study_id=like.study_id,
        site_id=like.site_id,
        destination_id=destination_id,
        state=DeliveryState.PENDING,
        sop_instance_uid=like.sop_instance_uid,
        title=like.title,
        version_number=like.version_number,
        pdf_object_key=like.pdf_object_key,
        pdf_sha256=like.pdf_sha256,
        issued_at=like.issued_at,
    )
