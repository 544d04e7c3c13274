"""The built web UI at `/`.

Hashed assets are kept for ever; the page answers every address that is not ours.
"""

from pathlib import Path
from typing import Final

from fastapi import FastAPI
from fastapi.responses import FileResponse, Response

from reading_worklist.problems import not_found

_OURS: Final = ("api", "dicom-web", "viewer", "fhir", "pki", "healthz", "readyz", "metrics")
_PAGE_HEADERS: Final = {
    "Cache-Control": "no-cache",
    "Content-Security-Policy": (
        "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
        "frame-src 'self' blob:; object-src 'self' blob:; frame-ancestors 'self'; "
        "base-uri 'self'; form-action 'self'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
}
_FOREVER: Final = {
    "Cache-Control": "public, max-age=31536000, immutable",
    "X-Content-Type-Options": "nosniff",
}


def install(app: FastAPI, directory: Path) -> None:
    """Serve the UI built into `directory`.

    Add it after every other route, since it answers whatever is left.

    The pages route themselves in the browser, so an address without a file gets the same page.
    """
    root = directory.resolve()

    @app.get("/{path:path}", include_in_schema=False)
    def page(path: str) -> Response:  # pyright: ignore[reportUnusedFunction] -- registered by the decorator
        if path.split("/", 1)[0] in _OURS:
            raise not_found("The address")
        file = (root / path).resolve()
        if path and file.is_file() and file.is_relative_to(root):
            return FileResponse(
                file, headers=_FOREVER if path.startswith("assets/") else _PAGE_HEADERS
            )
        if path.startswith("assets/") or not (root / "index.html").is_file():
            raise not_found("The file")
        return FileResponse(root / "index.html", headers=_PAGE_HEADERS)
