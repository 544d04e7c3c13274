"""A study comes; its header is held against what was ordered; the desk decides and takes back."""

from datetime import date
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from reading_worklist.identity import arrival
from reading_worklist.workitems.states import State
from reading_worklist.workitems.tables import Workitem
from storage import registry
from storage.audit import AuditRecord
from storage.database import Database
from storage.identity.overlay import overlay_of
from storage.index.tables import Patient, Study
from storage.messages import OrderChanged
from storage.objects import ObjectStore
from storage.orders.states import ExamState
from storage.orders.tables import Order, StudyOrder
from storage.orders.words import DocumentKind, MatchedBy, OrderSource, Priority
from tests.support.orders import order_request, placed
from tests.support.seed import Consortium, password_hash, received
from tests.support.web import Browser, application


@pytest.fixture
def desk(
    consortium: Consortium, objects: ObjectStore, tmp_path_factory: pytest.TempPathFactory
) -> Browser:
    """The dispatcher, signed in."""
    app = application(consortium, objects, tmp_path_factory.mktemp("web"), signers=False)
    return Browser(app, "dispatcher")


def arrive(consortium: Consortium, *, generation: int = 1, **study: Any) -> Study:  # noqa: ANN401 -- passed on
    """A study that is complete and has been taken over."""
    made = study.pop("again", None) or consortium.complete_study(**study)
    with consortium.database.transaction() as session:
        message = received(made).model_copy(update={"generation": generation})
        arrival.study_received(session, message)
        # The second time changes nothing.
        arrival.study_received(session, message)
    return made


def standing(database: Database, study: Study) -> tuple[State, ExamState, OrderSource]:
    with database.transaction() as session:
        item = session.scalars(select(Workitem).where(Workitem.study_id == study.id)).one()
        order = session.scalars(
            select(Order).join(StudyOrder).where(StudyOrder.study_id == study.id)
        ).one()
        return item.state, order.state, order.source


def order_state(database: Database, order: Order) -> ExamState:
    with database.transaction() as session:
        return session.get_one(Order, order.id).state


def only_case(desk: Browser) -> dict[str, Any]:
    page = desk.get("/api/identity/cases").json()
    assert page["open"] == page["total"] == len(page["items"]) == 1, page
    return page["items"][0]


def patient_of(database: Database, study: Study) -> Patient:
    with database.transaction() as session:
        return session.scalars(
            select(Patient).join(Study, Study.patient_id == Patient.id).where(Study.id == study.id)
        ).one()


@pytest.mark.parametrize(
    ("order", "matched_by"),
    [
        ({"accession_number": "A001"}, MatchedBy.ACCESSION_NUMBER),
        ({"accession_number": "OTHER"}, MatchedBy.PATIENT),
    ],
)
def test_a_study_that_agrees_with_its_order_is_queued_with_its_priority(
    database: Database,
    consortium: Consortium,
    desk: Browser,
    order: dict[str, Any],
    matched_by: MatchedBy,
) -> None:
    placed(database, order_request(consortium.east, priority=Priority.STAT, **order))
    study = arrive(consortium)
    assert standing(database, study) == (State.QUEUED, ExamState.QUEUED, OrderSource.API)
    with database.transaction() as session:
        assert session.get_one(StudyOrder, study.id).matched_by is matched_by
        assert session.scalars(select(Workitem)).one().priority is Priority.STAT
    assert desk.get("/api/identity/cases").json()["items"] == []


def test_a_study_without_an_order_gets_one_from_its_header(
    database: Database, consortium: Consortium
) -> None:
    study = arrive(consortium)
    assert standing(database, study) == (State.QUEUED, ExamState.QUEUED, OrderSource.HEADER)


@pytest.mark.parametrize("local_id", [None, "P001"])
def test_a_study_is_not_given_to_another_sites_order(
    database: Database, consortium: Consortium, local_id: str | None
) -> None:
    order = placed(database, order_request(consortium.west, accession_number="A001"))
    study = arrive(consortium, local_id=local_id)
    assert standing(database, study)[2] is OrderSource.HEADER
    assert order_state(database, order) is ExamState.REQUESTED


