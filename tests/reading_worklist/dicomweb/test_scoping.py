"""Nobody learns anything of another site's patients, on any route and in any words."""

from collections.abc import Callable

import pytest
from fastapi.testclient import TestClient

from reading_worklist.dicomweb import retrieve_routes, search_routes
from storage import registry
from storage.registry import Role
from tests.reading_worklist.dicomweb.archive import Archive, Filed
from tests.reading_worklist.dicomweb.conftest import copy_of, sample
from tests.support.seed import Consortium, password_hash

UNKNOWN = "1.2.3.4"


@pytest.fixture
def filed(archive: Archive, consortium: Consortium) -> Filed:
    """An instance of EAST."""
    made = archive.file(sample("CT_small.dcm").data, consortium.east)
    assert made is not None
    archive.complete()
    return made


def test_stranger_finds_nothing(filed: Filed, sign_in: Callable[[str], TestClient]) -> None:
    own, foreign = sign_in("doctor-east"), sign_in("doctor-west")
    for address in all_addresses(filed):
        mine = own.get(address)
        assert mine.status_code == 200, address
        theirs = foreign.get(address)
        if theirs.status_code == 200:
            assert theirs.json() == [], address
            assert theirs.headers["x-total-count"] == "0"
            continue
        assert theirs.status_code == 404, address
        unknown = foreign.get(unknown_address(address, filed))
        assert theirs.json() == unknown.json(), address
        for secret in (filed.header.patient_name, filed.header.patient_id or "", "EAST"):
            assert secret not in theirs.text


def unknown_address(address: str, filed: Filed) -> str:
    if "/sites/" in address:
        address = address.replace(f"/sites/{filed.site_code}", "/sites/NOWHERE")
    return address.replace(filed.header.study_instance_uid, UNKNOWN)


def all_addresses(filed: Filed) -> list[str]:
    header = filed.header
    study = f"studies/{header.study_instance_uid}"
    series = f"{study}/series/{header.series_instance_uid}"
    instance = f"{series}/instances/{header.sop_instance_uid}"
    below = [
        "studies",
        "series",
        "instances",
        study,
        f"{study}/series",
        f"{study}/instances",
        f"{study}/metadata",
        series,
        f"{series}/instances",
        f"{series}/metadata",
        instance,
        f"{instance}/metadata",
        f"{instance}/frames/1",
        f"{instance}/bulkdata/7FE00010",
    ]
    return [f"{root}/{path}" for root in ("/dicom-web", "/dicom-web/sites/EAST") for path in below]


def test_the_walk_leaves_no_route_out(filed: Filed) -> None:
    declared = [*search_routes.router.routes, *retrieve_routes.router.routes]
    roots = 2
    assert len(set(all_addresses(filed))) == roots * len(declared)


def test_same_study_at_two_sites_is_never_mixed(
    archive: Archive,
    consortium: Consortium,
    writer: TestClient,
    sign_in: Callable[[str], TestClient],
) -> None:
    east = archive.file(sample("CT_small.dcm").data, consortium.east)
    west = archive.file(copy_of("CT_small.dcm", PatientID="W9", Rows=128), consortium.west)
    assert east is not None
    assert west is not None
    archive.complete()
    assert east.header.study_instance_uid == west.header.study_instance_uid
    both = writer.get("/dicom-web/studies").json()
    roots = {one["00100020"]["Value"][0]: one["00081190"]["Value"][0] for one in both}
    assert len(both) == 2
    assert "/sites/WEST/" in roots["W9"]
    for address in all_addresses(east):
        if address.startswith("/dicom-web/studies/"):
            refused = writer.get(address)
            assert refused.status_code == 409, address
            assert "/dicom-web/sites/" in refused.json()["remedy"]
    for filed, site in ((east, "EAST"), (west, "WEST")):
        path = f"/dicom-web/sites/{site}/{filed.path}"
        accept = {"Accept": "application/dicom"}
        assert writer.get(path, headers=accept).content == filed.data
        (model,) = writer.get(f"{path}/metadata").json()
        assert model["00100020"]["Value"] == [filed.header.patient_id]
        assert f"/dicom-web/sites/{site}/" in model["7FE00010"]["BulkDataURI"]
        study = path.partition("/series/")[0]
        assert len(writer.get(f"{study}/instances").json()) == 1
        assert len(writer.get(f"{study}/metadata").json()) == 1
    # Whoever sees one of the two sites never learns that there is another.
    own = sign_in("doctor-west")
    assert own.get(f"/dicom-web/{west.path}/metadata").json()[0]["00100020"]["Value"] == ["W9"]


def test_roles_without_clinical_reading_see_no_image(
    filed: Filed, consortium: Consortium, sign_in: Callable[[str], TestClient]
) -> None:
    with consortium.database.transaction() as session:
        registry.add_person(
            session,
            "other",
            "其他",
            password_hash(),
            organisation=consortium.centre,
            roles=(Role.AUDITOR, Role.REGULATOR, Role.SYSTEM_ADMIN),
        )
        # An expert sees what a consultation shares with him, and here there is none.
        registry.add_person(
            session,
            "expert",
            "专家",
            password_hash(),
            organisation=consortium.centre,
            roles=(Role.AUDITOR, Role.EXPERT),
        )
    client, expert = sign_in("other"), sign_in("expert")
    for address in all_addresses(filed):
        assert client.get(address).status_code == 403, address
        answer = expert.get(address)
        assert answer.status_code == 404 or answer.json() == [], address


def test_identifiers_that_are_none_are_refused(writer: TestClient) -> None:
    for uid in ("..", "1.2.", "%27", "1.2.3%00", "x" * 100, "1" * 65):
        for path in (f"studies/{uid}/metadata", f"studies/1.2/series/{uid}/metadata"):
            answer = writer.get(f"/dicom-web/{path}")
            assert answer.status_code in {400, 404}, path
            assert answer.headers["content-type"] == "application/problem+json"
