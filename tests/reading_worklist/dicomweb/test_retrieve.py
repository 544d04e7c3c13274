"""What was received is what is given back: instances, metadata, frames and bulk data."""

import gzip
import json
from collections.abc import Callable, Sequence
from io import BytesIO

import pytest
from fastapi.testclient import TestClient
from pydicom import Dataset, dcmread
from pydicom.datadict import tag_for_keyword
from pydicom.encaps import encapsulate, generate_frames
from pydicom.uid import generate_uid

from reading_worklist.dicomweb.metadata import Prepared, prepare_study, prepared_key
from reading_worklist.dicomweb.queries import SeriesRecord, StudyRecord
from storage.dicom_header import DatasetError
from storage.index.tables import Series, Study
from storage.objects import ObjectKey, ObjectStore
from tests.reading_worklist.dicomweb.archive import Archive, Filed
from tests.reading_worklist.dicomweb.conftest import OCTETS, copy_of, parts_of, sample, series_of
from tests.reading_worklist.dicomweb.samples import Sample, bundled, corpus
from tests.reading_worklist.dicomweb.test_pixels import expected_native, image, part10
from tests.support.seed import Consortium

KEYS = (
    "StudyInstanceUID",
    "SeriesInstanceUID",
    "SOPInstanceUID",
    "SOPClassUID",
    "Modality",
    "Rows",
    "Columns",
)


def fill(archive: Archive, consortium: Consortium, samples: Sequence[Sample]) -> list[Filed]:
    """File all samples that the gateway would file."""
    filed: list[Filed] = []
    for one in samples:
        try:
            made = archive.file(one.data, consortium.east)
        except DatasetError:
            continue
        if made is not None:
            filed.append(made)
    archive.complete()
    return filed


@pytest.mark.slow
@pytest.mark.parametrize("samples", [bundled, corpus])
def test_every_instance_comes_back_as_it_was_received(
    samples: Callable[[], tuple[Sample, ...]],
    archive: Archive,
    consortium: Consortium,
    writer: TestClient,
) -> None:
    filed = fill(archive, consortium, samples())
    assert len(filed) > 80
    images = 0
    for one in filed:
        answer = writer.get(f"/dicom-web/{one.path}", headers={"Accept": "application/dicom"})
        assert answer.status_code == 200
        assert answer.content[one.header.dataset_offset :] == one.dataset
        assert answer.content == one.data
        dataset = Sample("", one.data, 0, "").read()
        assert_metadata_is_true(writer, one, dataset)
        images += assert_frame_is_true(writer, one, dataset)
    assert images > 60


def assert_metadata_is_true(client: TestClient, one: Filed, dataset: Dataset) -> None:
    answer = client.get(f"/dicom-web/{one.path}/metadata")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/dicom+json"
    (model,) = json.loads(answer.content, parse_constant=pytest.fail)
    for key in KEYS:
        values = model.get(f"{tag_for_keyword(key):08X}", {}).get("Value", [None])
        assert values[0] == (dataset.get(key) or None), (one.path, key)
    assert model["00083002"]["Value"] == [one.header.transfer_syntax_uid]


def assert_frame_is_true(client: TestClient, one: Filed, dataset: Dataset) -> bool:
    """Compare the first frame with pydicom's; return whether there is one."""
    answer = client.get(f"/dicom-web/{one.path}/frames/1", headers={"Accept": OCTETS})
    if answer.status_code != 200:
        assert answer.status_code in {404, 422}, (one.path, answer.text)
        assert answer.headers["content-type"] == "application/problem+json"
        return False
    ((headers, frame),) = parts_of(answer)
    syntax = "1.2.840.10008.1.2.1"
    if dataset["PixelData"].is_undefined_length:
        count = int(dataset.get("NumberOfFrames") or 1)
        theirs = next(generate_frames(dataset.PixelData, number_of_frames=count))
        # One file's table says more frames than there are, and pydicom believes it.
        assert theirs.startswith(frame)
        syntax = one.header.transfer_syntax_uid
    elif not dataset.PhotometricInterpretation.startswith("YBR_FULL_422"):
        assert frame == expected_native(dataset)[0]
    assert headers["content-type"] == f"application/octet-stream; transfer-syntax={syntax}"
    return True


