"""Key images and measurements of an exam that is being written."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from sqlalchemy import select

from reading_worklist.workitems.tables import Workitem
from storage.index.tables import Instance, Study
from tests.support.measurements import report
from tests.support.scenes.reading import NOW
from tests.support.web import Browser

if TYPE_CHECKING:
    from tests.support.scene import Scene

_KIND = 'multipart/related; type="application/dicom"; boundary=XX'


def fill(scene: "Scene") -> Mapping[str, str]:
    """Choose three images in the order of the list, and store a measurement."""
    with scene.database.transaction() as session:
        rows = session.execute(
            select(Study.study_instance_uid, Study.header_patient_id, Instance, Workitem.id)
            .join(Instance, Instance.study_id == Study.id)
            .join(Workitem, Workitem.study_id == Study.id)
            .where(Study.accession_number == NOW)
            .order_by(Instance.instance_number)
        ).all()
    writer = Browser(scene.app, "writer")
    item = rows[0][3]
    windows = ({}, {"window_center": 40, "window_width": 400}, {})
    for (_, _, instance, _), window in zip(rows[2:5], windows, strict=True):
        chosen = writer.post(
            f"/api/workitems/{item}/key-images",
            sop_instance_uid=instance.sop_instance_uid,
            **window,
        )
        assert chosen.status_code == 201, chosen.text
    study, patient, measured, _ = rows[3]
    body = report(
        {
            "StudyInstanceUID": study,
            "PatientID": patient,
            "SOPClassUID": measured.sop_class_uid,
            "SOPInstanceUID": measured.sop_instance_uid,
        }
    )
    parts = b"--XX\r\nContent-Type: application/dicom\r\n\r\n" + body + b"\r\n--XX--\r\n"
    stored = writer.client.post(
        "/dicom-web/sites/EAST/studies", content=parts, headers={"Content-Type": _KIND}
    )
    assert stored.status_code == 200, stored.text
    return {}
