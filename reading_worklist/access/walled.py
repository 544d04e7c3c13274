"""Every request begins behind the second wall, as nobody's."""

from starlette.types import ASGIApp, Receive, Send
from starlette.types import Scope as Connection

from storage.walls import no_sites_yet


class Walled:
    """ASGI middleware around all that may ask the database.

    Until the request has said whose it is (`services.resumed_scope`, `machines.machine_for`) its
    transactions see no site's rows: a route that forgot to ask shows nothing.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Connection, receive: Receive, send: Send) -> None:
        """Answer the request; start and end of the application are nobody's request."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        with no_sites_yet():
            await self._app(scope, receive, send)
