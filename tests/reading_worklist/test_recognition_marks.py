"""Marks of mutual recognition on a page: who grants and ends them, and on which days."""

from pathlib import Path

import pytest
from fastapi import FastAPI
from sqlalchemy import select

from storage.audit import AuditRecord
from storage.objects import ObjectStore
from tests.support.seed import Consortium
from tests.support.web import Browser, application

MARKS = "/api/recognition-marks"
CT = {"site_code": "EAST", "modality": "ct", "basis": "省质控 2026-17", "valid_from": "2026-01-01"}


@pytest.fixture
def app(consortium: Consortium, objects: ObjectStore, tmp_path: Path) -> FastAPI:
    return application(consortium, objects, tmp_path, signers=False)


def test_a_mark_is_granted_ended_with_a_reason_and_granted_again(
    app: FastAPI, consortium: Consortium
) -> None:
    admin = Browser(app, "head")
    [made] = admin.post(MARKS, **CT).json()
    assert (made["site_code"], made["modality"], made["mark"]) == ("EAST", "CT", "HR")
    assert made["valid_until"] is None
    again = admin.post(MARKS, **{**CT, "valid_from": "2026-06-01"})
    assert (again.status_code, again.json()["type"]) == (409, "urn:rdc:problem:already-marked")
    ending = f"{MARKS}/{made['id']}/end"
    assert admin.post(ending, last_day="2025-12-31", reason="too early").status_code == 409
    assert admin.post(ending, last_day="2026-03-31", reason="  ").status_code == 422
    [ended] = admin.post(ending, last_day="2026-03-31", reason="质控不合格").json()
    assert ended["valid_until"] == "2026-03-31"
    # It is ended, never prolonged.
    assert admin.post(ending, last_day="2026-05-31", reason="longer").status_code == 409
    later = admin.post(MARKS, **{**CT, "valid_from": "2026-06-01", "valid_until": "2026-12-31"})
    assert [one["valid_from"] for one in later.json()] == ["2026-01-01", "2026-06-01"]
    with consortium.database.transaction() as session:
        acts = session.execute(
            select(AuditRecord.action, AuditRecord.detail)
            .where(AuditRecord.action.startswith("recognition:"))
            .order_by(AuditRecord.id)
        ).all()
    assert [act for act, _ in acts] == [
        "recognition:grant",
        "recognition:end",
        "recognition:grant",
    ]
    assert acts[1][1]["reason"] == "质控不合格"


def test_only_administrators_and_only_of_sites_they_see(app: FastAPI) -> None:
    assert Browser(app, "writer").get(MARKS).status_code == 403
    assert Browser(app, "head").post(MARKS, **{**CT, "site_code": "NOWHERE"}).status_code == 404
