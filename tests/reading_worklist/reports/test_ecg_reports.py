"""The report of an ECG from draft to version: statements, values of three sources, structured."""

import io
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from fastapi import FastAPI
from pydantic import ValidationError
from pydicom import dcmread
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset
from pydicom.uid import UID
from sqlalchemy import select, update

from reading_worklist.ecg.analysis.tables import AnalysisState, EcgAnalysis
from reading_worklist.ecg.measured import measured_view
from reading_worklist.ecg.measurement.measure import measure
from reading_worklist.reports.document import EcgBlock, ReportDocument, from_content
from reading_worklist.reports.ecg_draft import DraftEcg
from reading_worklist.reports.tables import ReportSubmission
from storage.audit import AuditRecord
from storage.clock import utc_now
from storage.ecg.dicom_reader import read_ecg
from storage.index.tables import Instance, Study
from storage.messages import ReportIssued
from storage.objects import ObjectKey, ObjectStore
from storage.report_objects.names import ReportObjectKind, sop_instance_uid
from tests.reading_worklist.dicomweb.archive import Archive
from tests.support.desk import Desk
from tests.support.reports import text_of
from tests.support.seed import Consortium
from tests.support.web import PIN, application


@pytest.fixture
def desk(consortium: Consortium, objects: ObjectStore, tmp_path: Path) -> Desk:
    """The reading of an ECG that came from a device, claimed by its writer."""
    exam = consortium.queued_study(modalities=("ECG",))
    filed(consortium, objects, exam.study)
    app: FastAPI = application(consortium, objects, tmp_path)
    desk = Desk(app, consortium, exam.workitem_id)
    desk.do("writer", "claim", "CLAIMED")
    return desk


def filed(consortium: Consortium, objects: ObjectStore, study: Study) -> None:
    """File the bundled ECG into a study of the consortium, and keep its analysis."""
    path = get_testdata_file("waveform_ecg.dcm")
    assert isinstance(path, str)
    dataset = dcmread(path)
    dataset.StudyInstanceUID = study.study_instance_uid
    dataset.SOPInstanceUID = UID(f"2.25.{uuid4().int}")
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    dataset.SeriesInstanceUID = f"2.25.{uuid4().int}"
    dataset.PatientID = "P001"
    dataset.PatientName = "Zhang^Wei=张^伟"
    dataset.SpecificCharacterSet = "GB18030"
    written = io.BytesIO()
    dataset.save_as(written, enforce_file_format=True)
    archive = Archive(consortium.database, objects)
    assert archive.file(written.getvalue(), consortium.east)
    archive.complete()
    written.seek(0)
    view = measured_view(measure(read_ecg(written)))
    with consortium.database.transaction() as session:
        instance_id = session.scalars(
            select(Instance.id).where(Instance.study_id == study.id)
        ).one()
        session.add(
            EcgAnalysis(
                instance_id=instance_id,
                study_id=study.id,
                site_id=study.site_id,
                method_version="test",
                state=AnalysisState.DONE,
                error=None,
                quality={},
                measurement=view.model_dump(mode="json"),
                triage={},
                critical_value_ids=[],
                thumbnail=None,
                analysed_at=utc_now(),
                cpu_ms=1.0,
            )
        )


def saved(desk: Desk, impression: str, ecg: dict[str, Any], ecg_class: str = "abnormal") -> int:
    seen = desk("writer").get(desk.path).json()["draft"]
    answer = desk("writer").put(
        f"{desk.path}/draft",
        findings="",
        impression=impression,
        advice="",
        codes={"ecg_class": ecg_class},
        revision=seen["revision"] if seen else 0,
        ecg=ecg,
    )
    assert answer.status_code == 200, answer.text
    return answer.json()["revision"]


def submitted(desk: Desk, **more: object) -> None:
    revision = saved(
        desk,
        "窦性心律\n完全性右束支阻滞？",
        {
            "statements": ["sinus_rhythm", "rbbb"],
            "confirmed": {"pr": 160, "qrs": None, "heart_rate": 61},
        },
    )
    desk.do("writer", "submit", "WRITTEN", revision=revision, signing_pin=PIN, **more)


def content(desk: Desk) -> tuple[ReportDocument, EcgBlock]:
    with desk.database.transaction() as session:
        row = session.scalars(
            select(ReportSubmission).where(ReportSubmission.workitem_id == desk.id)
        ).one()
        document = from_content(row.content)
    assert document.ecg is not None
    return document, document.ecg


def structured(desk: Desk, objects: ObjectStore, version_id: UUID) -> Dataset:
    with desk.database.transaction() as session:
        key = session.scalars(
            select(Instance.object_key).where(
                Instance.sop_instance_uid
                == sop_instance_uid(ReportObjectKind.STRUCTURED, version_id)
            )
        ).one()
    return dcmread(io.BytesIO(objects.read(ObjectKey(key))))


