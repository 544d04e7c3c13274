"""The short road of the viewer's own files.

Opening one study asks for some sixty of them at once. They are the same for everybody and stay in
memory, yet each went through the comparison with every route and through a thread.
"""

from typing import Final

from fastapi import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from reading_worklist.viewer.package import PREFIX, ViewerPackage, asset_response

_BELOW: Final = f"{PREFIX}/"
_PAGE: Final = "index.html"


class FilesInMemory:
    """ASGI middleware that answers GET of the package's files that are in memory.

    Anything else goes on to `app`: files asked for the first time, and the page, which is for those
    who may see images.
    """

    def __init__(self, app: ASGIApp, *, package: ViewerPackage) -> None:
        self._app = app
        self._package = package

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        app = self._app
        if scope["type"] == "http" and scope["method"] == "GET":
            below, _, path = scope["path"].partition(_BELOW)
            kept = self._package.kept(path) if path != _PAGE and not below else None
            if kept is not None:
                app = asset_response(Request(scope), kept)
        await app(scope, receive, send)
