"""Which requests may be answered by a standby of the database, and that no one of them fails by it.

A standby answers only what it knows as well as the primary does (`storage.standby`): nobody sees
anything older there. Even so a request has to be written down here to go there; what has no row is
the primary's, and so is everything that decides: who is signed in and what he may see, every
change, and what a change looks at first.

A row is worth it where an answer takes the database longer than the two questions that the road to
the standby costs, and it may only read: what it wrote would be refused. A test asks each of them.
"""

import re
from typing import Final

from sqlalchemy.exc import SQLAlchemyError
from starlette.types import ASGIApp, Message, Receive, Send
from starlette.types import Scope as Connection

from storage.standby import attempt

_ROOT: Final = "/dicom-web(/sites/[^/]+|/readings/[^/]+)?"

ROUTES: Final[tuple[str, ...]] = (
    # QIDO-RS and UPS-RS: conditions of every kind, counted and sorted.
    f"{_ROOT}/(studies|series|instances)",
    f"{_ROOT}/studies/[^/]+/(series|instances|series/[^/]+/instances)",
    "/dicom-web(/sites/[^/]+)?/workitems",
    # Lists with their counts, of thousands of exams for hundreds of people.
    r"/api/(workitems|worklist/(lines|views|board)|readers)",
    r"/api/ledger(/counts|\.csv)?",
    r"/api/(deliveries|delivery-queues|orders|quarantine|preliminary-reports|ecg-files)",
    r"/api/portal/(home|exams|recalls|statistics(/exams|\.csv)?)",
    r"/api/ecg/emergency/indicators(/exams)?",
)
"""Addresses of GET requests: regular expressions for the whole of a path."""

_MAY: Final = re.compile("|".join(ROUTES))
_FAILED: Final = 500


def may_be_at_standby(method: str, path: str) -> bool:
    """Tell whether the reads of a request may go to a standby.

    >>> may_be_at_standby("GET", "/api/ledger"), may_be_at_standby("GET", "/api/session")
    (True, False)
    """
    return method == "GET" and _MAY.fullmatch(path) is not None


class AgainAtPrimary:
    """ASGI middleware that answers a request anew when the standby failed in the middle of it.

    A standby dies, or ends a query that stands in the way of its replay (PostgreSQL 18, §26.4.2).
    What went there only read, so it may be done again; the answer of the first time is not sent.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Connection, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http" or scope["method"] not in {"GET", "HEAD"}:
            await self._app(scope, receive, send)
            return
        before = dict(scope)
        has_begun = withheld = False
        with attempt() as tried:

            async def sending(message: Message) -> None:
                nonlocal has_begun, withheld
                if message["type"] == "http.response.start":
                    withheld = tried.failed and message["status"] >= _FAILED
                    has_begun = not withheld
                if not withheld:
                    await send(message)

            try:
                await self._app(scope, receive, sending)
            except SQLAlchemyError:
                if has_begun or not tried.failed:
                    raise
                withheld = True
            if withheld:
                # What the first time has found out: its route, its sites.
                scope.clear()
                scope.update(before)
                # Within the same attempt everything is now at the primary.
                await self._app(scope, receive, send)
