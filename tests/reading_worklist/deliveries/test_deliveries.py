"""Deliveries as people see them, and what they decide: one, or all of a destination."""

from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, select, update

from pacs_gateway.returns.engine import create_deliveries
from storage import destination_trials, registry
from storage.audit import AuditRecord
from storage.clock import utc_now
from storage.database import Database
from storage.deliveries import Delivery, DeliveryAttempt, DeliveryState
from storage.destination_trials import DestinationTrial, Finding, Tried
from storage.messages import DeliveryChanged, DestinationChanged, ReportIssued
from storage.objects import ObjectStore
from storage.registry import Destination, Role
from tests.support.desk import Desk
from tests.support.seed import Consortium, password_hash
from tests.support.web import application


@pytest.fixture
def desk(consortium: Consortium, objects: ObjectStore, tmp_path: Path) -> Desk:
    app = application(consortium, objects, tmp_path)
    with consortium.database.transaction() as session:
        registry.add_dicom_destination(session, consortium.east, "EAST_PACS", "10.0.0.1", 104)
        registry.add_dicom_destination(session, consortium.east, "EAST_ARC", "10.0.0.2", 104)
        registry.add_person(
            session,
            "admin",
            "沈系统",
            password_hash(),
            organisation=session.merge(consortium.centre, load=False),
            roles=(Role.SYSTEM_ADMIN,),
        )
    desk = Desk(app, consortium, consortium.queued_study().workitem_id)
    desk.write()
    desk.finalise()
    (issued,) = desk.messages(ReportIssued)
    with consortium.database.transaction() as session:
        create_deliveries(session, issued)
    return desk


def queue_of(desk: Desk, title: str, login: str = "dispatcher") -> dict[str, Any]:
    items = desk(login).get("/api/delivery-queues").json()["items"]
    return next(one for one in items if one["destination"].startswith(title))


def only(desk: Desk, queue: dict[str, Any]) -> dict[str, Any]:
    path = f"/api/deliveries?destination={queue['destination_id']}"
    (one,) = desk("dispatcher").get(path).json()["items"]
    return one


def ended(database: Database, delivery_id: str, state: DeliveryState, error: str | None) -> None:
    """An attempt that ended so, as the engine leaves it."""
    with database.transaction() as session:
        row = session.get_one(Delivery, UUID(delivery_id))
        row.state = DeliveryState.IN_PROGRESS
        session.flush()
        row.state = state
        row.attempts += 1
        row.last_error = error
        if state is DeliveryState.DELIVERED:
            row.delivered_at = utc_now()
        session.add(
            DeliveryAttempt(
                delivery_id=row.id,
                number=row.attempts,
                started_at=utc_now(),
                ended_at=utc_now(),
                succeeded=state is DeliveryState.DELIVERED,
                answer=error,
                request="MSH|^~\\&|… 张伟",
                response="AR",
            )
        )


def test_a_refused_delivery_is_read_and_sent_again_with_reason_and_audit(
    desk: Desk, database: Database
) -> None:
    queue = queue_of(desk, "EAST_PACS")
    assert (queue["waiting"], queue["refused"]) == (1, 0)
    delivery = only(desk, queue)
    assert delivery["actions"] == ["pause", "replay", "redirect"]
    ended(database, delivery["id"], DeliveryState.REFUSED, "C-STORE status A900H")
    assert queue_of(desk, "EAST_PACS")["refused"] == 1
    path = f"/api/deliveries/{delivery['id']}"
    (attempt,) = desk("doctor-east").get(path).json()["attempt_list"]
    assert (attempt["answer"], attempt["response"]) == ("C-STORE status A900H", "AR")
    of_admin = desk("admin").get(path).json()
    assert of_admin["attempt_list"][0]["request"] is None, "it names the patient"
    assert desk("doctor-east").get(path).json()["actions"] == []
    assert desk("doctor-west").get(path).status_code == 404
    assert desk("doctor-east").post(f"{path}/replay", reason="x").status_code == 403
    assert desk("dispatcher").post(f"{path}/replay", reason=" ").status_code == 422
    again = desk("admin").post(f"{path}/replay", reason="接收端已修复")
    assert again.status_code == 200
    assert (again.json()["state"], again.json()["decision_reason"]) == ("PENDING", "接收端已修复")
    assert again.json()["decided_by"] == "沈系统"
    resumed = desk("dispatcher").post(f"{path}/resume", reason="x")
    assert (resumed.status_code, resumed.json()["type"]) == (409, "urn:rdc:problem:delivery-action")
    with database.transaction() as session:
        kept = session.scalars(
            select(AuditRecord).where(AuditRecord.action == "delivery:replay")
        ).one()
    assert kept.detail["reason"] == "接收端已修复"
    assert desk.messages(DeliveryChanged)[-1].state == "PENDING"


