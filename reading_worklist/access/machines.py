"""Machines of a site that fetch its reports: who is asking, and that they have what they asked for.

A machine sees what was issued to the site of its token and nothing else: every query of theirs has
`Machine.site_id` in its conditions, as those of people have `Scope.sees`.
"""

from collections.abc import Callable, Collection
from http import HTTPStatus
from typing import Final
from uuid import UUID

from fastapi import Request
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from reading_worklist.access.client_certificates import client_certificate
from reading_worklist.problems import Problem
from reading_worklist.services import Parts, Services, client_address
from reading_worklist.workitems import service as workitems
from reading_worklist.workitems.tables import Workitem
from storage import audit, walls
from storage.audit import Actor
from storage.clock import utc_now
from storage.database import one_of
from storage.issued_feed.tables import IssuedFeedEntry
from storage.registry import Machine, MachineScope, find_machine
from storage.report_pulls import PullChannel, note_pull

_BEARER: Final = "bearer "
_VOID: Final = "entered-in-error"


def shown_machine(request: Request, services: Services, *scopes: MachineScope) -> Machine | None:
    """Return the machine of a bearer token (RFC 6750) or a client certificate; None: nobody's.

    What it may see is then all that the request sees.

    scopes: a token for one of them is taken.
    """
    with (
        walls.beyond("the token says whose request it is"),
        services.database.transaction() as session,
    ):
        machine = find_machine(
            session,
            bearer_token(request),
            *scopes,
            certificate_sha256=None if _is_of_page(request) else client_certificate(request),
        )
    if machine is not None:
        walls.see(walls.Reach(frozenset({machine.site_id})))
    return machine


def _is_of_page(request: Request) -> bool:
    """Tell whether a browser asks for a page of anybody's.

    A browser shows its certificates as it shows its cookies, whoever's page makes it ask.
    """
    return "origin" in request.headers or "sec-fetch-site" in request.headers


def bearer_token(request: Request) -> str | None:
    """Return the token of a request; None where it has none."""
    authorization = request.headers.get("authorization", "")
    if not authorization.lower().startswith(_BEARER):
        return None
    return authorization[len(_BEARER) :].strip()


def machine_for(*scopes: MachineScope) -> Callable[[Request, Parts], Machine]:
    """Return the dependency that tells which machine is asking.

    scopes: a token for one of them is taken.
    """

    def asking(request: Request, services: Parts) -> Machine:
        machine = shown_machine(request, services, *scopes)
        if machine is None:
            names = " or ".join(scope.value for scope in scopes)
            raise Problem(
                HTTPStatus.UNAUTHORIZED,
                "wrong-token",
                "The token is not taken",
                expected=f"Authorization: Bearer with a token for {names}, the client certificate"
                " that stands for it, or both, neither over nor revoked",
                remedy="Have one made at the centre: rdc site token create SITE NAME --for …",
            )
        return machine

    return asking


def note_fetched(
    session: Session,
    request: Request,
    machine: Machine,
    channel: PullChannel,
    versions: Collection[UUID],
    *,
    what: str,
) -> None:
    """Note that a machine gets the content of report versions that stand, with an audit record.

    Before the content leaves, so that a recall asks whoever may have it. Whoever recalls one of
    them at this moment is waited for: either he sees what is noted here, or nothing leaves.

    what: which resource or document, for the audit trail; no patient data.

    Raises:
        Problem: 503 when one of the versions has been recalled since it was read.
    """
    now = utc_now()
    _hold(session, machine, versions)
    for version_id in sorted(set(versions)):
        note_pull(
            session,
            version_id,
            site_id=machine.site_id,
            channel=channel,
            machine=machine.name,
            at=now,
        )
    audit.record(
        session,
        _actor(request, machine),
        "report:fetch",
        subject_kind="machine_token",
        subject_id=machine.token_id,
        detail={
            "channel": channel.value,
            "what": what,
            "versions": [str(one) for one in sorted(set(versions))],
        },
    )


def _hold(session: Session, machine: Machine, versions: Collection[UUID]) -> None:
    """Keep reports from being recalled until the transaction ends; refuse if one was meanwhile."""
    wanted = (
        IssuedFeedEntry.site_id == machine.site_id,
        one_of(IssuedFeedEntry.report_version_id, versions),
    )
    # Whoever issues or revokes locks the reading before he looks who has fetched what.
    session.execute(
        select(Workitem.id)
        .where(Workitem.id.in_(select(IssuedFeedEntry.workitem_id).where(*wanted)))
        .order_by(Workitem.id)
        .with_for_update(read=True)
    )
    recalled = session.scalar(
        select(func.count())
        .select_from(IssuedFeedEntry)
        .where(*wanted, ~IssuedFeedEntry.is_current)
    )
    if recalled:
        raise Problem(
            HTTPStatus.SERVICE_UNAVAILABLE,
            "changed-meanwhile",
            "A report was amended or revoked at this moment",
            remedy="Ask again; what stands now is there.",
        )


def note_arrived(
    session: Session, request: Request, machine: Machine, versions: Collection[UUID]
) -> list[UUID]:
    """Count reports as delivered that the site's machine has, where they still stand.

    Handled twice it changes nothing more. Returns those of the versions that are the site's.
    """
    found = session.execute(
        select(
            IssuedFeedEntry.report_version_id,
            IssuedFeedEntry.workitem_id,
            IssuedFeedEntry.is_current,
            IssuedFeedEntry.status,
        ).where(
            IssuedFeedEntry.site_id == machine.site_id,
            one_of(IssuedFeedEntry.report_version_id, versions),
        )
    ).all()
    standing = {row.workitem_id for row in found if row.is_current and row.status != _VOID}
    # In one order, so that two machines do not wait for each other.
    items = session.scalars(
        select(Workitem)
        .where(one_of(Workitem.id, standing))
        .order_by(Workitem.id)
        .with_for_update()
    ).all()
    now = utc_now()
    for item in items:
        if item.finalised_at is not None and item.delivered_at is None:
            item.delivered_at = now
        workitems.note_arrival(session, item, _actor(request, machine))
    return [row.report_version_id for row in found]


def _actor(request: Request, machine: Machine) -> Actor:
    return Actor(person_id=None, organisation_id=machine.site_id, client=client_address(request))
