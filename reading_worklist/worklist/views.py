"""Filters that people keep for themselves or share, and how each likes the list."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from reading_worklist.access.scope import Scope
from reading_worklist.problems import conflict, not_found
from reading_worklist.routing.groups import group_by_code
from reading_worklist.routing.tables import ReadingGroup, ReadingGroupMember
from reading_worklist.workitems.schemas import GroupName, PersonView
from reading_worklist.worklist import queries
from reading_worklist.worklist.schemas import Preferences, SavedView, ViewBody, WorklistFilter
from reading_worklist.worklist.tables import WorklistPreference, WorklistView
from storage.registry import Person, Role, consortium_of

VIEWS_MAX: Final = 30
SHARERS: Final = (
    Role.REVIEWER,
    Role.DISPATCHER,
    Role.QUALITY_CONTROLLER,
    Role.CONSORTIUM_ADMIN,
)
_TIDIERS: Final = frozenset({Role.DISPATCHER, Role.CONSORTIUM_ADMIN})
"""Who sees and tidies up everything that is shared."""


def shown(session: Session, scope: Scope) -> list[SavedView]:
    """Return the views that the asker sees, each with how much it shows now.

    His own come first, by position and name, then those that others share with him.
    """
    rows = session.execute(
        select(WorklistView, Person, ReadingGroup)
        .join(Person, Person.id == WorklistView.person_id)
        .join(ReadingGroup, ReadingGroup.id == WorklistView.group_id, isouter=True)
        .where(_visible(scope))
        .order_by(
            WorklistView.person_id != scope.person_id, WorklistView.position, WorklistView.name
        )
        .limit(2 * VIEWS_MAX)
    ).all()
    views: list[SavedView] = []
    for row, owner, found in rows:
        # An outer join: the statement's type does not know that it may be missing.
        group: ReadingGroup | None = found
        kept = WorklistFilter.model_validate(row.filter)
        number, exact = queries.count(session, scope, kept)
        views.append(
            SavedView(
                id=row.id,
                name=row.name,
                filter=kept,
                position=row.position,
                shared=row.shared,
                group=GroupName.model_validate(group, from_attributes=True) if group else None,
                owner=PersonView(id=owner.id, display_name=owner.display_name),
                may_change=_may_change(scope, row),
                count=number,
                count_exact=exact,
            )
        )
    return views


def keep(session: Session, scope: Scope, body: ViewBody, view_id: UUID | None = None) -> None:
    """Keep a new view, or change the one of that id.

    Raises:
        Problem: 403 when it is to be shared by somebody who may not; 404 for an unknown id or
            group; 409 for a name that another view of its owner has, or too many views.
    """
    if body.shared:
        scope.require(*SHARERS)
    group_id = _group(session, scope, body.group) if body.shared and body.group else None
    row = _changeable(session, scope, view_id) if view_id is not None else None
    owner_id = row.person_id if row is not None else scope.person_id
    own = _of(owner_id, scope)
    named = session.scalar(select(WorklistView.id).where(*own, WorklistView.name == body.name))
    if named is not None and named != view_id:
        raise conflict("view-name", "You have a view of this name", remedy="Choose another name.")
    if row is None:
        number = session.scalar(select(func.count()).select_from(WorklistView).where(*own))
        if (number or 0) >= VIEWS_MAX:
            raise conflict(
                "too-many-views",
                "You have as many views as can be kept",
                expected=f"at most {VIEWS_MAX}",
                remedy="Remove one first.",
            )
        row = WorklistView(person_id=owner_id, organisation_id=scope.organisation_id)
        session.add(row)
    row.name = body.name
    row.filter = body.filter.model_dump(mode="json", exclude_defaults=True)
    row.position = body.position
    row.shared = body.shared
    row.group_id = group_id
    session.flush()


def remove(session: Session, scope: Scope, view_id: UUID) -> None:
    """Forget a view; who opened the list with it has no default any more.

    Raises:
        Problem: 404 for an unknown id.
    """
    session.delete(_changeable(session, scope, view_id))


def preferences(session: Session, scope: Scope) -> Preferences:
    """Return how the asker likes the list."""
    row = session.get(WorklistPreference, (scope.person_id, scope.organisation_id))
    if row is None:
        return Preferences()
    return Preferences(default_view=row.default_view_id, columns=row.columns)


def prefer(session: Session, scope: Scope, body: Preferences) -> None:
    """Keep how the asker likes the list.

    Raises:
        Problem: 404 for a view that he does not see.
    """
    if body.default_view is not None:
        seen = session.scalar(
            select(WorklistView.id).where(_visible(scope), WorklistView.id == body.default_view)
        )
        if seen is None:
            raise not_found("The view")
    values = {"default_view_id": body.default_view, "columns": body.columns}
    session.execute(
        insert(WorklistPreference)
        .values(person_id=scope.person_id, organisation_id=scope.organisation_id, **values)
        .on_conflict_do_update(index_elements=["person_id", "organisation_id"], set_=values)
    )


def _group(session: Session, scope: Scope, code: str) -> UUID:
    return group_by_code(session, consortium_of(session, scope.organisation_id).id, code).id


def _changeable(session: Session, scope: Scope, view_id: UUID) -> WorklistView:
    row = session.scalar(
        select(WorklistView).where(_visible(scope), WorklistView.id == view_id).with_for_update()
    )
    if row is None or not _may_change(scope, row):
        raise not_found("The view")
    return row


def _may_change(scope: Scope, view: WorklistView) -> bool:
    return view.person_id == scope.person_id or (view.shared and bool(scope.roles & _TIDIERS))


def _of(person_id: UUID, scope: Scope) -> Sequence[ColumnElement[bool]]:
    return (
        WorklistView.person_id == person_id,
        WorklistView.organisation_id == scope.organisation_id,
    )


def _visible(scope: Scope) -> ColumnElement[bool]:
    """One's own, and what others of the organisation share: with all, or with one's group."""
    groups = select(ReadingGroupMember.group_id).where(
        ReadingGroupMember.person_id == scope.person_id
    )
    shared: ColumnElement[bool] = WorklistView.shared.is_(True)
    if not scope.roles & _TIDIERS:
        shared = and_(
            shared, or_(WorklistView.group_id.is_(None), WorklistView.group_id.in_(groups))
        )
    return and_(
        WorklistView.organisation_id == scope.organisation_id,
        or_(WorklistView.person_id == scope.person_id, shared),
    )
