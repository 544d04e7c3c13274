"""Tokens of machines, as they are kept on their page."""

from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import select

from reading_worklist.machine_tokens.schemas import TokenConcern, TokenState
from reading_worklist.machine_tokens.service import concerns_of, state_of
from storage import registry
from storage.audit import AuditRecord
from storage.clock import utc_now
from storage.objects import ObjectStore
from storage.registry import MachineToken, OrganisationKind, Role
from tests.support.seed import Consortium, password_hash
from tests.support.web import Browser, application

PATH = "/api/machine-tokens"
FINGERPRINT = "ab" * 32


@pytest.fixture
def app(consortium: Consortium, objects: ObjectStore, tmp_path: Path) -> FastAPI:
    with consortium.database.transaction() as session:
        registry.add_person(
            session,
            "machinist",
            "钱系统",
            password_hash(),
            organisation=consortium.centre,
            roles=[Role.SYSTEM_ADMIN],
        )
    return application(consortium, objects, tmp_path, signers=False)


@pytest.fixture
def admin(app: FastAPI) -> Browser:
    return Browser(app, "machinist")


def made(admin: Browser, **body: object) -> dict[str, Any]:
    answer = admin.post(PATH, **{"site": "EAST", "name": "HIS", "scope": "fhir", **body})
    assert answer.status_code == 201, answer.text
    assert answer.headers["cache-control"] == "no-store"
    return answer.json()


def fetches(app: FastAPI, secret: str) -> int:
    client = TestClient(app)
    headers = {"Authorization": f"Bearer {secret}"}
    return client.get("/fhir/DiagnosticReport", headers=headers).status_code


def test_a_token_is_made_used_rotated_and_revoked(
    app: FastAPI, admin: Browser, consortium: Consortium
) -> None:
    first = made(admin, days=30)
    assert first["token"]["made_by"] == "钱系统"
    assert fetches(app, first["secret"]) == 200
    path = f"{PATH}/{first['token']['id']}"
    second = admin.post(f"{path}/rotate", days=90, overlap_days=3).json()
    assert fetches(app, first["secret"]) == fetches(app, second["secret"]) == 200
    listed = {one["id"]: one for one in admin.get(PATH).json()["tokens"]}
    assert listed[first["token"]["id"]]["state"] == "replaced"
    assert listed[second["token"]["id"]]["replaces"] == first["token"]["id"]
    assert listed[second["token"]["id"]]["last_used_at"] is not None
    assert first["secret"] not in admin.get(PATH).text
    revoked = admin.post(f"{path}/revoke", reason="换了服务器").json()
    assert (revoked["state"], revoked["revoked_reason"]) == ("revoked", "换了服务器")
    assert fetches(app, first["secret"]) == 401
    assert fetches(app, second["secret"]) == 200
    again = admin.post(f"{path}/rotate")
    assert again.json()["type"] == "urn:rdc:problem:token-refused"
    with consortium.database.transaction() as session:
        acts = session.scalars(
            select(AuditRecord)
            .where(AuditRecord.subject_kind == "machine_token")
            .order_by(AuditRecord.id)
        ).all()
    said = [one.action for one in acts if one.action != "report:fetch"]
    assert said == ["machine_token:create", "machine_token:rotate", "machine_token:revoke"]
    assert not any(
        one["secret"] in str(record.detail) for one in (first, second) for record in acts
    )


def test_who_may_do_what(app: FastAPI, admin: Browser, consortium: Consortium) -> None:
    token = made(admin)["token"]
    head = Browser(app, "head")
    seen = head.get(PATH).json()
    assert not seen["editable"]
    assert [one["id"] for one in seen["tokens"]] == [token["id"]]
    assert head.post(PATH, site="EAST", name="x", scope="fhir").status_code == 403
    assert head.post(f"{PATH}/{token['id']}/rotate").status_code == 403
    assert head.post(f"{PATH}/{token['id']}/revoke", reason="泄露").json()["state"] == "revoked"
    with consortium.database.transaction() as session:
        site = registry.add_organisation(
            session,
            kind=OrganisationKind.SITE,
            code="FAR",
            name="远处卫生院",
            name_en="",
            parent=None,
        )
        theirs = registry.issue_token(session, site, "HIS").row.id
    assert str(theirs) not in admin.get(PATH).text
    for foreign in (theirs, uuid4()):
        answer = admin.post(f"{PATH}/{foreign}/revoke", reason="x")
        assert (answer.status_code, answer.json()["type"]) == (404, "urn:rdc:problem:not-found")
    assert admin.post(PATH, site="FAR", name="x", scope="fhir").status_code == 404


def test_a_device_has_one_certificate_for_dicom_and_here(
    admin: Browser, consortium: Consortium
) -> None:
    (device, *_) = next(
        one["devices"] for one in admin.get(PATH).json()["sites"] if one["code"] == "EAST"
    )
    wanted = {"device": device["ae_title"], "scope": "ecg-files", "proof": "both"}
    refused = admin.post(PATH, site="EAST", name="x", **wanted)
    assert refused.json()["type"] == "urn:rdc:problem:token-refused"
    with consortium.database.transaction() as session:
        row = registry.device_by_ae_title(session, device["ae_title"])
        registry.bind_certificate(row, FINGERPRINT)
    assert made(admin, **wanted)["token"]["certificate_sha256"] == FINGERPRINT
    elsewhere = admin.post(
        PATH, site="WEST", name="x", scope="fhir", proof="certificate", certificate=FINGERPRINT
    )
    assert elsewhere.status_code == 409
    for wrong in (None, "ab:cd"):
        body = {"proof": "certificate", "certificate": wrong}
        assert admin.post(PATH, site="EAST", name="x", scope="fhir", **body).status_code == 409


DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("made_ago", "used", "left", "replaced", "concerns"),
    [
        (0 * DAY, False, 90 * DAY, None, []),
        (2 * DAY, False, 90 * DAY, None, [TokenConcern.NEVER_USED]),
        (2 * DAY, True, 13 * DAY, None, [TokenConcern.EXPIRING]),
        (2 * DAY, True, 15 * DAY, None, []),
        (2 * DAY, True, 3 * DAY, False, [TokenConcern.EXPIRING]),
        (2 * DAY, True, 3 * DAY, True, []),
        (2 * DAY, True, -DAY, None, []),
    ],
)
def test_what_somebody_should_look_at(
    made_ago: timedelta,
    used: bool,  # noqa: FBT001 -- a column of the table
    left: timedelta,
    replaced: bool | None,  # noqa: FBT001
    concerns: list[TokenConcern],
) -> None:
    now = utc_now()
    row = MachineToken(
        created_at=now - made_ago, last_used_at=now if used else None, expires_at=now + left
    )
    successor = None
    if replaced is not None:
        successor = MachineToken(last_used_at=now if replaced else None)
    state = state_of(row, None, successor, now)
    assert concerns_of(row, state, successor, now) == concerns
    assert (state is TokenState.REPLACED) is (replaced is not None)