@pytest.mark.parametrize(
    ("ordered", "differences"),
    [
        ({"patient_name": "李娜"}, {("name", "different")}),
        ({"patient_sex": "F"}, {("sex", "different")}),
        ({"patient_birth_date": date(1960, 5, 18)}, {("birth_date", "different")}),
        ({"patient_local_id": "P002"}, {("patient_id", "different")}),
        (
            {"document_kind": DocumentKind.RESIDENT_ID, "document_number": "11010519491231002X"},
            {("document", "flawed")},
        ),
    ],
)
def test_a_mismatch_is_held_and_nobody_can_claim_it(
    database: Database,
    consortium: Consortium,
    desk: Browser,
    ordered: dict[str, Any],
    differences: set[tuple[str, str]],
) -> None:
    placed(
        database,
        order_request(consortium.east, accession_number="A001", priority=Priority.STAT, **ordered),
    )
    study = arrive(consortium)
    assert standing(database, study) == (State.HELD, ExamState.IDENTITY_HOLD, OrderSource.API)
    case = only_case(desk)
    assert {(d["attribute"], d["finding"]) for d in case["differences"]} == differences
    assert case["priority"] == "STAT"
    claimed = Browser(desk.client.app, "writer").post(f"/api/workitems/{case['workitem_id']}/claim")  # pyright: ignore[reportArgumentType]
    assert (claimed.status_code, claimed.json()["type"]) == (409, "urn:rdc:problem:wrong-state")


def test_a_missing_patient_id_does_not_agree_with_an_order(
    database: Database, consortium: Consortium, desk: Browser
) -> None:
    placed(database, order_request(consortium.east, accession_number="A001"))
    arrive(consortium, local_id=None)
    assert [(d["attribute"], d["finding"]) for d in only_case(desk)["differences"]] == [
        ("patient_id", "missing")
    ]


def test_a_stat_case_is_due_in_ten_minutes_and_comes_first(
    database: Database, consortium: Consortium, desk: Browser
) -> None:
    for number, priority in enumerate((Priority.ROUTINE, Priority.STAT)):
        placed(
            database,
            order_request(
                consortium.east,
                accession_number=f"A{number}",
                patient_name="李娜",
                priority=priority,
            ),
        )
        arrive(consortium, accession_number=f"A{number}")
    items = desk.get("/api/identity/cases").json()["items"]
    assert [item["priority"] for item in items] == ["STAT", "ROUTINE"]


def test_linking_gives_the_study_to_the_orders_patient_and_undo_takes_it_back(
    database: Database, consortium: Consortium, desk: Browser
) -> None:
    ordered = placed(
        database,
        order_request(
            consortium.east,
            accession_number="A001",
            patient_local_id="P777",
            patient_name="Li^Na=李^娜",
            patient_sex="F",
        ),
    )
    study = arrive(consortium)
    before = patient_of(database, study)
    case = only_case(desk)
    shown = desk.get(f"/api/identity/cases/{case['id']}").json()
    assert (shown["can_decide"], shown["can_undo"]) == (True, False)
    rows = {row["attribute"]: row for row in shown["rows"]}
    assert (rows["name"]["ordered"], rows["name"]["header"]) == (
        "李娜 Li Na",
        "张伟 Zhang Wei",
    )
    assert rows["accession_number"]["agrees"] is True

    linked = desk.post(
        f"/api/identity/cases/{case['id']}/link", order_id=str(ordered.id), reason="技师选错病人"
    )
    assert linked.status_code == 200, linked.text
    assert (linked.json()["state"], linked.json()["can_undo"]) == ("DECIDED", True)
    assert standing(database, study) == (State.QUEUED, ExamState.QUEUED, OrderSource.API)
    after = patient_of(database, study)
    assert (after.local_id, after.sex) == ("P777", "F")
    with database.transaction() as session:
        kept = session.get_one(Study, study.id)
        assert (kept.header_patient_id, kept.header_patient_name) == ("P001", "Zhang^Wei=张^伟")
        laid = overlay_of(session, kept.id)
        assert laid is not None
        assert {**laid.attributes} == {
            "PatientID": "P777",
            "PatientName": "Li^Na=李^娜",
            "PatientSex": "F",
            "PatientBirthDate": "19600517",
        }

    undone = desk.post(f"/api/identity/cases/{case['id']}/undo", reason="再核实")
    assert undone.status_code == 200, undone.text
    assert standing(database, study) == (State.HELD, ExamState.IDENTITY_HOLD, OrderSource.API)
    assert patient_of(database, study).id == before.id
    decisions = undone.json()["decisions"]
    assert [(one["kind"], one["undone"]) for one in decisions] == [("link", True), ("undo", False)]
    with database.transaction() as session:
        assert overlay_of(session, study.id) is None
        actions = session.scalars(
            select(AuditRecord.action).where(
                AuditRecord.subject_kind == "identity_case", ~AuditRecord.action.endswith(":see")
            )
        ).all()
    assert actions == ["identity:open", "identity:link", "identity:undo"]


