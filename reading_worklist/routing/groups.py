"""The groups that studies are read in: what they are called, who belongs to them, how much each."""

from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from reading_worklist.access.scope import Scope
from reading_worklist.problems import conflict, not_found
from reading_worklist.routing.readers import reads_for
from reading_worklist.routing.schemas import GroupBody, GroupView
from reading_worklist.routing.tables import ReadingGroup, ReadingGroupMember
from reading_worklist.workitems.schemas import PersonView
from storage import audit
from storage.registry import Person, Role, consortium_of


def groups(session: Session, scope: Scope) -> list[GroupView]:
    """Return the groups of the asker's consortium by lane and code, each with its people."""
    rows = session.scalars(
        select(ReadingGroup)
        .where(ReadingGroup.organisation_id == consortium_of(session, scope.organisation_id).id)
        .order_by(ReadingGroup.lane, ReadingGroup.code)
    ).all()
    members: dict[UUID, list[PersonView]] = {one.id: [] for one in rows}
    for group_id, person in session.execute(
        select(ReadingGroupMember.group_id, Person)
        .join(Person, Person.id == ReadingGroupMember.person_id)
        .where(ReadingGroupMember.group_id.in_(members))
        .order_by(Person.display_name, Person.id)
    ):
        members[group_id].append(PersonView(id=person.id, display_name=person.display_name))
    return [
        GroupView(
            id=one.id,
            code=one.code,
            name=one.name,
            name_en=one.name_en,
            lane=one.lane,
            active=one.active,
            open_limit=one.open_limit,
            members=members[one.id],
        )
        for one in rows
    ]


def set_group(session: Session, scope: Scope, code: str, body: GroupBody) -> None:
    """Make a group, or change what is said of it: names, people, how much each may have, use.

    Raises:
        Problem: 403 without the role, 404 for a member who does not read for the consortium, 409
            when the lane of a known group would change.
    """
    scope.require(Role.CONSORTIUM_ADMIN)
    organisation_id = consortium_of(session, scope.organisation_id).id
    group = session.scalar(
        select(ReadingGroup)
        .where(ReadingGroup.organisation_id == organisation_id, ReadingGroup.code == code)
        .with_for_update()
    )
    if group is None:
        group = ReadingGroup(organisation_id=organisation_id, code=code, lane=body.lane)
        session.add(group)
    elif group.lane is not body.lane:
        raise conflict(
            "group-lane",
            "A group stays in its lane",
            expected=group.lane,
            found=body.lane,
            remedy="Make another group.",
        )
    group.name, group.name_en, group.active = body.name, body.name_en, body.active
    group.open_limit = body.open_limit
    session.flush()
    _set_members(session, group, organisation_id, set(body.members))
    audit.record(
        session,
        scope.actor,
        "reading_group:set",
        subject_kind="reading_group",
        subject_id=group.id,
        detail={"code": code, **body.model_dump(mode="json")},
    )


def group_by_code(session: Session, organisation_id: UUID, code: str) -> ReadingGroup:
    """Return a group in use.

    Raises:
        Problem: 404 when there is none.
    """
    found = session.scalar(
        select(ReadingGroup).where(
            ReadingGroup.organisation_id == organisation_id,
            ReadingGroup.code == code,
            ReadingGroup.active,
        )
    )
    if found is None:
        raise not_found(f"The group {code!r}")
    return found


def _set_members(
    session: Session, group: ReadingGroup, organisation_id: UUID, wanted: set[UUID]
) -> None:
    of_group = ReadingGroupMember.group_id == group.id
    present = set(session.scalars(select(ReadingGroupMember.person_id).where(of_group)))
    session.execute(
        delete(ReadingGroupMember).where(
            of_group, ReadingGroupMember.person_id.in_(present - wanted)
        )
    )
    for person_id in sorted(wanted - present):
        if not reads_for(session, person_id, organisation_id):
            raise not_found("The reader")
        session.add(ReadingGroupMember(group_id=group.id, person_id=person_id))
