"""A small consortium for tests: a centre, two sites with a device each.

And a person of every role needed.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from typing import Final
from uuid import UUID

from argon2 import PasswordHasher
from pydicom.uid import generate_uid
from sqlalchemy import select
from sqlalchemy.orm import Session

from reading_worklist.workitems.service import queue_study
from reading_worklist.workitems.tables import Workitem
from storage import registry
from storage.clock import utc_now
from storage.database import Database
from storage.index.completion import complete_quiet_studies
from storage.index.tables import Patient, Study
from storage.messages import StudyReceived
from storage.person_name import search_keys
from storage.registry import Device, Organisation, OrganisationKind, Person, Role

PASSWORD: Final = "right horse battery"
PEOPLE: Final = (
    ("writer", "李书写", "centre", (Role.WRITER,)),
    ("writer2", "周书写", "centre", (Role.WRITER,)),
    ("reviewer", "王审核", "centre", (Role.REVIEWER,)),
    ("reviewer2", "郑审核", "centre", (Role.REVIEWER,)),
    ("head", "吴管理", "centre", (Role.CONSORTIUM_ADMIN,)),
    ("dispatcher", "赵调度", "centre", (Role.DISPATCHER,)),
    ("doctor-east", "孙医师", "EAST", (Role.SITE_DOCTOR,)),
    ("doctor-west", "钱医师", "WEST", (Role.SITE_DOCTOR,)),
)


# Argon2's least: a hash names its own cost, so that verifying it is as cheap. A tenth of a second
# for each sign-in was a sixth of the whole suite.
_CHEAP: Final = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


@cache
def password_hash() -> str:
    """The hash of `PASSWORD`, at a cost that guards nothing."""
    return _CHEAP.hash(PASSWORD)


@dataclass(frozen=True, slots=True)
class QueuedStudy:
    """A study that waits in the worklist."""

    study: Study
    workitem_id: UUID


class Consortium:
    """The organisations, devices and people of one test's database; made where they are not."""

    def __init__(self, database: Database) -> None:
        self.database = database
        with database.transaction() as session:
            if session.scalar(select(Organisation.id).limit(1)) is None:
                self._make(session)
            organisations = {one.code: one for one in session.scalars(select(Organisation))}
            devices = {one.ae_title: one for one in session.scalars(select(Device))}
            people = {one.login: one for one in session.scalars(select(Person))}
        self.root = organisations["county"]
        self.centre = organisations["centre"]
        self.east = organisations["EAST"]
        self.west = organisations["WEST"]
        self.east_device: Device = devices["EAST_CT"]
        self.west_device: Device = devices["WEST_CT"]
        self.people: dict[str, Person] = {login: people[login] for login, *_ in PEOPLE}

    def _make(self, session: Session) -> None:
        root = self._organisation(
            session, OrganisationKind.CONSORTIUM, "county", "青山县医共体", None
        )
        organisations = {
            code: self._organisation(session, kind, code, name, root)
            for kind, code, name in (
                (OrganisationKind.CENTRE, "centre", "青山县人民医院诊断中心"),
                (OrganisationKind.SITE, "EAST", "东河镇卫生院"),
                (OrganisationKind.SITE, "WEST", "西岭镇卫生院"),
            )
        }
        # Somebody else's, so that people of the centre too work behind the wall in the database.
        elsewhere = self._organisation(
            session, OrganisationKind.CONSORTIUM, "next", "邻县医共体", None
        )
        self._organisation(session, OrganisationKind.SITE, "NEXT", "邻县卫生院", elsewhere)
        for code in ("EAST", "WEST"):
            registry.add_device(
                session,
                organisations[code],
                f"{code}_CT",
                "CT",
                addresses=["127.0.0.0/8"],
                modality="CT",
            )
        for login, name, code, roles in PEOPLE:
            registry.add_person(
                session,
                login,
                name,
                password_hash(),
                organisation=organisations[code],
                roles=roles,
            )

    @staticmethod
    def _organisation(
        session: Session, kind: OrganisationKind, code: str, name: str, parent: Organisation | None
    ) -> Organisation:
        return registry.add_organisation(
            session, kind=kind, code=code, name=name, name_en=f"{code} hospital", parent=parent
        )

    def complete_study(
        self,
        *,
        site: Organisation | None = None,
        name: str = "Zhang^Wei=张^伟",
        modalities: tuple[str, ...] = ("CT",),
        local_id: str | None = "P001",
        accession_number: str | None = "A001",
    ) -> Study:
        """A study whose quiet time has passed and whose message is in the outbox."""
        site_id = (site or self.east).id
        now = utc_now()
        with self.database.transaction() as session:
            patient = session.scalar(
                select(Patient).where(
                    Patient.site_id == site_id,
                    Patient.local_id == local_id,
                    Patient.local_id.is_not(None),
                )
            )
            if patient is None:
                patient = Patient(
                    site_id=site_id,
                    local_id=local_id,
                    name=name,
                    name_original=name.encode(),
                    name_keys=search_keys(name),
                    sex="M",
                    birth_date=date(1960, 5, 17),
                )
                session.add(patient)
                session.flush()
            study = Study(
                site_id=site_id,
                patient_id=patient.id,
                study_instance_uid=str(generate_uid()),
                study_date=date(2026, 11, 20),
                accession_number=accession_number,
                study_description="CHEST",
                modalities=list(modalities),
                header_patient_id=local_id,
                header_patient_name=name,
                header_patient_sex="M",
                header_patient_birth_date=date(1960, 5, 17),
                first_received_at=now,
                last_received_at=now,
                quiet_due_at=now - timedelta(seconds=1),
                series_count=1,
                instance_count=1,
            )
            session.add(study)
            session.flush()
            complete_quiet_studies(session)
            session.refresh(study)
        return study

    def queued_study(self, **study: object) -> QueuedStudy:
        """A complete study that the worklist has taken over."""
        made = self.complete_study(**study)  # pyright: ignore[reportArgumentType] -- passed on as they are
        with self.database.transaction() as session:
            queue_study(session, received(made))
            item_id = session.scalars(select(Workitem.id).where(Workitem.study_id == made.id)).one()
        return QueuedStudy(made, item_id)


def received(study: Study) -> StudyReceived:
    """The message that tells of a complete study."""
    return StudyReceived(
        study_id=study.id,
        site_id=study.site_id,
        study_instance_uid=study.study_instance_uid,
        generation=study.generation,
        modalities=tuple(study.modalities),
        instance_count=study.instance_count,
    )
