"""The destinations of sites: what a system administrator sees, adds and switches off.

Files on the machines that deliver (secrets, certificates) are named on the command line alone: a
page that took their paths would send any file that the gateway may read to any address.
"""

from collections.abc import Mapping
from datetime import datetime
from http import HTTPStatus
from pathlib import Path
from typing import Annotated, Any, Final
from uuid import UUID

from pydantic import BaseModel, Field, StringConstraints
from sqlalchemy import select
from sqlalchemy.orm import Session

from reading_worklist.access.scope import Scope
from reading_worklist.deliveries.schemas import Reason
from reading_worklist.deliveries.service import visible_destination
from reading_worklist.problems import Problem, not_found
from storage import audit, destination_trials
from storage.clock import utc_now
from storage.destination_trials import DestinationTrial, Finding
from storage.errors import RdcError
from storage.registry import (
    Destination,
    DestinationKind,
    Organisation,
    Role,
    add_destination,
    change_destination,
)

KEEPERS: Final = (Role.SYSTEM_ADMIN,)
LOOKERS: Final = (Role.SYSTEM_ADMIN, Role.CONSORTIUM_ADMIN, Role.DISPATCHER)

_FILES: Final = frozenset({"tls", "token_file", "password_file", "secret_file"})
"""Settings that name files; kept as they are whatever a page sends."""
_NEED_FILES: Final = frozenset({DestinationKind.WEBHOOK})

_Name = Annotated[str, StringConstraints(strip_whitespace=True, max_length=100)]
_Setting = str | int | float | bool | list[str] | dict[str, str] | None


class TrialView(BaseModel):
    """What came of the last trial of a destination.

    is_running: whether somebody is still at it; one that nobody has begun for minutes is not.
    finding: None while nobody has tried. said: details, for who looks after machines.
    """

    asked_at: datetime
    ended_at: datetime | None
    is_running: bool
    finding: Finding | None
    said: str


class DestinationView(BaseModel):
    """One destination. settings: by the names of its kind; files are paths, never what is in them.

    files: the names of those settings, which only the command line changes.
    """

    id: UUID
    site_code: str
    site_name: str
    site_name_en: str
    kind: DestinationKind
    name: str
    label: str
    active: bool
    notify_availability: bool
    settings: dict[str, Any]
    files: list[str]
    trial: TrialView | None


class DestinationBody(BaseModel):
    """What a destination is called and told; settings: without those that name files."""

    name: _Name = ""
    settings: Annotated[dict[str, _Setting], Field(max_length=30)]
    notify_availability: bool = False


class NewDestinationBody(DestinationBody):
    """A new destination of a site."""

    site_code: Annotated[str, Field(max_length=64)]
    kind: DestinationKind


class ActiveBody(BaseModel):
    """Whether reports go there from now on, and why."""

    active: bool
    reason: Reason


def listed(session: Session, scope: Scope) -> list[DestinationView]:
    """Return the destinations of all visible sites, by site and age, those switched off too."""
    scope.require(*LOOKERS)
    rows = session.execute(
        select(Destination, Organisation, DestinationTrial)
        .join(Organisation, Organisation.id == Destination.site_id)
        .outerjoin(DestinationTrial, DestinationTrial.destination_id == Destination.id)
        .where(scope.sees(Destination.site_id))
        .order_by(Organisation.code, Destination.created_at, Destination.id)
    ).all()
    return [_view(one, site, trial) for one, site, trial in rows]


def add(session: Session, scope: Scope, body: NewDestinationBody) -> DestinationView:
    """Add a destination: reports that are issued from now on go there, too.

    Raises:
        Problem: 403 for other roles, 404 for a site that is not visible, 422 when the settings
            cannot be used, or name files.
    """
    scope.require(*KEEPERS)
    site = session.scalar(
        select(Organisation).where(Organisation.code == body.site_code, scope.sees(Organisation.id))
    )
    if site is None:
        raise not_found("The site")
    if body.kind in _NEED_FILES:
        raise _unusable(
            "This kind of destination needs a secret in a file",
            remedy="Add it with 'rdc destination connect' on the machine that delivers.",
        )
    try:
        made = add_destination(
            session,
            site,
            body.kind,
            _without_files(body.settings),
            name=body.name,
            notify_availability=body.notify_availability,
        )
    except RdcError as error:
        raise _refused(error) from None
    _record(session, scope, made, "add")
    return _view(made, site, None)


