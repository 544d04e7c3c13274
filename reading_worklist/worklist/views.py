"""Filters that a person keeps; each is seen and changed by its owner alone."""

from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from reading_worklist.access.scope import Scope
from reading_worklist.problems import conflict, not_found
from reading_worklist.worklist import queries
from reading_worklist.worklist.schemas import SavedView, ViewBody, WorklistFilter
from reading_worklist.worklist.tables import WorklistView

VIEWS_MAX: Final = 30


def shown(session: Session, scope: Scope) -> list[SavedView]:
    """Return the asker's views by position and name, each with how much it shows now."""
    rows = session.scalars(
        select(WorklistView).where(*_own(scope)).order_by(WorklistView.position, WorklistView.name)
    ).all()
    views: list[SavedView] = []
    for row in rows:
        kept = WorklistFilter.model_validate(row.filter)
        number, exact = queries.count(session, scope, kept)
        views.append(
            SavedView(
                id=row.id,
                name=row.name,
                filter=kept,
                position=row.position,
                count=number,
                count_exact=exact,
            )
        )
    return views


def keep(session: Session, scope: Scope, body: ViewBody, view_id: UUID | None = None) -> None:
    """Keep a new view, or change the one of that id.

    Raises:
        Problem: 404 for an unknown id; 409 for a name that another view has, or too many views.
    """
    named = session.scalar(
        select(WorklistView.id).where(*_own(scope), WorklistView.name == body.name)
    )
    if named is not None and named != view_id:
        raise conflict("view-name", "You have a view of this name", remedy="Choose another name.")
    kept = body.filter.model_dump(mode="json", exclude_defaults=True)
    if view_id is not None:
        row = _one(session, scope, view_id)
        row.name, row.filter, row.position = body.name, kept, body.position
        return
    number = session.scalar(select(func.count()).select_from(WorklistView).where(*_own(scope)))
    if (number or 0) >= VIEWS_MAX:
        raise conflict(
            "too-many-views",
            "You have as many views as can be kept",
            expected=f"at most {VIEWS_MAX}",
            remedy="Remove one first.",
        )
    session.add(
        WorklistView(
            person_id=scope.person_id,
            organisation_id=scope.organisation_id,
            name=body.name,
            filter=kept,
            position=body.position,
        )
    )


def remove(session: Session, scope: Scope, view_id: UUID) -> None:
    """Forget a view.

    Raises:
        Problem: 404 for an unknown id.
    """
    session.delete(_one(session, scope, view_id))


def _one(session: Session, scope: Scope, view_id: UUID) -> WorklistView:
    row = session.scalar(
        select(WorklistView).where(*_own(scope), WorklistView.id == view_id).with_for_update()
    )
    if row is None:
        raise not_found("The view")
    return row


def _own(scope: Scope) -> tuple[ColumnElement[bool], ...]:
    return (
        WorklistView.person_id == scope.person_id,
        WorklistView.organisation_id == scope.organisation_id,
    )
