"""A consortium at work, for looking at pages: something stands in every state of every list."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from fastapi import FastAPI
from sqlalchemy import select, update

from deploy.demo.phantom import write_phantom
from pacs_gateway import tasks as gateway_tasks
from reading_worklist import tasks as worklist_tasks
from reading_worklist.reports.tables import ReportSubmission
from reading_worklist.signing.authority import Authority
from reading_worklist.volume.analysis import analyse
from reading_worklist.workitems.tables import Workitem
from storage import outbox, registry
from storage.clock import utc_now
from storage.database import Database
from storage.deliveries import Delivery
from storage.index.tables import Patient, Quarantine, QuarantineReason, Study, StudyState
from storage.keeping import usage
from storage.messages import PACS_GATEWAY
from storage.objects import ObjectStore
from storage.registry import Organisation, Role
from tests.pacs_gateway.datasets import Sample, sample
from tests.reading_worklist.dicomweb.archive import Archive as Files
from tests.reading_worklist.dicomweb.conftest import copy_of, series_of
from tests.support.archive import Archive
from tests.support.scenes import PARTS
from tests.support.seed import Consortium, password_hash
from tests.support.web import PIN, Browser

MORE_PEOPLE = (
    ("technician-east", "吴技师", "east", (Role.SITE_TECHNICIAN,)),
    ("admin", "郑管理", "root", (Role.CONSORTIUM_ADMIN,)),
    ("admin2", "冯管理", "root", (Role.CONSORTIUM_ADMIN,)),
    ("regulator", "陈监管", "root", (Role.REGULATOR,)),
    ("auditor", "褚审计", "root", (Role.AUDITOR,)),
)
BOTH = "both-houses"
"""Somebody who reviews at the centre and sees patients at the eastern site."""

LONG_NAME = "Abdukerim^Abdurahman Tursun=阿卜杜克热木·阿卜杜热合曼·吐尔逊"
FINDINGS = "右肺上叶尖段见一实性结节，直径约 14 mm，边缘见短毛刺，邻近胸膜牵拉。余肺野清晰。"
IMPRESSION = "右肺上叶结节，建议增强扫描。"
KNEE = ("左膝内侧半月板后角见线状高信号，达关节面。", "左膝内侧半月板后角撕裂。")


@dataclass(frozen=True, slots=True)
class Places:
    """Addresses below the pages' root of what the scene holds."""

    workitems: dict[str, UUID]
    case: str
    decided_case: str
    conflict: str
    stranger: str
    verification_code: str
    more: Mapping[str, str]
    """What the modules of `tests.support.scenes` say of what they put there."""