@pytest.mark.parametrize("kind", ["correct", "keep", "reject"])
def test_every_other_decision_and_its_undo(
    database: Database, consortium: Consortium, desk: Browser, kind: str
) -> None:
    ordered = placed(
        database,
        order_request(consortium.east, accession_number="A001", patient_name="李娜"),
    )
    study = arrive(consortium)
    before = patient_of(database, study).id
    case = only_case(desk)["id"]
    body: dict[str, Any] = {"reason": "电话核实"}
    if kind == "correct":
        body["new_patient"] = {"local_id": "P900", "name": "王五", "sex": "M"}
    decided = desk.post(f"/api/identity/cases/{case}/{kind}", **body)
    assert decided.status_code == 200, decided.text
    expected = {
        "correct": (State.QUEUED, ExamState.QUEUED, OrderSource.HEADER),
        "keep": (State.QUEUED, ExamState.QUEUED, OrderSource.HEADER),
        "reject": (State.WITHDRAWN, ExamState.RETAKE, OrderSource.API),
    }
    assert standing(database, study) == expected[kind]
    assert patient_of(database, study).local_id == ("P900" if kind == "correct" else "P001")
    if kind != "reject":
        # The order waits for its own study again.
        assert order_state(database, ordered) is ExamState.REQUESTED
    again = desk.post(f"/api/identity/cases/{case}/{kind}", **body)
    assert (again.status_code, again.json()["type"]) == (409, "urn:rdc:problem:case-decided")

    undone = desk.post(f"/api/identity/cases/{case}/undo", reason="错了")
    assert undone.status_code == 200, undone.text
    assert standing(database, study) == (State.HELD, ExamState.IDENTITY_HOLD, OrderSource.API)
    assert patient_of(database, study).id == before
    twice = desk.post(f"/api/identity/cases/{case}/undo", reason="错了")
    assert (twice.status_code, twice.json()["type"]) == (409, "urn:rdc:problem:nothing-to-undo")
    # And it can be decided anew.
    assert desk.post(f"/api/identity/cases/{case}/{kind}", **body).status_code == (
        409 if kind == "correct" else 200
    )


def test_a_decision_stands_once_a_report_is_signed(
    database: Database, consortium: Consortium, desk: Browser
) -> None:
    placed(database, order_request(consortium.east, accession_number="A001", patient_name="李娜"))
    study = arrive(consortium)
    case = only_case(desk)["id"]
    assert desk.post(f"/api/identity/cases/{case}/keep", reason="是").status_code == 200
    with database.transaction() as session:
        item = session.scalars(select(Workitem).where(Workitem.study_id == study.id)).one()
        item.state = State.CLAIMED
        item.holder_id = consortium.people["writer"].id
        item.lease_until = item.due_at
    assert desk.get(f"/api/identity/cases/{case}").json()["can_undo"] is True
    with database.transaction() as session:
        item = session.scalars(select(Workitem).where(Workitem.study_id == study.id)).one()
        item.state = State.WRITTEN
        item.holder_id = item.lease_until = None
    assert desk.get(f"/api/identity/cases/{case}").json()["can_undo"] is False
    undone = desk.post(f"/api/identity/cases/{case}/undo", reason="错了")
    assert (undone.status_code, undone.json()["type"]) == (409, "urn:rdc:problem:report-signed")


