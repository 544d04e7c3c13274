"""Whom to tell of critical values, and when the next one: what a centre sets for its sites.

Each function works in its caller's transaction with its audit record.
"""

from typing import Final
from uuid import UUID, uuid4

from sqlalchemy import delete
from sqlalchemy.orm import Session

from reading_worklist.access.scope import Scope
from reading_worklist.critical_values.clocks import Step
from reading_worklist.critical_values.schemas import ClocksBody, ContactsBody
from reading_worklist.critical_values.tables import CriticalClock, CriticalContact
from reading_worklist.phone.said import at_site
from reading_worklist.problems import forbidden, not_found
from storage import audit
from storage.clock import utc_now
from storage.registry import Role, consortium_of

LIST_KEEPERS: Final = (Role.DISPATCHER, Role.CONSORTIUM_ADMIN)
SITE_KEEPERS: Final = (Role.SITE_DOCTOR,)


def set_contacts(session: Session, scope: Scope, site_id: UUID, body: ContactsBody) -> None:
    """Name whom to tell at a site, in place of who was named before.

    The site itself names its own people; the centre's director stays as the centre has named him.

    Raises:
        Problem: 403 for other roles and for a site that names the centre's director, 404 for a site
            that is not visible.
    """
    here = at_site(scope, *SITE_KEEPERS)
    if not here:
        scope.require(*LIST_KEEPERS)
    if site_id not in scope.site_ids:
        raise not_found("The site")
    replaced = CriticalContact.site_id == site_id
    if here:
        if any(one.step is Step.CENTRE_DIRECTOR for one in body.contacts):
            raise forbidden(
                "The centre names its director itself", remedy="Leave this step to the centre."
            )
        replaced &= CriticalContact.step < int(Step.CENTRE_DIRECTOR)
    session.execute(delete(CriticalContact).where(replaced))
    session.add_all(
        CriticalContact(
            id=uuid4(),
            site_id=site_id,
            step=int(one.step),
            position=position,
            name=one.name.strip(),
            role=one.role.strip(),
            phone=one.phone.strip(),
        )
        for position, one in enumerate(body.contacts)
    )
    audit.record(
        session,
        scope.actor,
        "critical_contacts:set",
        subject_kind="organisation",
        subject_id=site_id,
        detail={"contacts": len(body.contacts)},
    )


def set_clocks(session: Session, scope: Scope, body: ClocksBody) -> None:
    """Set the escalation times of the whole consortium, for what is told from now on.

    Raises:
        Problem: 403 for anybody but a consortium administrator.
    """
    scope.require(Role.CONSORTIUM_ADMIN)
    organisation_id = consortium_of(session, scope.organisation_id).id
    times = body.model_dump()
    session.merge(
        CriticalClock(
            organisation_id=organisation_id,
            set_by=scope.person_id,
            set_at=utc_now(),
            **times,
        )
    )
    audit.record(
        session,
        scope.actor,
        "critical_clocks:set",
        subject_kind="organisation",
        subject_id=organisation_id,
        detail=times,
    )
