"""Destinations: where a site's reports go, and where its machines listen."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import CheckConstraint, ForeignKey, false, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from storage.database import Base
from storage.identifiers import AeTitle
from storage.registry.devices import TCP_PORTS, Device
from storage.registry.organisations import Organisation
from storage.registry.refusal import RegistryRefused


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
    if port not in TCP_PORTS:
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
