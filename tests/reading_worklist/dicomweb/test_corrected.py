"""A patient corrected at the desk is corrected in all that leaves; taken back, so are the bytes."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from pydicom import dcmread
from sqlalchemy import select

from reading_worklist.identity import arrival
from storage.database import Database
from storage.index.tables import Study
from storage.objects import ObjectStore
from tests.reading_worklist.dicomweb.archive import Archive, Filed
from tests.reading_worklist.dicomweb.conftest import parts_of, sample, series_of
from tests.support.orders import order_request, placed
from tests.support.seed import Consortium, received
from tests.support.web import Browser

ORDERED = ("P777", "Li^Na=李^娜", "F")


@dataclass(frozen=True)
class Desk:
    """The dispatcher, with one study that was sent under a wrong name and is linked to its order.

    files: as they were sent, by number.
    """

    browser: Browser
    case: str
    files: Sequence[Filed]

    @property
    def study(self) -> str:
        return f"/dicom-web/studies/{self.files[0].header.study_instance_uid}"

    def undo(self) -> None:
        answer = self.browser.post(f"/api/identity/cases/{self.case}/undo", reason="再核实")
        assert answer.status_code == 200, answer.text


def corrected(
    app: FastAPI, consortium: Consortium, archive: Archive, files: Sequence[bytes]
) -> Desk:
    made = [archive.file(data, consortium.east) for data in files]
    filed = [one for one in made if one is not None]
    order = placed(
        archive.database,
        order_request(
            consortium.east,
            patient_local_id=ORDERED[0],
            patient_name=ORDERED[1],
            patient_sex=ORDERED[2],
            study_instance_uid=str(filed[0].header.study_instance_uid),
        ),
    )
    archive.complete()
    with archive.database.transaction() as session:
        arrival.study_received(session, received(session.scalars(select(Study)).one()))
    browser = Browser(app, "dispatcher")
    (case,) = browser.get("/api/identity/cases").json()["items"]
    answer = browser.post(
        f"/api/identity/cases/{case['id']}/link", order_id=str(order.id), reason="选错病人"
    )
    assert answer.status_code == 200, answer.text
    return Desk(browser, case["id"], filed)


@pytest.fixture
def desk(app: FastAPI, consortium: Consortium, archive: Archive) -> Desk:
    return corrected(app, consortium, archive, series_of("CT_small.dcm", 3))


def patient_in(metadata: dict[str, Any]) -> tuple[str, str, str]:
    name = metadata["00100010"]["Value"][0]
    return (
        metadata["00100020"]["Value"][0],
        "=".join(name[one] for one in ("Alphabetic", "Ideographic") if one in name),
        metadata["00100040"]["Value"][0],
    )


def patients(client: TestClient, address: str) -> set[tuple[str, str, str]]:
    answer = client.get(f"{address}/metadata")
    assert answer.status_code == 200, answer.text
    return {patient_in(one) for one in answer.json()}


def test_metadata_says_who_was_decided_and_what_was_sent(desk: Desk, writer: TestClient) -> None:
    one = f"/dicom-web/{desk.files[0].path}"
    series = one.rpartition("/instances/")[0]
    before = sample("CT_small.dcm").read()
    for address in (one, series, desk.study):
        assert patients(writer, address) == {ORDERED}
    (metadata,) = writer.get(f"{one}/metadata").json()
    (item,) = metadata["04000561"]["Value"]
    (sent,) = item["04000550"]["Value"]
    assert sent["00100020"]["Value"] == [before.PatientID]
    assert "OtherPatientIDsSequence" in before
    assert ("00101002" in metadata, "00101002" in sent) == (False, True)
    tags = {address: writer.get(f"{address}/metadata").headers["ETag"] for address in (one, series)}

    desk.undo()
    for address, tag in tags.items():
        answer = writer.get(f"{address}/metadata", headers={"If-None-Match": tag})
        assert answer.status_code == 200
        assert answer.json()[0]["00100020"]["Value"] == [before.PatientID]
        assert "04000561" not in answer.json()[0]
    assert {one[0] for one in patients(writer, desk.study)} == {before.PatientID}


def test_instances_leave_corrected_and_come_back_as_they_were(
    desk: Desk, writer: TestClient
) -> None:
    sent = desk.files[0]
    one = f"/dicom-web/{sent.path}"
    single = {"Accept": "application/dicom"}
    answer = writer.get(one, headers=single)
    dataset = dcmread(io.BytesIO(answer.content))
    assert (dataset.PatientID, str(dataset.PatientName), dataset.PatientSex) == ORDERED
    assert dataset.PixelData == dcmread(io.BytesIO(sent.data)).PixelData
    assert "PrivateInformation" not in dataset.file_meta
    # Now the series was shown just before.
    assert writer.get(one, headers=single).content == answer.content
    part = writer.get(one, headers=single | {"Range": "bytes=100-299"})
    assert (part.status_code, part.content) == (206, answer.content[100:300])
    assert answer.headers["ETag"] != f'"{sent.header.sop_instance_uid}"'
    by_uri = writer.get(
        "/dicom-web/wado",
        params={
            "requestType": "WADO",
            "studyUID": str(sent.header.study_instance_uid),
            "seriesUID": str(sent.header.series_instance_uid),
            "objectUID": str(sent.header.sop_instance_uid),
            "contentType": "application/dicom",
        },
    )
    assert by_uri.content == answer.content
    parts = parts_of(writer.get(desk.study))
    assert {str(dcmread(io.BytesIO(data)).PatientID) for _, data in parts} == {ORDERED[0]}
    frame = writer.get(f"{one}/frames/1", headers={"Accept": "application/octet-stream"})
    assert frame.content == dataset.PixelData

    desk.undo()
    back = writer.get(one, headers=single | {"If-None-Match": answer.headers["ETag"]})
    assert (back.status_code, back.content) == (200, sent.data)
    assert {data for _, data in parts_of(writer.get(desk.study))} == {
        one.data for one in desk.files
    }


def test_metadata_is_prepared_once_for_each_decision(
    desk: Desk, writer: TestClient, objects: ObjectStore
) -> None:
    def kept() -> set[str]:
        return {one.key for one in objects.list("derived/series-metadata/")}

    series = f"/dicom-web/{desk.files[0].path}".rpartition("/instances/")[0]
    assert patients(writer, series) == {ORDERED}
    laid = kept()
    assert patients(writer, series) == {ORDERED}
    assert kept() == laid
    desk.undo()
    assert ORDERED not in patients(writer, series)
    # Only that of the header is left.
    assert len(kept()) == len(laid) == 3


def test_a_corrected_instance_is_given_in_another_transfer_syntax(
    app: FastAPI, consortium: Consortium, archive: Archive, writer: TestClient
) -> None:
    stored = sample("MR_small_jp2klossless.dcm")
    desk = corrected(app, consortium, archive, [stored.data])
    accept = "application/dicom; transfer-syntax=1.2.840.10008.1.2.1"
    answer = writer.get(f"/dicom-web/{desk.files[0].path}", headers={"Accept": accept})
    dataset = dcmread(io.BytesIO(answer.content))
    assert dataset.file_meta.TransferSyntaxUID == "1.2.840.10008.1.2.1"
    assert dataset.PatientID == ORDERED[0]
    assert (dataset.pixel_array == stored.read().pixel_array).all()


def test_a_kept_header_is_given_as_it_was_sent(
    app: FastAPI, consortium: Consortium, archive: Archive, writer: TestClient, database: Database
) -> None:
    desk = corrected(app, consortium, archive, series_of("CT_small.dcm", 1))
    desk.undo()
    kept = desk.browser.post(f"/api/identity/cases/{desk.case}/keep", reason="人对")
    assert kept.status_code == 200, kept.text
    answer = writer.get(f"/dicom-web/{desk.files[0].path}", headers={"Accept": "application/dicom"})
    assert answer.content == desk.files[0].data