def test_study_and_series_come_as_parts(
    archive: Archive, consortium: Consortium, writer: TestClient
) -> None:
    filed = [archive.file(data, consortium.east) for data in series_of("CT_small.dcm", 3)]
    assert filed[0] is not None
    study = filed[0].path.split("/series/")[0]
    series = filed[0].path.split("/instances/")[0]
    for path in (study, series):
        answer = writer.get(f"/dicom-web/{path}")
        assert answer.status_code == 200
        assert int(answer.headers["content-length"]) == len(answer.content)
        parts = parts_of(answer)
        assert [data for _, data in parts] == [one.data for one in filed if one]
        assert parts[0][0]["content-type"] == (
            "application/dicom; transfer-syntax=1.2.840.10008.1.2.1"
        )
    refused = writer.get(f"/dicom-web/{study}", headers={"Accept": "application/dicom"})
    assert refused.status_code == 406


def test_only_accepted_transfer_syntaxes_are_given(
    archive: Archive, consortium: Consortium, writer: TestClient
) -> None:
    filed = archive.file(sample("JPEG2000.dcm").data, consortium.east)
    assert filed is not None
    instance = f"/dicom-web/{filed.path}"
    jpeg_ls = "application/dicom; transfer-syntax=1.2.840.10008.1.2.4.80"
    refused = writer.get(instance, headers={"Accept": jpeg_ls})
    assert refused.status_code == 406
    assert "transfer-syntax=1.2.840.10008.1.2.1" in refused.json()["expected"]
    answer = writer.get(
        f"{instance}/frames/1", headers={"Accept": "multipart/related; type=image/jp2"}
    )
    ((headers, _),) = parts_of(answer)
    assert headers["content-type"] == "image/jp2; transfer-syntax=1.2.840.10008.1.2.4.91"
    single = writer.get(f"{instance}/frames/1", headers={"Accept": "image/jp2"})
    assert single.headers["content-type"].startswith("image/jp2")
    assert single.content == parts_of(answer)[0][1]
    assert writer.get(f"{instance}/frames/1", headers={"Accept": "image/png"}).status_code == 406
    assert writer.get(f"{instance}/metadata", headers={"Accept": "text/html"}).status_code == 406
    query = f"{instance}/frames/1?accept=image/jp2"
    assert writer.get(query, headers={"Accept": "image/png"}).content == single.content


def test_several_frames_in_the_order_asked_for(
    archive: Archive, consortium: Consortium, writer: TestClient
) -> None:
    filed = archive.file(sample("rtdose_expb.dcm").data, consortium.east)
    assert filed is not None
    answer = writer.get(f"/dicom-web/{filed.path}/frames/12,1", headers={"Accept": OCTETS})
    expected = expected_native(sample("rtdose_expb.dcm").read())
    assert [data for _, data in parts_of(answer)] == [expected[11], expected[0]]
    every = writer.get(f"/dicom-web/{filed.path}/bulkdata/7FE00010", headers={"Accept": OCTETS})
    assert [data for _, data in parts_of(every)] == expected


def test_frame_lists_that_are_none_are_refused(
    archive: Archive, consortium: Consortium, writer: TestClient
) -> None:
    filed = archive.file(sample("CT_small.dcm").data, consortium.east)
    assert filed is not None
    for frames in ("0", "-1", "1,", "one", "1,2,x", "99999999999", "1;2", "%201%00"):
        answer = writer.get(f"/dicom-web/{filed.path}/frames/{frames}")
        assert answer.status_code == 400, frames
        assert answer.headers["content-type"] == "application/problem+json"


def test_frames_that_are_not_there(
    archive: Archive, consortium: Consortium, writer: TestClient
) -> None:
    filed = archive.file(sample("CT_small.dcm").data, consortium.east)
    report = archive.file(sample("reportsi.dcm").data, consortium.east)
    cut = archive.file(
        copy_of("MR_small.dcm", PixelData=b"\0" * 100, SOPInstanceUID=str(generate_uid())),
        consortium.east,
    )
    assert filed is not None
    assert report is not None
    assert cut is not None
    for one, number in ((filed, 2), (report, 1), (cut, 1)):
        answer = writer.get(f"/dicom-web/{one.path}/frames/{number}")
        assert answer.status_code == 404, one.path
        assert {"remedy", "expected"} & set(answer.json())


