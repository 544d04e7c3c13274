"""The viewer's addresses: its page for those who may see images, its settings, its files."""

from http import HTTPStatus
from pathlib import Path
from typing import Annotated, Final
from uuid import UUID

from fastapi import Depends, FastAPI, Request
from fastapi.responses import FileResponse, RedirectResponse, Response

from reading_worklist.access.scope import Scope
from reading_worklist.dicomweb.requests import IMAGE_ROLES
from reading_worklist.problems import Problem, not_found
from reading_worklist.services import Asking, Parts, Services, current_scope
from reading_worklist.shares.guests import COOKIE as GUEST_COOKIE
from reading_worklist.shares.guests import Guest, guest_of
from reading_worklist.viewer.files import FilesInMemory
from reading_worklist.viewer.notice import notice, require_studies, wants_page
from reading_worklist.viewer.package import (
    KEPT_MAX,
    MEDIA_TYPES,
    PREFIX,
    SAFE_HEADERS,
    ViewerPackage,
    asset_response,
    cache_control,
    make_asset,
    media_type,
)
from reading_worklist.viewer.packed_files import PackedFiles

SIGN_IN: Final = "/sign-in"
SHARE: Final = "/share"
WORKLIST: Final = "/"


def install(app: FastAPI, directory: Path, kept: Path | None) -> None:
    """Serve the viewer built into `directory` at `PREFIX`; its page and settings need a session.

    kept: where its packed files are kept from one start to the next.
    """
    packed = PackedFiles(kept)
    package = ViewerPackage(directory, packed)
    app.add_middleware(FilesInMemory, package=package)

    @app.get(PREFIX, include_in_schema=False)
    @app.get(f"{PREFIX}/", include_in_schema=False)
    def start(request: Request) -> Response:  # pyright: ignore[reportUnusedFunction] -- registered by the decorator
        """Lead to the studies that the query names; without one, to the worklist."""
        if "StudyInstanceUIDs" not in request.query_params:
            return RedirectResponse(WORKLIST, HTTPStatus.SEE_OTHER)
        return RedirectResponse(f"{PREFIX}/viewer?{request.url.query}", HTTPStatus.SEE_OTHER)

    @app.get(f"{PREFIX}/app-config.js", include_in_schema=False)
    def settings(request: Request, _who: Annotated[object, Depends(_viewer)]) -> Response:  # pyright: ignore[reportUnusedFunction] -- registered by the decorator
        """Return the viewer's settings."""
        file = Path(__file__).with_name("config.js")
        return asset_response(request, make_asset(file.name, file.read_bytes(), packed))

    @app.get(f"{PREFIX}/{{path:path}}", include_in_schema=False)
    def resource(request: Request, services: Parts, path: str) -> Response:  # pyright: ignore[reportUnusedFunction] -- registered by the decorator
        """Return a file of the package, or its page for the addresses that it routes itself."""
        try:
            return _resource(package, request, services, path)
        except Problem as problem:
            # A browser shows the answer in the viewer's place: a person reads it.
            if problem.status == HTTPStatus.UNAUTHORIZED or not wants_page(request):
                raise
            return notice(request, problem)


def _resource(package: ViewerPackage, request: Request, services: Services, path: str) -> Response:
    files = package.files()
    if path in files and path != "index.html":
        file = files[path]
        if file.stat().st_size > KEPT_MAX:
            headers = SAFE_HEADERS | {"Cache-Control": cache_control(path)}
            return FileResponse(file, media_type=media_type(path), headers=headers)
        return asset_response(request, package.asset(path))
    if path != "index.html" and Path(path).suffix in MEDIA_TYPES:
        raise not_found("The file")
    if "share" in request.query_params:
        try:
            guest_of(services, request, _share_id(request))
        except Problem:
            # The page of links says that it has ended.
            return RedirectResponse(SHARE, HTTPStatus.SEE_OTHER)
        return asset_response(request, package.asset("index.html"))
    try:
        scope = _image_viewer(current_scope(request, services))
    except Problem as problem:
        if problem.status != HTTPStatus.UNAUTHORIZED:
            raise
        return RedirectResponse(SIGN_IN, HTTPStatus.SEE_OTHER)
    if wants_page(request):
        with services.database.transaction() as session:
            require_studies(session, scope, request.url.query)
    return asset_response(request, package.asset("index.html"))


def _share_id(request: Request) -> UUID:
    try:
        return UUID(request.query_params["share"])
    except ValueError:
        raise not_found("The link") from None


def _viewer(request: Request, services: Parts) -> Scope | Guest:
    """Return who looks at images: somebody who came by a link, or a person of ours."""
    if GUEST_COOKIE in request.cookies:
        try:
            return guest_of(services, request)
        except Problem:
            # Its visit is over, and he may be signed in.
            pass
    return _image_viewer(current_scope(request, services))


def _image_viewer(scope: Asking) -> Scope:
    scope.require(*IMAGE_ROLES)
    return scope
