"""ECG files over HTTP, with the real intake behind: what is sent is in the worklist as an ECG."""

from collections.abc import Iterator
from datetime import timedelta
from io import BytesIO
from pathlib import Path

import httpx
import numpy as np
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from pydicom import dcmread
from pydicom.uid import GeneralECGWaveformStorage
from sqlalchemy import select

from pacs_gateway.config import EcgIntakeConfig
from pacs_gateway.ecg_intake.station import IntakeStation
from pacs_gateway.ecg_intake.workshop import Workshop
from reading_worklist.tasks import HANDLERS
from storage import outbox
from storage.clock import utc_now
from storage.database import Database
from storage.index.completion import complete_quiet_studies
from storage.objects import ObjectStore
from storage.registry import (
    MachineScope,
    MachineToken,
    find_machine,
    issue_token,
    revoke_token,
    rotate_token,
)
from tests.support.ecg_files import MICROVOLTS, aecg, muse, scp, signal
from tests.support.machines import secret_of
from tests.support.peers import CORPUS
from tests.support.seed import Consortium
from tests.support.web import Browser, application

SITE_DOCTOR = "doctor-east"


@pytest.fixture(scope="module")
def workshop() -> Iterator[Workshop]:
    with Workshop() as shop:
        yield shop


@pytest.fixture
def app(
    consortium: Consortium, objects: ObjectStore, tmp_path: Path, workshop: Workshop
) -> Iterator[FastAPI]:
    station = IntakeStation(
        EcgIntakeConfig("RDC", tmp_path / "scratch"), consortium.database, objects, workshop
    )
    station.start()
    yield application(consortium, objects, tmp_path, signers=False)
    station.stop()


@pytest.fixture
def secret(database: Database, consortium: Consortium) -> str:
    with database.transaction() as session:
        return secret_of(issue_token(session, consortium.east, "ECG cart"))


def machine(app: FastAPI, secret: str) -> TestClient:
    return TestClient(app, headers={"Authorization": f"Bearer {secret}"})


def send(client: TestClient, content: bytes, **query: str) -> httpx.Response:
    return client.post("/api/ecg-files", content=content, params={"name": "ecg", **query})


def deliver_messages(database: Database) -> None:
    """Do what clock, relay and worker do."""
    with database.transaction() as session:
        complete_quiet_studies(session, limit=10)
    with database.transaction() as session:
        leased = outbox.lease_due(session)
    for one in leased:
        if one.consumer == "reading_worklist":
            assert outbox.handle(database, one.id, one.lease_token, HANDLERS)


def test_a_machine_sends_and_the_ecg_is_in_the_worklist(
    app: FastAPI, database: Database, secret: str
) -> None:
    content = scp(patient_id="E1", name="张伟")
    example = CORPUS / "ecg" / "formats" / "Example.scp"
    if example.is_file():
        content = example.read_bytes()
    client = machine(app, secret)
    answer = send(client, content)
    assert answer.status_code == 201, answer.text
    sent = answer.json()
    assert (sent["state"], sent["format"], sent["site"]) == ("FILED", "SCP-ECG", "EAST")
    deliver_messages(database)
    writer = Browser(app, "writer")
    (item,) = writer.get("/api/workitems?modality=ECG").json()["items"]
    assert client.get(answer.headers["Location"]).json()["workitem_id"] == item["id"]
    page = writer.get(f"/api/workitems/{item['id']}/ecg")
    assert page.status_code == 200, page.text
    original = writer.get(f"/api/ecg-files/{sent['id']}/original")
    assert original.content == content
    again = writer.get(f"/api/ecg-instances/{sent['sop_instance_uid']}/original")
    assert again.content == content
    normalised = writer.get(f"/api/ecg-instances/{sent['sop_instance_uid']}/dicom")
    assert normalised.headers["content-type"].startswith("application/dicom")
    dataset = dcmread(BytesIO(normalised.content))
    assert dataset.SOPInstanceUID == sent["sop_instance_uid"]
    assert dataset.SOPClassUID == GeneralECGWaveformStorage
    stranger = Browser(app, "doctor-west")
    for what in ("original", "dicom", "csv"):
        address = f"/api/ecg-instances/{sent['sop_instance_uid']}/{what}"
        assert stranger.get(address).status_code == 404


def test_the_same_file_again_is_the_same_ecg(app: FastAPI, secret: str) -> None:
    client = machine(app, secret)
    first = send(client, scp()).json()
    assert send(client, scp()).json() == first


