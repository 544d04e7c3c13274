"""What a site's own pages show beside the readings: exams on their way, a recall, a retake."""

from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import update

from storage.clock import utc_now
from storage.index.tables import Study
from storage.orders import performed
from storage.orders.performed import NewPerformedStep
from storage.orders.states import ExamState, PerformedState
from storage.orders.tables import Order
from tests.reading_worklist.dicomweb.conftest import series_of
from tests.support.desk import Desk
from tests.support.orders import ACTOR
from tests.support.web import PIN, Browser

if TYPE_CHECKING:
    from tests.support.scene import Scene


def fill(scene: "Scene") -> Mapping[str, str]:
    """Exams that are late, that come, that are made again; a report that was amended."""
    technician = Browser(scene.app, "technician-east")

    def ordered(
        local_id: str, name: str, modality: str, what: str, **more: object
    ) -> dict[str, Any]:
        answer = technician.post(
            "/api/orders",
            patient_local_id=local_id,
            patient_name=name,
            patient_sex="F",
            patient_birth_date="1971-08-02",
            procedure_description=what,
            department="内科",
            clinical_diagnosis="咳嗽三周",
            reason="排除肺部占位",
            steps=[{"modality": modality}],
            **more,
        )
        assert answer.status_code == 201, answer.text
        return answer.json()

    late = ordered("DH3001", "何秀兰", "DX", "胸部正位", procedure_code="DX-CHEST")
    _age(scene, late, ExamState.CHECKED_IN, minutes=95)
    chest_pain = ordered(
        "DH3002",
        "罗志强",
        "ECG",
        "12导联心电图",
        priority="STAT",
        priority_reason="chest_pain",
        first_contact_at=(utc_now() - timedelta(minutes=6)).isoformat(),
    )
    ordered(
        "DH3003", "梁玉梅", "CT", "头颅CT", body_part="HEAD", contrast="plain", priority="URGENT"
    )
    coming = _comes(scene, ordered("DH3004", "宋国华", "CT", "胸部CT", body_part="CHEST"))
    amended = _amended(scene, ordered("DH3005", "唐小燕", "CT", "胸部CT", body_part="CHEST"))
    retaken = _retaken(scene, ordered("DH3006", "许文斌", "CT", "腹部CT", body_part="ABDOMEN"))
    return {
        "late": late["id"],
        "chest-pain": chest_pain["id"],
        "coming": coming,
        "amended": amended,
        "retaken": retaken,
    }


def _age(scene: "Scene", order: dict[str, Any], state: ExamState, *, minutes: int) -> None:
    at = utc_now() - timedelta(minutes=minutes)
    with scene.database.transaction() as session:
        session.execute(
            update(Order)
            .where(Order.id == order["id"])
            .values(state=state, checked_in_at=at, requested_at=at - timedelta(minutes=9))
        )


def _files(order: dict[str, Any], count: int) -> list[bytes]:
    return series_of(
        "CT_small.dcm",
        count,
        SpecificCharacterSet="ISO_IR 192",
        PatientName=order["patient_name_groups"],
        PatientID=order["patient_local_id"],
        PatientSex=order["patient_sex"],
        PatientBirthDate=order["patient_birth_date"].replace("-", ""),
        AccessionNumber=order["accession_number"],
        StudyInstanceUID=order["study_instance_uid"],
        StudyDescription=order["procedure_description"],
        StudyDate=f"{utc_now():%Y%m%d}",
    )


def _comes(scene: "Scene", order: dict[str, Any]) -> str:
    """The device says that it made 24 instances, of which 9 are here."""
    files = _files(order, 9)
    for data in files:
        assert scene.files.file(data, scene.consortium.east)
    with scene.database.transaction() as session:
        performed.begin(
            session,
            ACTOR,
            NewPerformedStep(
                site_id=scene.consortium.east.id,
                device_id=scene.consortium.east_device.id,
                sop_instance_uid="1.2.3.300",
                study_instance_uid=order["study_instance_uid"],
                accession_number=order["accession_number"],
                requested_procedure_id=None,
                step_ids=[],
                modality="CT",
                station_ae_title="EAST_CT",
                dataset=b"",
                transfer_syntax_uid="1.2",
            ),
        )
        performed.update(
            session,
            ACTOR,
            site_id=scene.consortium.east.id,
            sop_instance_uid="1.2.3.300",
            state=PerformedState.COMPLETED,
            instance_uids=[f"1.2.3.301.{number}" for number in range(24)],
            dataset=b"",
            transfer_syntax_uid="1.2",
        )
        session.execute(
            update(Study)
            .where(Study.study_instance_uid == order["study_instance_uid"])
            .values(quiet_due_at=utc_now() + timedelta(hours=1))
        )
    return order["id"]


def _queued(scene: "Scene", order: dict[str, Any]) -> Desk:
    for data in _files(order, 2):
        assert scene.files.file(data, scene.consortium.east)
    scene.files.complete()
    scene.settle()
    site = Browser(scene.app, "doctor-east")
    exam = site.get(f"/api/portal/exams/{order['id']}").json()
    return Desk(scene.app, scene.consortium, exam["workitem_id"])


def _amended(scene: "Scene", order: dict[str, Any]) -> str:
    """The site has opened a report that was replaced since."""
    desk = _queued(scene, order)
    desk.write()
    desk.finalise()
    assert desk("doctor-east").get(f"/api/portal/exams/{desk.id}/report").status_code == 200
    desk.do("reviewer", "amend", reason="结节大小更正为 6 mm")
    desk.do("reviewer", "release", "QUEUED")
    desk.write()
    desk.do("reviewer", "review")
    desk.do("reviewer", "finalise", signing_pin=PIN)
    scene.settle()
    return str(desk.id)


def _retaken(scene: "Scene", order: dict[str, Any]) -> str:
    desk = _queued(scene, order)
    answer = desk("writer").post(
        f"{desk.path}/retakes", kind="RETAKE", reason="呼吸伪影明显，膈顶层面请重扫"
    )
    assert answer.status_code == 201, answer.text
    scene.settle()
    return str(desk.id)
