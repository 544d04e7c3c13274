"""The demonstration's consortium: a county centre, two township sites, people of every role."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

from pydantic import TypeAdapter
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from deploy import people
from reading_worklist.signing.authority import Authority
from reading_worklist.templates.starter import take_over
from storage import registry
from storage.agreements.tables import Agreement, Service
from storage.clock import utc_now
from storage.database import Database
from storage.orders import procedures
from storage.registry import Destination, OrganisationKind, Role

_CONSORTIUM: Final = ("qingshan", "青山县紧密型医共体", "Qingshan County Medical Consortium")
_CENTRE: Final = (
    "centre",
    "青山县人民医院集中诊断中心",
    "Qingshan County Hospital Diagnostic Centre",
)


@dataclass(frozen=True, slots=True)
class DemoSite:
    """A township site: its modality's AE title and the AE title of the PACS that takes reports."""

    code: str
    name: str
    name_en: str
    modality_ae: str
    modality_name: str
    pacs_ae: str


@dataclass(frozen=True, slots=True)
class DemoPerson:
    """Somebody who can sign in; `pin` is empty for those who do not sign reports."""

    login: str
    display_name: str
    organisation: str
    roles: tuple[str, ...]
    password: str
    pin: str


SITES: Final = (
    DemoSite(
        "donghe",
        "东河镇中心卫生院",
        "Donghe Township Health Centre",
        "DONGHE_MOD",
        "东河影像设备",
        "DONGHE_PACS",
    ),
    DemoSite(
        "xiling",
        "西岭镇卫生院",
        "Xiling Township Health Centre",
        "XILING_MOD",
        "西岭影像设备",
        "XILING_PACS",
    ),
)

_PEOPLE: Final = (
    ("li.shu", "李书恒", "centre", (Role.WRITER,)),
    ("zhou.xin", "周心怡", "centre", (Role.WRITER,)),
    ("wang.shen", "王审言", "centre", (Role.REVIEWER,)),
    ("zhao.diao", "赵调元", "centre", (Role.DISPATCHER,)),
    ("chen.zhi", "陈志清", "centre", (Role.QUALITY_CONTROLLER,)),
    ("he.zhuan", "何专平", "centre", (Role.EXPERT,)),
    ("ma.guan", "马冠宇", "qingshan", (Role.CONSORTIUM_ADMIN,)),
    ("lin.xi", "林希文", "centre", (Role.SYSTEM_ADMIN,)),
    ("tang.jian", "唐鉴明", "qingshan", (Role.REGULATOR,)),
    ("gu.shen", "顾慎之", "centre", (Role.AUDITOR,)),
    ("sun.dong", "孙东亮", "donghe", (Role.SITE_DOCTOR,)),
    ("wu.ji", "吴济民", "donghe", (Role.SITE_TECHNICIAN,)),
    ("qian.xi", "钱熙和", "xiling", (Role.SITE_DOCTOR,)),
    ("zheng.ji", "郑继业", "xiling", (Role.SITE_TECHNICIAN,)),
)
_PEOPLE_FILE: Final = TypeAdapter(list[DemoPerson])


def seed(database: Database, authority: Authority, sign_ins: Path) -> Mapping[str, DemoPerson]:
    """Make the consortium if it is not there yet, and return its people by login.

    sign_ins: file in which the generated passwords and PINs are kept (mode 0600), so that a
        later start of the same demonstration can print them again.
    """
    if not sign_ins.exists():
        made = _create(database, authority)
        sign_ins.touch(mode=0o600)
        sign_ins.write_bytes(_PEOPLE_FILE.dump_json(made))
    stored = _PEOPLE_FILE.validate_json(sign_ins.read_bytes())
    return {one.login: one for one in stored}


def point_destinations(database: Database, ports: Mapping[str, int]) -> None:
    """Tell where the sites' PACS listen now: `ports` by AE title, all on this machine."""
    with database.transaction() as session:
        for site in SITES:
            organisation = registry.organisation_by_code(session, site.code)
            known = session.scalar(
                select(Destination.id).where(
                    Destination.site_id == organisation.id, Destination.ae_title == site.pacs_ae
                )
            )
            port = ports[site.pacs_ae]
            if known is None:
                registry.add_dicom_destination(
                    session, organisation, site.pacs_ae, "127.0.0.1", port
                )
            else:
                session.execute(
                    update(Destination).where(Destination.id == known).values(port=port)
                )


def _create(database: Database, authority: Authority) -> list[DemoPerson]:
    with database.transaction() as session:
        code, name, name_en = _CONSORTIUM
        root = registry.add_organisation(
            session,
            kind=OrganisationKind.CONSORTIUM,
            code=code,
            name=name,
            name_en=name_en,
            parent=None,
        )
        code, name, name_en = _CENTRE
        registry.add_organisation(
            session,
            kind=OrganisationKind.CENTRE,
            code=code,
            name=name,
            name_en=name_en,
            parent=root,
        )
        for site in SITES:
            made = registry.add_organisation(
                session,
                kind=OrganisationKind.SITE,
                code=site.code,
                name=site.name,
                name_en=site.name_en,
                parent=root,
            )
            registry.add_device(
                session, made, site.modality_ae, site.modality_name, addresses=["127.0.0.0/8"]
            )
        session.add(
            # All sites of the consortium show each other's earlier studies.
            Agreement(
                service=Service.PRIORS,
                provider_id=root.id,
                client_id=root.id,
                valid_from=utc_now().date() - timedelta(days=1),
                document="医共体章程",
            )
        )
        take_over(session, root.id)
        procedures.take_over(session, root.id)
        return [
            _person(session, authority, login, name, code, roles)
            for login, name, code, roles in _PEOPLE
        ]


def _person(  # noqa: PLR0917 -- a row of the table of people
    session: Session,
    authority: Authority,
    login: str,
    name: str,
    organisation: str,
    roles: tuple[Role, ...],
) -> DemoPerson:
    added = people.add(
        session,
        authority,
        login=login,
        display_name=name,
        organisation=organisation,
        roles=roles,
        # Shown on the sign-in sheet of the demonstration, to be signed in with again and again.
        one_time=False,
    )
    return DemoPerson(
        login, name, organisation, roles, password=added.password, pin=added.signing_pin or ""
    )
