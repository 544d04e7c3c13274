"""Searches find what they should, page by page, and refuse what cannot be."""

import io
from collections.abc import Callable

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from pydicom.datadict import keyword_for_tag
from pydicom.uid import generate_uid

from storage.database import Database
from storage.dicom_header import read_header
from storage.index.search import ATTRIBUTES, Level, engine
from tests.reading_worklist.dicomweb.archive import Archive
from tests.reading_worklist.dicomweb.conftest import copy_of, series_of
from tests.support.index_rows import add_study
from tests.support.search_cases import CASES, fill
from tests.support.seed import Consortium

CHINESE = {"SpecificCharacterSet": "GB18030", "PatientName": "Zhang^Wei=张^伟"}


@pytest.fixture
def filled(archive: Archive, consortium: Consortium) -> None:
    """Three studies: a CT of two instances, an MR, and a CT with a CR series beside it."""
    for data in series_of(
        "CT_small.dcm", 2, PatientID="P1", StudyDate="20261101", AccessionNumber="A1", **CHINESE
    ):
        archive.file(data, consortium.east)
    for data in series_of(
        "MR_small.dcm",
        1,
        PatientID="P_2%",
        PatientName="O'Neil^Anna",
        StudyDate="20261115",
        StudyTime="101530",
        AccessionNumber="B-22",
    ):
        archive.file(data, consortium.west)
    mixed = series_of(
        "CT_small.dcm",
        1,
        PatientID="P3",
        PatientName="Li^Na",
        StudyDate="20261120",
        AccessionNumber="",
    )
    archive.file(mixed[0], consortium.west)
    from_same = {
        "SeriesInstanceUID": str(generate_uid()),
        "SOPInstanceUID": str(generate_uid()),
        "Modality": "CR",
    }
    made = archive.file(
        copy_of(
            "CT_small.dcm",
            StudyInstanceUID=study_uid(mixed[0]),
            PatientID="P3",
            PatientName="Li^Na",
            StudyDate="20261120",
            **from_same,
        ),
        consortium.west,
    )
    assert made is not None


def study_uid(data: bytes) -> str:
    return str(read_header(io.BytesIO(data)).study_instance_uid)


def patients(client: TestClient, query: str, level: str = "studies") -> list[str]:
    answer = client.get(f"/dicom-web/{level}?{query}")
    assert answer.status_code == 200, answer.text
    assert answer.headers["x-total-count"] == str(len(answer.json()))
    return [one["00100020"]["Value"][0] for one in answer.json()]


QUERIES: list[tuple[str, list[str]]] = [
    ("", ["P3", "P_2%", "P1"]),
    ("PatientID=P1", ["P1"]),
    ("00100020=P1", ["P1"]),
    ("PatientID=p1", []),
    ("PatientID=P*", ["P3", "P_2%", "P1"]),
    ("PatientID=P?", ["P3", "P1"]),
    ("PatientID=P_2%25", ["P_2%"]),
    ("PatientID=P_*", ["P_2%"]),
    ("PatientID=%25", []),
    ("PatientName=zhang*", ["P1"]),
    ("PatientName=ZHANG%5EWEI", ["P1"]),
    ("PatientName=张*", ["P1"]),
    ("PatientName=张伟", ["P1"]),
    ("PatientName=*伟", ["P1"]),
    ("PatientName=李*", []),
    ("PatientName=o'neil*", ["P_2%"]),
    ("PatientName='; DROP TABLE study; --", []),
    ("PatientName=zw", []),
    ("PatientName=zw&fuzzymatching=true", ["P1"]),
    ("StudyDate=20261115", ["P_2%"]),
    ("StudyDate=20261102-", ["P3", "P_2%"]),
    ("StudyDate=-20261115", ["P_2%", "P1"]),
    ("StudyDate=20261101-20261115", ["P_2%", "P1"]),
    ("StudyDate=20270101-", []),
    ("StudyTime=1015", ["P_2%"]),
    ("AccessionNumber=B-*", ["P_2%"]),
    ("ModalitiesInStudy=CR", ["P3"]),
    ("ModalitiesInStudy=CR,MR", ["P3", "P_2%"]),
    ("ModalitiesInStudy=MR%5CCT", ["P3", "P_2%", "P1"]),
    ("StudyInstanceUID=1.2.3", []),
    ("PatientID=&PatientName=&StudyDate=", ["P3", "P_2%", "P1"]),
    ("includefield=all&includefield=00081030,PatientAge", ["P3", "P_2%", "P1"]),
    ("ModalitiesInStudy=CT&StudyDate=20261101", ["P1"]),
]