def test_a_patient_id_given_twice_is_held_and_never_joined(
    database: Database, consortium: Consortium, desk: Browser
) -> None:
    first = arrive(consortium)
    second = consortium.complete_study(name="Li^Na=李^娜", accession_number="A002")
    with database.transaction() as session:
        # As ingest writes it: the patient is the site's P001, the header somebody else's.
        session.get_one(Study, second.id).header_patient_name = "Li^Na=李^娜"
    arrive(consortium, again=second)
    case = only_case(desk)
    assert [(d["attribute"], d["finding"]) for d in case["differences"]] == [
        ("name", "known_otherwise")
    ]
    kept = desk.post(f"/api/identity/cases/{case['id']}/keep", reason="两个病人同号")
    assert kept.status_code == 200, kept.text
    assert patient_of(database, second).id != patient_of(database, first).id
    assert kept.json()["patient"]["name"] == "李娜"


def test_twins_stay_two_patients(database: Database, consortium: Consortium, desk: Browser) -> None:
    one = arrive(consortium, local_id="N1", name="王丽之子A", accession_number="N1")
    other = arrive(consortium, local_id="N2", name="王丽之子B", accession_number="N2")
    assert patient_of(database, one).id != patient_of(database, other).id
    assert desk.get("/api/identity/cases").json()["total"] == 0


def test_an_order_that_comes_after_its_study_is_tied_to_it(
    database: Database, consortium: Consortium, desk: Browser
) -> None:
    study = arrive(consortium)
    late = placed(
        database,
        order_request(consortium.east, accession_number="A001", priority=Priority.URGENT),
    )
    tell_of(database, late)
    assert standing(database, study) == (State.QUEUED, ExamState.QUEUED, OrderSource.API)
    with database.transaction() as session:
        assert session.scalars(select(Workitem)).one().priority is Priority.URGENT
        states = session.scalars(
            select(Order.state).where(Order.source == OrderSource.HEADER)
        ).all()
    assert states == [ExamState.CANCELLED]


def test_a_late_order_of_another_patient_holds_the_study(
    database: Database, consortium: Consortium, desk: Browser
) -> None:
    study = arrive(consortium)
    late = placed(
        database, order_request(consortium.east, accession_number="A001", patient_name="李娜")
    )
    tell_of(database, late)
    assert standing(database, study)[0] is State.HELD
    assert only_case(desk)["study"]["id"] == str(study.id)


def tell_of(database: Database, order: Order) -> None:
    with database.transaction() as session:
        arrival.order_changed(
            session, OrderChanged(order_id=order.id, site_id=order.site_id, revision=0)
        )


def test_instances_after_a_rejection_bring_the_study_back_to_the_desk(
    database: Database, consortium: Consortium, desk: Browser
) -> None:
    placed(database, order_request(consortium.east, accession_number="A001", patient_name="李娜"))
    study = arrive(consortium)
    first = only_case(desk)["id"]
    assert desk.post(f"/api/identity/cases/{first}/reject", reason="重拍").status_code == 200
    arrive(consortium, again=study, generation=2)
    assert standing(database, study)[:2] == (State.HELD, ExamState.IDENTITY_HOLD)
    assert only_case(desk)["id"] != first
    undone = desk.post(f"/api/identity/cases/{first}/undo", reason="错了")
    assert undone.status_code == 409


def test_a_case_can_be_opened_by_hand(
    database: Database, consortium: Consortium, desk: Browser
) -> None:
    study = arrive(consortium)
    with database.transaction() as session:
        item = session.scalars(select(Workitem)).one()
    body = {"workitem_id": str(item.id), "reason": "卫生院来电:病人弄错了"}
    opened = desk.post("/api/identity/cases", **body)
    assert opened.status_code == 201, opened.text
    assert standing(database, study)[:2] == (State.HELD, ExamState.IDENTITY_HOLD)
    assert desk.post("/api/identity/cases", **body).status_code == 409
    patients = desk.get(f"/api/identity/cases/{opened.json()['id']}/candidates").json()["patients"]
    assert [one["local_id"] for one in patients] == ["P001"]


