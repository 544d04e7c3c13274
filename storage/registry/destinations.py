"""Destinations: where a site's reports go, and where its machines listen."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import CheckConstraint, ForeignKey, false, func, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, Session, mapped_column

from storage.database import Base, Word
from storage.identifiers import AeTitle
from storage.registry.destination_settings import (
    DestinationKind,
    DicomSettings,
    Settings,
    parse_settings,
    where_to,
)
from storage.registry.devices import TCP_PORTS, Device
from storage.registry.organisations import Organisation
from storage.registry.refusal import RegistryRefused


class Destination(Base):
    """Where a site wants its reports delivered.

    ae_title, host, port: of the kind "dicom"; the others have empty ones, None for the port.
    settings: what else a destination of its kind has, see `destination_settings`; read it through
        `typed_settings`.
    name: what people call it; empty: see `label`.
    notify_availability: whether it also wants to be told what can be retrieved from us (PS3.4 R).
    """

    __tablename__ = "destination"
    __table_args__ = (
        CheckConstraint("kind IN ('dicom', 'hl7', 'fhir', 'webhook', 'notice')", name="kind"),
        CheckConstraint("port BETWEEN 1 AND 65535", name="port"),
        CheckConstraint(
            "(kind = 'dicom') = (port IS NOT NULL) AND (kind = 'dicom') = (ae_title <> '')",
            name="dicom",
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    site_id: Mapped[UUID] = mapped_column(ForeignKey("organisation.id"), index=True)
    kind: Mapped[DestinationKind] = mapped_column(Word(DestinationKind))
    name: Mapped[str] = mapped_column(default="", server_default="")
    ae_title: Mapped[str] = mapped_column(default="", server_default="")
    host: Mapped[str] = mapped_column(default="", server_default="")
    port: Mapped[int | None]
    settings: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict, server_default="{}")
    active: Mapped[bool] = mapped_column(default=True)
    notify_availability: Mapped[bool] = mapped_column(default=False, server_default=false())
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())

    @property
    def typed_settings(self) -> Settings:
        """What a destination of its kind has to be told.

        Raises RegistryRefused when what is kept cannot be used by this release.
        """
        if self.kind is not DestinationKind.DICOM:
            return parse_settings(self.kind, self.settings)
        own = {"ae_title": self.ae_title, "host": self.host, "port": self.port}
        return parse_settings(self.kind, {**self.settings, **own})

    @property
    def listener(self) -> "Listener":
        """Where its AE accepts associations; of the kind "dicom" only."""
        assert self.port is not None
        return Listener(self.ae_title, self.host, self.port)

    @property
    def label(self) -> str:
        """What people call it: its name and where it is."""
        try:
            where = where_to(self.typed_settings)
        except RegistryRefused:
            where = self.kind.value
        return f"{self.name} · {where}" if self.name else where


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
        .where(
            Destination.site_id == site_id,
            Destination.kind == DestinationKind.DICOM,
            Destination.ae_title == ae_title,
            Destination.active,
        )
        .order_by(Destination.created_at.desc())
        .limit(1)
    )
    return None if destination is None else destination.listener


def add_destination(
    session: Session,
    site: Organisation,
    kind: DestinationKind,
    settings: Mapping[str, Any],
    *,
    name: str = "",
    notify_availability: bool = False,
) -> Destination:
    """Add a destination of `site` to which its reports go.

    settings: by the names of `destination_settings`.
    notify_availability: tell it also of each complete study that it can be retrieved here; of a
        DICOM receiver only.

    Raises:
        InvalidIdentifier: an AE title is none.
        RegistryRefused: the settings cannot be used.
    """
    destination = Destination(site_id=site.id, kind=kind)
    change_destination(
        session, destination, settings, name=name, notify_availability=notify_availability
    )
    session.add(destination)
    session.flush()
    return destination


def change_destination(
    session: Session,
    destination: Destination,
    settings: Mapping[str, Any] | None = None,
    *,
    name: str | None = None,
    active: bool | None = None,
    notify_availability: bool | None = None,
) -> None:
    """Change what is given of a destination; None leaves it as it is. Its kind never changes.

    settings: all of them, in the place of those it had.

    Raises:
        InvalidIdentifier, RegistryRefused: as `add_destination`.
    """
    if settings is not None:
        typed = parse_settings(destination.kind, settings)
        own: set[str] = set()
        if isinstance(typed, DicomSettings):
            destination.ae_title = AeTitle.parse(typed.ae_title)
            destination.host = typed.host
            destination.port = typed.port
            own = {"ae_title", "host", "port"}
        destination.settings = typed.model_dump(
            mode="json", exclude=own, exclude_defaults=True, exclude_none=True
        )
    if notify_availability and destination.kind is not DestinationKind.DICOM:
        raise RegistryRefused(
            "only a DICOM receiver can be told what it may retrieve",
            expected="kind dicom",
            found=destination.kind.value,
        )
    if name is not None:
        destination.name = name.strip()
    if active is not None:
        destination.active = active
    if notify_availability is not None:
        destination.notify_availability = notify_availability
    session.flush()


def destinations_of(session: Session, site_id: UUID) -> Sequence[Destination]:
    """Return the destinations of a site in the order they were added."""
    return session.scalars(
        select(Destination)
        .where(Destination.site_id == site_id)
        .order_by(Destination.created_at, Destination.id)
    ).all()


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
    return add_destination(
        session,
        site,
        DestinationKind.DICOM,
        {"ae_title": AeTitle.parse(ae_title), "host": host, "port": port},
        notify_availability=notify_availability,
    )
