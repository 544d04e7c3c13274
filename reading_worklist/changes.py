"""What is alike wherever one thing of a total table of states is changed over HTTP."""

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Concatenate, ParamSpec, TypeVar
from uuid import UUID

from sqlalchemy.orm import Session

from reading_worklist.access.scope import Scope
from reading_worklist.problems import conflict
from reading_worklist.services import Services

_State = TypeVar("_State", bound=StrEnum)
_Action = TypeVar("_Action", bound=StrEnum)
_View = TypeVar("_View")
_P = ParamSpec("_P")


def changed(
    show: Callable[[UUID, Scope, Services], _View],
    subject_id: UUID,
    scope: Scope,
    services: Services,
    change: Callable[Concatenate[Session, Scope, UUID, _P], object],
    *arguments: _P.args,
    **named: _P.kwargs,
) -> _View:
    """Change one thing in a transaction of its own and return how it stands then.

    show: the route that returns it; called after the commit, so that nothing is locked meanwhile.

    Raises:
        Problem: of `change` and of `show`.
    """
    with services.database.transaction() as session:
        change(session, scope, subject_id, *arguments, **named)
    return show(subject_id, scope, services)


def state_after(
    transitions: Mapping[tuple[_State, _Action], _State | None], state: _State, action: _Action
) -> _State:
    """Return the state after `action`, by a total table.

    Raises:
        Problem: 409 when `state` does not allow it, naming the states that do.
    """
    after = transitions[state, action]
    if after is None:
        allowed = [
            before.value
            for (before, one), to in transitions.items()
            if one is action and to is not None
        ]
        raise conflict(
            "wrong-state",
            f"'{action.value}' is not possible now",
            expected=" or ".join(allowed),
            found=state.value,
            remedy="Reload: somebody may have gone on with it.",
        )
    return after
