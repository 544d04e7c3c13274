"""Who may do what with a workitem now.

The state's table, the role and the person who holds it are asked in this one place.
"""

from collections.abc import Mapping
from http import HTTPStatus
from types import MappingProxyType
from typing import Final

from reading_worklist.access.scope import Scope
from reading_worklist.problems import Problem, conflict
from reading_worklist.workitems.lane import Lane
from reading_worklist.workitems.states import Action, State, next_state
from reading_worklist.workitems.tables import Workitem
from storage.registry import Role

ROLES: Final[Mapping[Action, frozenset[Role]]] = MappingProxyType(
    {
        Action.CLAIM: frozenset({Role.WRITER, Role.REVIEWER}),
        Action.SAVE_DRAFT: frozenset({Role.WRITER, Role.REVIEWER}),
        Action.SUBMIT: frozenset({Role.WRITER, Role.REVIEWER}),
        Action.RELEASE: frozenset({Role.WRITER, Role.REVIEWER}),
        Action.START_REVIEW: frozenset({Role.REVIEWER}),
        Action.RETURN: frozenset({Role.REVIEWER}),
        Action.FINALISE: frozenset({Role.REVIEWER}),
        Action.ISSUE_PRELIMINARY: frozenset({Role.WRITER, Role.REVIEWER}),
        Action.ISSUE_ALONE: frozenset({Role.REVIEWER}),
        Action.AMEND: frozenset({Role.REVIEWER}),
        Action.ABANDON_AMENDMENT: frozenset({Role.WRITER, Role.REVIEWER}),
        Action.PROPOSE_REVOCATION: frozenset({Role.REVIEWER}),
        Action.REVOKE: frozenset({Role.CONSORTIUM_ADMIN}),
        Action.REOPEN: frozenset({Role.REVIEWER, Role.DISPATCHER}),
        Action.ARCHIVE: frozenset({Role.CONSORTIUM_ADMIN}),
    }
)
"""Roles for the actions of people; a reviewer may also write, but never review what he wrote."""

_BY_HOLDER: Final = frozenset(
    {
        Action.SAVE_DRAFT,
        Action.SUBMIT,
        Action.RELEASE,
        Action.RETURN,
        Action.FINALISE,
        Action.ISSUE_PRELIMINARY,
        Action.ISSUE_ALONE,
        Action.ABANDON_AMENDMENT,
    }
)
_FIRST_REPORT: Final = frozenset({Action.ISSUE_PRELIMINARY, Action.ISSUE_ALONE})
_UNDER_REVIEW: Final = frozenset({State.WRITTEN, State.PRELIM_ISSUED, State.REVIEWING})
_BY_OTHER_THAN_WRITER: Final = frozenset({Action.START_REVIEW, Action.RETURN, Action.FINALISE})


def check(item: Workitem, action: Action, scope: Scope) -> State:
    """Return the state after a person's `action` on `item`.

    Raises:
        Problem: 403 for the role or for reviewing one's own report; 409 when
            the state does not allow it or somebody else holds the item.
    """
    scope.require(*ROLES[action])
    if (
        action in _BY_OTHER_THAN_WRITER
        and item.writer_id == scope.person_id
        and item.state in _UNDER_REVIEW
    ):
        raise Problem(
            HTTPStatus.FORBIDDEN,
            "self-review",
            "You wrote this report, so you cannot review it",
            expected="a reviewer other than the writer",
            remedy="Leave it for another reviewer.",
        )
    after = _after(item, action)
    if after is None:
        raise conflict(
            "wrong-state",
            f"'{action.value}' is not possible now",
            expected=" or ".join(
                state.value for state in State if next_state(state, action) is not None
            ),
            found=item.state,
            remedy="Reload: somebody may have gone on with it.",
        )
    held_by_other = item.holder_id is not None and item.holder_id != scope.person_id
    if held_by_other and action not in _BY_HOLDER:
        raise conflict(
            "held-by-other",
            "Another doctor is working on this",
            remedy="Choose another one, or ask the dispatcher.",
        )
    if (
        action in _BY_HOLDER
        and item.holder_id != scope.person_id
        and not _releases_return(item, action, scope)
    ):
        raise conflict(
            "not-holder",
            "You do not hold this workitem (any more)",
            remedy="Claim it again; your draft is kept.",
        )
    return after


def allowed_actions(item: Workitem, scope: Scope, *, alone: bool = False) -> list[Action]:
    """Return the actions a person may take on `item` now, in the table's order.

    alone: whether one signature is enough for it now.
    """
    allowed: list[Action] = []
    for action, roles in ROLES.items():
        # Refusals are worded, which takes longer than everything else of a line.
        if roles.isdisjoint(scope.roles) or _after(item, action) is None:
            continue
        if action is Action.ISSUE_ALONE and not alone:
            continue
        try:
            check(item, action, scope)
        except Problem:
            continue
        allowed.append(action)
    return allowed


def _after(item: Workitem, action: Action) -> State | None:
    """Return the next state, where an amendment and a first report go the same road."""
    if action is Action.FINALISE and item.amending:
        return next_state(item.state, Action.ISSUE_AMENDMENT)
    if action is Action.ABANDON_AMENDMENT and not item.amending:
        return None
    if action in _FIRST_REPORT and item.report_stands:
        return None
    if action is Action.ISSUE_ALONE and item.lane is not Lane.ECG:
        return None
    return next_state(item.state, action)


def _releases_return(item: Workitem, action: Action, scope: Scope) -> bool:
    return (
        action is Action.RELEASE
        and item.state == State.RETURNED
        and item.writer_id == scope.person_id
    )
