"""Branches of a site on a page: who names them, and where the site's devices stand then."""

from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from httpx import Response
from sqlalchemy import select, update

from reading_worklist.reports.assembly import printed_institution
from storage.audit import AuditRecord
from storage.index.tables import Instance, Study
from storage.objects import ObjectStore
from storage.registry import Device
from tests.support.index_rows import add_study
from tests.support.seed import Consortium
from tests.support.web import Browser, application

BRANCHES = "/api/branches"
DONGSHAN = {"site_code": "EAST", "name": "东山分院", "name_en": "Dongshan", "devices": ["EAST_CT"]}


@pytest.fixture
def app(consortium: Consortium, objects: ObjectStore, tmp_path: Path) -> FastAPI:
    return application(consortium, objects, tmp_path, signers=False)


def east(answer: Response) -> dict[str, Any]:
    return next(one for one in answer.json() if one["site_code"] == "EAST")


def printed(consortium: Consortium) -> str:
    """What a report of the device's study would name behind the site."""
    with consortium.database.transaction() as session:
        study_id = session.scalars(select(Study.id)).one()
        return printed_institution(session, consortium.east, study_id).branch


def test_a_branch_is_added_renamed_and_closed_and_printed_so(
    app: FastAPI, consortium: Consortium
) -> None:
    with consortium.database.transaction() as session:
        add_study(
            session,
            consortium.east.id,
            uid="1.2.3",
            patient_id="P1",
            name="Zhang^Wei",
            series=[("1.2.3.1", "CT", ["1.2.3.1.1"])],
        )
        session.execute(update(Instance).values(device_id=consortium.east_device.id))
    admin = Browser(app, "head")
    added = admin.post(BRANCHES, **DONGSHAN)
    assert added.status_code == 201
    assert east(added)["branches"] == [
        {"name": "东山分院", "name_en": "Dongshan", "devices": ["EAST_CT"]}
    ]
    assert printed(consortium) == "东山分院"

    again = admin.post(BRANCHES, **DONGSHAN)
    assert (again.status_code, again.json()["type"]) == (409, "urn:rdc:problem:branch-taken")
    other = admin.post(BRANCHES, **{**DONGSHAN, "name": "西山分院"})
    assert (other.status_code, other.json()["type"]) == (409, "urn:rdc:problem:device-elsewhere")

    renamed = admin.post(
        f"{BRANCHES}/change", **{**DONGSHAN, "name": "东岭分院"}, branch="东山分院"
    )
    assert [one["name"] for one in east(renamed)["branches"]] == ["东岭分院"]
    assert printed(consortium) == "东岭分院"
    gone = admin.post(f"{BRANCHES}/change", **DONGSHAN, branch="东山分院")
    assert gone.status_code == 404

    assert (
        admin.post(f"{BRANCHES}/close", site_code="EAST", branch="东岭分院", reason=" ").status_code
        == 422
    )
    closed = admin.post(f"{BRANCHES}/close", site_code="EAST", branch="东岭分院", reason="并入本部")
    assert east(closed)["branches"] == []
    assert printed(consortium) == ""
    with consortium.database.transaction() as session:
        acts = session.execute(
            select(AuditRecord.action, AuditRecord.detail)
            .where(AuditRecord.action.startswith("branch:"))
            .order_by(AuditRecord.id)
        ).all()
    assert [act for act, _ in acts] == ["branch:add", "branch:change", "branch:close"]
    assert acts[1][1]["before"] == "东山分院"
    assert acts[2][1]["reason"] == "并入本部"


def test_a_device_that_is_not_named_any_more_stands_in_the_site_itself(
    app: FastAPI, consortium: Consortium
) -> None:
    with consortium.database.transaction() as session:
        session.add(Device(site_id=consortium.east.id, ae_title="EAST_DR", addresses=[], name="DR"))
    admin = Browser(app, "head")
    admin.post(BRANCHES, **{**DONGSHAN, "devices": ["EAST_CT", "EAST_DR"]})
    changed = admin.post(
        f"{BRANCHES}/change", **{**DONGSHAN, "devices": ["EAST_DR"]}, branch="东山分院"
    )
    where = {one["ae_title"]: one["branch"] for one in east(changed)["devices"]}
    assert (where["EAST_CT"], where["EAST_DR"]) == ("", "东山分院")


def test_only_administrators_and_only_of_sites_they_see(
    app: FastAPI, consortium: Consortium
) -> None:
    for login in ("writer", "dispatcher", "doctor-east"):
        assert Browser(app, login).get(BRANCHES).status_code == 403
        assert Browser(app, login).post(BRANCHES, **DONGSHAN).status_code == 403
    admin = Browser(app, "head")
    assert admin.post(BRANCHES, **{**DONGSHAN, "site_code": "NOWHERE"}).status_code == 404
    # Neither the device of another site nor one that is not there can be taken.
    for title in (consortium.west_device.ae_title, "NOBODY"):
        assert admin.post(BRANCHES, **{**DONGSHAN, "devices": [title]}).status_code == 404
