"""Reports in the making and after: what the checks find, what was returned, amended, to be void."""

from collections.abc import Mapping
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import select, update

from reading_worklist.templates.starter import take_over
from reading_worklist.workitems.tables import Workitem
from storage.index.tables import Patient, Study
from storage.orders.words import Priority
from tests.reading_worklist.dicomweb.conftest import series_of
from tests.support.desk import Desk
from tests.support.web import PIN

if TYPE_CHECKING:
    from tests.support.scene import Scene

SEEN = (
    "双侧胸廓对称，气管居中。右肺上叶尖段见一实性结节，大小约 14×11 mm，边缘见短毛刺，"
    "邻近胸膜牵拉。余肺野清晰。纵隔内未见肿大淋巴结，双侧胸腔未见积液。"
)
CONCLUDED = "右肺上叶尖段实性结节，建议增强扫描。"
KNEE_BEFORE = (
    "左膝内侧半月板后角见Ⅲ级信号，前交叉韧带走行连续。关节腔见少量积液。",
    "内侧半月板后角撕裂。",
)
KNEE_AFTER = (
    "左膝内侧半月板后角见Ⅲ级信号，达关节面。前、后交叉韧带走行连续，信号正常。关节腔见少量积液。",
    "左膝内侧半月板后角撕裂，少量关节积液。",
)


def fill(scene: "Scene") -> Mapping[str, str]:
    """Return the ids of the readings by their state."""
    with scene.database.transaction() as session:
        take_over(session, scene.consortium.root.id)
    kinds = {
        "found": ("Shen^Bo=沈^波", "E3001", "M", "CT_small.dcm", "CHEST"),
        "empty": ("Tang^Ning=唐^宁", "E3002", "F", "CT_small.dcm", "CHEST"),
        "resubmitted": ("Xu^Jing=许^静", "E3003", "F", "MR_small.dcm", "KNEE"),
        "amended": ("Yao^Fei=姚^飞", "E3004", "M", "CT_small.dcm", "CHEST"),
        "revoking": ("Lu^Ming=卢^明", "E3005", "M", "CT_small.dcm", "CHEST"),
        "prelim": ("Bai^Xue=白^雪", "E3006", "F", "CT_small.dcm", "CHEST"),
    }
    for number, (name, local_id, sex, file, part) in enumerate(kinds.values()):
        facts = {
            "SpecificCharacterSet": "GB18030",
            "PatientName": name,
            "PatientID": local_id,
            "PatientSex": sex,
            "PatientBirthDate": "19680317",
            "AccessionNumber": f"DH0003{number:02}",
            "StudyDate": "20261121",
            "StudyTime": "093000",
            "StudyDescription": part,
            "BodyPartExamined": part,
        }
        for data in series_of(file, 2, **facts):
            assert scene.files.file(data, scene.consortium.east)
    scene.files.complete()
    scene.settle()
    items = _items(scene)
    desks = {
        name: Desk(scene.app, scene.consortium, items[kind[1]]) for name, kind in kinds.items()
    }
    _write(desks["found"], SEEN.replace("14×11 mm", "{大小 mm}"), "左肺上叶尖段实性结节。")
    desks["empty"].do("writer", "claim")
    _resubmitted(desks["resubmitted"])
    _amended(desks["amended"])
    _issued(desks["revoking"])
    desks["revoking"].do("reviewer", "revocation", reason="患者身份有误，图像属于另一位患者")
    with scene.database.transaction() as session:
        session.execute(
            update(Workitem).where(Workitem.id == items["E3006"]).values(priority=Priority.STAT)
        )
    _write(desks["prelim"], SEEN, CONCLUDED)
    return {f"writing-{name}": str(items[kind[1]]) for name, kind in kinds.items()}


def _write(desk: Desk, findings: str, impression: str, **codes: str) -> int:
    desk.do("writer", "claim")
    seen = desk("writer").get(desk.path).json()["draft"]
    saved = desk("writer").put(
        f"{desk.path}/draft",
        findings=findings,
        impression=impression,
        codes=codes,
        revision=seen["revision"] if seen else 0,
    )
    assert saved.status_code == 200, saved.text
    return saved.json()["revision"]


def _submitted(desk: Desk, findings: str, impression: str, **codes: str) -> None:
    revision = _write(desk, findings, impression, **codes)
    desk.do("writer", "submit", revision=revision, signing_pin=PIN)


def _resubmitted(desk: Desk) -> None:
    _submitted(desk, *KNEE_BEFORE, laterality="L")
    desk.do("reviewer", "review")
    desk.do("reviewer", "return", comment="诊断请写明侧别，并补充后交叉韧带的描述。")
    _submitted(desk, *KNEE_AFTER, laterality="L", result="positive")
    desk.do("reviewer", "review")


def _issued(desk: Desk) -> None:
    _submitted(desk, SEEN, CONCLUDED, result="positive")
    desk.finalise()


def _amended(desk: Desk) -> None:
    _issued(desk)
    desk.do("reviewer", "amend", reason="补充与外院旧片的比较")
    desk.do("reviewer", "release")
    later = SEEN.replace("14×11 mm", "14×11 mm，较 2025 年 6 月增大")
    _submitted(desk, later, f"{CONCLUDED}较前增大，恶性可能。", result="positive")
    desk.finalise()


def _items(scene: "Scene") -> dict[str, UUID]:
    with scene.database.transaction() as session:
        rows = session.execute(
            select(Patient.local_id, Workitem.id)
            .join(Study, Study.patient_id == Patient.id)
            .join(Workitem, Workitem.study_id == Study.id)
        ).all()
    return {str(local_id): item_id for local_id, item_id in rows}
