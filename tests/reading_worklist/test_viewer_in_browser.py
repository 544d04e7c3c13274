"""The viewer in a real browser: images of a CT and an MR series appear, drawn from our DICOMweb."""

import io
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from uuid import uuid4

import pytest
from playwright.sync_api import expect
from pydicom.uid import generate_uid

from reading_worklist.reports.structured.content_items import InstanceReference
from reading_worklist.reports.structured.instance import key_object_selection
from storage.report_objects.encapsulated_pdf import ReportFacts, encapsulate
from tests.reading_worklist.dicomweb.archive import Archive, Filed
from tests.reading_worklist.dicomweb.conftest import copy_of
from tests.reading_worklist.reports.structured import samples
from tests.support.reports import ct_report
from tests.support.seed import PASSWORD, Consortium
from tests.support.viewer import CHROMIUM, OHIF, Traffic, chromium, signed_in, wait_for_image


def file_series(archive: Archive, consortium: Consortium, name: str) -> Filed:
    """File a short series of slices, one above the other, of a Chinese patient."""
    study, series = str(generate_uid()), str(generate_uid())
    filed = [
        archive.file(
            copy_of(
                name,
                StudyInstanceUID=study,
                SeriesInstanceUID=series,
                SOPInstanceUID=str(generate_uid()),
                FrameOfReferenceUID="1.2.3",
                InstanceNumber=number,
                ImagePositionPatient=[0, 0, number],
                ImageOrientationPatient=[1, 0, 0, 0, 1, 0],
                SpecificCharacterSet="GB18030",
                PatientName="Zhang^Wei=张^伟",
                PatientID=name,
            ),
            consortium.east,
        )
        for number in range(1, 5)
    ]
    assert filed[0] is not None
    return filed[0]


def file_report(archive: Archive, consortium: Consortium, of: Filed) -> None:
    """File what a signed report has in its study: page, words and key images."""
    header = of.header
    study = replace(
        samples.CT_STUDY,
        study_instance_uid=str(header.study_instance_uid),
        patient_id=header.patient_id,
        patient_name="Zhang^Wei=张^伟",
    )
    picked = InstanceReference(
        study.study_instance_uid,
        str(header.series_instance_uid),
        str(header.sop_class_uid),
        str(header.sop_instance_uid),
    )
    made = partial(
        samples.structured, ct_report(), study=study, waveform=None, key_images=(picked,)
    )
    report = ReportFacts(uuid4(), uuid4(), 1, "CT", datetime.now(UTC))
    for one in (
        encapsulate(report, study, b"%PDF-1.7 none", utc_offset=timedelta()),
        made(),
        made(make=key_object_selection),
    ):
        written = io.BytesIO()
        one.save_as(written, enforce_file_format=True)
        assert archive.file(written.getvalue(), consortium.east)


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")
@pytest.mark.skipif(not (OHIF / "index.html").is_file(), reason="the viewer is not installed")
def test_ct_and_mr_are_shown(server: tuple[str, Archive, Consortium], tmp_path: Path) -> None:
    address, archive, consortium = server
    studies = [file_series(archive, consortium, name) for name in ("CT_small.dcm", "MR_small.dcm")]
    file_report(archive, consortium, studies[0])
    archive.complete()
    with chromium() as browser:
        page = signed_in(browser, address, {"login": "reviewer", "password": PASSWORD})
        # What the viewer's modules find when the last of what they wait for is a style sheet, as it
        # is by chance on a busy machine: no script that is being run.
        page.add_init_script("Object.defineProperty(document, 'currentScript', {value: null})")
        traffic = Traffic(page)
        for filed in studies:
            show(traffic, address, filed)
            page.screenshot(path=tmp_path / f"{filed.header.modality}.png")
    assert traffic.failures == []
    foreign = [url for url in traffic.asked if not url.startswith((address, "blob:", "data:"))]
    assert foreign == []


def show(traffic: Traffic, address: str, filed: Filed) -> None:
    """Open a study and wait until its image is there."""
    page, uid = traffic.page, filed.header.study_instance_uid
    page.goto(f"{address}/viewer/viewer?StudyInstanceUIDs={uid}&site={filed.site_code}")
    wait_for_image(page, traffic)
    # In Chinese, without the tour and the notice that it is not for clinical use.
    expect(page.get_by_text("检查").first).to_be_attached()
    assert page.get_by_text("INVESTIGATIONAL").count() == 0
    assert page.locator(".shepherd-element").count() == 0
