"""What the service says of itself, and HEAD on what it retrieves."""

from xml.etree import ElementTree as ET

import pytest
from fastapi.testclient import TestClient

from tests.reading_worklist.dicomweb.archive import Archive
from tests.reading_worklist.dicomweb.conftest import OCTETS, sample
from tests.support.seed import Consortium

WADL = "{http://wadl.dev.java.net/2009/02}"


def test_capabilities_are_told_as_wadl_and_as_json(writer: TestClient) -> None:
    answer = writer.options("/dicom-web/")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("application/vnd.sun.wadl+xml")
    root = ET.fromstring(answer.text)
    resources = root.find(f"{WADL}resources")
    assert resources is not None
    assert resources.get("base") == "http://testserver/dicom-web/"
    told = {
        (one.get("path"), method.get("name"))
        for one in resources
        for method in one.iter(f"{WADL}method")
    }
    instance = "studies/{study}/series/{series}/instances/{instance}"
    assert {
        ("studies", "GET"),
        ("studies", "POST"),
        (f"{instance}/frames/{{frames}}", "GET"),
        (f"{instance}/rendered", "GET"),
        (f"{instance}/metadata", "GET"),
    } <= told
    assert not [name for _, name in told if name == "DELETE"]

    accept = {"Accept": "application/json"}
    as_json = writer.options("/dicom-web/sites/EAST/", headers=accept).json()
    found = as_json["application"]["resources"]
    assert found["base"] == "http://testserver/dicom-web/sites/EAST/"
    assert {
        (one["path"], method["name"]) for one in found["resource"] for method in one["method"]
    } == told
    assert writer.options("/dicom-web/", headers={"Accept": "image/png"}).status_code == 406


def test_one_resource_tells_its_methods(writer: TestClient) -> None:
    answer = writer.options("/dicom-web/studies")
    assert answer.headers["allow"] == "GET, HEAD, OPTIONS, POST"
    assert answer.text.count("<resource ") == 1
    assert writer.options("/dicom-web/nothing").status_code == 404
    writer.cookies.clear()
    assert writer.options("/dicom-web/").status_code == 401


@pytest.mark.parametrize("complete", [False, True])
def test_head_is_get_without_its_body(
    archive: Archive,
    consortium: Consortium,
    writer: TestClient,
    *,
    complete: bool,
) -> None:
    filed = archive.file(sample("CT_small.dcm").data, consortium.east)
    assert filed is not None
    if complete:
        archive.complete()
    instance = f"/dicom-web/{filed.path}"
    series = instance.rpartition("/instances/")[0]
    study = series.rpartition("/series/")[0]
    for address, accept in (
        (study, "*/*"),
        (series, "*/*"),
        (instance, "application/dicom"),
        (f"{study}/metadata", "*/*"),
        (f"{series}/metadata", "*/*"),
        (f"{instance}/metadata", "*/*"),
        (f"{instance}/frames/1", OCTETS),
        (f"{instance}/bulkdata/7FE00010", OCTETS),
        (f"{instance}/rendered", "image/jpeg"),
        (f"{instance}/thumbnail", "image/jpeg"),
        (f"{study}/series", "application/dicom+json"),
    ):
        got = writer.get(address, headers={"Accept": accept})
        head = writer.head(address, headers={"Accept": accept})
        assert (head.status_code, head.content) == (200, b""), address
        for name in ("etag", "content-length"):
            assert head.headers.get(name) == got.headers.get(name), address
    assert writer.head(f"{study}9").status_code == 404
