"""What the reading view asks for beside the trace, and what it may see of earlier ECGs."""

import io
import uuid
from pathlib import Path
from typing import Final
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from fastapi import FastAPI
from pydicom import dcmread
from pydicom.uid import generate_uid
from sqlalchemy import select

from reading_worklist.ecg.analysis.analyse import METHOD_VERSION
from reading_worklist.ecg.analysis.tables import AnalysisState, EcgAnalysis
from reading_worklist.ecg.measured import EcgMeasured, EcgMeasuredNote
from reading_worklist.ecg.measurement.results import Limit
from storage.clock import utc_now
from storage.database import Database
from storage.ecg.leads import STANDARD_LEADS
from storage.index.tables import Instance
from storage.objects import ObjectStore
from tests.reading_worklist.ecg.test_routes import Filing, address, bundled_file
from tests.support.ecg import channel, ecg_dataset, file_bytes, multiplex_group
from tests.support.seed import Consortium, QueuedStudy
from tests.support.web import Browser, application

PROBLEM: Final = "application/problem+json"


@pytest.fixture
def app(consortium: Consortium, objects: ObjectStore, tmp_path: Path) -> FastAPI:
    return application(consortium, objects, tmp_path, signers=False)


@pytest.fixture
def writer(app: FastAPI) -> Browser:
    return Browser(app, "writer")


@pytest.fixture
def filing(database: Database, objects: ObjectStore) -> Filing:
    return Filing(database, objects)


@pytest.fixture
def exam(consortium: Consortium, filing: Filing) -> QueuedStudy:
    made = consortium.queued_study(modalities=("ECG",))
    filing.add(made, bundled_file())
    return made


@pytest.fixture
def earlier(consortium: Consortium, filing: Filing) -> QueuedStudy:
    """Another ECG of the same patient at the same site."""
    made = consortium.queued_study(modalities=("ECG",))
    filing.add(made, another_ecg())
    return made


def another_ecg() -> bytes:
    """The bundled ECG a tenth faster, a year before."""
    dataset = dcmread(io.BytesIO(bundled_file()))
    group = dataset.WaveformSequence[0]
    channels = group.NumberOfWaveformChannels
    samples = np.frombuffer(group.WaveformData, dtype="<i2").reshape(-1, channels)
    at = np.arange(0, len(samples) - 1, 1.1)
    faster = np.column_stack(
        [np.interp(at, np.arange(len(samples)), one) for one in samples.T]
    ).astype("<i2")
    group.NumberOfWaveformSamples = len(faster)
    group.WaveformData = faster.tobytes()
    dataset.AcquisitionDateTime = "20120125105919"
    dataset.SOPInstanceUID = generate_uid()
    target = io.BytesIO()
    dataset.save_as(target)
    return target.getvalue()


def opened(writer: Browser, exam: QueuedStudy, earlier: QueuedStudy) -> None:
    answer = writer.post(f"/api/workitems/{exam.workitem_id}/priors/{earlier.study.id}/open")
    assert answer.status_code == 200, answer.text


def test_every_value_is_a_number_or_says_why_not(writer: Browser, exam: QueuedStudy) -> None:
    answer = writer.get(address(exam, "/measured"))
    assert answer.status_code == 200, answer.text
    measured = answer.json()
    values = {one["name"]: one for one in measured["values"]}
    assert values["heart_rate"]["value"] == pytest.approx(61, abs=1)
    assert values["qrs"]["value"] == pytest.approx(75, abs=10)
    assert all((one["value"] is None) == (one["reason"] is not None) for one in values.values())
    assert len(measured["beats"]) == 10
    assert [one["lead"] for one in measured["leads"]][:2] == ["I", "II"]
    assert (measured["method"], measured["corrected_by"]) != ("", "")
    assert measured["corrections"]["no_p"] is False


