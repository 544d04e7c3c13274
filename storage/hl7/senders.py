"""Which systems may send orders, and for which site."""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from storage.hl7.tables import Hl7Sender
from storage.registry import (
    Organisation,
    OrganisationKind,
    RegistryRefused,
    address_allowed,
    parse_fingerprint,
)


@dataclass(frozen=True, slots=True)
class KnownSender:
    """A sender as the gateway knows it."""

    id: UUID
    site_id: UUID


def add_sender(
    session: Session,
    site: Organisation,
    application: str,
    facility: str = "",
    *,
    addresses: Sequence[str] = (),
    certificate_sha256: str | None = None,
) -> Hl7Sender:
    """Let a system of `site` send orders.

    application, facility: MSH-3.1 and MSH-4.1 as it writes them; an empty facility is any.
    addresses: IP addresses or networks it may call from; none: any.
    certificate_sha256: fingerprint of the TLS certificate it must call with; None: it need not.

    Raises:
        RegistryRefused: not a site, no application, another sender has the same names, an address
            is no IP network, or the fingerprint is none of SHA-256.
    """
    if site.kind is not OrganisationKind.SITE:
        raise RegistryRefused("HL7 sender", expected="a site", found=site.kind.value)
    if not application.strip():
        raise RegistryRefused("HL7 sender", expected="what it writes into MSH-3", found="nothing")
    for address in addresses:
        try:
            ipaddress.ip_network(address, strict=False)
        except ValueError as error:
            raise RegistryRefused(
                "HL7 sender's address",
                expected="an IP address or network such as 10.1.2.0/24",
                found=repr(address),
            ) from error
    taken = select(Hl7Sender.id).where(
        Hl7Sender.application == application.strip(), Hl7Sender.facility == facility.strip()
    )
    if session.scalar(taken) is not None:
        raise RegistryRefused(
            "another HL7 sender has this application and facility",
            remedy="Names are unique over all sites: let this one write a facility of its own.",
        )
    sender = Hl7Sender(
        site_id=site.id,
        application=application.strip(),
        facility=facility.strip(),
        addresses=list(addresses),
        certificate_sha256=parse_fingerprint(certificate_sha256),
        active=True,
    )
    session.add(sender)
    session.flush()
    return sender


def sender_by_names(session: Session, application: str, facility: str = "") -> Hl7Sender:
    """Return the sender registered with these names.

    Raises:
        RegistryRefused: there is none.
    """
    found = session.scalar(
        select(Hl7Sender).where(
            Hl7Sender.application == application.strip(), Hl7Sender.facility == facility.strip()
        )
    )
    if found is None:
        raise RegistryRefused(
            f"no HL7 sender has the application {application!r} and the facility {facility!r}",
            remedy="List them with 'rdc hl7-sender list'.",
        )
    return found


def bind_sender(sender: Hl7Sender, certificate_sha256: str | None) -> None:
    """Let the sender order only with the TLS certificate of this fingerprint; None: freely.

    Raises:
        RegistryRefused: it is no fingerprint.
    """
    sender.certificate_sha256 = parse_fingerprint(certificate_sha256)


def find_sender(
    session: Session,
    application: str,
    facility: str,
    address: str,
    *,
    certificate_sha256: str | None = None,
) -> KnownSender | None:
    """Return the active sender of these names that may call from this IP address, or None.

    One registered with its facility comes before one for any facility.

    certificate_sha256: fingerprint of the verified certificate it came with, if any. A sender
        that is bound to one is not known without it.
    """
    found = session.scalars(
        select(Hl7Sender)
        .where(
            Hl7Sender.active,
            Hl7Sender.application == application,
            or_(Hl7Sender.facility == facility, Hl7Sender.facility == ""),
        )
        .order_by(Hl7Sender.facility.desc())
    ).all()
    for sender in found:
        bound = sender.certificate_sha256
        if address_allowed(sender.addresses, address) and bound in {None, certificate_sha256}:
            return KnownSender(sender.id, sender.site_id)
    return None
