"""The registry: organisations, their devices and destinations, and people with their roles."""

import ipaddress
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Final
from uuid import UUID, uuid4

from sqlalchemy import (
    ARRAY,
    BigInteger,
    CheckConstraint,
    ColumnElement,
    ForeignKey,
    ScalarSelect,
    Select,
    String,
    UniqueConstraint,
    and_,
    case,
    false,
    func,
    or_,
    select,
)
from sqlalchemy.orm import Mapped, Session, aliased, mapped_column, relationship

from storage.database import Base, Word
from storage.errors import RdcError
from storage.identifiers import AeTitle

_PORTS: Final = range(1, 65536)
_FINGERPRINT: Final = re.compile("[0-9a-f]{64}")


class OrganisationKind(StrEnum):
    """What an organisation is in the consortium."""

    CONSORTIUM = "consortium"
    CENTRE = "centre"
    SITE = "site"


class Role(StrEnum):
    """What a person may do for an organisation."""

    SITE_TECHNICIAN = "site_technician"
    SITE_DOCTOR = "site_doctor"
    WRITER = "writer"
    REVIEWER = "reviewer"
    EXPERT = "expert"
    QUALITY_CONTROLLER = "quality_controller"
    DISPATCHER = "dispatcher"
    CONSORTIUM_ADMIN = "consortium_admin"
    SYSTEM_ADMIN = "system_admin"
    REGULATOR = "regulator"
    AUDITOR = "auditor"


class Organisation(Base):
    """A consortium, its centre, or a site; `parent_id` makes the tree."""

    __tablename__ = "organisation"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    kind: Mapped[OrganisationKind] = mapped_column(Word(OrganisationKind))
    parent_id: Mapped[UUID | None] = mapped_column(ForeignKey("organisation.id"))
    code: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    name_en: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


@dataclass(frozen=True, slots=True)
class DeviceLimits:
    """What one device may take up at the gateway.

    max_associations: at once.
    max_instance_bytes: of one instance's dataset.
    max_bytes_per_second: of one association; None without limit.
    idle_seconds: silence after which an association is ended; None for the gateway's own limit.
    """

    max_associations: int = 16
    max_instance_bytes: int = 8 << 30
    max_bytes_per_second: int | None = None
    idle_seconds: int | None = None


_LIMITS: Final = DeviceLimits()