@pytest.mark.usefixtures("filled")
def test_studies_are_matched(writer: TestClient) -> None:
    for query, expected in QUERIES:
        assert patients(writer, query) == expected, query


@pytest.mark.usefixtures("filled")
def test_attributes_of_a_study(writer: TestClient) -> None:
    (study,) = writer.get("/dicom-web/studies?PatientID=P3").json()
    assert study["00080061"]["Value"] == ["CR", "CT"]
    assert study["00201206"]["Value"] == [2]
    assert study["00201208"]["Value"] == [2]
    assert study["00080020"]["Value"] == ["20261120"]
    assert "Value" not in study["00080050"]
    uid = study["0020000D"]["Value"][0]
    url = f"http://testserver/dicom-web/sites/WEST/studies/{uid}"
    assert study["00081190"]["Value"] == [url]
    assert list(study) == sorted(study)
    (chinese,) = writer.get("/dicom-web/studies?PatientID=P1").json()
    assert chinese["00100010"]["Value"] == [{"Alphabetic": "Zhang^Wei", "Ideographic": "张^伟"}]
    assert writer.get(f"{url}/metadata").status_code == 200


@pytest.mark.usefixtures("filled")
def test_series_and_instances_of_a_study_and_of_all(writer: TestClient) -> None:
    (study,) = writer.get("/dicom-web/studies?PatientID=P3").json()
    uid = study["0020000D"]["Value"][0]
    series = writer.get(f"/dicom-web/studies/{uid}/series").json()
    assert sorted(one["00080060"]["Value"][0] for one in series) == ["CR", "CT"]
    (computed,) = writer.get(f"/dicom-web/studies/{uid}/series?Modality=CR").json()
    name = computed["0020000E"]["Value"][0]
    (instance,) = writer.get(f"/dicom-web/studies/{uid}/series/{name}/instances").json()
    assert instance["00280010"]["Value"] == [128]
    assert instance["00083002"]["Value"] == ["1.2.840.10008.1.2.1"]
    assert writer.get(instance["00081190"]["Value"][0]).status_code == 200
    assert len(writer.get(f"/dicom-web/studies/{uid}/instances").json()) == 2
    assert patients(writer, "Modality=MR", "series") == ["P_2%"]
    assert patients(writer, "Modality=C*", "series") == ["P3", "P3", "P1"]
    assert patients(writer, "PatientID=P1&InstanceNumber=2", "instances") == ["P1"]
    sop = instance["00080018"]["Value"][0]
    assert patients(writer, f"SOPInstanceUID={sop},1.2.3", "instances") == ["P3"]
    assert patients(writer, f"SeriesInstanceUID={name}", "series") == ["P3"]
    ignored = writer.get("/dicom-web/studies?Modality=MR&PatientComments=x")
    assert "Modality, PatientComments" in ignored.headers["warning"]
    assert len(ignored.json()) == 3


@pytest.mark.usefixtures("filled")
def test_pages(writer: TestClient) -> None:
    seen: list[str] = []
    for offset in range(4):
        answer = writer.get(f"/dicom-web/instances?limit=2&offset={offset * 2}")
        seen += [one["00080018"]["Value"][0] for one in answer.json()]
        assert answer.headers["x-total-count"] == "5"
        if offset == 0:
            expected = '299 testserver "There are 3 additional results that can be requested"'
            assert answer.headers["warning"] == expected
    assert len(seen) == len(set(seen)) == 5
    assert writer.get("/dicom-web/studies?limit=0").json() == []
    far = writer.get("/dicom-web/studies?offset=1000000000000")
    assert (far.status_code, far.json()) == (200, [])


