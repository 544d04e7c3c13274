"""Images as pictures: windowed, scaled, in what the client takes; documents and ECGs as such."""

import io
from collections.abc import Callable

import pytest
from fastapi.testclient import TestClient
from PIL import Image

from reading_worklist.dicomweb import rendered_routes
from storage.dicom_header import DatasetError
from tests.reading_worklist.dicomweb.archive import Archive, Filed
from tests.reading_worklist.dicomweb.conftest import parts_of, sample, series_of
from tests.reading_worklist.dicomweb.samples import bundled
from tests.support.seed import Consortium


@pytest.fixture
def ct(archive: Archive, consortium: Consortium) -> Filed:
    filed = [archive.file(data, consortium.east) for data in series_of("CT_small.dcm", 3)]
    assert filed[0] is not None
    archive.complete()
    return filed[0]


def picture(content: bytes) -> Image.Image:
    return Image.open(io.BytesIO(content))


def test_an_image_as_asked_for(ct: Filed, writer: TestClient) -> None:
    address = f"/dicom-web/{ct.path}/rendered"
    answer = writer.get(address)
    assert answer.headers["content-type"] == "image/jpeg"
    assert picture(answer.content).size == (128, 128)
    png = writer.get(f"{address}?window=0,1&viewport=64,32", headers={"Accept": "image/png"})
    shown = picture(png.content)
    assert (shown.format, shown.size, shown.mode) == ("PNG", (32, 32), "L")
    frame = writer.get(f"/dicom-web/{ct.path}/frames/1/rendered?quality=10")
    assert len(frame.content) < len(answer.content)
    cut = writer.get(f"{address}?viewport=20,20,64,64,-10,10")
    assert picture(cut.content).size == (20, 20)
    tag = {"If-None-Match": answer.headers["etag"]}
    assert writer.get(address, headers=tag).status_code == 304
    assert writer.get(address, headers={"Accept": "video/mp4"}).status_code == 406
    for wrong in ("window=1", "window=1,0", "window=a,b", "viewport=0,1", "quality=0"):
        assert writer.get(f"{address}?{wrong}").status_code == 400, wrong


def test_pictures_of_a_series_and_what_stands_for_it(ct: Filed, writer: TestClient) -> None:
    series = f"/dicom-web/{ct.path.partition('/instances/')[0]}"
    parts = parts_of(writer.get(f"{series}/rendered"))
    assert [headers["content-type"] for headers, _ in parts] == ["image/jpeg"] * 3
    for level in (series, series.partition("/series/")[0], f"/dicom-web/{ct.path}"):
        small = writer.get(f"{level}/thumbnail?viewport=40,40")
        assert picture(small.content).size == (40, 40)


def test_what_is_no_image(archive: Archive, consortium: Consortium, writer: TestClient) -> None:
    ecg = archive.file(sample("waveform_ecg.dcm").data, consortium.east)
    report = archive.file(sample("test-SR.dcm").data, consortium.east)
    assert ecg is not None
    assert report is not None
    drawn = writer.get(f"/dicom-web/{ecg.path}/rendered")
    assert drawn.headers["content-type"] == "image/svg+xml"
    assert b"<svg" in drawn.content[:200]
    assert writer.get(f"/dicom-web/{report.path}/rendered").status_code == 404


@pytest.mark.slow
def test_every_kind_of_pixels(archive: Archive, consortium: Consortium, writer: TestClient) -> None:
    shown = 0
    for one in bundled():
        if "/" in one.name or not one.name.startswith(("SC_rgb", "examples_", "MR_small", "J2K")):
            continue
        try:
            filed = archive.file(one.data, consortium.east)
        except DatasetError:
            continue
        if filed is None or filed.header.pixel_data_offset is None:
            continue
        answer = writer.get(f"/dicom-web/{filed.path}/rendered")
        assert answer.status_code == 200, (one.name, answer.text)
        shown += 1
    assert shown > 15


def test_wado_uri(ct: Filed, writer: TestClient, sign_in: Callable[[str], TestClient]) -> None:
    header = ct.header
    keys = (
        f"requestType=WADO&studyUID={header.study_instance_uid}"
        f"&seriesUID={header.series_instance_uid}&objectUID={header.sop_instance_uid}"
    )
    address = f"/dicom-web/wado?{keys}"
    assert writer.get(f"{address}&contentType=application/dicom").content == ct.data
    shown = writer.get(f"{address}&rows=50&columns=50&windowCenter=0&windowWidth=100")
    assert picture(shown.content).size == (50, 50)
    assert writer.get(f"{address}&contentType=text/html").status_code == 406
    for wrong in (keys.replace("WADO", "X"), f"{keys}&anonymize=yes", "requestType=WADO"):
        assert writer.get(f"/dicom-web/wado?{wrong}").status_code == 400
    foreign = sign_in("doctor-west")
    assert foreign.get(f"{address}&contentType=application/dicom").status_code == 404


def test_a_stranger_sees_no_picture(ct: Filed, sign_in: Callable[[str], TestClient]) -> None:
    foreign = sign_in("doctor-west")
    study, series = ct.path.partition("/series/")[0], ct.path.partition("/instances/")[0]
    paths = [
        f"{level}/{kind}"
        for level in (study, series, ct.path, f"{ct.path}/frames/1")
        for kind in ("rendered", "thumbnail")
    ]
    for path in paths:
        assert foreign.get(f"/dicom-web/{path}").status_code == 404, path
    assert len(rendered_routes.router.routes) == len(paths) + 1
