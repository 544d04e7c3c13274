"""What is asked for in another transfer syntax is converted without loss, or refused."""

import io

from fastapi.testclient import TestClient
from pydicom import dcmread

from tests.reading_worklist.dicomweb.archive import Archive
from tests.reading_worklist.dicomweb.conftest import copy_of, parts_of, sample
from tests.support.seed import Consortium

JPEG_2000 = "1.2.840.10008.1.2.4.90"
JPEG_LS = "1.2.840.10008.1.2.4.80"


def test_instances_and_frames_in_another_transfer_syntax(
    archive: Archive, consortium: Consortium, writer: TestClient
) -> None:
    compressed = sample("MR_small_jp2klossless.dcm")
    pixels = compressed.read().pixel_array
    for name in ("MR_small_jp2klossless.dcm", "MR_small.dcm"):
        filed = archive.file(
            copy_of(
                name,
                StudyInstanceUID="1.2.3",
                SeriesInstanceUID="1.2.4",
                SOPInstanceUID=f"1.2.5.{len(name)}",
            ),
            consortium.east,
        )
        assert filed is not None
        instance = f"/dicom-web/{filed.path}"
        for syntax in ("1.2.840.10008.1.2.1", "1.2.840.10008.1.2.4.90", "1.2.840.10008.1.2.5"):
            accept = f"application/dicom; transfer-syntax={syntax}"
            answer = writer.get(instance, headers={"Accept": accept})
            assert answer.headers["content-type"] == accept
            dataset = dcmread(io.BytesIO(answer.content))
            assert dataset.file_meta.TransferSyntaxUID == syntax
            assert (dataset.pixel_array == pixels).all()
        raw = "application/octet-stream; transfer-syntax=1.2.840.10008.1.2.1"
        frame = writer.get(f"{instance}/frames/1", headers={"Accept": raw})
        assert frame.content == pixels.tobytes()
        packed = f'multipart/related; type="image/jp2"; transfer-syntax={JPEG_2000}'
        ((headers, code),) = parts_of(
            writer.get(f"{instance}/frames/1", headers={"Accept": packed})
        )
        assert headers["content-type"] == f"image/jp2; transfer-syntax={JPEG_2000}"
        assert code.startswith(b"\xff\x4f")
    several = f'multipart/related; type="application/dicom"; transfer-syntax={JPEG_2000}'
    parts = parts_of(writer.get("/dicom-web/studies/1.2.3", headers={"Accept": several}))
    read = [dcmread(io.BytesIO(data)) for _, data in parts]
    assert [one.file_meta.TransferSyntaxUID for one in read] == [JPEG_2000] * 2
    assert all((one.pixel_array == pixels).all() for one in read)


def test_what_cannot_be_converted_is_refused_with_the_reason(
    archive: Archive, consortium: Consortium, writer: TestClient
) -> None:
    filed = archive.file(sample("MR_small.dcm").data, consortium.east)
    assert filed is not None
    instance = f"/dicom-web/{filed.path}"
    for address, kind in ((instance, "application/dicom"), (f"{instance}/frames/1", "image/jls")):
        accept = f"{kind}; transfer-syntax={JPEG_LS}"
        answer = writer.get(address, headers={"Accept": accept})
        assert answer.status_code == 406
        assert JPEG_2000 in answer.json()["expected"]
        assert answer.json()["remedy"]
