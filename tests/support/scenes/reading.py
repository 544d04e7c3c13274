"""A patient with priors at two sites, one opened in an emergency; a request in full, and notes."""

from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import select

from deploy.demo.phantom import write_phantom
from reading_worklist.workitems.tables import Workitem
from storage.index.tables import Patient, Study
from tests.support.desk import Desk
from tests.support.web import Browser

if TYPE_CHECKING:
    from tests.support.scene import Scene

NAME = "Gao^MingYuan=高^明远"
# The current study, that of a year before at the same site, and one at the other site.
NOW, BEFORE, ELSEWHERE = "DH000210", "DH000091", "XL000077"


def fill(scene: "Scene") -> Mapping[str, str]:
    """Return the ids of the reading, of its prior here, and of the reading after it."""
    technician = Browser(scene.app, "technician-east")
    placed = technician.post(
        "/api/orders",
        patient_name="高明远",
        patient_local_id="E2001",
        patient_birth_date="1958-04-12",
        patient_sex="M",
        accession_number=NOW,
        procedure_description="胸部CT平扫",
        body_part="CHEST",
        contrast="plain",
        department="呼吸内科",
        bed="12 床",
        visit_type="inpatient",
        visit_number="Z2026111802",
        requester="孙医师",
        clinical_diagnosis="右肺结节复查；慢性阻塞性肺疾病",
        reason="与 2025 年 CT 比较结节大小，除外恶性",
        priority="URGENT",
        steps=[{"modality": "CT"}],
    )
    assert placed.status_code == 201, placed.text
    note = technician.post(
        f"/api/exams/{placed.json()['id']}/notes",
        text="患者吸气后屏气困难，下肺有少许运动伪影，已重复扫描一次。",
    )
    assert note.status_code == 201, note.text
    with TemporaryDirectory() as directory:
        for site, local_id, accession, day in (
            (scene.consortium.east, "E2001", BEFORE, "20250604"),
            (scene.consortium.west, "W2101", ELSEWHERE, "20240317"),
            (scene.consortium.east, "E2001", NOW, "20261122"),
        ):
            folder = Path(directory) / accession
            folder.mkdir()
            for path in write_phantom(
                folder,
                slices=8,
                patient_name=NAME,
                patient_id=local_id,
                accession_number=accession,
                study_date=day,
            ):
                assert scene.files.file(path.read_bytes(), site)
            scene.files.complete()
    scene.settle()
    items, patients = _found(scene)
    desk = Desk(scene.app, scene.consortium, items[BEFORE])
    desk.write(impression="右肺上叶尖段实性结节，直径约 11 mm，建议 6 个月后复查。")
    desk.finalise()
    claimed = Browser(scene.app, "writer").post(f"/api/workitems/{items[NOW]}/claim")
    assert claimed.status_code == 200, claimed.text
    one, other = patients
    linked = Browser(scene.app, "dispatcher").post(
        "/api/patient-links", patient_id=one, other_id=other, reason="身份证与电话核实为同一人"
    )
    assert linked.status_code == 204, linked.text
    _in_emergencies(scene, items[NOW])
    agreed = Browser(scene.app, "head").post(
        "/api/agreements",
        service="priors",
        provider="county",
        client="county",
        valid_from="2026-01-01",
        document="县域医共体检查资料共享协议 2026-1",
    )
    assert agreed.status_code == 201, agreed.text
    scene.settle()
    return {"reading": str(items[NOW]), "reading-before": str(items[BEFORE])}


def _in_emergencies(scene: "Scene", item: UUID) -> None:
    """Let two doctors open what no agreement opens yet; the auditor has judged the first."""
    priors = f"/api/workitems/{item}/priors"
    for login, note in (
        ("reviewer", "患者突发昏迷，急诊手术前需与外院旧片比较"),
        ("reviewer2", "家属来电称三年前在西山镇查过胸部CT，急诊会诊等待结论，无法联系当地值班医师"),
    ):
        doctor = Browser(scene.app, login)
        shown = doctor.post(f"{priors}/emergency", note=note)
        assert shown.status_code == 200, shown.text
        for one in shown.json()["items"]:
            opened = doctor.post(f"{priors}/{one['study_id']}/open")
            assert opened.status_code == 200, opened.text
    auditor = Browser(scene.app, "auditor")
    waiting = auditor.get("/api/emergency-accesses").json()["items"]
    first = next(one for one in waiting if one["person"] == "王审核")
    judged = auditor.post(
        f"/api/emergency-accesses/{first['id']}/review",
        verdict="justified",
        note="急诊科记录与手术室登记均可核对",
    )
    assert judged.status_code == 200, judged.text


def _found(scene: "Scene") -> tuple[dict[str, UUID], list[str]]:
    with scene.database.transaction() as session:
        rows = session.execute(
            select(Study.accession_number, Workitem.id, Patient.id)
            .join(Workitem, Workitem.study_id == Study.id)
            .join(Patient, Patient.id == Study.patient_id)
            .where(Study.accession_number.in_((NOW, BEFORE, ELSEWHERE)))
        ).all()
    return (
        {str(accession): item for accession, item, _ in rows},
        sorted({str(patient) for _, _, patient in rows}),
    )
