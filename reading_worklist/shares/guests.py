"""Somebody outside who came by a link: he sees one study until his visit or the link ends.

He is no person of ours and has no session: his cookie is worth nothing anywhere else.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import func, select
from starlette.requests import HTTPConnection

from reading_worklist.access.scope import Scope
from reading_worklist.access.sessions import digest, not_signed_in
from reading_worklist.priors.grants import Granted
from reading_worklist.services import Services, client_address
from reading_worklist.shares.tables import ShareLink, ShareVisit
from storage import walls
from storage.audit import Actor
from storage.index.tables import Study
from storage.registry import OrganisationKind

COOKIE: Final = "rdc_share"
_REMEDY: Final = "Open the link again; it may have ended or been taken back."


@dataclass(frozen=True, slots=True)
class Guest:
    """Who came by a link, and what it shows.

    ends_at: when the visit ends, the link's own end at the latest.
    """

    link_id: UUID
    workitem_id: UUID
    study_id: UUID
    study_uid: str
    site_id: UUID
    with_report: bool
    ends_at: datetime
    client: str

    @property
    def granted(self) -> Granted:
        """Return what lies under the guest's DICOMweb root: the one study."""
        return Granted(
            frozenset({self.study_id}), frozenset({self.study_uid}), frozenset({self.site_id})
        )

    @property
    def actor(self) -> Actor:
        """Return who acts, for the audit trail: nobody of ours, from an address."""
        return Actor(person_id=None, organisation_id=None, client=self.client)

    @property
    def scope(self) -> Scope:
        """Return the scope of somebody without a role, who sees no site."""
        return Scope(
            person_id=self.link_id,
            login="",
            display_name="",
            organisation_id=self.site_id,
            organisation_code="",
            organisation_name="",
            organisation_name_en="",
            organisation_kind=OrganisationKind.PARTNER,
            roles=frozenset(),
            site_ids=frozenset(),
            csrf_token="",
            client=self.client,
        )


def guest_of(services: Services, request: HTTPConnection, share_id: UUID | None = None) -> Guest:
    """Return who came by a link, and keep the request to the link's site.

    share_id: the link has to be this one.

    Raises:
        Problem: 401 without a visit that goes on; the same when the link has ended since.
    """
    token = request.cookies.get(COOKIE)
    if token is None:
        raise not_signed_in(_REMEDY)
    query = (
        select(
            ShareLink.id,
            ShareLink.workitem_id,
            ShareLink.study_id,
            Study.study_instance_uid,
            ShareLink.site_id,
            ShareLink.with_report,
            func.least(ShareVisit.ends_at, ShareLink.expires_at),
        )
        .join(ShareVisit, ShareVisit.link_id == ShareLink.id)
        .join(Study, Study.id == ShareLink.study_id)
        .where(
            ShareVisit.token_sha256 == digest(token),
            ShareVisit.ends_at > func.now(),
            ShareLink.expires_at > func.now(),
            ShareLink.revoked_at.is_(None),
            Study.purged_at.is_(None),
        )
    )
    with (
        walls.beyond("the cookie says which study was shown to whom"),
        services.database.reading() as connection,
    ):
        row = connection.execute(query).one_or_none()
    if row is None or share_id not in (None, row[0]):
        raise not_signed_in(_REMEDY)
    guest = Guest(*row, client=client_address(request))
    walls.see(walls.Reach(frozenset({guest.site_id})))
    return guest
