"""Orthanc as a site's PACS: page, words and key images arrive once, and are shown by it."""

from collections.abc import Generator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import httpx
import pytest
from pydicom.dataset import Dataset
from pydicom.uid import UID

from pacs_gateway.config import ReturnsConfig
from pacs_gateway.returns.channels import Target
from pacs_gateway.returns.dicom_destination import open_channel
from storage.registry.destination_settings import DestinationKind, DicomSettings
from storage.report_objects.encapsulated_pdf import ReportFacts, encapsulate
from tests.pacs_gateway.returns.parcels import GivenParcel
from tests.reading_worklist.reports.structured import samples
from tests.support.orthanc import Orthanc
from tests.support.peers import require_program

pytestmark = pytest.mark.slow
_PDF = b"%PDF-1.7 signed and odd"


@pytest.fixture(scope="module")
def orthanc(tmp_path_factory: pytest.TempPathFactory) -> Generator[Orthanc]:
    program = require_program("Orthanc", package="orthanc")
    with Orthanc(program, tmp_path_factory.mktemp("orthanc"), ae_title="EASTPACS") as one:
        yield one


def send(orthanc: Orthanc, *objects: Dataset) -> str:
    settings = DicomSettings(ae_title="EASTPACS", host="127.0.0.1", port=orthanc.dicom_port)
    target = Target(UUID(int=1), UUID(int=2), DestinationKind.DICOM, "PACS", settings)
    channel = open_channel(target, ReturnsConfig("RDC"))
    try:
        answer = channel.send(GivenParcel(objects=objects))
    finally:
        channel.close()
    assert answer.is_delivered, answer.said
    return answer.said


def found(orthanc: Orthanc, **query: str) -> list[str]:
    ids: list[str] = orthanc.post("/tools/find", {"Level": "Instance", "Query": query})
    return ids


def page() -> Dataset:
    facts = ReportFacts(UUID(int=1), UUID(int=2), 1, "CT report", datetime(2026, 3, 14, tzinfo=UTC))
    return encapsulate(facts, samples.CT_STUDY, _PDF, utc_offset=timedelta(hours=8))


def test_a_report_arrives_once_however_often_it_is_sent(orthanc: Orthanc) -> None:
    objects = [page(), samples.KINDS["words"](), samples.KINDS["picked"]()]
    # The answer to the first may have been lost: all of it goes out again.
    for _ in range(2):
        said = send(orthanc, *objects)
        assert said.count("C-STORE status 0000H") == 3
    study = samples.CT_STUDY.study_instance_uid
    assert len(found(orthanc, StudyInstanceUID=study)) == 3
    (document,) = found(orthanc, StudyInstanceUID=study, Modality="DOC")
    assert httpx.get(f"{orthanc.web}/instances/{document}/pdf", timeout=20).content == _PDF
    (words,) = found(orthanc, StudyInstanceUID=study, Modality="SR")
    tags = orthanc.get(f"/instances/{words}/simplified-tags")
    assert tags["PatientName"] == "Zhang^San=张^三"
    assert tags["VerifyingObserverSequence"][0]["VerifyingObserverName"] == "李书写"
    assert "纵隔居中。" in str(tags["ContentSequence"])
    (picked,) = found(orthanc, StudyInstanceUID=study, Modality="KO")
    assert "1.2.3.11.1" in str(orthanc.get(f"/instances/{picked}/simplified-tags"))


def test_the_report_of_an_ecg_and_a_notice_are_readable_there(orthanc: Orthanc) -> None:
    ecg = samples.KINDS["ecg"]()
    void = samples.KINDS["void ecg"]()
    for number, one in enumerate((ecg, void), 5):
        one.StudyInstanceUID = "1.2.3.400"
        one.SOPInstanceUID = one.file_meta.MediaStorageSOPInstanceUID = UID(f"1.2.3.400.{number}")
        facts = replace(samples.STUDY, study_instance_uid="1.2.3.400")
        report = ReportFacts(UUID(int=number), UUID(int=9), 1, "ECG", datetime.now(UTC))
        send(orthanc, encapsulate(report, facts, _PDF, utc_offset=timedelta()), one)
    tags = [
        orthanc.get(f"/instances/{one}/simplified-tags")
        for one in found(orthanc, StudyInstanceUID="1.2.3.400", Modality="SR")
    ]
    texts = " ".join(str(one["ContentSequence"]) for one in tags)
    assert "PR interval global" in texts
    assert "已作废" in texts


def test_orthanc_keeps_what_it_was_given(orthanc: Orthanc, tmp_path: Path) -> None:
    selection = samples.KINDS["picked"]()
    send(orthanc, page(), selection)
    (kept,) = found(orthanc, SOPInstanceUID=str(selection.SOPInstanceUID))
    path = tmp_path / "kept.dcm"
    path.write_bytes(orthanc.file(kept))
    assert samples.read(path) == selection
