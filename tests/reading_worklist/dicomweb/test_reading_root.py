"""The image root of one reading: its study and the priors its reader opened, and nothing else."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import cast
from uuid import UUID

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import func, select, text

from reading_worklist.priors.grants import RecentGrants
from reading_worklist.priors.tables import PriorOpening
from reading_worklist.workitems.service import queue_study
from reading_worklist.workitems.tables import Workitem
from storage import registry
from storage.agreements.tables import Agreement, Service
from storage.audit import AuditRecord
from storage.clock import utc_now
from storage.database import Database, as_owner
from storage.index.tables import Study
from storage.patient_links.tables import PatientLink
from storage.registry import OrganisationKind, Role
from tests.reading_worklist.dicomweb.archive import Archive, Filed
from tests.reading_worklist.dicomweb.conftest import copy_of, sample
from tests.support.seed import Consortium, password_hash, received

REASON = {"purpose": "comparison"}


@dataclass(frozen=True, slots=True)
class District:
    """A district of its own in the consortium: its doctor sees one site, NORTH."""

    workitem_id: UUID
    own: Filed
    prior: Filed
    prior_study: UUID

    @property
    def api(self) -> str:
        return f"/api/workitems/{self.workitem_id}/priors"

    @property
    def root(self) -> str:
        return f"/dicom-web/readings/{self.workitem_id}"


@pytest.fixture
def district(database: Database, consortium: Consortium, archive: Archive) -> District:
    """A study at NORTH that is read, of a patient who was examined at EAST as well."""
    with database.transaction() as session:
        area = registry.add_organisation(
            session,
            kind=OrganisationKind.SITE,
            code="area",
            name="北片区",
            name_en="area",
            parent=consortium.root,
        )
        north = registry.add_organisation(
            session,
            kind=OrganisationKind.SITE,
            code="NORTH",
            name="北山镇卫生院",
            name_en="NORTH",
            parent=area,
        )
        for login in ("reader", "colleague"):
            registry.add_person(
                session,
                login,
                login,
                password_hash(),
                organisation=area,
                roles=(Role.WRITER,),
            )
        session.add(
            Agreement(
                service=Service.PRIORS,
                provider_id=consortium.root.id,
                client_id=consortium.root.id,
                valid_from=date(2026, 1, 1),
                document="协议",
            )
        )
    own = archive.file(copy_of("MR_small.dcm", PatientID="N1"), north)
    prior = archive.file(sample("CT_small.dcm").data, consortium.east)
    assert own is not None
    assert prior is not None
    archive.complete()
    with database.transaction() as session:
        studies = {one.site_id: one for one in session.scalars(select(Study))}
        for one in studies.values():
            queue_study(session, received(one))
        item_id = session.scalars(select(Workitem.id).where(Workitem.site_id == north.id)).one()
        pair = sorted((studies[north.id].patient_id, studies[consortium.east.id].patient_id))
        session.add(
            PatientLink(
                one_id=pair[0],
                other_id=pair[1],
                reason="身份证核对",
                linked_by=consortium.people["dispatcher"].id,
            )
        )
        return District(item_id, own, prior, studies[consortium.east.id].id)


def status(client: TestClient, root: str, filed: Filed) -> int:
    """The worst of what retrieval, metadata, frames and searching for a study answer."""
    study = filed.path.partition("/series/")[0]
    answers = [
        client.get(f"{root}/{filed.path}", headers={"Accept": "application/dicom"}).status_code,
        client.get(f"{root}/{filed.path}/frames/1").status_code,
        client.get(f"{root}/{filed.path}/metadata").status_code,
        client.get(f"{root}/{study}/series").status_code,
    ]
    assert len(set(answers)) == 1, answers
    return answers[0]


def post(client: TestClient, path: str, body: object = None) -> int:
    token = client.get("/api/session").json()["csrf_token"]
    return client.post(path, json=body, headers={"X-CSRF-Token": token}).status_code


def fresh(client: TestClient) -> None:
    """Let what was remembered for a second be over."""
    cast("FastAPI", client.app).state.recent_grants = RecentGrants()


def test_a_prior_outside_the_own_sites_is_served_once_it_was_opened_for_a_reason(
    district: District, sign_in: Callable[[str], TestClient], database: Database
) -> None:
    reader, root = sign_in("reader"), district.root
    found = reader.get(district.api).json()
    assert (found["items"], found["elsewhere"], found["reason_needed"]) == ([], 1, True)
    assert status(reader, root, district.own) == 200
    assert status(reader, root, district.prior) == 404
    opening = f"{district.api}/{district.prior_study}/open"
    assert post(reader, opening) == 403
    assert post(reader, f"{district.api}/reason", REASON) == 200
    # A reason alone serves no image: each study is opened, and its opening recorded.
    fresh(reader)
    assert status(reader, root, district.prior) == 404
    assert post(reader, opening) == 200
    assert status(reader, root, district.prior) == 200
    assert status(reader, root, district.own) == 200
    # Nowhere else, for nobody else.
    site = f"/dicom-web/sites/{district.prior.site_code}"
    for other in ("/dicom-web", site):
        assert status(reader, other, district.prior) == 404
    uids = {one["0020000D"]["Value"][0] for one in reader.get(f"{root}/studies").json()}
    assert uids == {one.header.study_instance_uid for one in (district.own, district.prior)}
    wanted = district.prior.header.study_instance_uid
    (match,) = reader.get(f"{root}/studies?StudyInstanceUID={wanted}").json()
    assert match["0020000D"]["Value"] == [wanted]
    assert reader.get(f"{root}/studies?PatientID=nobody").json() == []
    named = reader.get(f"{root}/studies?PatientName=CompressedSamples*").json()
    assert {one["0020000D"]["Value"][0] for one in named} <= uids
    assert status(sign_in("colleague"), root, district.prior) == 404
    for stranger in ("doctor-west", "doctor-east"):
        answer = sign_in(stranger).get(f"{root}/{district.own.path}/metadata")
        assert answer.status_code == 403
    assert sign_in("reviewer").get(f"{root}/{district.prior.path}/metadata").status_code == 404
    with database.transaction() as session:
        actions = session.scalars(
            select(AuditRecord.action).where(AuditRecord.action.startswith("prior:"))
        ).all()
    assert sorted(actions) == ["prior:open", "prior:reason"]


@pytest.mark.parametrize("end", ["reason", "link", "agreement"])
def test_the_images_go_with_what_allowed_them(
    district: District, sign_in: Callable[[str], TestClient], database: Database, end: str
) -> None:
    reader, root = sign_in("reader"), district.root
    assert post(reader, f"{district.api}/reason", REASON) == 200
    assert post(reader, f"{district.api}/{district.prior_study}/open") == 200
    assert status(reader, root, district.prior) == 200
    now = utc_now()
    with database.transaction() as session:
        if end == "reason":
            as_owner(session)
            session.execute(text("ALTER TABLE prior_access DISABLE TRIGGER append_only"))
            session.execute(
                text("UPDATE prior_access SET at = :earlier, until = :now"),
                {"earlier": now - timedelta(hours=12), "now": now - timedelta(seconds=1)},
            )
        elif end == "link":
            link = session.scalars(select(PatientLink)).one()
            link.undone_at, link.undone_by, link.undone_because = now, link.linked_by, "不是同一人"
        else:
            by = session.scalars(select(PatientLink.linked_by)).one()
            agreement = session.scalars(select(Agreement)).one()
            agreement.ended_at, agreement.ended_by = now, by
    fresh(reader)
    assert status(reader, root, district.prior) == 404
    assert status(reader, root, district.own) == 200
    assert reader.get(district.api).json()["items"] == []


def test_nothing_leads_out_of_the_consortium(
    district: District, sign_in: Callable[[str], TestClient], database: Database
) -> None:
    reader = sign_in("reader")
    assert post(reader, f"{district.api}/reason", REASON) == 200
    with database.transaction() as session:
        session.execute(
            text("UPDATE organisation SET parent_id = NULL WHERE code IN ('EAST', 'WEST')")
        )
    assert reader.get(district.api).json()["elsewhere"] == 0
    assert post(reader, f"{district.api}/{district.prior_study}/open") == 404
    with database.transaction() as session:
        assert session.scalar(select(func.count()).select_from(PriorOpening)) == 0
