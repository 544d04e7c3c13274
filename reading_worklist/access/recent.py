"""Scopes of sessions that were resumed a moment ago, for requests that come by the hundred."""

import threading
import time
from collections import OrderedDict
from typing import Final

from reading_worklist.access.scope import Scope

FRESH_SECONDS: Final = 1.0
_KEPT_MAX: Final = 4096


class RecentScopes:
    """Remembers for `FRESH_SECONDS` whose session a token is; thread-safe, bounded.

    So long may a role that was withdrawn, or a sign-out at another web
    process, have no effect on retrieval; a sign-out here has it at once.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._scopes: OrderedDict[tuple[str, str], tuple[float, Scope]] = OrderedDict()

    def recall(self, token: str, client: str) -> Scope | None:
        """Return the scope of a session that was resumed from `client` just now, else None."""
        found = self._scopes.get((token, client))
        return None if found is None or found[0] <= time.monotonic() else found[1]

    def note(self, token: str, client: str, scope: Scope) -> None:
        """Remember a session that was just resumed."""
        key = (token, client)
        with self._lock:
            self._scopes[key] = (time.monotonic() + FRESH_SECONDS, scope)
            self._scopes.move_to_end(key)
            while len(self._scopes) > _KEPT_MAX:
                self._scopes.popitem(last=False)

    def forget(self, token: str) -> None:
        """Forget a session that ends."""
        with self._lock:
            for key in [key for key in self._scopes if key[0] == token]:
                del self._scopes[key]