def test_what_waits_is_held_and_sent_elsewhere(desk: Desk) -> None:
    delivery = only(desk, queue_of(desk, "EAST_PACS"))
    path = f"/api/deliveries/{delivery['id']}"
    assert desk("dispatcher").post(f"{path}/pause", reason="换机").json()["state"] == "PAUSED"
    other = queue_of(desk, "EAST_ARC")["destination_id"]
    made = desk("dispatcher").post(f"{path}/redirect", reason="换机", destination_id=other)
    assert made.status_code == 200
    assert made.json()["destination_id"] == other
    own = delivery["destination_id"]
    wrong = desk("dispatcher").post(f"{path}/redirect", reason="x", destination_id=own)
    assert wrong.status_code == 409


def test_a_whole_destination_is_paused_resumed_and_gets_all_again_after_an_outage(
    desk: Desk, database: Database
) -> None:
    queue = queue_of(desk, "EAST_PACS")
    path = f"/api/delivery-queues/{queue['destination_id']}"
    assert desk("doctor-east").post(f"{path}/pause", reason="x").status_code == 403
    assert desk("dispatcher").post(f"{path}/pause", reason="院内停网").status_code == 200
    paused = queue_of(desk, "EAST_PACS", "doctor-east")
    assert (paused["paused_by"], paused["pause_reason"]) == ("赵调度", "院内停网")
    assert desk("dispatcher").post(f"{path}/pause", reason="x").status_code == 409
    assert desk("dispatcher").post(f"{path}/resume", reason="已恢复").status_code == 200
    since = utc_now().isoformat()
    delivery = only(desk, queue)
    ended(database, delivery["id"], DeliveryState.DELIVERED, None)
    # What it has is sent again only when somebody says that it lost it.
    assert desk("dispatcher").post(f"{path}/replay", reason="x").json() == {"moved": 0}
    again = desk("dispatcher").post(f"{path}/replay", reason="接收端三天数据丢失", since=since)
    assert again.json() == {"moved": 1}
    assert only(desk, queue)["state"] == "PENDING"
    with database.transaction() as session:
        session.execute(update(Delivery).values(last_error=None))
        changes = session.scalars(
            select(AuditRecord.action).where(AuditRecord.action.startswith("destination:"))
        ).all()
        assert session.scalar(select(func.count()).select_from(Delivery)) == 2
    assert {"destination:pause", "destination:resume", "destination:replay"} <= set(changes)
    assert [one.change for one in desk.messages(DestinationChanged)][:2] == ["pause", "resume"]


def test_a_site_sees_its_own_queues_alone(desk: Desk) -> None:
    seen = desk("doctor-east").get("/api/delivery-queues").json()
    assert len(seen["items"]) == 2
    assert seen["may_act"] is False
    assert desk("doctor-west").get("/api/delivery-queues").json()["items"] == []
    assert desk("doctor-west").get("/api/deliveries").json()["total"] == 0
    path = f"/api/delivery-queues/{seen['items'][0]['destination_id']}/probe"
    assert desk("dispatcher").post(path, reason="x").status_code == 200
    assert desk("writer").get("/api/delivery-queues").status_code == 403


