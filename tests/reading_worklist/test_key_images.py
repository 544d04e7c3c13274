"""The doctor's key images: chosen while writing, printed in the signed report, fixed with it."""

import io
from pathlib import Path
from typing import Any
from uuid import UUID

import pypdfium2
import pytest
from fastapi import FastAPI
from pydicom.encaps import encapsulate
from sqlalchemy import select

from reading_worklist.key_images.service import IMAGES_MAX
from reading_worklist.key_images.tables import KeyImage
from reading_worklist.reports.tables import ReportSubmission
from reading_worklist.workitems.service import queue_study
from reading_worklist.workitems.tables import Workitem
from storage.audit import AuditRecord
from storage.database import Database
from storage.index.tables import Study
from storage.objects import ObjectStore
from tests.reading_worklist.dicomweb.archive import Archive, Filed
from tests.reading_worklist.dicomweb.conftest import copy_of, series_of
from tests.support.desk import Desk
from tests.support.reports import text_of
from tests.support.seed import Consortium, received
from tests.support.web import PIN, Browser, application


@pytest.fixture
def archive(database: Database, objects: ObjectStore) -> Archive:
    return Archive(database, objects)


@pytest.fixture
def app(consortium: Consortium, objects: ObjectStore, tmp_path: Path) -> FastAPI:
    return application(consortium, objects, tmp_path)


def filed(archive: Archive, consortium: Consortium, files: list[bytes]) -> list[Filed]:
    found = [archive.file(one, consortium.east) for one in files]
    assert None not in found
    archive.complete()
    return [one for one in found if one is not None]


def desk_of(app: FastAPI, consortium: Consortium, one: Filed) -> Desk:
    with consortium.database.transaction() as session:
        uid = one.header.study_instance_uid
        study = session.scalars(select(Study).where(Study.study_instance_uid == uid)).one()
        queue_study(session, received(study))
        found = session.scalars(select(Workitem.id).where(Workitem.study_id == study.id)).one()
    return Desk(app, consortium, found)


def choose(desk: Desk, one: Filed, login: str = "writer", **body: object) -> Any:  # noqa: ANN401 -- JSON
    return desk(login).post(
        f"{desk.path}/key-images", sop_instance_uid=one.header.sop_instance_uid, **body
    )


def code(answer: Any) -> tuple[int, str]:  # noqa: ANN401 -- an HTTP answer
    return answer.status_code, answer.json()["type"].rpartition(":")[2]


def test_writer_chooses_orders_and_removes_and_the_report_prints_them(
    app: FastAPI, consortium: Consortium, archive: Archive, objects: ObjectStore
) -> None:
    slices = filed(archive, consortium, series_of("CT_small.dcm", 3, SeriesNumber=4))
    desk = desk_of(app, consortium, slices[0])
    assert code(choose(desk, slices[0])) == (409, "wrong-state")
    desk.do("writer", "claim", "CLAIMED")
    for one in slices:
        assert choose(desk, one).status_code == 201
    # Marked again in another window: the same image, shown otherwise.
    again = choose(desk, slices[1], window_center=40.0, window_width=400.0).json()
    assert [one["instance_number"] for one in again] == [1, 2, 3]
    assert [one["window_width"] for one in again] == [None, 400.0, None]
    picture = desk("reviewer").get(again[1]["picture_url"] + "&viewport=64,64")
    assert picture.headers["content-type"] == "image/jpeg"

    writer, path = desk("writer"), f"{desk.path}/key-images"
    ids = [one["id"] for one in again]
    ordered = writer.put(f"{path}/order", ids=[ids[2], ids[1], ids[0]])
    assert [one["id"] for one in ordered.json()] == [ids[2], ids[1], ids[0]]
    assert code(writer.put(f"{path}/order", ids=ids[:2])) == (409, "key-images-changed")
    left = writer.client.delete(f"{path}/{ids[0]}").json()
    assert [one["id"] for one in left] == [ids[2], ids[1]]
    assert code(writer.client.delete(f"{path}/{ids[0]}")) == (404, "not-found")

    desk.do("writer", "submit", revision=desk.draft("writer", "未见异常"), signing_pin=PIN)
    with consortium.database.transaction() as session:
        submission = session.scalars(select(ReportSubmission)).one()
        kept: Any = submission.content["key_images"]
        acts = session.scalars(
            select(AuditRecord.action).where(AuditRecord.action.startswith("key_image:"))
        ).all()
    assert [one["instance_number"] for one in kept] == [3, 2]
    assert [one["picture"] for one in kept] == ["", ""]
    assert sorted(set(acts)) == ["key_image:add", "key_image:order", "key_image:remove"]
    pdf = desk("reviewer").get(f"{desk.path}/submission.pdf").content
    assert "序列4·图像3" in text_of(pdf)
    assert len(pictures(pdf)) == 2
    # What the writer has signed is fixed: neither he nor the reviewer chooses others.
    assert code(choose(desk, slices[0])) == (409, "wrong-state")
    desk.do("reviewer", "review", "REVIEWING")
    assert code(choose(desk, slices[0], "reviewer")) == (409, "wrong-state")
    assert [one["id"] for one in desk("reviewer").get(path).json()] == [ids[2], ids[1]]