def test_the_page_shows_what_device_and_centre_measured(desk: Desk) -> None:
    values = desk("writer").get(f"{desk.path}/ecg-values").json()["values"]
    by_name = {one["name"]: one for one in values}
    assert by_name["pr"]["device"] == "161"
    assert by_name["qt"]["device"] == "368"
    assert abs(int(by_name["heart_rate"]["centre"]) - 61) <= 2
    assert by_name["rv5_sv1"]["unit"] == "mV"
    assert desk("doctor-east").get(f"{desk.path}/ecg-values").status_code == 403


def test_a_lead_that_the_check_found_off_is_marked_on_the_paper(desk: Desk) -> None:
    flat = {"code": "flat_line", "severity": "REPEAT", "leads": ["V3"]}
    with desk.database.transaction() as session:
        session.execute(update(EcgAnalysis).values(quality={"findings": [flat], "usable": []}))
    submitted(desk)
    text = text_of(desk("writer").get(f"{desk.path}/submission.pdf").content)
    assert "导联脱落?" in text


def test_the_library_is_offered_to_the_centre_alone(desk: Desk) -> None:
    offered = desk("writer").get("/api/ecg-statements").json()
    assert {"id", "zh", "en", "key", "pinyin", "ecg_class", "group"} <= set(
        offered["statements"][0]
    )
    assert desk("doctor-east").get("/api/ecg-statements").status_code == 403


def test_device_centre_and_confirmed_values_are_kept_and_printed(desk: Desk) -> None:
    submitted(desk)
    _, ecg = content(desk)
    assert ecg.source is not None
    pr = {one.source: one.value for one in ecg.measurements if one.name == "pr"}
    assert (pr["device"], pr["confirmed"]) == ("161", "160")
    assert "centre" in pr
    assert ("qrs", "", "confirmed") in {
        (one.name, one.value, one.source) for one in ecg.measurements
    }
    # The second statement was changed: it is the doctor's own text now.
    assert ecg.statements == ("sinus_rhythm",)
    assert ecg.source.twelve_leads
    text = text_of(desk("writer").get(f"{desk.path}/submission.pdf").content)
    for part in ("设备值", "中心测量", "确认值", "未测出", "心律窦性心律", "测量方法"):
        assert part in text
    with desk.database.transaction() as session:
        changed = session.scalars(
            select(AuditRecord).where(AuditRecord.action == "report:set_ecg_values")
        ).one()
    assert changed.detail["pr"]["confirmed"] == "160"


def test_what_was_picked_is_printed_in_the_language_of_the_paper(desk: Desk) -> None:
    submitted(desk, language="en")
    assert content(desk)[0].impression == "窦性心律\n完全性右束支阻滞？"
    text = text_of(desk("writer").get(f"{desk.path}/submission.pdf").content)
    assert "Sinusrhythm" in text
    assert "完全性右束支阻滞？" in text


def test_a_page_that_knows_nothing_of_them_leaves_statements_and_values(desk: Desk) -> None:
    ecg = {"statements": ["sinus_rhythm"], "confirmed": {"pr": 150.0}}
    saved(desk, "窦性心律", ecg)
    desk.draft("writer", "窦性心律", ecg_class="normal")
    assert desk("writer").get(desk.path).json()["draft"]["ecg"] == ecg


@pytest.mark.parametrize(
    "ecg",
    [{"statements": ["no_such"]}, {"confirmed": {"pr": 0}}, {"confirmed": {"weight": 70}}],
)
def test_what_cannot_be_is_not_kept(ecg: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        DraftEcg.model_validate(ecg)


def test_every_version_has_its_structured_report_in_the_study(
    desk: Desk, objects: ObjectStore
) -> None:
    before = desk("writer").get(desk.path).json()
    submitted(desk)
    desk.finalise()
    (issued,) = desk.messages(ReportIssued)
    first = structured(desk, objects, issued.report_version_id)
    assert (first.PatientID, str(first.PatientName)) == ("P001", "Zhang^Wei=张^伟")
    assert first.VerificationFlag == "VERIFIED"
    assert [str(one.VerifyingObserverName) for one in first.VerifyingObserverSequence] == [
        "李书写",
        "王审核",
    ]
    after = desk("writer").get(desk.path).json()
    # Nobody has sent it.
    assert after["study"]["instance_count"] == before["study"]["instance_count"]
    assert after["study"]["modalities"] == ["ECG"]
    # It is nothing that the reading waited for.
    assert not after["late_instances"]

    desk.do("reviewer", "amend", "CLAIMED", reason="更正分类")
    seen = desk("reviewer").get(desk.path).json()["draft"]
    desk.do("reviewer", "submit", "WRITTEN", revision=seen["revision"], signing_pin=PIN)
    desk.do("reviewer2", "review", "REVIEWING")
    desk.do("reviewer2", "finalise", "PUBLISHED", signing_pin=PIN)
    second = structured(desk, objects, desk.messages(ReportIssued)[-1].report_version_id)
    replaced = second.PredecessorDocumentsSequence[0].ReferencedSeriesSequence[0]
    assert replaced.ReferencedSOPSequence[0].ReferencedSOPInstanceUID == first.SOPInstanceUID
    assert second.SeriesInstanceUID == first.SeriesInstanceUID
    assert (first.InstanceNumber, second.InstanceNumber) == (1, 2)
