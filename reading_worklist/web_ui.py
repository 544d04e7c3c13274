"""The built web UI at `/`.

Hashed assets are kept for ever; the page answers every address that is not ours. It is made anew
for each answer, so that its style elements can be told from strangers' ones.
"""

from pathlib import Path
from typing import Final

from fastapi import FastAPI
from fastapi.responses import FileResponse, HTMLResponse, Response

from reading_worklist import safe_headers
from reading_worklist.problems import not_found

_OURS: Final = ("api", "dicom-web", "viewer", "fhir", "pki", "healthz", "readyz", "metrics")
_CHECKED: Final = {"Cache-Control": "no-cache"}
_FOREVER: Final = {"Cache-Control": "public, max-age=31536000, immutable"}
# What the build writes where each answer has a value of its own; see vite.config.ts.
_NONCE: Final = "RDC_CSP_NONCE"


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
        if path != "index.html" and path and file.is_file() and file.is_relative_to(root):
            return FileResponse(file, headers=_FOREVER if path.startswith("assets/") else _CHECKED)
        if path.startswith("assets/") or not (root / "index.html").is_file():
            raise not_found("The file")
        nonce = safe_headers.new_nonce()
        # Kept by nobody: an answer "not modified" would bring another nonce to the old page.
        return HTMLResponse(
            (root / "index.html").read_text("utf-8").replace(_NONCE, nonce),
            headers={
                "Cache-Control": "no-store",
                "Content-Security-Policy": safe_headers.page_policy(nonce),
            },
        )