def test_bulk_data_is_found_by_the_reference_in_the_metadata(
    archive: Archive, consortium: Consortium, writer: TestClient
) -> None:
    ecg = archive.file(sample("waveform_ecg.dcm").data, consortium.east)
    assert ecg is not None
    (model,) = writer.get(f"/dicom-web/{ecg.path}/metadata").json()
    groups = model["54000100"]["Value"]
    expected = [item.WaveformData for item in sample("waveform_ecg.dcm").read().WaveformSequence]
    for group, data in zip(groups, expected, strict=True):
        reference = group["54001010"]["BulkDataURI"]
        assert reference.startswith("/dicom-web/sites/EAST/studies/")
        ((headers, value),) = parts_of(writer.get(reference))
        assert value == data
        assert headers["content-location"] == reference
        single = writer.get(reference, headers={"Accept": "application/octet-stream"})
        assert single.content == data
    for wrong in (
        "54000100",
        "54000100/9/54001010",
        "54000100/x/1",
        "0010001",
        "00100010/0/1",
        "%00",
    ):
        assert writer.get(f"/dicom-web/{ecg.path}/bulkdata/{wrong}").status_code == 404


@pytest.mark.parametrize(("width", "told"), [(0, False), (400, True)])
def test_a_window_that_shows_nothing_is_left_out(
    archive: Archive, consortium: Consortium, writer: TestClient, width: int, *, told: bool
) -> None:
    data = copy_of("CT_small.dcm", WindowCenter=40, WindowWidth=width)
    filed = archive.file(data, consortium.east)
    assert filed is not None
    (model,) = writer.get(f"/dicom-web/{filed.path}/metadata").json()
    assert ("00281050" in model) == ("00281051" in model) == told
    ((_, instance),) = parts_of(writer.get(f"/dicom-web/{filed.path}"))
    assert dcmread(BytesIO(instance)).WindowWidth == width


def test_big_endian_bulk_data_leaves_in_little_endian(
    archive: Archive, consortium: Consortium, writer: TestClient
) -> None:
    filed = archive.file(sample("MR_small_bigendian.dcm").data, consortium.east)
    little = sample("MR_small.dcm").read()
    assert filed is not None
    answer = writer.get(f"/dicom-web/{filed.path}/bulkdata/7FE00010")
    assert parts_of(answer)[0][1] == little.PixelData


def test_deflated_instances_are_read(
    archive: Archive, consortium: Consortium, writer: TestClient
) -> None:
    filed = archive.file(sample("image_dfl.dcm").data, consortium.east)
    assert filed is not None
    (model,) = writer.get(f"/dicom-web/{filed.path}/metadata").json()
    dataset = sample("image_dfl.dcm").read()
    assert model["00280010"]["Value"] == [dataset.Rows]
    answer = writer.get(f"/dicom-web/{filed.path}/frames/1")
    assert parts_of(answer)[0][1] == dataset.PixelData[: dataset.Rows * dataset.Columns]


def record_of(archive: Archive, filed: Filed) -> SeriesRecord:
    with archive.database.transaction() as session:
        series = session.query(Series).one()
    uid = str(filed.header.study_instance_uid)
    return SeriesRecord(series.id, filed.site_code, uid, "", series.revision, True)


def test_metadata_of_a_complete_series_is_prepared_once(
    archive: Archive, consortium: Consortium, writer: TestClient, objects: ObjectStore
) -> None:
    filed = [archive.file(data, consortium.east) for data in series_of("CT_small.dcm", 3)]
    assert filed[0] is not None
    series = f"/dicom-web/{filed[0].path.split('/instances/')[0]}/metadata"
    while_receiving = writer.get(series)
    assert list(objects.list("derived/")) == []
    archive.complete()
    record = record_of(archive, filed[0])
    first = writer.get(series)
    assert first.json() == while_receiving.json()
    assert [one["00200013"]["Value"] for one in first.json()] == [[1], [2], [3]]
    kept = objects.read(prepared_key(record, Prepared.PLAIN))
    assert kept == first.content
    assert gzip.decompress(objects.read(prepared_key(record, Prepared.PACKED))) == kept
    # What is served afterwards are those bytes: the instances are not read again.
    for one in filed:
        assert one is not None
    for stored in list(objects.list("instances/")):
        objects.delete(stored.key)
    assert writer.get(series).content == kept
    packed = writer.get(series, headers={"Accept-Encoding": "gzip"})
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.json() == first.json()