PATHS = {"STUDY": "studies", "SERIES": "series", "INSTANCE": "instances"}


def test_the_rules_of_matching(
    writer: TestClient, database: Database, consortium: Consortium
) -> None:
    with database.transaction() as session:
        fill(session, consortium.east.id)
    for case in CASES:
        if case.level == "PATIENT":
            continue
        parameters = {**case.keys, "fuzzymatching": str(case.fuzzy).lower()}
        answer = writer.get(f"/dicom-web/{PATHS[case.level]}", params=parameters)
        assert answer.status_code == 200, case
        tag = f"{ATTRIBUTES[case.returned].tag:08X}"
        assert sorted(one[tag]["Value"][0] for one in answer.json()) == sorted(case.found), case
        assert answer.headers["x-total-count"] == str(len(case.found))
        assert answer.headers["x-total-count-relation"] == "eq"


@pytest.mark.usefixtures("filled")
def test_fields_on_request(writer: TestClient) -> None:
    def keywords(query: str) -> set[str]:
        (one,) = writer.get(f"/dicom-web/{query}").json()
        return {keyword_for_tag(tag) for tag in one}

    assert "SOPClassesInStudy" not in keywords("studies?PatientID=P1")
    more = keywords("studies?PatientID=P1&includefield=SOPClassesInStudy,00101010")
    assert more >= {"SOPClassesInStudy", "PatientAge", "StudyDate", "RetrieveURL"}
    assert keywords("studies?PatientID=P1&includefield=all") >= {
        one.keyword for one in ATTRIBUTES.values() if one.level <= Level.STUDY
    }
    (study,) = writer.get("/dicom-web/studies?PatientID=P1").json()
    path = f"studies/{study['0020000D']['Value'][0]}/series"
    assert "PatientName" not in keywords(path)
    assert keywords(path) >= {"PatientID", "StudyInstanceUID", "Modality"}
    assert "PatientName" in keywords(f"{path}?includefield=PatientName")
    assert "PatientName" in keywords("series?PatientID=P1")


def test_more_than_is_counted(
    writer: TestClient,
    database: Database,
    consortium: Consortium,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(engine, "COUNTED_MAX", 2)
    with database.transaction() as session:
        for number in range(5):
            add_study(session, consortium.east.id, uid=f"1.{number}", patient_id="P", name="A")
    answer = writer.get("/dicom-web/studies?limit=1")
    assert answer.headers["x-total-count"] == "3"
    assert answer.headers["x-total-count-relation"] == "gte"
    warning = "There are at least 2 additional results that can be requested"
    assert warning in answer.headers["warning"]


HOSTILE = [
    "StudyDate=yesterday",
    "StudyDate=' OR 1=1 --",
    "StudyInstanceUID=1.2' OR '1'='1",
    "StudyInstanceUID=%25",
    "limit=-1",
    "limit=1;DROP TABLE study",
    "offset=99999999999999999999999999",
    "offset=%27",
    "PatientID=%00",
    "PatientName=" + "x" * 5000,
]


def test_hostile_queries_are_refused(writer: TestClient) -> None:
    for query in HOSTILE:
        answer = writer.get(f"/dicom-web/studies?{query}")
        assert answer.status_code == 400, query
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["expected"]


def test_nothing_found_is_an_empty_list(writer: TestClient) -> None:
    answer = writer.get("/dicom-web/studies")
    assert (answer.status_code, answer.json()) == (200, [])
    assert answer.headers["content-type"] == "application/dicom+json"


def test_json_is_given_or_refused(writer: TestClient) -> None:
    for accept in ("application/dicom+json", "application/json", "*/*", "application/*"):
        assert writer.get("/dicom-web/studies", headers={"Accept": accept}).status_code == 200
    refused = writer.get(
        "/dicom-web/studies", headers={"Accept": 'multipart/related; type="application/dicom+xml"'}
    )
    assert refused.status_code == 406


def test_who_may_search(sign_in: Callable[[str], TestClient], app: FastAPI) -> None:
    stranger = TestClient(app)
    assert stranger.get("/dicom-web/studies").status_code == 401
    assert sign_in("reviewer").get("/dicom-web/studies").status_code == 200
