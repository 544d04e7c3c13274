"""The built viewer of the npm package @ohif/app, moved below `PREFIX` as it is served.

The package is built for the root of a server. Three things say so: the page's
links and `window.PUBLIC_URL`, the style sheets' `url(/…)`, and webpack's public
path in each bundle that loads others. They are rewritten on the way out; nothing
on disk changes, and a package that is built otherwise is refused with a sentence.
"""

import base64
import hashlib
import re
import threading
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Final

from fastapi import Request
from fastapi.responses import Response

from reading_worklist.dicomweb.responses import wants_gzip
from reading_worklist.problems import Problem
from reading_worklist.viewer.packed_files import PackedFiles

PREFIX: Final = "/viewer"

MEDIA_TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/x-icon",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".map": "application/json",
    ".mjs": "text/javascript; charset=utf-8",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".wasm": "application/wasm",
    ".webapp": "application/json",
    ".woff2": "font/woff2",
    ".xml": "application/xml",
}
_PACKED: Final = frozenset(
    {".css", ".html", ".js", ".json", ".mjs", ".svg", ".wasm", ".webapp", ".xml"}
)
# Larger files (training runtimes, source maps) are rarely asked for and not kept in memory.
KEPT_MAX: Final = 20 << 20
_HASHED: Final = re.compile(r"(?:^|[./])[0-9a-f]{20}\.")
_PUBLIC_URL: Final = re.compile(r"(window\.PUBLIC_URL\s*=\s*)(['\"])/\2")
_PAGE_LINK: Final = re.compile(r"""((?:href|src|content)=["'])/(?!/)""")
_STYLE_LINK: Final = re.compile(rb"url\((['\"]?)/(?!/)")
_PUBLIC_PATH: Final = re.compile(rb"(\b__webpack_require__\.p\s*=\s*)([\"'])/\2")
_INLINE_SCRIPT: Final = re.compile(r"<script>(.*?)</script>", re.DOTALL)
_FOREVER: Final = "public, max-age=31536000, immutable"
_CHECKED: Final = "no-cache"
SAFE_HEADERS: Final = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin"}


@dataclass(frozen=True, slots=True)
class Asset:
    """A file of the viewer as it is sent; `packed` is the same in gzip."""

    plain: bytes
    packed: bytes | None
    media_type: str
    tag: str
    headers: dict[str, str]


class ViewerPackage:
    """The built viewer in a directory, its files rewritten for `PREFIX` and kept in memory."""

    def __init__(self, directory: Path, packed: PackedFiles) -> None:
        self._directory = directory
        self._packed = packed
        self._assets: dict[str, Asset] = {}
        self._files: dict[str, Path] | None = None
        self._lock = threading.Lock()

    def files(self) -> dict[str, Path]:
        """Return the package's files by their path below it.

        Only these are served, so that no request can name another file.

        Raises:
            Problem: 503 when the package is not installed or not built as expected.
        """
        with self._lock:
            if self._files is None:
                self._files = self._checked_files()
            return self._files

    def kept(self, path: str) -> Asset | None:
        """Return one of `files` that is in memory, without waiting; None when it is not."""
        return self._assets.get(path)

    def asset(self, path: str) -> Asset:
        """Return one of `files`, rewritten and packed.

        Raises:
            Problem: 503 as for `files`.
        """
        file = self.files()[path]
        with self._lock:
            kept = self._assets.get(path)
        if kept is None:
            # Two first requests may both make it: that costs a moment and changes nothing.
            kept = make_asset(path, file.read_bytes(), self._packed)
            with self._lock:
                self._assets[path] = kept
        return kept

    def _checked_files(self) -> dict[str, Path]:
        root = self._directory.resolve()
        files = {
            file.relative_to(root).as_posix(): file for file in root.rglob("*") if file.is_file()
        }
        page = files.get("index.html")
        bundles = [file for path, file in files.items() if path.startswith("app.bundle.")]
        loads = any(
            _PUBLIC_PATH.search(file.read_bytes()) for file in bundles if file.suffix == ".js"
        )
        if page is None or not loads or not _PUBLIC_URL.search(page.read_text("utf-8")):
            raise Problem(
                HTTPStatus.SERVICE_UNAVAILABLE,
                "viewer-not-installed",
                "The image viewer is not installed on this server",
                expected="the built viewer of the npm package @ohif/app, made for the path /",
                found="another build" if page else "no index.html",
                remedy="Run 'make setup' on the server.",
            )
        return files