def test_what_cannot_be_read_is_answered_with_the_reason(app: FastAPI, secret: str) -> None:
    client = machine(app, secret)
    broken = send(client, scp()[:-500])
    assert broken.status_code == 422
    problem = broken.json()
    assert problem["type"].endswith("ecg-unreadable")
    assert problem["kept"] is True
    assert problem["expected"]
    assert problem["remedy"]
    unknown = send(client, b"something else")
    assert unknown.json()["type"].endswith("ecg-refused")
    assert unknown.json()["kept"] is False
    assert send(client, b"").status_code == 400


def test_somebody_of_the_site_says_whose_a_file_is(app: FastAPI, database: Database) -> None:
    doctor = Browser(app, SITE_DOCTOR)
    sent = send(doctor.client, aecg(patient_id="0")).json()
    assert sent["state"] == "NEEDS_PATIENT"
    assert doctor.get("/api/ecg-files?state=NEEDS_PATIENT").json()["waiting"] == 1
    order = doctor.post(
        "/api/orders",
        patient_name="李芳",
        patient_local_id="E77",
        patient_sex="F",
        patient_birth_date="1970-02-03",
        steps=[{"modality": "ECG"}],
    ).json()
    path = f"/api/ecg-files/{sent['id']}/patient"
    assert doctor.post(path).status_code == 422
    assert Browser(app, "doctor-west").post(path, order_id=order["id"]).status_code == 404
    filed = doctor.post(path, order_id=order["id"]).json()
    assert filed["state"] == "FILED"
    assert doctor.post(path, order_id=order["id"]).status_code == 409
    deliver_messages(database)
    assert doctor.get(f"/api/orders/{order['id']}").json()["state"] == "QUEUED"


def test_a_file_goes_to_the_order_that_was_open_when_it_was_sent(
    app: FastAPI, database: Database
) -> None:
    doctor = Browser(app, SITE_DOCTOR)
    order = doctor.post(
        "/api/orders", patient_name="王芳", patient_local_id="M1", steps=[{"modality": "ECG"}]
    ).json()
    sent = send(doctor.client, muse(patient_id="M1"), order_id=order["id"]).json()
    deliver_messages(database)
    assert sent["state"] == "FILED"
    assert doctor.get(f"/api/orders/{order['id']}").json()["state"] == "QUEUED"


def test_tokens_are_for_their_site_and_their_time(
    app: FastAPI, database: Database, consortium: Consortium, secret: str
) -> None:
    sent = send(machine(app, secret), scp()).json()
    with database.transaction() as session:
        west = secret_of(issue_token(session, consortium.west, "another"))
        east = session.scalars(
            select(MachineToken).where(MachineToken.site_id == consortium.east.id)
        ).one()
        assert east.last_used_at is not None
        assert east.token_sha256 not in {None, secret}
        later = rotate_token(session, east.id, overlap=timedelta(hours=1))
    new = secret_of(later)
    assert machine(app, west).get(f"/api/ecg-files/{sent['id']}").status_code == 404
    for one in (secret, new):
        assert machine(app, one).get(f"/api/ecg-files/{sent['id']}").status_code == 200
    assert machine(app, secret).get(f"/api/ecg-files/{sent['id']}/original").status_code == 401
    assert machine(app, secret).get("/api/worklist/board").status_code == 401
    with database.transaction() as session:
        session.get_one(MachineToken, east.id).expires_at = utc_now()
        revoke_token(session, later.row.id)
    for one in (secret, new, "rdc_unknown"):
        answer = send(machine(app, one), scp())
        assert (answer.status_code, answer.json()["type"]) == (401, "urn:rdc:problem:wrong-token")


def test_a_device_that_is_switched_off_has_no_token(
    database: Database, consortium: Consortium
) -> None:
    with database.transaction() as session:
        device = session.merge(consortium.east_device)
        secret = secret_of(issue_token(session, consortium.east, "CT", device=device))
        assert find_machine(session, secret, MachineScope.ECG_FILES) is not None
        device.active = False
        session.flush()
        assert find_machine(session, secret, MachineScope.ECG_FILES) is None


def test_the_signal_as_a_table(app: FastAPI, secret: str) -> None:
    sent = send(machine(app, secret), scp()).json()
    answer = Browser(app, "writer").get(f"/api/ecg-instances/{sent['sop_instance_uid']}/csv")
    heading, *rows = answer.text.splitlines()
    assert heading.startswith("seconds,I,II,V1")
    found = np.array([float(row.split(",")[2]) for row in rows])
    assert np.array_equal(found, signal("II") * MICROVOLTS)


def test_the_centre_sends_no_files(app: FastAPI) -> None:
    assert send(Browser(app, "writer").client, scp()).status_code == 403