def test_what_was_kept_as_a_sentence_is_read_as_a_code(writer: Browser, exam: QueuedStudy) -> None:
    measured = writer.get(address(exam, "/measured")).json()
    measured["notes"] = [
        "the first 60 s of 86400 s were measured",
        "one of 2 groups of channels was measured",
        "pacing spikes are not looked for at 250 Hz; that takes 1000",
    ]
    assert EcgMeasured.model_validate(measured).notes == [
        EcgMeasuredNote(
            code=Limit.FIRST_SECONDS, numbers={"measured_seconds": 60, "record_seconds": 86400}
        ),
        EcgMeasuredNote(code=Limit.ONE_GROUP, numbers={"groups": 2}),
        EcgMeasuredNote(code=Limit.NO_SPIKES, numbers={"rate_hz": 250, "needed_hz": 1000}),
    ]


def test_values_follow_a_point_that_is_moved_and_nothing_is_kept(
    writer: Browser, exam: QueuedStudy
) -> None:
    before = writer.get(address(exam, "/measured")).json()
    moved = before["points"]["qrs_offset_ms"] + 20
    after = writer.post(address(exam, "/measured"), qrs_offset_ms=moved).json()
    qrs = [
        next(one["value"] for one in each["values"] if one["name"] == "qrs")
        for each in (before, after)
    ]
    assert qrs[1] - qrs[0] == pytest.approx(20)
    assert after["corrections"]["qrs_offset_ms"] == moved
    assert writer.get(address(exam, "/measured")).json() == before


def test_every_page_goes_by_what_was_kept(
    writer: Browser, exam: QueuedStudy, database: Database
) -> None:
    before = writer.get(address(exam, "/measured")).json()
    moved = before["points"]["qrs_offset_ms"] + 20
    drawn = writer.get(address(exam, "/median.svg")).text
    _analysed(database, exam)
    kept = writer.put(address(exam, "/measured"), qrs_offset_ms=moved)
    assert kept.status_code == 200, kept.text
    after = writer.get(address(exam, "/measured")).json()
    assert after["points"]["qrs_offset_ms"] == moved
    assert after["corrected_by"]
    assert after["corrected_at"]
    assert writer.get(address(exam, "/median.svg")).text != drawn


def _analysed(database: Database, exam: QueuedStudy) -> None:
    """An analysis of the exam's ECG, as its worker would have made it."""
    with database.transaction() as session:
        instance = session.scalars(select(Instance).where(Instance.study_id == exam.study.id)).one()
        session.add(
            EcgAnalysis(
                instance_id=instance.id,
                study_id=exam.study.id,
                site_id=exam.study.site_id,
                method_version=METHOD_VERSION,
                state=AnalysisState.DONE,
                quality={"findings": [], "usable": []},
                triage={"rulesets": [], "hints": [], "not_judged": []},
                analysed_at=utc_now(),
                cpu_ms=1,
            )
        )


def test_a_beat_that_is_taken_out_is_gone(writer: Browser, exam: QueuedStudy) -> None:
    beats = writer.get(address(exam, "/measured")).json()["beats"]
    after = writer.post(address(exam, "/measured"), removed_beats=[beats[3]["r_seconds"]]).json()
    assert len(after["beats"]) == len(beats) - 1


def test_points_out_of_order_are_refused(writer: Browser, exam: QueuedStudy) -> None:
    answer = writer.post(address(exam, "/measured"), qrs_onset_ms=60, qrs_offset_ms=20)
    assert answer.status_code == 422
    assert answer.json()["type"] == "urn:rdc:problem:markers-impossible"


@pytest.mark.parametrize("body", [{"qrs_onset_ms": 1e9}, {"added_beats": [-1]}, {"no_p": "x"}])
def test_corrections_that_cannot_be_are_refused(
    writer: Browser, exam: QueuedStudy, body: dict[str, object]
) -> None:
    answer = writer.post(address(exam, "/measured"), **body)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == PROBLEM