def relocate_page(text: str) -> str:
    """Return the viewer's page with its links and its public URL below `PREFIX`."""
    text = _PUBLIC_URL.sub(rf"\1\2{PREFIX}/\2", text)
    return _PAGE_LINK.sub(rf"\1{PREFIX}/", text)


def relocate_style(data: bytes) -> bytes:
    """Return a style sheet with its links below `PREFIX`."""
    return _STYLE_LINK.sub(rb"url(\1" + PREFIX.encode() + b"/", data)


def relocate_script(data: bytes) -> bytes:
    """Return a bundle with webpack's public path below `PREFIX`."""
    return _PUBLIC_PATH.sub(rb"\1\2" + PREFIX.encode() + rb"/\2", data)


def make_asset(path: str, data: bytes, packer: PackedFiles) -> Asset:
    """Return a file of the package as it is sent: moved below `PREFIX`, tagged, and packed."""
    suffix = Path(path).suffix
    headers = SAFE_HEADERS | {"Cache-Control": cache_control(path), "Vary": "Accept-Encoding"}
    if path == "index.html":
        page = relocate_page(data.decode("utf-8"))
        headers["Content-Security-Policy"] = _content_security_policy(page)
        data = page.encode("utf-8")
    elif suffix == ".css":
        data = relocate_style(data)
    elif suffix in {".js", ".mjs"}:
        data = relocate_script(data)
    elif path == "manifest.json":
        data = data.replace(b'"/assets/', f'"{PREFIX}/assets/'.encode())
    packed = packer.pack(data) if suffix in _PACKED else None
    tag = f'"{hashlib.sha256(data).hexdigest()[:32]}"'
    return Asset(data, packed, media_type(path), tag, headers)


def asset_response(request: Request, asset: Asset) -> Response:
    """Return the answer to one who may have the asset; 304 when he has it already."""
    headers = asset.headers | {"ETag": asset.tag}
    if asset.tag[:-1] in request.headers.get("if-none-match", ""):
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    if asset.packed is not None and wants_gzip(request):
        headers |= {"Content-Encoding": "gzip", "ETag": f'{asset.tag[:-1]}-gzip"'}
        return Response(asset.packed, media_type=asset.media_type, headers=headers)
    return Response(asset.plain, media_type=asset.media_type, headers=headers)


def cache_control(path: str) -> str:
    """Files named after a hash of their content never change; all others are asked for again."""
    return _FOREVER if _HASHED.search(path) else _CHECKED


def media_type(path: str) -> str:
    """Return the Content-Type of a file of the package."""
    return MEDIA_TYPES.get(Path(path).suffix, "application/octet-stream")


def _content_security_policy(page: str) -> str:
    """Allow the page what the viewer needs and no other server.

    Its codecs are compiled at run time (WebAssembly and their glue's `new Function`).
    """
    hashes = " ".join(
        f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"
        for script in _INLINE_SCRIPT.findall(page)
    )
    return (
        f"default-src 'self'; script-src 'self' 'wasm-unsafe-eval' 'unsafe-eval' blob: {hashes}; "
        "worker-src 'self' blob:; style-src 'self' 'unsafe-inline'; font-src 'self' data:; "
        "img-src 'self' data: blob:; media-src 'self' blob:; connect-src 'self' data: blob:; "
        "object-src 'self' blob:; frame-src 'self' blob:; frame-ancestors 'self'; "
        "base-uri 'self'; form-action 'self'"
    )
