"""The ECG over HTTP: facts, trace, caching, scope and refusals."""

import hashlib
import re
import uuid
from datetime import date
from pathlib import Path
from typing import Final
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from pydicom.data import get_testdata_file

from storage.clock import utc_now
from storage.database import Database
from storage.ecg.leads import STANDARD_LEADS
from storage.index.tables import Instance, Patient, Series
from storage.objects import ObjectKey, ObjectStore
from tests.support.ecg import (
    TWELVE_LEAD,
    channel,
    ecg_dataset,
    file_bytes,
    multiplex_group,
)
from tests.support.seed import Consortium, QueuedStudy
from tests.support.web import Browser, application

SQUARE: Final = np.tile(
    np.where((np.arange(5000) // 250) % 2 == 0, 0, 1000).astype("<i2")[:, None], (1, 12)
)
PROBLEM: Final = "application/problem+json"


@pytest.fixture
def app(consortium: Consortium, objects: ObjectStore, tmp_path: Path) -> FastAPI:
    return application(consortium, objects, tmp_path, signers=False)


@pytest.fixture
def writer(app: FastAPI) -> Browser:
    return Browser(app, "writer")


@pytest.fixture
def exam(consortium: Consortium) -> QueuedStudy:
    return consortium.queued_study(modalities=("ECG",))


class Filing:
    """Files objects as instances of a study, as the gateway would."""

    def __init__(self, database: Database, objects: ObjectStore) -> None:
        self._database = database
        self._objects = objects

    def add(
        self,
        exam: QueuedStudy,
        data: bytes,
        *,
        sop_class_uid: str = TWELVE_LEAD,
        modality: str = "ECG",
        instance_number: int | None = None,
    ) -> str:
        """File the bytes and return their SOP Instance UID."""
        digest = hashlib.sha256(data).hexdigest()
        key = ObjectKey(f"instances/{exam.study.site_id}/{digest[:2]}/{digest}.dcm")
        self._objects.put(key, data)
        uid = f"2.25.{uuid.uuid4().int}"
        with self._database.transaction() as session:
            series = Series(
                study_id=exam.study.id, series_instance_uid=f"{uid}.1", modality=modality
            )
            session.add(series)
            session.flush()
            session.add(
                Instance(
                    site_id=exam.study.site_id,
                    study_id=exam.study.id,
                    series_id=series.id,
                    sop_instance_uid=uid,
                    sop_class_uid=sop_class_uid,
                    transfer_syntax_uid="1.2.840.10008.1.2.1",
                    instance_number=instance_number,
                    object_key=key,
                    object_size=len(data),
                    dataset_sha256=digest,
                    dataset_offset=0,
                    received_at=utc_now(),
                )
            )
        return uid


@pytest.fixture
def filing(database: Database, objects: ObjectStore) -> Filing:
    return Filing(database, objects)


def ecg_file(**elements: object) -> bytes:
    group = multiplex_group(SQUARE, [channel(lead) for lead in STANDARD_LEADS])
    return file_bytes(ecg_dataset(group, **elements))


def bundled_file() -> bytes:
    path = get_testdata_file("waveform_ecg.dcm")
    assert isinstance(path, str)
    return Path(path).read_bytes()


def address(exam: QueuedStudy, more: str = "") -> str:
    return f"/api/workitems/{exam.workitem_id}/ecg{more}"


# ---- facts -----------------------------------------------------------------------------------


def test_the_facts_of_the_bundled_ecg(writer: Browser, exam: QueuedStudy, filing: Filing) -> None:
    uid = filing.add(exam, bundled_file())
    answer = writer.get(address(exam))
    assert answer.status_code == 200, answer.text
    facts = answer.json()
    assert facts["sop_instance_uid"] == uid
    assert facts["sampling_frequency"] == 1000
    assert facts["duration_seconds"] == 10
    assert facts["leads"] == [lead.value for lead in STANDARD_LEADS]
    assert facts["natural_layout"] == "3x4"
    assert facts["filter"] == "0.05–300 Hz, notch off"
    assert facts["filter_settings"] == {"low_hz": 0.05, "high_hz": 300, "notch_hz": 0}
    assert facts["acquired_at"] == "2013-01-25T10:59:19+08:00"
    assert facts["device_statements"] == ["RITMO SINUSALE", "ECG NORMALE"]
    values = {one["name"]: (one["value"], one["unit"]) for one in facts["device_measurements"]}
    assert values["rr"] == (982, "ms")
    assert values["pr"] == (161, "ms")
    assert values["qrs"] == (75, "ms")
    assert values["qt"] == (368, "ms")
    assert values["pp"] == (None, "ms")
    assert [one["problem"] for one in facts["instances"]] == [None]


def test_the_first_by_acquisition_is_shown_unless_another_is_asked_for(
    writer: Browser, exam: QueuedStudy, filing: Filing
) -> None:
    later = filing.add(exam, ecg_file(AcquisitionDateTime="20261120090000"), instance_number=1)
    early = filing.add(exam, ecg_file(AcquisitionDateTime="20261120080000"), instance_number=2)
    broken = filing.add(exam, b"no ECG", instance_number=0)
    facts = writer.get(address(exam)).json()
    assert facts["sop_instance_uid"] == early
    assert [one["sop_instance_uid"] for one in facts["instances"]] == [early, later, broken]
    assert facts["instances"][2]["problem"]
    chosen = writer.get(address(exam, f"?instance={later}")).json()
    assert chosen["sop_instance_uid"] == later
    assert chosen["acquired_at"] == "2026-11-20T09:00:00+08:00"


# ---- the trace -------------------------------------------------------------------------------


def test_the_trace_is_calibrated_svg(writer: Browser, exam: QueuedStudy, filing: Filing) -> None:
    filing.add(exam, ecg_file())
    answer = writer.get(address(exam, "/trace.svg?layout=6x2&speed=50&gain=20&start=5&filter=none"))
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "image/svg+xml"
    root = ET.fromstring(answer.text)
    assert root.attrib["data-layout"] == "6x2"
    assert root.attrib["data-mm-per-second"] == "50"
    assert root.attrib["data-mm-per-mv"] == "20"
    assert root.attrib["data-start-seconds"] == "5"
    assert "50 mm/s" in answer.text
    assert "20 mm/mV" in answer.text


def test_the_default_is_3x4_at_25_and_10(
    writer: Browser, exam: QueuedStudy, filing: Filing
) -> None:
    filing.add(exam, ecg_file())
    root = ET.fromstring(writer.get(address(exam, "/trace.svg")).text)
    shown = [root.attrib[f"data-{name}"] for name in ("layout", "mm-per-second", "mm-per-mv")]
    assert shown == ["3x4", "25", "10"]
    assert root.attrib["data-display-filter"] == "none"


def test_language_and_filter_are_drawn(writer: Browser, exam: QueuedStudy, filing: Filing) -> None:
    filing.add(exam, ecg_file())
    text = writer.get(address(exam, "/trace.svg?filter=0.5-40&language=zh-CN")).text
    assert "不可用于诊断" in text


def test_a_trace_travels_once(writer: Browser, exam: QueuedStudy, filing: Filing) -> None:
    filing.add(exam, ecg_file())
    first = writer.get(address(exam, "/trace.svg"))
    tag = first.headers["etag"]
    assert "no-cache" in first.headers["cache-control"]
    assert "private" in first.headers["cache-control"]
    again = writer.client.get(address(exam, "/trace.svg"), headers={"If-None-Match": f'"x", {tag}'})
    assert again.status_code == 304
    assert again.content == b""
    assert again.headers["etag"] == tag
    other = writer.client.get(address(exam, "/trace.svg?gain=5"), headers={"If-None-Match": tag})
    assert other.status_code == 200


def test_a_page_is_packed_for_who_takes_it(
    writer: Browser, exam: QueuedStudy, filing: Filing
) -> None:
    filing.add(exam, bundled_file())
    path = address(exam, "/trace.svg")
    packed = writer.get(path)
    assert packed.headers["content-encoding"] == "gzip"
    assert int(packed.headers["content-length"]) < len(packed.content) / 3
    plain = writer.client.get(path, headers={"Accept-Encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert plain.content == packed.content
    for tag in (packed.headers["etag"], plain.headers["etag"]):
        assert writer.client.get(path, headers={"If-None-Match": tag}).status_code == 304


def test_order_and_rhythm_strips_are_chosen(
    writer: Browser, exam: QueuedStudy, filing: Filing
) -> None:
    filing.add(exam, ecg_file())

    def leads(query: str) -> list[str]:
        root = ET.fromstring(writer.get(address(exam, f"/trace.svg?{query}")).text)
        return [one.attrib["data-lead"] for one in root.iter() if "data-lead" in one.attrib]

    cabrera = leads("layout=6x2&order=cabrera")
    assert cabrera[::2] == ["aVL", "I", "−aVR", "II", "aVF", "III"]
    assert leads("rhythm=V1&rhythm=II&rhythm=V5")[12:] == ["V1", "II", "V5"]
    assert leads("rhythm=none")[12:] == []


def test_children_are_read_at_the_wider_band(
    writer: Browser, filing: Filing, consortium: Consortium, database: Database
) -> None:
    child = consortium.queued_study(modalities=("ECG",), local_id="P011")
    filing.add(child, ecg_file(AcquisitionDateTime="20261120090000"))
    facts = writer.get(address(child)).json()
    assert (facts["diagnostic_filter"], facts["band_too_narrow"]) == ("0.05-150", False)
    with database.transaction() as session:
        patient = session.get_one(Patient, child.study.patient_id)
        patient.birth_date = date(2016, 1, 2)
    assert writer.get(address(child)).json()["diagnostic_filter"] == "0.05-250"


def test_what_cannot_be_drawn_is_refused(
    writer: Browser, exam: QueuedStudy, filing: Filing
) -> None:
    filing.add(exam, ecg_file())
    for query in (
        "rhythm=V9",
        "rhythm=I&rhythm=II&rhythm=III&rhythm=V1",
        "order=reverse",
        "prior=1",
        "layout=4x3",
        "speed=26",
        "gain=0",
        "filter=strong",
        "start=-1",
        "start=nan",
        "start=inf",
        "language=fr",
        "instance=../../etc",
    ):
        answer = writer.get(address(exam, f"/trace.svg?{query}"))
        assert answer.status_code == 422, query
        assert answer.headers["content-type"] == PROBLEM


# ---- refusals --------------------------------------------------------------------------------


@pytest.mark.parametrize("more", ["", "/trace.svg"])
def test_a_broken_ecg_says_what_to_do(
    writer: Browser, exam: QueuedStudy, filing: Filing, more: str
) -> None:
    whole = ecg_file()
    filing.add(exam, whole[: len(whole) // 2])
    answer = writer.get(address(exam, more))
    assert answer.status_code == 422
    assert answer.headers["content-type"] == PROBLEM
    problem = answer.json()
    assert problem["type"] == "urn:rdc:problem:ecg-broken"
    assert problem["remedy"]


def test_a_study_without_waveform_says_so(
    writer: Browser, exam: QueuedStudy, filing: Filing
) -> None:
    filing.add(exam, b"%PDF", sop_class_uid="1.2.840.10008.5.1.4.1.1.104.1", modality="ECG")
    answer = writer.get(address(exam))
    assert answer.status_code == 422
    assert answer.json()["type"] == "urn:rdc:problem:not-an-ecg"


def test_a_private_object_of_the_ecg_modality_is_read(
    writer: Browser, exam: QueuedStudy, filing: Filing
) -> None:
    filing.add(
        exam, ecg_file(SOPClassUID="1.3.12.2.1107.5.9.1"), sop_class_uid="1.3.12.2.1107.5.9.1"
    )
    assert writer.get(address(exam)).status_code == 200


@pytest.mark.parametrize("more", ["", "/trace.svg"])
def test_an_instance_of_another_study_is_not_found(
    writer: Browser, exam: QueuedStudy, filing: Filing, consortium: Consortium, more: str
) -> None:
    filing.add(exam, ecg_file())
    other = consortium.queued_study(modalities=("ECG",), local_id="P002")
    uid = filing.add(other, ecg_file(Manufacturer="other"))
    answer = writer.get(address(exam, f"{more}?instance={uid}"))
    assert answer.status_code == 404
    assert answer.headers["content-type"] == PROBLEM


@pytest.mark.parametrize("more", ["", "/trace.svg"])
def test_only_the_centre_sees_the_trace(
    app: FastAPI, exam: QueuedStudy, filing: Filing, more: str
) -> None:
    filing.add(exam, ecg_file())
    assert TestClient(app).get(address(exam, more)).status_code == 401
    for login in ("doctor-east", "doctor-west"):
        assert Browser(app, login).get(address(exam, more)).status_code == 403


@pytest.mark.parametrize("more", ["", "/trace.svg"])
def test_an_unknown_workitem_is_not_found(writer: Browser, more: str) -> None:
    assert writer.get(f"/api/workitems/{uuid.uuid4()}/ecg{more}").status_code == 404


def test_the_routes_are_in_the_openapi_document(app: FastAPI) -> None:
    paths = app.openapi()["paths"]
    trace = paths["/api/workitems/{workitem_id}/ecg/trace.svg"]["get"]
    assert "image/svg+xml" in trace["responses"]["200"]["content"]
    names = {parameter["name"] for parameter in trace["parameters"]}
    asked = {"layout", "order", "rhythm", "speed", "gain", "filter", "start", "language"}
    assert asked | {"instance", "prior"} <= names
    assert not re.search("EcgRecord-|EcgRecord__", str(app.openapi()["components"]))
