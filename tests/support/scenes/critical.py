"""Critical values, retakes, consultations and preliminary reports of a third site.

The site is its own, so that no banner of a critical value stands in the pictures of other parts:
the centre is called to none of these, and only this site is.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID

import httpx
from sqlalchemy import select, text, update

from reading_worklist.signing.credentials import issue_credential
from reading_worklist.workitems.tables import Workitem
from storage import registry
from storage.clock import utc_now
from storage.index.tables import Patient, Study
from storage.orders.words import Priority
from storage.registry import OrganisationKind, Role
from tests.reading_worklist.dicomweb.conftest import copy_of, series_of
from tests.support.desk import Desk
from tests.support.seed import password_hash
from tests.support.web import CHEAP, PIN, Browser

if TYPE_CHECKING:
    from tests.support.scene import Scene

CONTACTS = [
    {"step": 0, "name": "黄医师", "role": "值班医师", "phone": "0851-8001"},
    {"step": 0, "name": "杨医师", "role": "放射科", "phone": "0851-8005"},
    {"step": 1, "name": "李护士", "role": "护士站", "phone": "0851-8002"},
    {"step": 2, "name": "周院长", "role": "值班领导", "phone": "138 0851 0003"},
    {"step": 3, "name": "吴主任", "role": "中心主任", "phone": "0851-6001"},
]
PATIENTS = (
    ("N101", "Tan^DaYong=谭^大勇", "M", "头颅CT平扫", "HEAD"),
    ("N102", "Xie^ChunHua=谢^春花", "F", "胸部CT平扫", "CHEST"),
    ("N103", "Deng^Bin=邓^斌", "M", "腹部CT平扫", "ABDOMEN"),
    ("N104", "Peng^XiuLan=彭^秀兰", "F", "胸部CT平扫", "CHEST"),
    ("N105", "Zeng^Qiang=曾^强", "M", "头颅CT平扫", "HEAD"),
    ("N106", "Cai^YuZhen=蔡^玉珍", "F", "腹部CT平扫", "ABDOMEN"),
    ("N107", "Jia^MingLiang=贾^明亮", "M", "胸部CT平扫", "CHEST"),
)


def fill(scene: "Scene") -> Mapping[str, str]:
    """Return the ids of what stands in each state."""
    site = _site(scene)
    items = _exams(scene, site)
    values = _critical_values(scene, site, items)
    retakes = _retakes(scene, items)
    consultations = _consultations(scene, items)
    _preliminary(scene, items)
    return {"south-exam": str(items["N101"]), **values, **retakes, **consultations}


def _site(scene: "Scene") -> registry.Organisation:
    with scene.database.transaction() as session:
        south = registry.add_organisation(
            session,
            kind=OrganisationKind.SITE,
            code="SOUTH",
            name="南坪镇卫生院",
            name_en="Nanping Township Health Centre",
            parent=scene.consortium.root,
        )
        outside = registry.add_organisation(
            session,
            kind=OrganisationKind.PARTNER,
            code="province",
            name="省人民医院",
            name_en="Provincial People's Hospital",
            parent=scene.consortium.root,
        )
        for login, name, where, role in (
            ("doctor-south", "黄医师", south, Role.SITE_DOCTOR),
            ("technician-south", "杨技师", south, Role.SITE_TECHNICIAN),
            ("expert", "何专平", outside, Role.EXPERT),
            ("expert-young", "林初晓", outside, Role.EXPERT),
            ("expert-new", "唐未登", outside, Role.EXPERT),
        ):
            registry.add_person(
                session, login, name, password_hash(), organisation=where, roles=(role,)
            )
        return south


def _exams(scene: "Scene", site: registry.Organisation) -> dict[str, UUID]:
    for local_id, name, sex, what, part in PATIENTS:
        facts: dict[str, object] = {
            "SpecificCharacterSet": "GB18030",
            "PatientName": name,
            "PatientID": local_id,
            "PatientSex": sex,
            "PatientBirthDate": "19580317",
            "AccessionNumber": f"NP{local_id}",
            "StudyDate": "20261122",
            "StudyTime": "084500",
            "StudyDescription": what,
            "BodyPartExamined": part,
        }
        for data in series_of("CT_small.dcm", 2, **facts):
            assert scene.files.file(data, site)
    ecg = {
        "SpecificCharacterSet": "GB18030",
        "PatientName": "Shi^GuiFang=石^桂芳",
        "PatientID": "N108",
        "PatientSex": "F",
        "StudyInstanceUID": "1.2.3.9.108",
        "SeriesInstanceUID": "1.2.3.9.108.1",
        "SOPInstanceUID": "1.2.3.9.108.1.1",
        "AccessionNumber": "NPN108",
        "StudyDate": "20261122",
        "StudyTime": "091000",
    }
    assert scene.files.file(copy_of("waveform_ecg.dcm", **ecg), site)
    scene.files.complete()
    scene.settle()
    with scene.database.transaction() as session:
        rows = session.execute(
            select(Patient.local_id, Workitem.id)
            .join(Study, Study.patient_id == Patient.id)
            .join(Workitem, Workitem.study_id == Study.id)
            .where(Workitem.site_id == site.id)
        ).all()
    return {str(local_id): item_id for local_id, item_id in rows}


def _critical_values(
    scene: "Scene", site: registry.Organisation, items: dict[str, UUID]
) -> dict[str, str]:
    """One is being told, one acknowledged and one closed."""
    writer, reviewer = Browser(scene.app, "writer"), Browser(scene.app, "reviewer")
    dispatcher, south = Browser(scene.app, "dispatcher"), Browser(scene.app, "doctor-south")
    kept = dispatcher.put(f"/api/critical-values/contacts/{site.id}", contacts=CONTACTS)
    assert kept.status_code == 200, kept.text

    def raised(local_id: str, finding: str, code: str) -> str:
        body = {"finding": finding, "ruleset": "radiology-13/1", "rule_code": code}
        made = writer.post(f"/api/workitems/{items[local_id]}/critical-values", **body)
        assert made.status_code == 201, made.text
        told = reviewer.post(f"/api/critical-values/{made.json()['id']}/confirm")
        assert told.status_code == 200, told.text
        return made.json()["id"]

    told = raised("N101", "右侧基底节区急性脑出血，约 35 ml", "R07")
    acked = raised("N102", "左侧大量气胸，纵隔右移", "R04")
    closed = raised("N103", "消化道穿孔，膈下游离气体", "R11")
    _aged(scene, acked, minutes=9)
    _done(south.post(f"/api/critical-values/{acked}/acknowledge", read_back="左侧大量气胸"))
    _aged(scene, closed, minutes=70)
    answer = {"read_back": "消化道穿孔", "name": "李护士", "role": "护士站"}
    call = {"name": "李护士", "phone": "0851-8002", "answered": True}
    _done(dispatcher.post(f"/api/critical-values/{closed}/calls", **call))
    _done(dispatcher.post(f"/api/critical-values/{closed}/acknowledge", **answer))
    _done(
        south.post(f"/api/critical-values/{closed}/action", action="禁食、胃肠减压，已联系转县医院")
    )
    _done(reviewer.post(f"/api/critical-values/{closed}/close"))
    _aged(scene, told, minutes=3)
    missed = {"name": "黄医师", "phone": "0851-8001", "answered": False, "note": "占线"}
    _done(dispatcher.post(f"/api/critical-values/{told}/calls", **missed))
    return {"critical-told": told, "critical-acked": acked, "critical-closed": closed}


def _aged(scene: "Scene", value_id: str, *, minutes: int) -> None:
    """Let a critical value have been found and told some minutes ago."""
    at = utc_now() - timedelta(minutes=minutes)
    with scene.database.transaction() as session:
        session.execute(
            text(
                "UPDATE critical_value SET found_at = :found, confirmed_at = :told,"
                " notified_at = :told, next_at = next_at - make_interval(mins => :minutes)"
                " WHERE id = :id"
            ),
            {
                "found": at - timedelta(minutes=1),
                "told": at,
                "minutes": minutes,
                "id": UUID(value_id),
            },
        )


def _retakes(scene: "Scene", items: dict[str, UUID]) -> dict[str, str]:
    """One waits for the site, one is booked."""
    writer, south = Browser(scene.app, "writer"), Browser(scene.app, "doctor-south")
    made: list[str] = []
    for local_id, code, reason in (
        ("N104", "MOTION", "请训练屏气后重扫下肺"),
        ("N105", "COVERAGE", "颅顶未包全"),
    ):
        body = {"reason_code": code, "reason": reason}
        sent = writer.post(f"/api/workitems/{items[local_id]}/retakes", **body)
        assert sent.status_code == 201, sent.text
        made.append(sent.json()["id"])
    _done(
        south.post(
            f"/api/retakes/{made[1]}/acknowledge",
            answer="患者明天上午来",
            booked_for=(utc_now() + timedelta(hours=20)).isoformat(),
        )
    )
    return {"retake-waiting": made[0], "retake-booked": made[1]}


def _consultations(scene: "Scene", items: dict[str, UUID]) -> dict[str, str]:
    """One of an ECG waits, one is scheduled, one is answered."""
    assert scene.authority is not None
    with scene.database.transaction() as session:
        person = session.scalars(
            select(registry.Person).where(registry.Person.login == "expert")
        ).one()
        issue_credential(
            session,
            scene.authority,
            person_id=person.id,
            display_name=person.display_name,
            organisation="省人民医院",
            pin=PIN,
            cost=CHEAP,
        )
        expert_id = person.id
        young = session.scalars(
            select(registry.Person.id).where(registry.Person.login == "expert-young")
        ).one()
    admin = Browser(scene.app, "admin")
    for who, title, since in (
        (expert_id, "主任医师", "2009-07-01"),
        (young, "医师", f"{utc_now():%Y}-01-01"),
    ):
        licence = {"title": title, "specialty": "神经影像", "licence_number": "110-2"}
        _done(admin.put(f"/api/experts/{who}", **licence, practising_since=since))
    south, expert = Browser(scene.app, "doctor-south"), Browser(scene.app, "expert")

    def asked(local_id: str, urgency: str, purpose: str) -> str:
        answer = south.post(
            f"/api/workitems/{items[local_id]}/consultations",
            invitee_id=str(expert_id),
            urgency=urgency,
            reason="本院无相应专科",
            purpose=purpose,
            summary="女，68 岁，反复胸闷三天，加重一小时。既往高血压十年。",
            specialty="神经影像",
            consent_basis="consent",
            consent_note="患者本人书面同意",
        )
        assert answer.status_code == 201, answer.text
        return f"/api/consultations/{answer.json()['id']}"

    waiting = asked("N108", "urgent", "是否急性心肌梗死，需否立即转诊？")
    scheduled = asked("N101", "routine", "出血原因：高血压性还是血管畸形？")
    answered = asked("N103", "routine", "穿孔部位及下一步检查建议")
    at = (utc_now() + timedelta(hours=2)).isoformat()
    for path in (scheduled, answered):
        _done(expert.post(f"{path}/accept"))
        _done(expert.post(f"{path}/schedule", scheduled_for=at))
    opinion = "考虑十二指肠球部前壁穿孔，建议急诊外科会诊，必要时口服碘水造影确认。"
    _done(expert.post(f"{answered}/opinion", opinion=opinion, signing_pin=PIN))
    return {
        "consult-waiting": waiting.rpartition("/")[2],
        "consult-scheduled": scheduled.rpartition("/")[2],
        "consult-answered": answered.rpartition("/")[2],
    }


def _preliminary(scene: "Scene", items: dict[str, UUID]) -> None:
    """Two were issued by one doctor alone; one is late."""
    for number, local_id in enumerate(("N106", "N107")):
        with scene.database.transaction() as session:
            session.execute(
                update(Workitem)
                .where(Workitem.id == items[local_id])
                .values(priority=Priority.STAT)
            )
        desk = Desk(scene.app, scene.consortium, items[local_id])
        desk.do("writer", "claim", "CLAIMED")
        revision = desk.draft("writer", "未见明显异常。")
        desk.do("writer", "preliminary", revision=revision, signing_pin=PIN)
        if number == 0:
            with scene.database.transaction() as session:
                session.execute(
                    update(Workitem)
                    .where(Workitem.id == items[local_id])
                    .values(due_at=utc_now() - timedelta(hours=1))
                )


def _done(answer: httpx.Response) -> None:
    assert answer.status_code == 200, answer.text
