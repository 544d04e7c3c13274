"""The worklist as other readers' software sees it: searched, claimed, given back."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from pydicom.dataset import Dataset
from pydicom.uid import generate_uid
from sqlalchemy import text, update
from starlette.websockets import WebSocketDisconnect

from reading_worklist.problems import Problem
from reading_worklist.ups.requests import parse_change, parse_search, workitem_id
from reading_worklist.ups.states import STEP_STATES, StepState, step_state, step_uid
from reading_worklist.ups.subscriptions import event_report
from reading_worklist.workitems.states import State
from reading_worklist.workitems.tables import Workitem
from storage.clock import utc_now
from storage.database import Database, as_owner
from storage.objects import ObjectStore
from storage.orders.words import Priority
from tests.support.scopes import scope_of
from tests.support.seed import Consortium
from tests.support.web import Browser, application

ROOT = "/dicom-web/workitems"
INCONSISTENT = "The submitted request is inconsistent with the state of the UPS Instance."


@pytest.fixture
def app(consortium: Consortium, objects: ObjectStore, tmp_path: Path) -> FastAPI:
    return application(consortium, objects, tmp_path, signers=False)


@pytest.fixture
def item(consortium: Consortium) -> UUID:
    return consortium.queued_study().workitem_id


def step(workitem: UUID) -> str:
    return f"{ROOT}/2.25.{workitem.int}"


def change(
    browser: Browser, path: str, state: str, transaction: str | None = None
) -> httpx.Response:
    dataset = {"00741000": {"vr": "CS", "Value": [state]}}
    if transaction is not None:
        dataset["00081195"] = {"vr": "UI", "Value": [transaction]}
    return browser.client.put(
        f"{path}/state", json=[dataset], headers={"Content-Type": "application/dicom+json"}
    )


def state_of(browser: Browser, path: str) -> str:
    return parsed(browser.get(path).json()[0]).ProcedureStepState


def parsed(model: dict[str, Any]) -> Dataset:
    """The dataset as pydicom reads it."""
    return Dataset.from_json(model)


def warned(answer: httpx.Response, status: int, text_: str) -> None:
    assert (answer.status_code, answer.headers.get("Warning")) == (
        status,
        f'299 testserver "{text_}"',
    ), answer.text


def test_every_state_of_a_reading_has_one_in_the_words_of_ups() -> None:
    assert set(STEP_STATES) == set(State)
    amended = Workitem(state=State.CLAIMED, amending=True)
    assert step_state(amended) is StepState.COMPLETED


def test_it_is_searched_and_retrieved(
    app: FastAPI, item: UUID, consortium: Consortium, database: Database
) -> None:
    urgent = consortium.queued_study(name="Li^Na=李^娜", local_id="X9", modalities=("ECG",))
    with database.transaction() as session:
        session.execute(
            update(Workitem).where(Workitem.id == urgent.workitem_id).values(priority=Priority.STAT)
        )
    reader = Browser(app, "writer")
    found = [parsed(one) for one in reader.get(ROOT).json()]
    assert [one.ScheduledProcedureStepPriority for one in found] == ["HIGH", "LOW"]
    assert str(found[0].PatientName) == "Li^Na=李^娜"
    assert found[0].WorklistLabel == "ECG"
    for query, wanted in (
        ("ProcedureStepState=SCHEDULED", 2),
        ("ProcedureStepState=IN%20PROGRESS", 0),
        ("00741200=HIGH", 1),
        ("PatientID=P001", 1),
        ("PatientName=zhang*", 1),
        ("WorklistLabel=ECG", 1),
        (f"StudyInstanceUID={urgent.study.study_instance_uid}", 1),
        (f"SOPInstanceUID=2.25.{item.int}", 1),
        (f"ScheduledProcedureStepStartDateTime={utc_now():%Y%m%d}", 2),
        ("ScheduledProcedureStepStartDateTime=-20200101", 0),
    ):
        answer = reader.get(f"{ROOT}?{query}")
        assert len(answer.json()) == wanted, query
        assert answer.headers["X-Total-Count"] == str(wanted)
    page = reader.get(f"{ROOT}?limit=1&Unknown=1")
    assert "There are 1 additional results" in page.headers["Warning"]
    assert "ignored" in page.headers["Warning"]
    (one,) = reader.get(step(item)).json()
    dataset = parsed(one)
    assert dataset.SOPInstanceUID == f"2.25.{item.int}"
    assert dataset.InputReadinessState == "READY"
    retrieved = dataset.InputInformationSequence[0][0x0040E025].value[0].RetrieveURL
    assert retrieved == f"http://testserver/dicom-web/studies/{dataset.StudyInstanceUID}"
    assert "TransactionUID" not in dataset


def test_pages_show_what_waits_and_then_what_is_done_each_once(
    app: FastAPI, consortium: Consortium, database: Database
) -> None:
    items = [consortium.queued_study(local_id=f"P{n}").workitem_id for n in range(5)]
    done = {items[1], items[3]}
    with database.transaction() as session:
        for state in (State.HELD, State.WITHDRAWN):
            session.execute(update(Workitem).where(Workitem.id.in_(done)).values(state=state))
    reader = Browser(app, "writer")

    def paged(query: str, size: int) -> list[str]:
        pages = [reader.get(f"{ROOT}?{query}limit={size}&offset={n}") for n in range(0, 7, size)]
        assert {page.headers["X-Total-Count"] for page in pages} == {str(len(expected))}
        return [parsed(one).SOPInstanceUID for page in pages for one in page.json()]

    waiting = [f"2.25.{one.int}" for one in items if one not in done]
    latest_done = [f"2.25.{items[n].int}" for n in (3, 1)]
    for query, expected in (
        ("", waiting + latest_done),
        ("ProcedureStepState=SCHEDULED&", waiting),
        ("ProcedureStepState=CANCELED&", latest_done),
        ("ProcedureStepState=COMPLETED&", []),
    ):
        for size in (1, 2, 3, 7):
            assert paged(query, size) == expected, (query, size)


def test_it_is_claimed_once_and_given_back(app: FastAPI, item: UUID) -> None:
    first, second = Browser(app, "writer"), Browser(app, "writer2")
    path, claim = step(item), generate_uid()
    warned(change(first, path, "IN PROGRESS"), 400, "The Transaction UID is missing.")
    assert change(first, path, "IN PROGRESS", claim).status_code == 200
    assert state_of(second, path) == "IN PROGRESS"
    assert parsed(first.get(path).json()[0])[0x00741216].value
    for browser in (first, second):
        warned(change(browser, path, "IN PROGRESS", generate_uid()), 409, INCONSISTENT)
    warned(
        change(first, path, "CANCELED", generate_uid()), 400, "The Transaction UID is incorrect."
    )
    warned(change(second, path, "CANCELED", claim), 400, "The Transaction UID is incorrect.")
    warned(change(first, path, "COMPLETED", claim), 409, INCONSISTENT)
    update_ = first.client.post(f"{path}?transaction-uid={claim}", json=[{}])
    warned(update_, 200, "The Workitem was updated with modifications.")
    warned(first.client.post(path, json=[{}]), 400, "The Transaction UID is missing.")
    assert second.post(f"{path}/cancelrequest").status_code == 202
    assert change(first, path, "CANCELED", claim).status_code == 200
    assert state_of(second, path) == "SCHEDULED"
    warned(change(first, path, "CANCELED", claim), 409, INCONSISTENT)
    warned(second.post(f"{path}/cancelrequest"), 409, INCONSISTENT)


def test_a_claim_that_ended_is_not_gone_on_with(
    app: FastAPI, item: UUID, database: Database
) -> None:
    reader, path, claim = Browser(app, "writer"), step(item), generate_uid()
    assert change(reader, path, "IN PROGRESS", claim).status_code == 200
    with database.transaction() as session:
        session.execute(update(Workitem).values(lease_until=utc_now() - timedelta(seconds=1)))
    other = Browser(app, "writer2")
    assert other.post(f"/api/workitems/{item}/claim").status_code == 200
    warned(change(reader, path, "CANCELED", claim), 400, "The Transaction UID is incorrect.")


def test_what_is_final_stays_so(app: FastAPI, item: UUID, database: Database) -> None:
    with database.transaction() as session:
        as_owner(session)
        session.execute(text("ALTER TABLE workitem DISABLE TRIGGER guard_state"))
        session.execute(update(Workitem).values(state=State.PUBLISHED))
    reader, path = Browser(app, "writer"), step(item)
    done = "The UPS is already in the requested state of COMPLETED."
    warned(change(reader, path, "COMPLETED", generate_uid()), 200, done)
    warned(change(reader, path, "CANCELED", generate_uid()), 409, INCONSISTENT)
    with database.transaction() as session:
        session.execute(update(Workitem).values(state=State.WITHDRAWN))
    gone = "The UPS is already in the requested state of CANCELED."
    warned(reader.post(f"{path}/cancelrequest"), 202, gone)


def test_strangers_and_other_sites(app: FastAPI, item: UUID) -> None:
    assert Browser(app, "doctor-west").get(ROOT).status_code == 403
    reader = Browser(app, "writer")
    assert len(reader.get("/dicom-web/sites/EAST/workitems").json()) == 1
    assert reader.get("/dicom-web/sites/WEST/workitems").json() == []
    other = step(item).replace("/dicom-web/", "/dicom-web/sites/WEST/")
    assert reader.get(other).status_code == 404
    assert change(reader, other, "IN PROGRESS", generate_uid()).status_code == 404
    assert change(Browser(app, "dispatcher"), step(item), "IN PROGRESS", "1.2").status_code == 403
    assert reader.get(f"{ROOT}/1.2.3").status_code == 404
    assert reader.get(f"{ROOT}/not-a-uid").status_code == 400


def test_who_has_subscribed_is_told_of_changes(
    app: FastAPI, item: UUID, database: Database
) -> None:
    everything = f"{ROOT}/1.2.840.10008.5.1.4.34.5/subscribers/READER"
    with TestClient(app):  # Starts listening for events.
        reader, other = Browser(app, "writer"), Browser(app, "writer2")
        assert reader.client.delete(everything).status_code == 404
        made = reader.post(f"{step(item)}/subscribers/READER?deletionlock=true")
        warned(made, 201, "Deletion Lock not granted.")
        channel = made.headers["Content-Location"]
        assert channel == "ws://testserver/dicom-web/subscribers/READER"
        with reader.client.websocket_connect("/dicom-web/subscribers/READER") as told:
            assert change(other, step(item), "IN PROGRESS", generate_uid()).status_code == 200
            report = told.receive_json()
            assert report["00001000"]["Value"] == [f"2.25.{item.int}"]
            assert report["00741000"]["Value"] == ["IN PROGRESS"]
            assert reader.client.delete(f"{step(item)}/subscribers/READER").status_code == 200
            writer = scope_of(database, "writer")
            with database.transaction() as session:
                assert event_report(session, writer, "READER", item, 1) is None
            assert reader.post(everything).status_code == 201
            other.post(f"/api/workitems/{item}/release")
            assert told.receive_json()["00741000"]["Value"] == ["SCHEDULED"]
    stranger = scope_of(database, "doctor-west")
    with database.transaction() as session:
        assert event_report(session, stranger, "READER", item, 1) is None


def test_who_has_signed_out_is_told_nothing_more(app: FastAPI, item: UUID) -> None:
    with TestClient(app):
        reader, other = Browser(app, "writer"), Browser(app, "writer2")
        assert reader.post(f"{step(item)}/subscribers/READER").status_code == 201
        with reader.client.websocket_connect("/dicom-web/subscribers/READER") as told:
            assert reader.client.delete("/api/session").status_code == 204
            assert change(other, step(item), "IN PROGRESS", generate_uid()).status_code == 200
            with pytest.raises(WebSocketDisconnect) as ended:
                told.receive_json()
            assert ended.value.code == 1008


def test_a_filtered_subscription_tells_of_what_matches(
    app: FastAPI, item: UUID, database: Database
) -> None:
    reader = Browser(app, "writer")
    filtered = f"{ROOT}/1.2.840.10008.5.1.4.34.5.1/subscribers/READER"
    writer = scope_of(database, "writer")

    def told() -> bool:
        with database.transaction() as session:
            return event_report(session, writer, "READER", item, 1) is not None

    for wrong in ("", "?filter=", "?filter=Modality=CT", "?filter=00741000=SCHEDULED", "?x=1"):
        answer = reader.post(filtered + wrong)
        assert (answer.status_code, answer.json()["type"]) == (400, "urn:rdc:problem:bad-filter")
    assert reader.post(f"{filtered}?filter=WorklistLabel=ECG").status_code == 201
    assert not told()
    # Another filter under the same AE title takes its place.
    matching = "filter=WorklistLabel=IMAGING,ScheduledProcedureStepPriority=LOW&deletionlock=false"
    assert reader.post(f"{filtered}?{matching}").status_code == 201
    assert told()
    assert reader.client.delete(filtered).status_code == 200
    assert not told()


def test_the_event_channel_is_for_readers_alone(app: FastAPI, item: UUID) -> None:
    path = "/dicom-web/subscribers/READER"
    reader = Browser(app, "writer").client
    for client, headers in (
        (TestClient(app), {}),
        (Browser(app, "doctor-east").client, {}),
        (reader, {"Origin": "http://elsewhere.example"}),
    ):
        with (
            pytest.raises(WebSocketDisconnect),
            client.websocket_connect(path, headers=headers) as told,
        ):
            told.receive_json()
    assert reader.post(f"{step(item)}/subscribers/{'X' * 17}").status_code == 404
    assert reader.post(f"{ROOT}/2.25.1/subscribers/READER").status_code == 404


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"[1]",
        b"{",
        b'{"00741000":1}',
        b'{"00741000":{"Value":[]}}',
        b'{"00741000":{"Value":["DONE"]}}',
        b'{"00741000":{"Value":["SCHEDULED"]}}',
        b"[" * 5000,
    ],
)
def test_a_body_that_is_no_change_is_a_bad_request(body: bytes) -> None:
    with pytest.raises(Problem) as refused:
        parse_change(body)
    assert refused.value.status == 400


@pytest.mark.parametrize(
    "query",
    [
        ("ProcedureStepState", "DONE"),
        ("limit", "-1"),
        ("StudyInstanceUID", "x"),
        ("ScheduledProcedureStepStartDateTime", "yesterday"),
        ("SOPInstanceUID", "2.25.x"),
    ],
)
def test_a_value_that_an_attribute_cannot_have_is_a_bad_request(query: tuple[str, str]) -> None:
    with pytest.raises(Problem) as refused:
        parse_search([query])
    assert refused.value.status == 400


def test_moments_and_ranges() -> None:
    wanted = parse_search([("00404005", "20261122-2026112310")]).start
    assert wanted == (
        datetime(2026, 11, 22, tzinfo=UTC),
        datetime(2026, 11, 23, 10, 59, 59, tzinfo=UTC),
    )


def test_a_workitems_uid_is_its_id(item: UUID) -> None:
    assert workitem_id(step_uid(Workitem(id=item))) == item
