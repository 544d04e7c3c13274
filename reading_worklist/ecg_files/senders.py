"""Who sends ECG files: people with a session, and machines with a token of their site."""

from http import HTTPStatus
from typing import Annotated, Final
from uuid import UUID

from fastapi import Depends, Request

from reading_worklist.access.client_certificates import client_certificate
from reading_worklist.access.machines import bearer_token, shown_machine
from reading_worklist.access.scope import Scope
from reading_worklist.problems import Problem, forbidden
from reading_worklist.services import COOKIE, Parts, current_scope
from storage.ecg_files.service import Sender
from storage.ecg_files.tables import EcgFileWay
from storage.registry import (
    Machine,
    MachineScope,
    OrganisationKind,
    Role,
)

SENDING_ROLES: Final = (Role.SITE_TECHNICIAN, Role.SITE_DOCTOR)


def person_or_machine(request: Request, services: Parts) -> Scope | Machine:
    """Return who is asking: a machine by its token or certificate, else the session's person.

    Raises:
        Problem: 401 for a token that is unknown, over, revoked or for other things, and as
            `current_scope` for people.
    """
    if bearer_token(request) is None and (
        client_certificate(request) is None or COOKIE in request.cookies
    ):
        return current_scope(request, services)
    machine = shown_machine(request, services, MachineScope.ECG_FILES)
    if machine is None:
        raise Problem(
            HTTPStatus.UNAUTHORIZED,
            "wrong-token",
            "The token is not taken",
            expected="a token for ECG files, the client certificate that stands for it, or both,"
            " neither over nor revoked",
            remedy="Have a new one made: `rdc site token rotate`, or `rdc device token create`.",
        )
    return machine


Whoever = Annotated[Scope | Machine, Depends(person_or_machine)]


def sender_of(who: Scope | Machine, client: str) -> Sender:
    """Return for which site somebody sends.

    Raises:
        Problem: 403 for people who do not act for a site or may not send.
    """
    if isinstance(who, Machine):
        return Sender(who.site_id, EcgFileWay.MACHINE, client, who.token_id, who.device_id)
    return Sender(site_of(who), EcgFileWay.PORTAL, client, person_id=who.person_id)


def site_of(scope: Scope) -> UUID:
    """Return the site that a person sends for.

    Raises:
        Problem: 403 for people who do not act for a site or may not send.
    """
    scope.require(*SENDING_ROLES)
    if scope.organisation_kind is not OrganisationKind.SITE:
        raise forbidden(
            "ECG files are sent by the people of a site",
            remedy="Act for the site where the ECG was taken.",
        )
    return scope.organisation_id