def pictures(pdf: bytes) -> list[object]:
    """The raster images on the pages of a document."""
    image = pypdfium2.raw.FPDF_PAGEOBJ_IMAGE
    return [
        one
        for page in pypdfium2.PdfDocument(io.BytesIO(pdf))
        for one in page.get_objects(filter=[image], max_depth=8)
    ]


def test_colour_and_frames_are_printed_too(
    app: FastAPI, consortium: Consortium, archive: Archive
) -> None:
    (one,) = filed(archive, consortium, [copy_of("SC_rgb_rle_2frame.dcm")])
    desk = desk_of(app, consortium, one)
    desk.do("writer", "claim", "CLAIMED")
    assert choose(desk, one, frame_number=2).json()[0]["frame_count"] == 2
    assert code(choose(desk, one, frame_number=3)) == (422, "not-of-the-exam")
    desk.do("writer", "submit", revision=desk.draft("writer", "未见异常"), signing_pin=PIN)
    pdf = desk("reviewer").get(f"{desk.path}/submission.pdf").content
    assert "第2帧" in text_of(pdf)
    assert len(pictures(pdf)) == 1


def test_only_images_of_the_exam_and_not_without_end(
    app: FastAPI, consortium: Consortium, archive: Archive
) -> None:
    own = filed(archive, consortium, series_of("CT_small.dcm", IMAGES_MAX + 1))
    (other,) = filed(archive, consortium, [copy_of("MR_small.dcm")])
    desk = desk_of(app, consortium, own[0])
    desk.do("writer", "claim", "CLAIMED")
    assert code(choose(desk, other)) == (422, "not-of-the-exam")
    assert code(choose(desk, own[0], window_center=1.0)) == (422, "invalid-request")
    assert code(choose(desk, own[0], login="writer2")) == (409, "not-holder")
    for one in own[:IMAGES_MAX]:
        assert choose(desk, one).status_code == 201
    assert code(choose(desk, own[IMAGES_MAX])) == (409, "too-many-key-images")
    assert choose(desk, own[0]).status_code == 201


def test_what_cannot_be_drawn_is_refused_at_once(
    app: FastAPI, consortium: Consortium, archive: Archive
) -> None:
    # Its pixels say they are a code stream, and are not.
    (one,) = filed(
        archive, consortium, [copy_of("JPEG2000.dcm", PixelData=encapsulate([b"x" * 64]))]
    )
    desk = desk_of(app, consortium, one)
    desk.do("writer", "claim", "CLAIMED")
    assert code(choose(desk, one)) == (422, "cannot-print")
    assert desk("writer").get(f"{desk.path}/key-images").json() == []


def test_strangers_learn_nothing(app: FastAPI, consortium: Consortium, archive: Archive) -> None:
    (one,) = filed(archive, consortium, [copy_of("CT_small.dcm")])
    desk = desk_of(app, consortium, one)
    desk.do("writer", "claim", "CLAIMED")
    assert choose(desk, one).status_code == 201
    assert code(desk("doctor-east").get(f"{desk.path}/key-images"))[0] == 403
    foreign = UUID(int=1)
    answer = Browser(app, "writer").get(f"/api/workitems/{foreign}/key-images")
    assert code(answer) == (404, "not-found")
    with consortium.database.transaction() as session:
        assert len(session.scalars(select(KeyImage)).all()) == 1
