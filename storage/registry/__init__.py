"""The registry: organisations, their devices and destinations, and people with their roles."""

from storage.registry.destinations import (
    Destination,
    Listener,
    add_dicom_destination,
    find_listener,
)
from storage.registry.devices import (
    Caller,
    Device,
    DeviceLimits,
    add_device,
    address_allowed,
    bind_certificate,
    device_by_ae_title,
    find_device,
    limit_device,
    parse_fingerprint,
)
from storage.registry.organisations import (
    Organisation,
    OrganisationKind,
    add_organisation,
    change_organisation,
    consortium_of,
    lineage,
    organisation_by_code,
    visible_site_ids,
)
from storage.registry.people import (
    Membership,
    Person,
    Role,
    add_person,
    holds_today,
    valid_memberships,
)
from storage.registry.refusal import RegistryRefused

__all__ = [
    "Caller",
    "Destination",
    "Device",
    "DeviceLimits",
    "Listener",
    "Membership",
    "Organisation",
    "OrganisationKind",
    "Person",
    "RegistryRefused",
    "Role",
    "add_device",
    "add_dicom_destination",
    "add_organisation",
    "add_person",
    "address_allowed",
    "bind_certificate",
    "change_organisation",
    "consortium_of",
    "device_by_ae_title",
    "find_device",
    "find_listener",
    "holds_today",
    "limit_device",
    "lineage",
    "organisation_by_code",
    "parse_fingerprint",
    "valid_memberships",
    "visible_site_ids",
]
