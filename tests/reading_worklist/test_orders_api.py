"""Orders over HTTP: placed, changed, cancelled, and seen by nobody else."""

from typing import Any

import pytest
from sqlalchemy import select

from storage.audit import AuditRecord
from storage.database import Database
from storage.objects import ObjectStore
from storage.outbox import OutboxMessage
from tests.support.seed import Consortium
from tests.support.web import Browser, application

BODY: dict[str, Any] = {
    "patient_local_id": "P1",
    "patient_name": "张伟",
    "patient_sex": "F",
    "patient_birth_date": "1949-12-31",
    "document_kind": "resident_id",
    "document_number": "110105491231002",
    "visit_type": "emergency",
    "department": "急诊",
    "requester": "孙医师",
    "clinical_diagnosis": "胸痛待查",
    "reason": "排除气胸",
    "priority": "STAT",
    "procedure_code": "DX001",
    "procedure_description": "胸部正位",
    "laterality": "U",
    "steps": [{"modality": "DX", "station_ae_title": "EAST_DR"}],
}


@pytest.fixture
def east(
    consortium: Consortium, objects: ObjectStore, tmp_path_factory: pytest.TempPathFactory
) -> Browser:
    """The doctor of EAST, signed in."""
    app = application(consortium, objects, tmp_path_factory.mktemp("web"), signers=False)
    return Browser(app, "doctor-east")


def other(browser: Browser, login: str) -> Browser:
    return Browser(browser.client.app, login)  # pyright: ignore[reportArgumentType]


def test_a_change_keeps_the_identity_document_that_the_page_cannot_show(east: Browser) -> None:
    named = {**BODY, "patient_name": "Zhang^Wei=张^伟"}
    order = east.post("/api/orders", **named).json()
    assert (order["patient_name"], order["patient_latin_name"]) == ("张伟", "Zhang Wei")
    assert order["patient_name_groups"] == "Zhang^Wei=张^伟"
    path = f"/api/orders/{order['id']}"
    unseen = {key: value for key, value in named.items() if not key.startswith("document_")}
    kept = east.put(path, **{**unseen, "bed": "12", "keep_document": True}).json()
    assert (kept["bed"], kept["document_number"]) == ("12", "110105********002X")
    contradicted = {**unseen, "patient_sex": "M", "keep_document": True}
    assert east.put(path, **contradicted).json()["type"] == "urn:rdc:problem:identity-document"
    assert east.put(path, **unseen).json()["document_number"] is None


def test_an_order_is_placed_changed_and_cancelled(east: Browser, database: Database) -> None:
    placed = east.post("/api/orders", **BODY)
    assert placed.status_code == 201, placed.text
    order = placed.json()
    assert (order["state"], order["priority"], order["source"]) == ("REQUESTED", "STAT", "api")
    assert order["document_number"] == "110105********002X"
    assert order["accession_number"].startswith("R")
    assert order["study_instance_uid"].startswith("2.25.")
    path = f"/api/orders/{order['id']}"

    changed = east.put(path, **{**BODY, "priority": "ROUTINE", "reason": "复查"})
    assert (changed.json()["priority"], changed.json()["reason"]) == ("ROUTINE", "复查")
    assert changed.json()["accession_number"] == order["accession_number"]
    assert east.client.patch(path, json={"state": "CHECKED_IN"}).json()["state"] == "CHECKED_IN"
    assert east.client.patch(path, json={"state": "CANCELLED"}).status_code == 422
    gone = east.client.patch(path, json={"state": "CANCELLED", "reason": "病人离院"})
    assert (gone.json()["state"], gone.json()["cancellation_reason"]) == ("CANCELLED", "病人离院")
    refused = east.put(path, **BODY)
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:rdc:problem:wrong-state")

    with database.transaction() as session:
        actions = session.scalars(
            select(AuditRecord.action)
            .where(AuditRecord.subject_kind == "order", ~AuditRecord.action.endswith(":see"))
            .order_by(AuditRecord.id)
        ).all()
        messages = session.scalars(
            select(OutboxMessage.topic).where(OutboxMessage.topic == "order.changed")
        ).all()
    assert actions == ["order:place", "order:change", "order:check_in", "order:cancel"]
    assert len(messages) == 4


def test_what_contradicts_itself_is_refused(east: Browser) -> None:
    contradictions: list[tuple[dict[str, Any], str]] = [
        ({"document_number": "11010519491231002A"}, "identity-document"),
        ({"patient_sex": "M"}, "identity-document"),
        ({"patient_birth_date": "1950-01-01"}, "identity-document"),
        ({"patient_name": "张\\伟"}, "order-refused"),
        ({"patient_name": "^^"}, "order-refused"),
        ({"steps": []}, "invalid-request"),
        ({"steps": [{"modality": "x-ray"}]}, "invalid-request"),
        ({"unknown": 1}, "invalid-request"),
    ]
    for change, code in contradictions:
        refused = east.post("/api/orders", **{**BODY, **change})
        assert (refused.status_code, refused.json()["type"]) == (422, f"urn:rdc:problem:{code}")
        assert "110105" not in refused.text


def test_a_number_is_given_once_for_each_site(east: Browser) -> None:
    numbered = {**BODY, "accession_number": "A1", "placer_order_number": "P1"}
    assert east.post("/api/orders", **numbered).status_code == 201
    again = east.post("/api/orders", **numbered)
    assert (again.status_code, again.json()["type"]) == (
        409,
        "urn:rdc:problem:order-number-taken",
    )
    assert other(east, "doctor-west").post("/api/orders", **numbered).status_code == 201


def test_nobody_of_another_site_learns_of_an_order(east: Browser) -> None:
    path = f"/api/orders/{east.post('/api/orders', **BODY).json()['id']}"
    west = other(east, "doctor-west")
    assert west.get("/api/orders").json()["total"] == 0
    assert west.get("/api/orders?q=P1").json()["items"] == []
    attempts = [
        west.get(path),
        west.put(path, **BODY),
        west.client.patch(path, json={"state": "CHECKED_IN"}),
    ]
    assert [answer.status_code for answer in attempts] == [404, 404, 404]


def test_the_centre_reads_orders_and_places_none(east: Browser) -> None:
    order = east.post("/api/orders", **BODY).json()
    writer = other(east, "writer")
    assert [one["id"] for one in writer.get("/api/orders?state=REQUESTED").json()["items"]] == [
        order["id"]
    ]
    assert writer.get(f"/api/orders/{order['id']}").status_code == 200
    assert writer.post("/api/orders", **BODY).status_code == 403
    assert writer.put(f"/api/orders/{order['id']}", **BODY).status_code == 403