def test_the_desk_is_the_dispatchers_alone_and_of_his_sites(
    database: Database, consortium: Consortium, desk: Browser
) -> None:
    placed(database, order_request(consortium.east, accession_number="A001", patient_name="李娜"))
    arrive(consortium)
    case = only_case(desk)["id"]
    for login in ("writer", "reviewer", "doctor-east", "doctor-west"):
        person = Browser(desk.client.app, login)  # pyright: ignore[reportArgumentType]
        assert person.get("/api/identity/cases").status_code == 403
        assert person.get(f"/api/identity/cases/{case}").status_code == 403
        assert person.get(f"/api/identity/cases/{case}/candidates").status_code == 403
        assert person.post(f"/api/identity/cases/{case}/keep", reason="x").status_code == 403


def test_a_dispatcher_of_another_consortium_sees_nothing(
    database: Database, consortium: Consortium, desk: Browser
) -> None:
    order = placed(
        database, order_request(consortium.east, accession_number="A001", patient_name="李娜")
    )
    study = arrive(consortium)
    case = only_case(desk)["id"]
    stranger = Browser(desk.client.app, foreign_dispatcher(consortium))  # pyright: ignore[reportArgumentType]
    assert stranger.get("/api/identity/cases?state=all").json()["total"] == 0
    with database.transaction() as session:
        item = session.scalars(select(Workitem).where(Workitem.study_id == study.id)).one()
    attempts = [
        stranger.get(f"/api/identity/cases/{case}"),
        stranger.get(f"/api/identity/cases/{case}/candidates?q=P"),
        stranger.post(f"/api/identity/cases/{case}/link", order_id=str(order.id), reason="x"),
        stranger.post(
            f"/api/identity/cases/{case}/correct", patient_id=str(UUID(int=1)), reason="x"
        ),
        stranger.post(f"/api/identity/cases/{case}/keep", reason="x"),
        stranger.post(f"/api/identity/cases/{case}/reject", reason="x"),
        stranger.post(f"/api/identity/cases/{case}/undo", reason="x"),
        stranger.post("/api/identity/cases", workitem_id=str(item.id), reason="x"),
    ]
    assert [answer.status_code for answer in attempts] == [404] * len(attempts)


def test_a_study_cannot_be_linked_to_another_sites_order(
    database: Database, consortium: Consortium, desk: Browser
) -> None:
    placed(database, order_request(consortium.east, accession_number="A001", patient_name="李娜"))
    foreign = placed(database, order_request(consortium.west, accession_number="A001"))
    arrive(consortium)
    case = only_case(desk)["id"]
    answer = desk.post(f"/api/identity/cases/{case}/link", order_id=str(foreign.id), reason="x")
    assert answer.status_code == 404
    offered = desk.get(f"/api/identity/cases/{case}/candidates?q=A001").json()["orders"]
    assert str(foreign.id) not in {one["id"] for one in offered}


def foreign_dispatcher(consortium: Consortium) -> str:
    """Another consortium in the same installation, and its dispatcher's login."""

    with consortium.database.transaction() as session:
        root = registry.add_organisation(
            session,
            kind=registry.OrganisationKind.CONSORTIUM,
            code="other",
            name="他县医共体",
            name_en="Other",
            parent=None,
        )
        registry.add_person(
            session,
            "stranger",
            "陌生",
            password_hash(),
            organisation=root,
            roles=[registry.Role.DISPATCHER],
        )
    return "stranger"


def test_late_instances_are_told_to_whoever_reads(
    database: Database, consortium: Consortium
) -> None:
    ordered = placed(database, order_request(consortium.east, accession_number="A001"))
    study = consortium.complete_study()
    message = received(study).model_copy(update={"missing_instances": 3})
    with database.transaction() as session:
        arrival.study_received(session, message)
    with database.transaction() as session:
        order = session.get_one(Order, ordered.id)
        assert (order.state, order.missing_instances) == (ExamState.QUEUED, 3)
        item = session.scalars(select(Workitem)).one()
        item.state = State.CLAIMED
        item.holder_id = consortium.people["writer"].id
        item.lease_until = item.due_at
    arrive(consortium, again=study, generation=2)
    with database.transaction() as session:
        item = session.scalars(select(Workitem)).one()
        assert (item.late_instances, item.study_generation) == (True, 2)
        order = session.get_one(Order, ordered.id)
        assert (order.state, order.missing_instances) == (ExamState.QUEUED, 0)