def change(
    session: Session, scope: Scope, destination_id: UUID, body: DestinationBody
) -> DestinationView:
    """Change name and settings; those that name files stay as they are.

    Raises:
        Problem: as `add`.
    """
    scope.require(*KEEPERS)
    one = visible_destination(session, scope, destination_id)
    kept = {name: value for name, value in _settings(one).items() if name in _FILES}
    try:
        change_destination(
            session,
            one,
            {**_without_files(body.settings), **kept},
            name=body.name,
            notify_availability=body.notify_availability,
        )
    except RdcError as error:
        raise _refused(error) from None
    _record(session, scope, one, "change")
    # What was found before was found with other settings.
    destination_trials.forget(session, one.id)
    return _view(one, session.get_one(Organisation, one.site_id), None)


def have_tried(session: Session, scope: Scope, destination_id: UUID) -> DestinationView:
    """Have a machine that delivers try a destination without a report; poll for what it finds.

    Raises:
        Problem: 403 for other roles, 404 when it is not visible.
    """
    scope.require(*KEEPERS)
    one = visible_destination(session, scope, destination_id)
    destination_trials.ask(session, one.id, scope.actor.person_id)
    _record(session, scope, one, "try")
    trial = session.get_one(DestinationTrial, one.id, populate_existing=True)
    return _view(one, session.get_one(Organisation, one.site_id), trial)


def switch(session: Session, scope: Scope, destination_id: UUID, body: ActiveBody) -> None:
    """Let reports go to a destination, or no more; what waits for it stays until it is redirected.

    Raises:
        Problem: 403 for other roles, 404 when it is not visible.
    """
    scope.require(*KEEPERS)
    one = visible_destination(session, scope, destination_id)
    change_destination(session, one, active=body.active)
    _record(session, scope, one, "switch_on" if body.active else "switch_off", body.reason)


def _settings(one: Destination) -> dict[str, Any]:
    """Return all settings of a destination, whatever its kind keeps where."""
    return one.typed_settings.model_dump(mode="json")


def _without_files(settings: Mapping[str, _Setting]) -> dict[str, _Setting]:
    named = sorted(_FILES & set(settings))
    if named:
        raise _unusable(
            f"Files are not named on a page: {', '.join(named)}",
            remedy="Set them with 'rdc destination change' on the machine that delivers.",
        )
    return dict(settings)


def _view(one: Destination, site: Organisation, trial: DestinationTrial | None) -> DestinationView:
    try:
        settings = _settings(one)
    except RdcError:
        # What an older release kept and this one cannot read is shown as it is.
        settings = dict(one.settings)
    return DestinationView(
        id=one.id,
        site_code=site.code,
        site_name=site.name,
        site_name_en=site.name_en,
        kind=one.kind,
        name=one.name,
        label=one.label,
        active=one.active,
        notify_availability=one.notify_availability,
        settings={name: value for name, value in settings.items() if name not in _FILES},
        files=[
            f"{name}: {Path(value).name}" if isinstance(value, str) else name
            for name, value in settings.items()
            if name in _FILES and value
        ],
        trial=None if trial is None else _trial(trial),
    )


def _trial(trial: DestinationTrial) -> TrialView:
    return TrialView(
        asked_at=trial.asked_at,
        ended_at=trial.ended_at,
        is_running=trial.ended_at is None and utc_now() - trial.asked_at < destination_trials.LEASE,
        finding=trial.finding,
        said=trial.said or "",
    )


def _record(
    session: Session, scope: Scope, one: Destination, action: str, reason: str = ""
) -> None:
    audit.record(
        session,
        scope.actor,
        f"destination:{action}",
        subject_kind="destination",
        subject_id=one.id,
        detail={"kind": one.kind.value, "reason": reason},
    )


def _refused(error: RdcError) -> Problem:
    return _unusable(error.what, expected=error.expected, found=error.found, remedy=error.remedy)


def _unusable(what: str, *, expected: str = "", found: str = "", remedy: str = "") -> Problem:
    return Problem(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "destination-settings",
        what,
        expected=expected,
        found=found,
        remedy=remedy,
    )
