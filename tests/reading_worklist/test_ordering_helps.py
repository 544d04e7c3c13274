"""What helps to fill an order: known patients, procedures, earlier exams, why it is urgent."""

from datetime import timedelta
from typing import Any

import pytest
from fastapi import FastAPI
from sqlalchemy import select, update

from reading_worklist.identity import arrival
from reading_worklist.workitems.tables import Workitem
from storage.clock import utc_now
from storage.database import Database
from storage.messages import OrderChanged
from storage.objects import ObjectStore
from storage.orders import procedures
from storage.orders.request import LONG_STRING, SHORT_STRING
from storage.orders.tables import Order
from tests.support.seed import Consortium, received
from tests.support.web import Browser, application

BODY: dict[str, Any] = {
    "patient_name": "曾小红",
    "patient_sex": "F",
    "patient_birth_date": "1949-12-31",
    "document_kind": "resident_id",
    "document_number": "11010519491231002X",
    "procedure_code": "CT-CHEST",
    "procedure_description": "胸部CT",
    "body_part": "CHEST",
    "steps": [{"modality": "CT"}],
}


@pytest.fixture
def app(
    consortium: Consortium, objects: ObjectStore, tmp_path_factory: pytest.TempPathFactory
) -> FastAPI:
    return application(consortium, objects, tmp_path_factory.mktemp("web"), signers=False)


@pytest.fixture
def east(app: FastAPI) -> Browser:
    """The doctor of EAST, signed in."""
    return Browser(app, "doctor-east")


def placed(browser: Browser, **values: object) -> dict[str, Any]:
    answer = browser.post("/api/orders", **{**BODY, **values})
    assert answer.status_code == 201, answer.text
    return answer.json()


def test_what_is_shipped_fits_into_what_an_order_can_carry() -> None:
    ours = procedures.shipped()
    assert len({one.code for one in ours}) == len(ours)
    for one in ours:
        assert len(one.code) <= SHORT_STRING
        assert len(one.name) <= LONG_STRING
        assert one.name_en
        assert one.body_part.isupper()


def test_the_list_of_procedures_is_the_consortiums_own(
    app: FastAPI, east: Browser, database: Database, consortium: Consortium
) -> None:
    with database.transaction() as session:
        assert procedures.take_over(session, consortium.root.id) == len(procedures.shipped())
    admin = Browser(app, "head")
    knee = next(one for one in admin.get("/api/procedures").json() if one["code"] == "DX-KNEE")
    code = knee.pop("code")
    assert knee["laterality"] == "required"
    answer = admin.put(f"/api/procedures/{code}", **{**knee, "active": False})
    assert answer.status_code == 200, answer.text
    assert answer.json()[-1]["code"] == code
    own = {**knee, "name": "膝关节负重位", "name_en": "Knee, standing", "position": 3}
    assert admin.put("/api/procedures/DX-KNEE-ST", **own).status_code == 200
    offered = [one["code"] for one in east.get("/api/orders/procedures").json()]
    assert (code in offered, "DX-KNEE-ST" in offered) == (False, True)
    assert east.put("/api/procedures/DX-KNEE-ST", **own).status_code == 403
    assert admin.put("/api/procedures/A%20B", **own).status_code == 422
    assert admin.put("/api/procedures/X", **{**own, "body_part": "knee"}).status_code == 422
    with database.transaction() as session:
        assert procedures.take_over(session, consortium.root.id) == 0, "what was put away stays so"


def test_a_code_alone_says_name_and_body_part_and_a_paired_one_asks_for_the_side(
    east: Browser, database: Database, consortium: Consortium
) -> None:
    with database.transaction() as session:
        procedures.take_over(session, consortium.root.id)
    bare = {"procedure_description": None, "body_part": None}
    order = placed(east, **bare, procedure_code="ct-chest")
    assert (order["procedure_description"], order["body_part"]) == ("胸部CT", "CHEST")
    named = placed(east, procedure_code="CT-CHEST", procedure_description="胸部CT增强")
    assert named["procedure_description"] == "胸部CT增强"
    knee = {**BODY, **bare, "procedure_code": "DX-KNEE", "steps": [{"modality": "DX"}]}
    refused = east.post("/api/orders", **knee)
    assert refused.status_code == 422
    assert "side-missing" in refused.json()["type"]
    assert placed(east, **{**knee, "laterality": "L"})["body_part"] == "KNEE"
    assert placed(east, **bare, procedure_code="ELSE")["body_part"] is None