class Device(Base):
    """A modality or other machine of a site that may associate with us.

    addresses: networks in CIDR notation it may call from; empty means any address.
    worklist_character_set: the defined term (PS3.3 C.12.1.1.2) in which it wants its worklist when
        it does not say so itself; None: what every device can read, names in pinyin.
    certificate_sha256: fingerprint, hexadecimal, of the TLS certificate it must call with; None
        when it need not.
    max_associations, max_instance_bytes, max_bytes_per_second, idle_seconds: see `DeviceLimits`.
    """

    __tablename__ = "device"
    __table_args__ = (UniqueConstraint("ae_title"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    site_id: Mapped[UUID] = mapped_column(ForeignKey("organisation.id"), index=True)
    ae_title: Mapped[str]
    addresses: Mapped[list[str]] = mapped_column(ARRAY(String), default=list)
    listen_host: Mapped[str | None]
    listen_port: Mapped[int | None]
    name: Mapped[str]
    modality: Mapped[str | None]
    worklist_character_set: Mapped[str | None]
    certificate_sha256: Mapped[str | None]
    max_associations: Mapped[int] = mapped_column(
        default=_LIMITS.max_associations, server_default=str(_LIMITS.max_associations)
    )
    max_instance_bytes: Mapped[int] = mapped_column(
        BigInteger,
        default=_LIMITS.max_instance_bytes,
        server_default=str(_LIMITS.max_instance_bytes),
    )
    max_bytes_per_second: Mapped[int | None] = mapped_column(BigInteger)
    idle_seconds: Mapped[int | None]
    active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())

    @property
    def limits(self) -> DeviceLimits:
        """What the device may take up."""
        return DeviceLimits(
            self.max_associations,
            self.max_instance_bytes,
            self.max_bytes_per_second,
            self.idle_seconds,
        )

    def allows(self, address: str) -> bool:
        """Tell whether the device may call from the IP `address`."""
        return address_allowed(self.addresses, address)


class Destination(Base):
    """Where a site wants its reports delivered.

    notify_availability: whether it also wants to be told what can be retrieved from us (PS3.4 R).
    """

    __tablename__ = "destination"
    __table_args__ = (
        CheckConstraint("kind IN ('dicom')", name="kind"),
        CheckConstraint("port BETWEEN 1 AND 65535", name="port"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    site_id: Mapped[UUID] = mapped_column(ForeignKey("organisation.id"), index=True)
    kind: Mapped[str]
    ae_title: Mapped[str]
    host: Mapped[str]
    port: Mapped[int]
    active: Mapped[bool] = mapped_column(default=True)
    notify_availability: Mapped[bool] = mapped_column(default=False, server_default=false())
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class Person(Base):
    """Somebody who signs in; what they may do is in their memberships."""

    __tablename__ = "person"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    login: Mapped[str] = mapped_column(unique=True)
    display_name: Mapped[str]
    password_hash: Mapped[str]
    active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    memberships: Mapped[list["Membership"]] = relationship(back_populates="person")


class Membership(Base):
    """A role of a person at an organisation, for a time."""

    __tablename__ = "membership"

    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"), primary_key=True)
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisation.id"), primary_key=True)
    role: Mapped[Role] = mapped_column(Word(Role), primary_key=True)
    valid_from: Mapped[date] = mapped_column(server_default=func.current_date())
    valid_until: Mapped[date | None]
    person: Mapped[Person] = relationship(back_populates="memberships")
    organisation: Mapped[Organisation] = relationship()


class RegistryRefused(RdcError):
    """An entry of the registry is not acceptable or does not exist."""


@dataclass(frozen=True, slots=True)
class Caller:
    """A device as the gateway knows it during an association."""

    device_id: UUID
    site_id: UUID
    ae_title: str
    site_code: str
    limits: DeviceLimits = _LIMITS
    certificate_sha256: str | None = None


def address_allowed(networks: Sequence[str], address: str) -> bool:
    """Tell whether the IP `address` is in one of `networks` (CIDR notation); none: any address."""
    if not networks:
        return True
    caller = ipaddress.ip_address(address)
    if isinstance(caller, ipaddress.IPv6Address) and caller.ipv4_mapped is not None:
        caller = caller.ipv4_mapped
    return any(caller in ipaddress.ip_network(network, strict=False) for network in networks)


def find_device(session: Session, calling_ae_title: str, address: str) -> Caller | None:
    """Return the active device that may call under this AE title from this IP address, or None."""
    found = session.execute(
        select(Device, Organisation.code)
        .join(Organisation, Organisation.id == Device.site_id)
        .where(Device.ae_title == calling_ae_title.strip(), Device.active)
    ).one_or_none()
    if found is None or not found[0].allows(address):
        return None
    device, code = found
    return Caller(
        device_id=device.id,
        site_id=device.site_id,
        ae_title=device.ae_title,
        site_code=code,
        limits=device.limits,
        certificate_sha256=device.certificate_sha256,
    )


@dataclass(frozen=True, slots=True)
class Listener:
    """Where an application entity of a site accepts associations."""

    ae_title: str
    host: str
    port: int


def find_listener(session: Session, site_id: UUID, ae_title: str) -> Listener | None:
    """Return where an AE of this site accepts associations, or None when that is not known.

    The device's own entry comes first, then the newest destination of that title.
    """
    device = session.scalar(
        select(Device).where(Device.site_id == site_id, Device.ae_title == ae_title, Device.active)
    )
    if device is not None and device.listen_host and device.listen_port:
        return Listener(ae_title, device.listen_host, device.listen_port)
    destination = session.scalar(
        select(Destination)
        .where(Destination.site_id == site_id, Destination.ae_title == ae_title, Destination.active)
        .order_by(Destination.created_at.desc())
        .limit(1)
    )
    if destination is None:
        return None
    return Listener(ae_title, destination.host, destination.port)


def add_organisation(
    session: Session,
    *,
    kind: OrganisationKind,
    code: str,
    name: str,
    name_en: str,
    parent: Organisation | None,
) -> Organisation:
    """Add an organisation under `parent`.

    Raises:
        RegistryRefused: the code is taken or is not a plain word for URLs and tables.
    """
    _require_free_code(session, code)
    organisation = Organisation(
        kind=kind, code=code, name=name, name_en=name_en, parent_id=parent.id if parent else None
    )
    session.add(organisation)
    session.flush()
    return organisation


def change_organisation(
    session: Session,
    organisation: Organisation,
    *,
    code: str | None = None,
    name: str | None = None,
    name_en: str | None = None,
    parent: Organisation | None = None,
) -> None:
    """Change what is given of an organisation; None leaves it as it is.

    Raises:
        RegistryRefused: the code cannot be used, or the new place is below the organisation itself.
    """
    if code is not None and code != organisation.code:
        _require_free_code(session, code)
        organisation.code = code
    organisation.name = organisation.name if name is None else name
    organisation.name_en = organisation.name_en if name_en is None else name_en
    if parent is None:
        return
    above: Organisation | None = parent
    while above is not None:
        if above.id == organisation.id:
            raise RegistryRefused(
                f"organisation {organisation.code!r} cannot be below itself",
                remedy="Name another organisation as its parent.",
            )
        above = session.get(Organisation, above.parent_id) if above.parent_id else None
    organisation.parent_id = parent.id


def _require_free_code(session: Session, code: str) -> None:
    if not code or not all(c.isascii() and (c.isalnum() or c in "-_") for c in code):
        raise RegistryRefused(
            "organisation code", expected="letters, digits, '-' and '_'", found=repr(code)
        )
    if session.scalar(select(Organisation.id).where(Organisation.code == code)):
        raise RegistryRefused(f"organisation code {code!r} is taken", remedy="Choose another code.")


def organisation_by_code(session: Session, code: str) -> Organisation:
    """Return the organisation with this code.

    Raises:
        RegistryRefused: there is none.
    """
    found = session.scalar(select(Organisation).where(Organisation.code == code))
    if found is None:
        raise RegistryRefused(
            f"no organisation has the code {code!r}", remedy="List them with 'rdc site list'."
        )
    return found


def add_device(
    session: Session,
    site: Organisation,
    ae_title: str,
    name: str,
    *,
    addresses: Sequence[str] = (),
    modality: str | None = None,
    listen: tuple[str, int] | None = None,
    limits: DeviceLimits = _LIMITS,
    certificate_sha256: str | None = None,
) -> Device:
    """Add a device of `site`; `listen` is the host and port where it accepts associations.

    Raises:
        InvalidIdentifier: `ae_title` is not an AE title.
        RegistryRefused: the AE title is taken, an address is not an IP network, the port is no TCP
            port, a limit is not positive, or the fingerprint is none of SHA-256.
    """
    title = AeTitle.parse(ae_title)
    if listen is not None and (not listen[0] or listen[1] not in _PORTS):
        raise RegistryRefused(
            "address a device listens on",
            expected="a host and a port from 1 to 65535, such as 10.1.2.3:104",
            found=f"{listen[0]}:{listen[1]}",
        )
    for address in addresses:
        try:
            ipaddress.ip_network(address, strict=False)
        except ValueError as error:
            raise RegistryRefused(
                "device address",
                expected="an IP address or network such as 10.1.2.0/24",
                found=repr(address),
            ) from error
    if session.scalar(select(Device.id).where(Device.ae_title == title)):
        raise RegistryRefused(
            f"AE title {str(title)!r} belongs to another device",
            remedy="AE titles are unique over all sites: give this device one of its own.",
        )
    device = Device(
        site_id=site.id,
        ae_title=title,
        name=name,
        addresses=list(addresses),
        modality=modality,
        listen_host=listen[0] if listen else None,
        listen_port=listen[1] if listen else None,
    )
    limit_device(device, limits)
    bind_certificate(device, certificate_sha256)
    session.add(device)
    session.flush()
    return device


def limit_device(device: Device, limits: DeviceLimits) -> None:
    """Let the device take up this much from its next association on.

    Raises:
        RegistryRefused: a limit is not positive.
    """
    for name, value in asdict(limits).items():
        if value is not None and value < 1:
            raise RegistryRefused(f"limit {name}", expected="1 or more", found=str(value))
        setattr(device, name, value)


def bind_certificate(device: Device, certificate_sha256: str | None) -> None:
    """Let the device associate only with the TLS certificate of this fingerprint; None: freely.

    certificate_sha256: 64 hexadecimal digits, with or without colons between.

    Raises:
        RegistryRefused: it is no fingerprint.
    """
    plain = certificate_sha256 and certificate_sha256.replace(":", "").lower()
    if plain is not None and not _FINGERPRINT.fullmatch(plain):
        raise RegistryRefused(
            "certificate fingerprint",
            expected="SHA-256 in 64 hexadecimal digits (openssl x509 -fingerprint -sha256)",
            found=f"{len(plain)} characters",
        )
    device.certificate_sha256 = plain


def device_by_ae_title(session: Session, ae_title: str) -> Device:
    """Return the device with this AE title.

    Raises:
        RegistryRefused: there is none.
    """
    found = session.scalar(select(Device).where(Device.ae_title == ae_title))
    if found is None:
        raise RegistryRefused(
            f"no device has the AE title {ae_title!r}", remedy="List them with 'rdc device list'."
        )
    return found


def add_dicom_destination(
    session: Session,
    site: Organisation,
    ae_title: str,
    host: str,
    port: int,
    *,
    notify_availability: bool = False,
) -> Destination:
    """Add the AE of `site` to which its reports go by C-STORE.

    notify_availability: tell it also of each complete study that it can be retrieved here.

    Raises:
        InvalidIdentifier: `ae_title` is not an AE title.
        RegistryRefused: the port is not a TCP port.
    """
    if port not in _PORTS:
        raise RegistryRefused("destination port", expected="1 to 65535", found=str(port))
    destination = Destination(
        site_id=site.id,
        kind="dicom",
        ae_title=AeTitle.parse(ae_title),
        host=host,
        port=port,
        notify_availability=notify_availability,
    )
    session.add(destination)
    session.flush()
    return destination


def add_person(
    session: Session,
    login: str,
    display_name: str,
    password_hash: str,
    *,
    organisation: Organisation,
    roles: Sequence[Role],
) -> Person:
    """Add a person with `roles` at `organisation`, valid from today.

    Raises:
        RegistryRefused: the login is taken or empty.
    """
    if not login or login != login.strip().lower():
        raise RegistryRefused(
            "login", expected="lower case without surrounding spaces", found=repr(login)
        )
    if session.scalar(select(Person.id).where(Person.login == login)):
        raise RegistryRefused(f"login {login!r} is taken", remedy="Choose another login.")
    person = Person(login=login, display_name=display_name, password_hash=password_hash)
    session.add(person)
    session.flush()
    session.add_all(
        Membership(person_id=person.id, organisation_id=organisation.id, role=role)
        for role in roles
    )
    session.flush()
    return person


def holds_today() -> ColumnElement[bool]:
    """Return the SQL condition that a membership is valid today."""
    today = func.current_date()
    return and_(
        Membership.valid_from <= today,
        or_(Membership.valid_until.is_(None), Membership.valid_until >= today),
    )


def valid_memberships(session: Session, person_id: UUID) -> Sequence[Membership]:
    """Return the memberships of a person that hold today, by organisation code and role."""
    return session.scalars(
        select(Membership)
        .join(Organisation)
        .where(Membership.person_id == person_id, holds_today())
        .order_by(Organisation.code, Membership.role)
    ).all()


def visible_site_ids(organisation_id: ScalarSelect[UUID]) -> Select[UUID]:
    """Return the query for the ids of every site in the subtree of an organisation.

    For a centre that is its consortium's subtree: the centre reads for all sites beside it.
    """
    start = aliased(Organisation)
    centre = and_(start.kind == OrganisationKind.CENTRE, start.parent_id.is_not(None))
    root = (
        select(case((centre, start.parent_id), else_=start.id))
        .where(start.id == organisation_id)
        .scalar_subquery()
    )
    tree = select(Organisation.id).where(Organisation.id == root).cte("tree", recursive=True)
    tree = tree.union_all(select(Organisation.id).join(tree, Organisation.parent_id == tree.c.id))
    return select(Organisation.id).where(
        Organisation.id.in_(select(tree.c.id)), Organisation.kind == OrganisationKind.SITE
    )
