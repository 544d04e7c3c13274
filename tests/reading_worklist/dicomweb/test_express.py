"""A viewer's next frame needs no query, and still nobody sees what is not his."""

import gzip
import json
from collections.abc import Callable, Generator
from contextlib import contextmanager

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import event
from sqlalchemy.engine import Engine

from reading_worklist.dicomweb.bodies import Region
from reading_worklist.dicomweb.packed_json import HEADER_LENGTH, join, pack, read_header
from tests.reading_worklist.dicomweb.archive import Archive, Filed
from tests.reading_worklist.dicomweb.conftest import OCTETS, parts_of, sample, series_of
from tests.support.seed import Consortium


@contextmanager
def counted() -> Generator[list[str]]:
    """Collect the statements that reach the database, in whatever role."""
    seen: list[str] = []

    def note(*arguments: object) -> None:
        seen.append(str(arguments[2]))

    event.listen(Engine, "before_cursor_execute", note)
    yield seen
    event.remove(Engine, "before_cursor_execute", note)


@pytest.fixture
def shown(archive: Archive, consortium: Consortium, writer: TestClient) -> list[Filed]:
    """A complete series whose metadata a viewer has just asked for, and one frame."""
    filed = [archive.file(data, consortium.east) for data in series_of("CT_small.dcm", 3)]
    archive.complete()
    made = [one for one in filed if one is not None]
    series = made[0].path.partition("/instances/")[0]
    assert writer.get(f"/dicom-web/{series}/metadata").status_code == 200
    assert writer.get(f"/dicom-web/{made[0].path}/frames/1").status_code == 200
    return made


def test_the_next_frames_need_no_query(
    shown: list[Filed],
    writer: TestClient,
    archive: Archive,
    sign_in: Callable[[str], TestClient],
) -> None:
    pixels = sample("CT_small.dcm").read().PixelData
    with counted() as statements:
        for one in shown:
            answer = writer.get(f"/dicom-web/{one.path}/frames/1", headers={"Accept": OCTETS})
            assert parts_of(answer)[0][1] == pixels
        whole = writer.get(f"/dicom-web/{shown[1].path}", headers={"Accept": "application/dicom"})
        assert whole.content == shown[1].data
    assert statements == []
    for path in (shown[1].path, f"{shown[1].path}/frames/1"):
        assert sign_in("doctor-west").get(f"/dicom-web/{path}").status_code == 404
    for wrong in ("frames/2", "frames/0", "frames/1/2"):
        assert writer.get(f"/dicom-web/{shown[1].path}/{wrong}").status_code in {400, 404}


def test_metadata_is_a_question_for_the_session_and_one_for_the_study(
    shown: list[Filed], writer: TestClient, sign_in: Callable[[str], TestClient]
) -> None:
    study = f"/dicom-web/{shown[0].path.partition('/series/')[0]}/metadata"
    assert writer.get(study).status_code == 200
    with counted() as statements:
        assert writer.get(study).status_code == 200
    assert [one.partition(" ")[0] for one in statements] == ["WITH", "SELECT"]
    east = sign_in("doctor-east")
    with counted() as statements:
        assert east.get(study).status_code == 200
    # Another's sites are told the connection first, and who is shown it for the first time is
    # recorded besides.
    assert "set_config" in statements.pop(1)
    assert [one.partition(" ")[0] for one in statements] == ["WITH", "SELECT", "INSERT"]


def test_a_sign_out_ends_it_at_once(shown: list[Filed], writer: TestClient) -> None:
    token = writer.get("/api/session").json()["csrf_token"]
    cookies = dict(writer.cookies)
    writer.delete("/api/session", headers={"X-CSRF-Token": token})
    writer.cookies.update(cookies)
    assert writer.get(f"/dicom-web/{shown[1].path}/frames/1").status_code == 401


def test_a_part_of_an_instance(shown: list[Filed], writer: TestClient) -> None:
    data, address = shown[0].data, f"/dicom-web/{shown[0].path}"
    single = {"Accept": "application/dicom"}
    for asked, start, stop in (("0-9", 0, 10), ("100-", 100, len(data)), ("-5", -5, None)):
        part = writer.get(address, headers=single | {"Range": f"bytes={asked}"})
        assert part.status_code == 206
        assert part.content == data[start:stop]
        assert part.headers["content-range"].endswith(f"/{len(data)}")
    beyond = writer.get(address, headers=single | {"Range": f"bytes={len(data)}-"})
    assert beyond.status_code == 416
    changed = single | {"Range": "bytes=0-9", "If-Range": '"other"'}
    assert writer.get(address, headers=changed).content == data


def test_packed_arrays_are_joined_without_packing_them_again() -> None:
    arrays = [[{"n": n, "t": "文" * n} for n in range(count)] for count in (300, 0, 1, 40)]
    packed = {str(n): pack(json.dumps(array).encode()) for n, array in enumerate(arrays)}
    for key, array in zip(packed, arrays, strict=True):
        assert json.loads(gzip.decompress(packed[key])) == array
    pieces = join([(key, read_header(data[:HEADER_LENGTH])) for key, data in packed.items()])
    body = bytearray()
    for piece in pieces:
        if isinstance(piece, Region):
            body += packed[piece.key][piece.offset : piece.offset + piece.length]
        else:
            assert isinstance(piece, bytes)
            body += piece
    assert json.loads(gzip.decompress(body)) == [one for array in arrays for one in array]