def test_who_has_no_number_is_given_one_and_keeps_it_by_the_document(east: Browser) -> None:
    first = placed(east)
    assert first["patient_local_id"].startswith("N")
    again = placed(east, document_number="110105491231002", body_part="HEAD")
    assert again["patient_local_id"] == first["patient_local_id"]
    nameless = placed(east, document_kind=None, document_number=None)
    assert nameless["patient_local_id"] != first["patient_local_id"]


def test_patients_are_found_by_document_number_and_any_reading_of_the_name(
    east: Browser, app: FastAPI, database: Database, consortium: Consortium
) -> None:
    order = placed(east, patient_local_id="P7")
    with database.transaction() as session:
        arrival.order_changed(
            session,
            OrderChanged(order_id=order["id"], site_id=consortium.east.id, revision=0),
        )
    consortium.complete_study(local_id="P8", name="Zeng^Li=曾^丽")
    for text, expected in (
        ("11010519491231002X", ["P7"]),
        ("110105491231002", ["P7"]),
        ("P7", ["P7"]),
        ("小红", ["P7"]),
        ("zengxiao", ["P7"]),
        ("cxh", ["P7"]),  # 曾 reads ceng too
        ("zeng", ["P7", "P8"]),
        ("%", []),
        (" ", []),
    ):
        found = east.get(f"/api/orders/patients?q={text}").json()
        assert sorted(one["local_id"] for one in found) == expected, text
    (known,) = east.get("/api/orders/patients?q=P7").json()
    assert known["document_number"] == "110105********002X"
    assert [one["id"] for one in east.get("/api/orders?q=zxh").json()["items"]] == [order["id"]]
    stranger = Browser(app, "doctor-west")
    assert stranger.get("/api/orders/patients?q=zeng").json() == []


def test_the_same_exam_of_the_day_is_told_of_and_reports_of_the_last_weeks(
    east: Browser, app: FastAPI, database: Database, consortium: Consortium
) -> None:
    def earlier(**keys: str) -> dict[str, Any]:
        wanted = {"patient": "P001", "modality": "CT", "body_part": "CHEST", **keys}
        return east.client.get("/api/orders/earlier", params=wanted).json()

    assert earlier() == {"today": [], "recent": []}
    order = placed(east, patient_local_id="P001", accession_number="A001")
    (same,) = earlier()["today"]
    assert (same["order_id"], same["has_report"]) == (order["id"], False)
    assert earlier(modality="DX") == earlier(body_part="HEAD") == {"today": [], "recent": []}
    study = consortium.complete_study()
    with database.transaction() as session:
        arrival.study_received(session, received(study))
        item = session.scalars(select(Workitem.id)).one()
        session.execute(update(Order).values(requested_at=utc_now() - timedelta(days=40)))
        session.execute(update(Workitem).values(finalised_at=utc_now() - timedelta(days=40)))
    found = earlier()
    assert (found["today"], [one["workitem_id"] for one in found["recent"]]) == ([], [str(item)])
    with database.transaction() as session:
        session.execute(update(Order).values(requested_at=utc_now() - timedelta(days=91)))
    assert earlier() == {"today": [], "recent": []}


def test_chest_pain_is_ordered_with_its_first_contact(east: Browser) -> None:
    contact = (utc_now() - timedelta(minutes=4)).isoformat()
    urgent = {"priority": "STAT", "priority_reason": "chest_pain", "contrast": "plain"}
    order = placed(east, **urgent, first_contact_at=contact)
    assert (order["priority_reason"], order["contrast"]) == ("chest_pain", "plain")
    assert order["first_contact_at"][:19] == contact[:19]
    path = f"/api/orders/{order['id']}"
    changed = east.put(path, **{**BODY, **urgent}).json()
    assert (changed["first_contact_at"], changed["patient_local_id"]) == (
        None,
        order["patient_local_id"],
    )
    for wrong in (
        {"priority_reason": "stroke", "first_contact_at": contact},
        {
            "priority_reason": "chest_pain",
            "first_contact_at": (utc_now() + timedelta(hours=1)).isoformat(),
        },
    ):
        refused = east.post("/api/orders", **{**BODY, **wrong})
        assert (refused.status_code, refused.json()["type"]) == (
            422,
            "urn:rdc:problem:order-refused",
        )
