"""What DICOMweb requests have in common: who asks, under which root, and what is accepted."""

from dataclasses import dataclass
from typing import Annotated, Final, cast

from fastapi import Depends, Request

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
from reading_worklist.services import Asking, Parts, Services
from storage.identifiers import Uid
from storage.registry import Role

IMAGE_ROLES: Final = (
    Role.SITE_TECHNICIAN,
    Role.SITE_DOCTOR,
    Role.WRITER,
    Role.REVIEWER,
    Role.QUALITY_CONTROLLER,
    Role.DISPATCHER,
    Role.CONSORTIUM_ADMIN,
)
"""Who may see images; auditors, regulators and system administrators do no clinical reading."""

_JSON_OFFERS: Final = (Offer(DICOM_JSON), Offer(JSON))


@dataclass(frozen=True, slots=True)
class Asked:
    """A request of a person who may see images, and the parts that answer it."""

    request: Request
    services: Services
    root: Root

    @property
    def accepted(self) -> list[Acceptable]:
        """What the client accepts; the query parameter comes before the header (§8.3.3.1)."""
        request = self.request
        return parse_accept(request.query_params.get("accept"), request.headers.get("accept"))

    @property
    def base_url(self) -> str:
        """The absolute address under which the client reaches this server, no slash at its end."""
        return str(self.request.base_url).rstrip("/")

    @property
    def layouts(self) -> FrameLayouts:
        """The process's memory of frame layouts."""
        state = self.request.app.state
        if not hasattr(state, "frame_layouts"):
            # Two first requests may both come here; then one memory is forgotten, at no cost.
            state.frame_layouts = FrameLayouts()
        return cast("FrameLayouts", state.frame_layouts)

    def require_json(self) -> None:
        """Pass when the client takes DICOM JSON.

        Raises:
            Problem: 406 when it does not.
        """
        if choose(self.accepted, _JSON_OFFERS, default_multipart=False) is None:
            raise not_acceptable(_JSON_OFFERS, multipart=False)


def asked(request: Request, scope: Asking, services: Parts) -> Asked:
    """Return the request of a person who may see images.

    Raises:
        Problem: 401 without a session, 403 for other roles.
    """
    scope.require(*IMAGE_ROLES)
    return Asked(request, services, Root(scope, request.path_params.get("site_code")))


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