def test_a_destination_is_added_changed_and_switched_off_and_no_file_is_named_on_a_page(
    desk: Desk, database: Database
) -> None:
    admin = desk("admin")
    assert len(admin.get("/api/destinations").json()) == 2
    assert desk("doctor-east").get("/api/destinations").status_code == 403
    body = {"site_code": "EAST", "kind": "hl7", "name": "东河 HIS"}
    wrong = admin.post("/api/destinations", **body, settings={"host": "10.0.0.9"})
    assert wrong.json()["type"] == "urn:rdc:problem:destination-settings"
    assert "port" in wrong.json()["found"]
    settings = {"host": "10.0.0.9", "port": 2575}
    named = admin.post("/api/destinations", **body, settings={**settings, "tls": {"key": "/x"}})
    assert named.status_code == 422
    made = admin.post("/api/destinations", **body, settings=settings).json()
    assert made["label"] == "东河 HIS · 10.0.0.9:2575"
    path = f"/api/destinations/{made['id']}"
    with database.transaction() as session:
        row = session.get_one(Destination, UUID(made["id"]))
        row.settings = {**row.settings, "tls": {"key": "/srv/secret/east.pem"}}
    changed = admin.put(path, name="HIS", settings={**settings, "port": 2576}).json()
    assert (changed["settings"]["port"], changed["files"]) == (2576, ["tls"])
    assert "/srv/secret" not in admin.get("/api/destinations").text
    with database.transaction() as session:
        kept = session.get_one(Destination, UUID(made["id"])).settings
    assert kept["tls"] == {"key": "/srv/secret/east.pem"}
    assert desk("dispatcher").post(f"{path}/active", active=False, reason="x").status_code == 403
    off = admin.post(f"{path}/active", active=False, reason="停用").json()
    assert [one["active"] for one in off] == [True, True, False]
    password = {"url": "https://x.example", "user": "rdc", "password_file": "/etc/shadow"}
    fhir = {**body, "kind": "fhir", "settings": password}
    assert "password_file" in admin.post("/api/destinations", **fhir).json()["title"]
    hook = {**body, "kind": "webhook", "settings": {"url": "https://x.example"}}
    assert admin.post("/api/destinations", **hook).status_code == 422


def test_a_destination_is_tried_and_what_was_found_is_shown_until_it_is_changed(
    desk: Desk,
) -> None:
    admin = desk("admin")
    one = admin.get("/api/destinations").json()[0]
    path = f"/api/destinations/{one['id']}"
    assert one["trial"] is None
    assert desk("dispatcher").post(f"{path}/trial").status_code == 403
    assert admin.post(f"{path}/trial").json()["trial"]["is_running"] is True
    with desk.database.transaction() as session:
        (wanted,) = destination_trials.due(session)
        trial = session.get_one(DestinationTrial, wanted)
        found = Tried(Finding.NOT_KNOWN, "association rejected")
        destination_trials.note(session, wanted, trial.id, found)
    shown = admin.get("/api/destinations").json()[0]["trial"]
    assert (shown["finding"], shown["said"]) == ("not_known", "association rejected")
    assert shown["is_running"] is False
    assert admin.put(path, name="PACS", settings=one["settings"]).json()["trial"] is None


def test_what_a_page_shows_of_a_destination_it_may_send_back(desk: Desk) -> None:
    with desk.database.transaction() as session:
        made = registry.add_destination(
            session,
            session.get_one(registry.Organisation, desk.consortium.east.id),
            registry.DestinationKind.NOTICE,
            {
                "way": "sms",
                "recipients": ["13800000000"],
                "url": "https://sms.example/send",
                "fields": {"mobile": "{recipient}", "content": "{text}"},
                "success": {"Code": "OK"},
            },
        ).id
    admin = desk("admin")
    shown = next(one for one in admin.get("/api/destinations").json() if one["id"] == str(made))
    changed = admin.put(f"/api/destinations/{made}", name="SMS", settings=shown["settings"])
    assert changed.status_code == 200, changed.text
    assert changed.json()["settings"] == shown["settings"]
