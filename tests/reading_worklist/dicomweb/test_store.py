"""STOW-RS: each instance is stored durably or answered for with the reason."""

import io
from collections.abc import Callable, Sequence
from datetime import timedelta

import pytest
from fastapi.testclient import TestClient
from httpx import Response
from sqlalchemy import select

from reading_worklist.dicomweb.upload import PartsReader, UploadedPart
from reading_worklist.problems import Problem
from storage import receptions, registry
from storage.dicom_header import read_header
from storage.index.tables import Instance, Quarantine, Study
from storage.objects import ObjectKey, ObjectStore
from storage.registry import Role
from tests.reading_worklist.dicomweb.archive import Archive
from tests.reading_worklist.dicomweb.conftest import QUIET_CT, copy_of, sample, series_of
from tests.support.seed import Consortium, password_hash

KIND = 'multipart/related; type="application/dicom"; boundary=XX'


def body_of(files: Sequence[bytes]) -> bytes:
    parts = b"".join(
        b"--XX\r\nContent-Type: application/dicom\r\n\r\n" + data + b"\r\n" for data in files
    )
    return parts + b"--XX--\r\n"


@pytest.fixture
def technician(consortium: Consortium, sign_in: Callable[[str], TestClient]) -> TestClient:
    with consortium.database.transaction() as session:
        registry.add_person(
            session,
            "tech-east",
            "技师",
            password_hash(),
            organisation=consortium.east,
            roles=(Role.SITE_TECHNICIAN,),
        )
    client = sign_in("tech-east")
    client.headers["X-CSRF-Token"] = client.get("/api/session").json()["csrf_token"]
    return client


def send(client: TestClient, files: Sequence[bytes], path: str = "studies") -> Response:
    return client.post(f"/dicom-web/{path}", content=body_of(files), headers={"Content-Type": KIND})


def test_what_is_stored_comes_back(technician: TestClient) -> None:
    files = series_of("CT_small.dcm", 3)
    answer = send(technician, files)
    assert answer.status_code == 200, answer.text
    stored = answer.json()["00081199"]["Value"]
    assert len(stored) == 3
    for data, one in zip(files, stored, strict=True):
        address = one["00081190"]["Value"][0]
        back = technician.get(address, headers={"Accept": "application/dicom"})
        begin = read_header(io.BytesIO(data)).dataset_offset
        with_record = receptions.read_reception(io.BytesIO(back.content), address)
        assert with_record is not None
        assert back.content[with_record[1] :] == data[begin:]
    # The same again changes nothing and is no failure.
    assert send(technician, files).status_code == 200
    study = answer.json()["00081190"]["Value"][0]
    assert len(technician.get(f"{study}/instances").json()) == 3


def test_the_object_tells_of_its_reception(
    technician: TestClient, archive: Archive, consortium: Consortium
) -> None:
    """So that the index can be made again from objects alone."""
    data = sample("CT_small.dcm").data
    assert send(technician, [data]).status_code == 200
    with archive.database.transaction() as session:
        filed = session.scalars(select(Instance)).one()
        study = session.scalars(select(Study)).one()
    head = archive.objects.read(ObjectKey(filed.object_key), 0, 8192)
    found = receptions.read_reception(io.BytesIO(head), filed.object_key)
    assert found is not None
    reception, offset = found
    assert offset == filed.dataset_offset
    assert (reception.origin.site_id, reception.origin.device_id) == (consortium.east.id, None)
    assert (reception.origin.calling_ae_title, reception.dataset_sha256) == (
        "STOW-RS",
        filed.dataset_sha256,
    )
    assert reception.received_at == filed.received_at
    assert filed.pixel_data_offset is not None
    pixels = archive.objects.read(ObjectKey(filed.object_key), filed.pixel_data_offset, 4)
    assert pixels == b"\xe0\x7f\x10\x00"
    # The quiet time is that of its modality, as for what devices send.
    assert study.quiet_due_at - study.last_received_at < timedelta(seconds=QUIET_CT + 5)
    assert study.quiet_due_at - study.last_received_at >= timedelta(seconds=QUIET_CT)


def test_each_instance_has_its_own_answer(
    technician: TestClient, archive: Archive, objects: ObjectStore
) -> None:
    good = sample("CT_small.dcm").data
    other = copy_of("CT_small.dcm", Rows=127)
    assert send(technician, [good]).status_code == 200
    mixed = send(technician, [good, other, b"no DICOM at all"])
    assert mixed.status_code == 202
    reasons = [one["00081197"]["Value"][0] for one in mixed.json()["00081198"]["Value"]]
    assert reasons == [0x0111, 0xC000]
    with archive.database.transaction() as session:
        kept = session.query(Quarantine).one()
        assert kept.detail["expected"] == "one content for one SOP Instance UID"
        assert kept.calling_ae_title == "STOW-RS"
        assert len(objects.read(ObjectKey(kept.object_key))) == kept.object_size
    assert send(technician, [other]).status_code == 409
    with archive.database.transaction() as session:
        # The same bytes again are counted at the entry that is open.
        assert session.query(Quarantine).one().detail["times_received"] == "2"
    elsewhere = send(technician, [good], "studies/1.2.3")
    assert elsewhere.status_code == 409
    assert elsewhere.json()["00081198"]["Value"][0]["00081197"]["Value"] == [0xA900]


def test_bodies_and_callers_that_are_refused(
    technician: TestClient, sign_in: Callable[[str], TestClient]
) -> None:
    data = sample("CT_small.dcm").data
    for kind in ("application/dicom", 'multipart/related; type="application/dicom+json"'):
        answer = technician.post(
            "/dicom-web/studies", content=body_of([data]), headers={"Content-Type": kind}
        )
        assert answer.status_code == 415
    for body in (b"", b"--XX--\r\n", body_of([data])[:-20]):
        answer = technician.post("/dicom-web/studies", content=body, headers={"Content-Type": KIND})
        assert answer.status_code == 400, body[:20]
    assert send(technician, [data], "sites/WEST/studies").status_code == 404
    doctor = sign_in("doctor-east")
    doctor.headers["X-CSRF-Token"] = doctor.get("/api/session").json()["csrf_token"]
    assert send(doctor, [data]).status_code == 403
    del technician.headers["X-CSRF-Token"]
    assert send(technician, [data]).status_code == 403
    technician.headers["X-CSRF-Token"] = technician.get("/api/session").json()["csrf_token"]
    assert technician.delete("/dicom-web/studies/1.2.3").status_code == 405


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_boundaries_are_found_however_the_body_is_cut(size: int) -> None:
    contents = [b"", b"\r\n--X", b"a\r\n--XY\r\n" * 50, bytes(range(256))]
    parts: list[bytes] = []

    def take(part: UploadedPart) -> None:
        assert part.content_type == "application/dicom"
        parts.append(part.file.read())

    reader = PartsReader("XX", take)
    body = body_of(contents)
    for start in range(0, len(body), size):
        reader.feed(body[start : start + size])
    reader.close()
    assert parts == contents
    unfinished = PartsReader("XX", take)
    unfinished.feed(body[:-10])
    with pytest.raises(Problem):
        unfinished.close()
