"""What DICOMweb requests have in common: who asks, under which root, and what is accepted."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, Final, cast
from uuid import UUID

from fastapi import Depends, Request

from reading_worklist.access.scope import IMAGE_READERS, Scope
from reading_worklist.dicomweb.instances import FrameLayouts
from reading_worklist.dicomweb.media_types import (
    DICOM_JSON,
    JSON,
    Acceptable,
    Offer,
    choose,
    not_acceptable,
    parse_accept,
)
from reading_worklist.dicomweb.queries import Root
from reading_worklist.dicomweb.series_views import SeriesViews
from reading_worklist.priors.grants import Granted, RecentGrants, granted
from reading_worklist.problems import not_found
from reading_worklist.services import Deciding, Parts, Services, current_scope
from reading_worklist.shares.guests import Guest, guest_of
from storage.identifiers import Uid
from storage.objects import ObjectStore
from storage.registry import Role

IMAGE_ROLES: Final = (*IMAGE_READERS, Role.EXPERT)
"""Who may ask for images at all; `Scope.sees_images` says for which."""

_JSON_OFFERS: Final = (Offer(DICOM_JSON), Offer(JSON))


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a client takes, and where the bytes are."""

    headers: Mapping[str, str]
    accepted: Sequence[Acceptable]
    objects: ObjectStore


@dataclass(frozen=True, slots=True)
class Asked:
    """A request of a person who may see images, and the parts that answer it."""

    request: Request
    services: Services
    root: Root

    @property
    def scope(self) -> Scope:
        """Who asks."""
        return self.root.scope

    @property
    def accepted(self) -> Sequence[Acceptable]:
        """What the client accepts; the query parameter comes before the header (§8.3.3.1)."""
        request = self.request
        return accepted_by(request.query_params.get("accept"), request.headers.get("accept"))

    @property
    def wanted(self) -> Wanted:
        """What the client takes, and where the bytes are."""
        return Wanted(self.request.headers, self.accepted, self.services.objects)

    def as_single(self, media_type: str) -> Wanted:
        """What a client takes that wants one thing by itself, in whatever transfer syntax."""
        single = Acceptable(media_type, multipart=False, transfer_syntax=None, quality=1.0)
        return Wanted(self.request.headers, (single,), self.services.objects)

    @property
    def base_url(self) -> str:
        """The absolute address under which the client reaches this server, no slash at its end."""
        return str(self.request.base_url).rstrip("/")

    @property
    def layouts(self) -> FrameLayouts:
        """The process's memory of frame layouts."""
        return cast("FrameLayouts", self.request.app.state.frame_layouts)

    @property
    def views(self) -> SeriesViews:
        """The process's memory of series that were found."""
        return cast("SeriesViews", self.request.app.state.series_views)

    def require_json(self) -> None:
        """Pass when the client takes DICOM JSON.

        Raises:
            Problem: 406 when it does not.
        """
        if choose(self.accepted, _JSON_OFFERS, default_multipart=False) is None:
            raise not_acceptable(_JSON_OFFERS, multipart=False)


@lru_cache(256)
def accepted_by(*headers: str | None) -> Sequence[Acceptable]:
    """Return `parse_accept`; clients repeat theirs with every request."""
    return tuple(parse_accept(*headers))


def _asker(request: Request, services: Deciding) -> Scope | Guest:
    """Return who asks: below the root of a link, whoever came by it; else a person of ours."""
    share = request.path_params.get("share_id")
    if share is None:
        return current_scope(request, services)
    try:
        return guest_of(services, request, UUID(share))
    except ValueError:
        raise not_found("The link") from None


async def asked(
    request: Request,
    asker: Annotated[Scope | Guest, Depends(_asker)],
    services: Parts,
    deciding: Deciding,
) -> Asked:
    """Return the request of somebody who may see images.

    Raises:
        Problem: 401 without a session or a visit, 403 for other roles.
    """
    if isinstance(asker, Guest):
        return Asked(request, services, Root(asker.scope, reading=asker.granted))
    scope = asker
    # Asynchronous for the same reason as `services_of`; only a reading's root has to be looked up.
    scope.require(*IMAGE_ROLES)
    reading = request.path_params.get("reading_id")
    if reading is not None:
        found = await asyncio.to_thread(_granted, request, scope, deciding, reading)
        return Asked(request, services, Root(scope, reading=found))
    return Asked(request, services, Root(scope, request.path_params.get("site_code")))


def _granted(request: Request, scope: Scope, services: Services, reading: str) -> Granted:
    """Return what lies under the root of a reading for who asks.

    Raises:
        Problem: 403 for who does not read, 404 for an unseen reading.
    """
    try:
        workitem_id = UUID(reading)
    except ValueError:
        raise not_found("The workitem") from None
    recent = cast("RecentGrants", request.app.state.recent_grants)
    found = recent.recall(scope, workitem_id, request.path_params.get("study"))
    if found is None:
        with services.database.transaction() as session:
            found = granted(session, scope, workitem_id)
        recent.note(scope, workitem_id, found)
    return found


def study_uid(text: str) -> Uid:
    """Parse the study's UID in a path. Raises `InvalidIdentifier`."""
    return Uid.parse(text, what="Study Instance UID")


def series_uid(text: str) -> Uid:
    """Parse the series' UID in a path. Raises `InvalidIdentifier`."""
    return Uid.parse(text, what="Series Instance UID")


def instance_uid(text: str) -> Uid:
    """Parse the instance's UID in a path. Raises `InvalidIdentifier`."""
    return Uid.parse(text, what="SOP Instance UID")


Asks = Annotated[Asked, Depends(asked)]
