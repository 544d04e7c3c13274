"""Devices: which machine of which site may associate, and what it may take up."""

import hashlib
import ipaddress
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID, uuid4

from sqlalchemy import ARRAY, BigInteger, ForeignKey, String, UniqueConstraint, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from storage.clock import utc_now
from storage.database import Base
from storage.identifiers import AeTitle
from storage.registry.organisations import Organisation
from storage.registry.refusal import RegistryRefused

TCP_PORTS: Final = range(1, 65536)


WORKLIST_CHARACTER_SETS: Final = ("GB18030", "GBK", "ISO_IR 192", "\\ISO 2022 IR 58")
"""Values of Specific Character Set (0008,0005) that have room for Chinese names."""

_FINGERPRINT: Final = re.compile("[0-9a-f]{64}")
_HEARD_STEP: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class DeviceLimits:
    """What one device may take up at the gateway.

    max_associations: at once.
    max_instance_bytes: of one instance's dataset.
    max_bytes_per_second: of all its associations together; None without limit.
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
    heard_at: when it last called, to the minute; None: never.
    branch, branch_en: in which branch or village clinic of its site it stands, as printed on
        reports; "": as the site itself.
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
    heard_at: Mapped[datetime | None]
    branch: Mapped[str] = mapped_column(default="", server_default="")
    branch_en: Mapped[str] = mapped_column(default="", server_default="")

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
    """Return the active device that may call under this AE title from this IP address, or None.

    That it has called is noted, once in a minute.
    """
    found = session.execute(
        select(Device, Organisation.code)
        .join(Organisation, Organisation.id == Device.site_id)
        .where(Device.ae_title == calling_ae_title.strip(), Device.active)
    ).one_or_none()
    if found is None or not found[0].allows(address):
        return None
    device, code = found
    now = utc_now()
    if device.heard_at is None or now - device.heard_at >= _HEARD_STEP:
        device.heard_at = now
    return Caller(
        device_id=device.id,
        site_id=device.site_id,
        ae_title=device.ae_title,
        site_code=code,
        limits=device.limits,
        certificate_sha256=device.certificate_sha256,
    )


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
    worklist_character_set: str | None = None,
) -> Device:
    """Add a device of `site`; `listen` is the host and port where it accepts associations.

    Raises:
        InvalidIdentifier: `ae_title` is not an AE title.
        RegistryRefused: the AE title is taken, an address is not an IP network, the port is no TCP
            port, a limit is not positive, the fingerprint is none of SHA-256, or the character set
            is none for Chinese.
    """
    title = AeTitle.parse(ae_title)
    if listen is not None and (not listen[0] or listen[1] not in TCP_PORTS):
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
    write_worklist_in(device, worklist_character_set)
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
    device.certificate_sha256 = parse_fingerprint(certificate_sha256)


def write_worklist_in(device: Device, character_set: str | None) -> None:
    """Let the device have its worklist in this character set where it does not name one itself.

    character_set: one of `WORKLIST_CHARACTER_SETS`; None: names in pinyin, which all can read.

    Raises:
        RegistryRefused: it is another one.
    """
    if character_set is not None and character_set not in WORKLIST_CHARACTER_SETS:
        raise RegistryRefused(
            "character set of a worklist",
            expected=", ".join(WORKLIST_CHARACTER_SETS),
            found=repr(character_set),
            remedy="The device's own conformance statement names what it can read.",
        )
    device.worklist_character_set = character_set


def certificate_fingerprint(encoded: bytes) -> str:
    """Return the SHA-256 fingerprint of a certificate in DER, as devices and tokens keep it."""
    return hashlib.sha256(encoded).hexdigest()


def parse_fingerprint(text: str | None) -> str | None:
    """Return the SHA-256 fingerprint of a certificate as it is kept; None stays None.

    text: 64 hexadecimal digits, with or without colons between.

    Raises:
        RegistryRefused: it is no fingerprint.
    """
    plain = text and text.replace(":", "").lower()
    if plain is not None and not _FINGERPRINT.fullmatch(plain):
        raise RegistryRefused(
            "certificate fingerprint",
            expected="SHA-256 in 64 hexadecimal digits (openssl x509 -fingerprint -sha256)",
            found=f"{len(plain)} characters",
        )
    return plain


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
