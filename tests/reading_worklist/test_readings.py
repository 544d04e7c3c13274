"""Who saw what is in the trail: of every address that shows something of a patient."""

import re
from pathlib import Path
from uuid import uuid4

import pytest
from fastapi import FastAPI
from sqlalchemy import select, text

from reading_worklist.auditing.readings import NOT_OF_PATIENTS, Reading, reading_of
from storage.audit import AuditRecord
from storage.database import as_owner
from storage.objects import ObjectStore
from storage.walls.building import ROLES
from tests.support.seed import Consortium
from tests.support.stranger import paths
from tests.support.web import Browser, application

UID = "1.2.840.1"


@pytest.fixture
def app(consortium: Consortium, objects: ObjectStore, tmp_path: Path) -> FastAPI:
    return application(consortium, objects, tmp_path, signers=False)


def test_each_route_that_shows_something_of_a_patient_has_its_act(app: FastAPI) -> None:
    undecided, twice = list[str](), list[str]()
    for path, methods in paths(app):
        # What stands for a number or word in it.
        filled = re.sub(r"\{study\}", UID, re.sub(r"\{\w+_id\}", str(uuid4()), path))
        known, other = reading_of(filled) is not None, NOT_OF_PATIENTS.fullmatch(filled) is not None
        if "GET" in methods and not known and not other:
            undecided.append(path)
        if known and other:
            twice.append(path)
    assert undecided == [], "say in auditing/readings.py what these show, or that it is no patient"
    assert twice == []


def test_what_is_seen_is_named() -> None:
    number = str(uuid4())
    assert reading_of(f"/dicom-web/sites/EAST/studies/{UID}/series/1.2/metadata") == Reading(
        "study:see", "dicom_study", UID
    )
    assert reading_of("/dicom-web/wado", f"requestType=WADO&studyUID={UID}") == Reading(
        "study:see", "dicom_study", UID
    )
    assert reading_of(f"/api/workitems/{number}/opening") == Reading(
        "workitem:see", "workitem", number
    )
    assert reading_of(f"/api/workitems/{number}/ecg/thumbnail.svg") == Reading(
        "list:see", "list", "workitems"
    )
    assert reading_of("/api/sites") is None


def test_what_a_session_is_shown_is_recorded_once_and_before_it_is_shown(
    app: FastAPI, consortium: Consortium
) -> None:
    writer, other = Browser(app, "writer"), Browser(app, "writer2")
    for _ in range(3):
        assert writer.client.get("/api/workitems").status_code == 200
    assert other.client.get("/api/workitems").status_code == 200
    assert writer.client.get(f"/api/workitems/{uuid4()}").status_code == 404
    assert writer.client.get("/dicom-web/studies").status_code in {200, 204}
    people = consortium.people
    assert seen(consortium) == [
        (people["writer"].id, "list:see", "workitems"),
        (people["writer2"].id, "list:see", "workitems"),
        (people["writer"].id, "study:search", "studies"),
    ]

    with consortium.database.transaction() as session:
        as_owner(session)
        session.execute(text(f"REVOKE INSERT ON audit_record FROM {', '.join(ROLES)}"))
    refused = writer.client.get("/api/critical-values")
    assert (refused.status_code, refused.json()["type"]) == (503, "urn:rdc:problem:unavailable")
    assert len(seen(consortium)) == 3


def seen(consortium: Consortium) -> list[tuple[object, str, str]]:
    with consortium.database.transaction() as session:
        found = session.execute(
            select(AuditRecord.person_id, AuditRecord.action, AuditRecord.subject_id)
            .where(AuditRecord.action.in_(("list:see", "study:search", "workitem:see")))
            .order_by(AuditRecord.id)
        )
        return [(row[0], row[1], row[2]) for row in found]
