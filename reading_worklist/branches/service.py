"""What administrators do with branches, each function within its caller's transaction.

A branch is where devices of a site stand: reports of what they make name it behind the site. So it
begins with its first device and is closed when none stands there; what was issued keeps its name.
"""

from collections.abc import Collection, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from reading_worklist.access.scope import Scope
from reading_worklist.access.sites import visible_site, visible_sites
from reading_worklist.branches.schemas import (
    BranchBody,
    BranchChange,
    BranchDevice,
    BranchEnd,
    BranchView,
    SiteBranches,
)
from reading_worklist.problems import conflict, not_found
from storage import audit
from storage.registry import Device, Organisation, Role


def shown(session: Session, scope: Scope) -> list[SiteBranches]:
    """Return the visible sites by code, each with its branches.

    Raises:
        Problem: 403 for anybody but a consortium administrator.
    """
    scope.require(Role.CONSORTIUM_ADMIN)
    devices = session.scalars(
        select(Device).where(scope.sees(Device.site_id)).order_by(Device.ae_title)
    ).all()
    return [
        _view(site, [one for one in devices if one.site_id == site.id])
        for site in visible_sites(session, scope)
    ]


def add(session: Session, scope: Scope, body: BranchBody) -> None:
    """Say that devices of a site stand in a branch of it.

    Raises:
        Problem: 403 for anybody but a consortium administrator; 404 for no visible site or no
            device of it; 409 for a name that a branch has, or a device that stands in another.
    """
    site, devices = _held(session, scope, body.site_code)
    _free(devices, body.name)
    _place(devices, body, None)
    _record(session, scope, "branch:add", site, branch=body.name, devices=sorted(body.devices))


def change(session: Session, scope: Scope, body: BranchChange) -> None:
    """Give a branch other names or devices; what it loses stands in the site itself again.

    Raises:
        Problem: as `add` does, and 404 for no such branch.
    """
    site, devices = _held(session, scope, body.site_code)
    _in(devices, body.branch)
    if body.name != body.branch:
        _free(devices, body.name)
    _place(devices, body, body.branch)
    _record(
        session,
        scope,
        "branch:change",
        site,
        branch=body.name,
        before=body.branch,
        devices=sorted(body.devices),
    )


def close(session: Session, scope: Scope, body: BranchEnd) -> None:
    """Let the devices of a branch stand in the site itself.

    Raises:
        Problem: 403 for anybody but a consortium administrator; 404 for no such branch of a visible
            site.
    """
    site, devices = _held(session, scope, body.site_code)
    for one in _in(devices, body.branch):
        one.branch, one.branch_en = "", ""
    _record(session, scope, "branch:close", site, branch=body.branch, reason=body.reason)


def _held(session: Session, scope: Scope, code: str) -> tuple[Organisation, Sequence[Device]]:
    """Return a visible site and its devices, held until the transaction ends."""
    scope.require(Role.CONSORTIUM_ADMIN)
    site = visible_site(session, scope, code, held=True)
    devices = session.scalars(
        select(Device).where(Device.site_id == site.id).order_by(Device.ae_title).with_for_update()
    ).all()
    return site, devices


def _free(devices: Collection[Device], name: str) -> None:
    if any(one.branch == name for one in devices):
        raise conflict(
            "branch-taken",
            "The site has a branch of this name",
            found=name,
            remedy="Change that one, or choose another name.",
        )


def _in(devices: Collection[Device], branch: str) -> list[Device]:
    found = [one for one in devices if one.branch == branch]
    if not found:
        raise not_found("The branch")
    return found


def _place(devices: Collection[Device], body: BranchBody, before: str | None) -> None:
    """Put the named devices where `body` says, and take others out of what was called `before`."""
    wanted = set(body.devices)
    if wanted - {one.ae_title for one in devices}:
        raise not_found("The device")
    for one in devices:
        if one.ae_title in wanted:
            if one.branch not in ("", before):
                raise conflict(
                    "device-elsewhere",
                    "A device stands in another branch",
                    expected="devices that stand in no other branch",
                    found=f"{one.ae_title}: {one.branch}",
                    remedy="Take it out of that branch first.",
                )
            one.branch, one.branch_en = body.name, body.name_en
        elif before is not None and one.branch == before:
            one.branch, one.branch_en = "", ""


def _view(site: Organisation, devices: Sequence[Device]) -> SiteBranches:
    names = sorted({one.branch for one in devices} - {""})
    return SiteBranches(
        site_code=site.code,
        site_name=site.name,
        site_name_en=site.name_en,
        branches=[
            BranchView(
                name=name,
                name_en=next((one.branch_en for one in devices if one.branch == name), ""),
                devices=[one.ae_title for one in devices if one.branch == name],
            )
            for name in names
        ],
        devices=[
            BranchDevice(ae_title=one.ae_title, name=one.name, branch=one.branch) for one in devices
        ],
    )


def _record(
    session: Session, scope: Scope, action: str, site: Organisation, **detail: str | list[str]
) -> None:
    audit.record(
        session,
        scope.actor,
        action,
        subject_kind="organisation",
        subject_id=site.id,
        detail=detail,
    )