def test_late_instance_makes_prepared_metadata_anew(
    archive: Archive, consortium: Consortium, writer: TestClient, objects: ObjectStore
) -> None:
    files = series_of("CT_small.dcm", 3)
    filed = archive.file(files[0], consortium.east)
    assert filed is not None
    archive.complete()
    series = f"/dicom-web/{filed.path.split('/instances/')[0]}/metadata"
    first = writer.get(series)
    assert len(first.json()) == 1
    archive.file(files[1], consortium.east)
    archive.complete()
    second = writer.get(series, headers={"If-None-Match": first.headers["etag"]})
    assert second.status_code == 200
    assert len(second.json()) == 2
    keys = [stored.key for stored in objects.list("derived/series-metadata/")]
    assert len(keys) == len(Prepared)
    study = f"/dicom-web/studies/{filed.header.study_instance_uid}/metadata"
    assert writer.get(study).json() == second.json()


def test_unchanged_representations_are_not_sent_again(
    archive: Archive, consortium: Consortium, writer: TestClient
) -> None:
    filed = archive.file(sample("CT_small.dcm").data, consortium.east)
    assert filed is not None
    archive.complete()
    study, series = filed.path.split("/series/")[0], filed.path.split("/instances/")[0]
    paths = (
        filed.path,
        f"{filed.path}/metadata",
        f"{filed.path}/frames/1",
        f"{filed.path}/bulkdata/7FE00010",
        f"{series}/metadata",
        f"{study}/metadata",
    )
    for path in paths:
        for encoding in ("identity", "gzip"):
            coding = {"Accept-Encoding": encoding}
            tag = writer.get(f"/dicom-web/{path}", headers=coding).headers["etag"]
            again = writer.get(f"/dicom-web/{path}", headers=coding | {"If-None-Match": tag})
            assert again.status_code == 304, path
            assert again.content == b""
            assert "private" in again.headers["cache-control"]


def test_prepare_study_makes_what_is_missing(
    archive: Archive, consortium: Consortium, objects: ObjectStore
) -> None:
    filed = archive.file(sample("CT_small.dcm").data, consortium.east)
    assert filed is not None
    archive.complete()
    with archive.database.transaction() as session:
        study_id = session.query(Study).one().id
    study = StudyRecord(study_id, "EAST", str(filed.header.study_instance_uid), True)
    assert prepare_study(archive.database, objects, study) == 1
    assert prepare_study(archive.database, objects, study) == 0


def test_lost_object_is_an_error_with_a_remedy_not_a_broken_answer(
    archive: Archive, consortium: Consortium, writer: TestClient, objects: ObjectStore
) -> None:
    filed = archive.file(sample("CT_small.dcm").data, consortium.east)
    assert filed is not None
    for stored in list(objects.list("instances/")):
        objects.delete(ObjectKey(stored.key))
    for path in (filed.path, f"{filed.path}/frames/1"):
        answer = writer.get(f"/dicom-web/{path}")
        assert answer.status_code == 500
        assert "rdc verify" in answer.json()["remedy"]
    # What the index knows of it is still told, so that the rest of its series can be read.
    (model,) = writer.get(f"/dicom-web/{filed.path}/metadata").json()
    assert model["00080018"]["Value"] == [str(filed.header.sop_instance_uid)]


def test_video_comes_as_one_stream(
    archive: Archive, consortium: Consortium, writer: TestClient
) -> None:
    stream = b"\0\0\0\x18ftypmp42" + bytes(500)
    dataset = image(4, 4, 8, encapsulate([stream]), NumberOfFrames=100)
    dataset["PixelData"].is_undefined_length = True
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID, dataset.Modality = "1.2", "1.2.1", "ES"
    filed = archive.file(part10(dataset, "1.2.840.10008.1.2.4.102").data, consortium.east)
    assert filed is not None
    answer = writer.get(f"/dicom-web/{filed.path}/bulkdata/7FE00010")
    assert answer.headers["content-type"] == "video/mp4"
    assert answer.content == stream
    refused = writer.get(f"/dicom-web/{filed.path}/frames/1")
    assert refused.status_code == 406
    assert "bulkdata" in refused.json()["expected"]


def test_more_frames_than_one_answer_can_hold_are_refused(
    archive: Archive, consortium: Consortium, writer: TestClient
) -> None:
    dataset = image(1, 1, 8, bytes(70_000), NumberOfFrames=70_000)
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID, dataset.Modality = "1.2", "1.2.1", "OT"
    filed = archive.file(part10(dataset, "1.2.840.10008.1.2.1").data, consortium.east)
    assert filed is not None
    assert writer.get(f"/dicom-web/{filed.path}/bulkdata/7FE00010").status_code == 413
    assert writer.get(f"/dicom-web/{filed.path}/frames/70000").status_code == 200