class Scene:
    """Fills a database through the doors that people and devices use."""

    def __init__(
        self,
        consortium: Consortium,
        objects: ObjectStore,
        app: FastAPI,
        authority: Authority | None = None,
    ) -> None:
        self.consortium = consortium
        self.database: Database = consortium.database
        self.objects = objects
        self.files = Files(self.database, objects)
        self.app = app
        self.authority = authority
        self._people()

    def _people(self) -> None:
        with self.database.transaction() as session:
            for login, name, where, roles in MORE_PEOPLE:
                organisation: Organisation = getattr(self.consortium, where)
                registry.add_person(
                    session, login, name, password_hash(), organisation=organisation, roles=roles
                )
            person = registry.add_person(
                session,
                BOTH,
                "孔两院",
                password_hash(),
                organisation=self.consortium.centre,
                roles=(Role.WRITER, Role.REVIEWER),
            )
            session.add(
                registry.Membership(
                    person_id=person.id,
                    organisation_id=self.consortium.east.id,
                    role=Role.SITE_DOCTOR,
                )
            )
            registry.add_dicom_destination(
                session, self.consortium.east, ae_title="EAST_PACS", host="10.8.1.20", port=104
            )

    def fill(self, directory: Path) -> Places:
        """Put everything there; `directory` is for files on the way."""
        self._orders()
        self._studies(directory)
        self.settle()
        with self.database.transaction() as session:
            studies = session.scalars(select(Study.id)).all()
        for study_id in studies:
            analyse(study_id, self.database, self.objects)
        items = self._items()
        case, decided = self._desk()
        code = self._read(items)
        conflict, stranger = self._quarantine()
        self._keeping()
        self.settle()
        self._deliveries()
        with self.database.transaction() as session:
            usage.refresh(session)
        more = {name: place for part in PARTS for name, place in part.fill(self).items()}
        return Places(items, case, decided, conflict, stranger, code, more)

    def settle(self) -> None:
        """Handle what rooms tell each other until nothing waits."""
        while True:
            with self.database.transaction() as session:
                due = outbox.lease_due(session)
            if not due:
                return
            for one in due:
                handlers = (
                    gateway_tasks.HANDLERS
                    if one.consumer == PACS_GATEWAY
                    else worklist_tasks.HANDLERS
                )
                assert outbox.handle(self.database, one.id, one.lease_token, handlers)

    def _orders(self) -> None:
        technician = Browser(self.app, "technician-east")
        for order in (
            ordered(
                "欧阳建国",
                "DH20261121",
                "DH000017",
                "胸部CT平扫",
                "CT",
                priority="STAT",
                patient_birth_date="1958-04-12",
            ),
            ordered("李娜", "E1002", "DH000018", "头颅CT平扫", "CT", patient_sex="F"),
            ordered("王秀英", "E1003", "DH000019", "膝关节MR平扫", "MR", laterality="L"),
            ordered("赵小敏", "E1004", "DH000020", "腹部超声", "US", priority="URGENT"),
            ordered("Wilson^Margaret", "E1005", "DH000021", "乳腺钼靶", "MG", laterality="B"),
        ):
            placed = technician.post("/api/orders", **order)
            assert placed.status_code == 201, placed.text
            if order["patient_local_id"] == "E1004":
                technician.client.patch(
                    f"/api/orders/{placed.json()['id']}", json={"state": "CHECKED_IN"}
                )
            if order["patient_local_id"] == "E1005":
                technician.client.patch(
                    f"/api/orders/{placed.json()['id']}",
                    json={"state": "CANCELLED", "reason": "患者改期"},
                )

    def _studies(self, directory: Path) -> None:
        slices = write_phantom(
            directory,
            slices=14,
            patient_name="OuYang^JianGuo=欧阳^建国",
            patient_id="DH20261121",
            accession_number="DH000017",
            study_date="20261121",
        )
        east, west = self.consortium.east, self.consortium.west
        # One slice is missing in the middle: the volume check says so.
        for path in (*slices[:6], *slices[7:]):
            assert self.files.file(path.read_bytes(), east)
        for site, file, count, facts in (
            (east, "CT_small.dcm", 3, named("Li^Na=李^娜", "E1002", "M", "DH000018", "HEAD")),
            (east, "MR_small.dcm", 3, named("Wang^XiuYing=王^秀英", "E1003", "F", "DH000019", "")),
            (west, "CT_small.dcm", 2, named(LONG_NAME, "W2001", "M", "XL000101", "CHEST")),
            (west, "MR_small.dcm", 2, named("Zhou^Jie=周^洁", "W2002", "F", "XL000102", "KNEE")),
            (west, "CT_small.dcm", 2, named("Smith^John", "W2003", "M", "XL000103", "ABDOMEN")),
            (east, "CT_small.dcm", 2, named("Sun^Li=孙^丽", "E1006", "F", "DH000030", "CHEST")),
            (east, "CT_small.dcm", 2, named("Qian^Feng=钱^丰", "E1007", "M", "DH000031", "CHEST")),
        ):
            for data in series_of(file, count, **facts):
                assert self.files.file(data, site)
        facts = named("Han^Mei=韩^梅", "ecg", "F", "XL000104", "")
        assert self.files.file(copy_of("waveform_ecg.dcm", **facts), west)
        self.files.complete()

    def _items(self) -> dict[str, UUID]:
        with self.database.transaction() as session:
            rows = session.execute(
                select(Patient.local_id, Workitem.id)
                .join(Study, Study.patient_id == Patient.id)
                .join(Workitem, Workitem.study_id == Study.id)
            ).all()
        return {str(local_id): item_id for local_id, item_id in rows}

    def _desk(self) -> tuple[str, str]:
        """Return a case that is open, and one that is decided by correcting the patient."""
        desk = Browser(self.app, "dispatcher")
        items = self._items()
        opened = desk.get("/api/identity/cases").json()["items"]
        assert len(opened) == 1, opened
        made = desk.post(
            "/api/identity/cases",
            workitem_id=str(items["E1007"]),
            reason="技师来电：检查时录错了患者",
        )
        assert made.status_code == 201, made.text
        case = made.json()["id"]
        corrected = desk.post(
            f"/api/identity/cases/{case}/correct",
            new_patient={"local_id": "E1008", "name": "Qian^FengShou=钱^丰收", "sex": "M"},
            reason="与申请单核对，患者为钱丰收",
        )
        assert corrected.status_code == 200, corrected.text
        return opened[0]["id"], case

    def _read(self, items: dict[str, UUID]) -> str:
        """Let doctors work; return the code on the printed report of the signed one."""
        writer, reviewer = Browser(self.app, "writer"), Browser(self.app, "reviewer")
        for local_id in ("DH20261121", "W2001", "W2002", "E1006"):
            item = f"/api/workitems/{items[local_id]}"
            findings, impression = KNEE if local_id == "W2002" else (FINDINGS, IMPRESSION)
            claimed = writer.post(f"{item}/claim")
            assert claimed.status_code == 200, claimed.text
            saved = writer.put(
                f"{item}/draft",
                findings=findings,
                impression=impression,
                advice="请结合临床。",
                revision=claimed.json()["draft"]["revision"] if claimed.json()["draft"] else 0,
            )
            assert saved.status_code == 200, saved.text
            if local_id == "DH20261121":
                continue
            submitted = writer.post(
                f"{item}/submit", signing_pin=PIN, revision=saved.json()["revision"]
            )
            assert submitted.status_code == 200, submitted.text
            if local_id == "W2001":
                continue
            assert reviewer.post(f"{item}/review").status_code == 200
            if local_id == "W2002":
                returned = reviewer.post(f"{item}/return", comment="侧别请再核对：左膝还是右膝？")
                assert returned.status_code == 200, returned.text
                continue
            signed = reviewer.post(f"{item}/finalise", signing_pin=PIN)
            assert signed.status_code == 200, signed.text
        signed = select(ReportSubmission.verification_code).where(
            ReportSubmission.workitem_id == items["E1006"]
        )
        with self.database.transaction() as session:
            return session.scalars(signed).one()

    def _quarantine(self) -> tuple[str, str]:
        archive = Archive(
            self.database,
            self.objects,
            self.consortium.east.id,
            self.consortium.east_device.id,
            ae_title="EAST_CT",
        )
        first = sample(size=64, SeriesDescription="THORAX", PatientID="E1009", PatientName="Ma^Li")
        archive.file(first)
        other = sample(
            size=64,
            SOPInstanceUID=first.sop_instance_uid,
            SeriesDescription="THORAX 2",
            InstanceNumber=2,
            PatientID="E1009",
            PatientName="Ma^Li",
        )
        stranger = sample(size=64, PatientID="E1010", PatientName="He^Gang")
        return (
            self._aside(archive, other, QuarantineReason.UID_CONFLICT),
            self._aside(archive, stranger, QuarantineReason.PATIENT_MISMATCH),
        )

    @staticmethod
    def _aside(archive: Archive, item: Sample, reason: QuarantineReason) -> str:
        outcome, received = archive.file(item)
        entry_id = uuid4()
        with archive.database.transaction() as session:
            session.add(
                Quarantine(
                    id=entry_id,
                    site_id=received.site_id,
                    device_id=received.device_id,
                    calling_ae_title="EAST_CT",
                    peer_address="10.8.1.31",
                    reason=reason,
                    sop_instance_uid=item.sop_instance_uid,
                    instance_id=outcome.instance_id,
                    object_key=received.object_key,
                    object_size=received.object_size,
                    dataset_sha256=received.dataset_sha256,
                    detail={"study_instance_uid": "1.2.3.100"},
                    received_at=utc_now(),
                )
            )
        return str(entry_id)

    def _keeping(self) -> None:
        """Patients whose records are due; a hold; purges that wait, are refused."""
        due = [self._old(number) for number in (1, 2, 3)]
        admin, other = Browser(self.app, "admin"), Browser(self.app, "admin2")
        with self.database.transaction() as session:
            patient_id = session.scalars(select(Study.patient_id).where(Study.id == due[0])).one()
        held = admin.post(
            "/api/keeping/holds", patient_id=str(patient_id), reason="医疗纠纷，法院函 2026-118"
        )
        assert held.status_code == 201, held.text
        for number, study_id in enumerate(due[1:]):
            proposed = admin.post(
                "/api/keeping/purges", study_ids=[str(study_id)], reason="保存期满，按年度计划清除"
            )
            assert proposed.status_code == 201, proposed.text
            if number == 1:
                other.post(
                    f"/api/keeping/purges/{proposed.json()['id']}/reject", comment="先补做备份核对"
                )

    def _old(self, number: int) -> UUID:
        at = datetime(1990, 5, number, tzinfo=UTC)
        uid = f"1.2.3.9.{number}"
        facts = named(f"Lao^Da{number}=老^大{number}", f"O{number}", "M", f"OLD{number}", "CHEST")
        for data in series_of(
            "CT_small.dcm", 1, **facts | {"StudyInstanceUID": uid, "StudyDate": f"{at:%Y%m%d}"}
        ):
            assert self.files.file(data, self.consortium.east)
        with self.database.transaction() as session:
            study = session.scalars(select(Study).where(Study.study_instance_uid == uid)).one()
            study.first_received_at = at
            study.state = StudyState.COMPLETE
            return study.id

    def _deliveries(self) -> None:
        """One delivery has failed a few times."""
        with self.database.transaction() as session:
            session.execute(
                update(Delivery).values(
                    attempts=3,
                    last_error="the site's PACS does not answer (10.8.1.20:104)",
                    next_attempt_at=utc_now() + timedelta(minutes=4),
                )
            )


def named(name: str, local_id: str, sex: str, accession: str, part: str) -> dict[str, object]:
    """Attributes of a patient and a study, by keyword."""
    return {
        "SpecificCharacterSet": "GB18030",
        "PatientName": name,
        "PatientID": local_id,
        "PatientSex": sex,
        "PatientBirthDate": "19680317",
        "AccessionNumber": accession,
        "StudyDate": "20261121",
        "StudyTime": "093000",
        "StudyDescription": part,
        "BodyPartExamined": part,
    }


def ordered(
    name: str, local_id: str, accession: str, procedure: str, modality: str, **more: str
) -> dict[str, Any]:
    """The body of an order."""
    return {
        "patient_name": name,
        "patient_local_id": local_id,
        "patient_birth_date": str(date(1968, 3, 17)),
        "accession_number": accession,
        "procedure_description": procedure,
        "requester": "孙医师",
        "clinical_diagnosis": "咳嗽待查",
        "steps": [{"modality": modality}],
        **more,
    }