def test_median_beats_are_drawn(writer: Browser, exam: QueuedStudy) -> None:
    answer = writer.get(address(exam, "/median.svg?speed=50&gain=20&order=cabrera&language=zh-CN"))
    assert answer.status_code == 200, answer.text
    root = ET.fromstring(answer.text)
    assert root.attrib["data-layout"] == "median"
    leads = [one.attrib["data-lead"] for one in root.iter() if "data-lead" in one.attrib]
    assert leads[:3] == ["aVL", "I", "−aVR"]
    again = writer.client.get(
        address(exam, "/median.svg?speed=50&gain=20&order=cabrera&language=zh-CN"),
        headers={"If-None-Match": answer.headers["etag"]},
    )
    assert again.status_code == 304


def test_an_ecg_without_a_median_beat_says_so(
    writer: Browser, consortium: Consortium, filing: Filing
) -> None:
    flat = consortium.queued_study(modalities=("ECG",), local_id="P019")
    still = multiplex_group(
        np.zeros((5000, 12), dtype="<i2"), [channel(one) for one in STANDARD_LEADS]
    )
    filing.add(flat, file_bytes(ecg_dataset(still)))
    answer = writer.get(address(flat, "/median.svg"))
    assert answer.status_code == 422
    assert answer.json()["type"] == "urn:rdc:problem:no-median-beat"
    assert answer.json()["found"]


def test_what_changed_since_an_opened_prior(
    writer: Browser, exam: QueuedStudy, earlier: QueuedStudy
) -> None:
    query = f"?against={earlier.study.id}"
    # Only what was opened, which is in the audit trail, is shown.
    for more in (f"/serial{query}", f"/median.svg{query}", f"/trace.svg?prior={earlier.study.id}"):
        assert writer.get(address(exam, more)).status_code == 404
    opened(writer, exam, earlier)
    answer = writer.get(address(exam, f"/serial{query}"))
    assert answer.status_code == 200, answer.text
    serial = answer.json()
    both = {one["name"]: one for one in serial["differences"] if one["lead"] is None}
    for name, each in both.items():
        if each["now"]["value"] is None or each["then"]["value"] is None:
            assert each["change"] is None
        elif not name.endswith("axis"):
            assert each["change"] == pytest.approx(each["now"]["value"] - each["then"]["value"])
    assert both["heart_rate"]["change"] == pytest.approx(-6, abs=1.5)
    assert serial["seconds_between"] == pytest.approx(366 * 86_400)
    facts = writer.get(address(exam, f"?prior={earlier.study.id}")).json()
    assert facts["acquired_at"] == serial["then_at"]
    assert (
        "data-mm-per-mv" in writer.get(address(exam, f"/trace.svg?prior={earlier.study.id}")).text
    )
    over = writer.get(address(exam, f"/median.svg{query}"))
    assert over.status_code == 200
    assert "R on R" in over.text


def test_a_prior_of_another_patient_is_not_found(
    writer: Browser, exam: QueuedStudy, consortium: Consortium, filing: Filing
) -> None:
    other = consortium.queued_study(modalities=("ECG",), local_id="P020")
    filing.add(other, another_ecg())
    for more in ("/serial?against=", "/median.svg?against=", "?prior=", "/measured?prior="):
        for study in (other.study.id, uuid.uuid4()):
            assert writer.get(address(exam, f"{more}{study}")).status_code == 404


@pytest.mark.parametrize(
    "more", ["/measured", "/median.svg", "/serial?against=2de41bf4-391d-4295-95b4-1ed27382e3a5"]
)
def test_nobody_of_a_site_asks_for_them(app: FastAPI, exam: QueuedStudy, more: str) -> None:
    assert Browser(app, "doctor-east").get(address(exam, more)).status_code == 403


def test_only_who_reads_tries_other_markers(app: FastAPI, exam: QueuedStudy) -> None:
    assert Browser(app, "dispatcher").post(address(exam, "/measured")).status_code == 403
    assert Browser(app, "reviewer").post(address(exam, "/measured")).status_code == 200
