"""Lines of the worklist as JSON, made once for all who see the same rows.

What a person may do with a workitem is the only thing in a line that is his own. It follows from
his roles, but for who holds it or has written it (`workitems.rules`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from pydantic_core import to_json

from reading_worklist.access.scope import Scope
from reading_worklist.workitems.rules import allowed_actions
from reading_worklist.workitems.states import State
from reading_worklist.workitems.tables import Workitem
from reading_worklist.worklist.schemas import WorkitemPage, WorklistLine
from storage.registry import Role

_Roles = frozenset[Role]


@dataclass(frozen=True, slots=True)
class SharedLine:
    """A workitem's line; `view` has no actions, which `json` adds for whoever asks."""

    view: WorklistLine
    item: Workitem
    _encoded: bytes
    _by_roles: dict[_Roles, bytes] = field(default_factory=dict[_Roles, bytes])

    @property
    def involved(self) -> tuple[UUID | None, UUID | None]:
        """Who has something to do with it, so that his line is his own."""
        return self.item.holder_id, self.item.writer_id

    def json(self, scope: Scope) -> bytes:
        """Return the `WorklistLine` that a person sees."""
        if scope.person_id in self.involved:
            return self._made(scope)
        found = self._by_roles.get(scope.roles)
        if found is None:
            found = self._by_roles[scope.roles] = self._made(scope)
        return found

    def _made(self, scope: Scope) -> bytes:
        actions = to_json([action.value for action in allowed_actions(self.item, scope)])
        return b'%b,"actions":%b}' % (self._encoded, actions)


def shared(view: WorklistLine, item: Workitem) -> SharedLine:
    """Return the line of `item`, which stays as it is from now on."""
    return SharedLine(view, item, view.model_dump_json(exclude={"actions"}).encode()[:-1])


def json_of(lines: Sequence[SharedLine], scope: Scope) -> bytes:
    """Return lines as a person sees them, as a JSON array."""
    return b"[%b]" % b",".join(line.json(scope) for line in lines)


@dataclass(frozen=True, slots=True)
class SharedPage:
    """A page of the worklist for all who see the same rows; see `WorkitemPage`."""

    items: Sequence[SharedLine]
    total: int
    page: int
    page_size: int
    counts: Mapping[State, int]
    counts_exact: bool
    next: str | None
    now: datetime
    _by_roles: dict[_Roles, bytes] = field(default_factory=dict[_Roles, bytes])

    def json(self, scope: Scope) -> bytes:
        """Return the `WorkitemPage` that a person sees."""
        if any(scope.person_id in line.involved for line in self.items):
            return self._made(scope)
        found = self._by_roles.get(scope.roles)
        if found is None:
            found = self._by_roles[scope.roles] = self._made(scope)
        return found

    def _made(self, scope: Scope) -> bytes:
        around = WorkitemPage.model_construct(
            items=[],
            total=self.total,
            page=self.page,
            page_size=self.page_size,
            counts=dict(self.counts),
            counts_exact=self.counts_exact,
            next=self.next,
            now=self.now,
        ).model_dump_json(exclude={"items"})
        return b'%b,"items":%b}' % (around.encode()[:-1], json_of(self.items, scope))
