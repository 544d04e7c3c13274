"""What a scanner of headers and cookies would find in an answer; nothing is what is wanted."""

import re
from collections.abc import Iterable, Sequence
from http.cookies import SimpleCookie
from typing import Final

_PAGE: Final = ("cross-origin-opener-policy", "permissions-policy")
# Whoever fetches these shows nothing with them: their policy would be that of their workers.
_SCRIPTS: Final = ("text/javascript", "text/css", "application/wasm")
_BANNERS: Final = ("server", "x-powered-by", "via")


def faults(headers: Sequence[tuple[str, str]], *, tls: bool, viewer: bool = False) -> list[str]:
    """Return what is wrong with an answer's headers, in words.

    headers: names in lower case, each as often as it was sent. viewer: an answer of the image
        viewer, which compiles its codecs at run time and writes styles, and may.
    """
    found = [f"{name} is sent {n} times" for name, n in _counted(headers) if n > 1]
    said = dict(headers)
    kind = said.get("content-type", "").partition(";")[0]
    wanted = {
        "x-content-type-options": "nosniff",
        "referrer-policy": "same-origin",
        "cross-origin-resource-policy": "same-origin",
        **({"strict-transport-security": "max-age=31536000; includeSubDomains"} if tls else {}),
    }
    found += [f"{name}: {said.get(name)}" for name, at in wanted.items() if said.get(name) != at]
    found += [f"{name} tells what we are" for name in _BANNERS if name in said]
    if "cache-control" not in said or said["cache-control"].startswith("private, max-age"):
        found.append(f"cache-control: {said.get('cache-control')}")
    if not tls and "strict-transport-security" in said:
        found.append("strict-transport-security without TLS")
    if kind == "text/html":
        found += [f"no {name}" for name in _PAGE if name not in said]
    if kind not in _SCRIPTS:
        found += _policy_faults(said.get("content-security-policy", ""), kind, viewer=viewer)
    return found + _cookie_faults(
        (value for name, value in headers if name == "set-cookie"), tls=tls
    )


def _policy_faults(policy: str, kind: str, *, viewer: bool) -> list[str]:
    ways = {part.split()[0] for part in policy.split(";") if part.strip()}
    found: list[str] = []
    if "frame-ancestors" not in ways:
        found.append(f"anyone may frame it: {policy!r}")
    if kind != "application/pdf" and "default-src" not in ways:
        found.append(f"it may load what it likes: {policy!r}")
    if re.search(r"https?:|\*", policy):
        found.append(f"another server is let in: {policy!r}")
    # What styles itself and cannot run: drawings, and the viewer's page.
    if not viewer and kind != "image/svg+xml" and "'unsafe-" in policy:
        found.append(f"inline code is let in: {policy!r}")
    return found


def _cookie_faults(cookies: Iterable[str], *, tls: bool) -> list[str]:
    found: list[str] = []
    for text in cookies:
        for name, one in SimpleCookie(text).items():
            right = one["httponly"] and one["samesite"].lower() in {"strict", "lax"}
            if not right or (tls and not one["secure"]) or one["domain"]:
                found.append(f"cookie {name}: {text.replace(one.value, '…')}")
    return found


def _counted(headers: Sequence[tuple[str, str]]) -> list[tuple[str, int]]:
    names = [name for name, _ in headers if name != "set-cookie"]
    return [(name, names.count(name)) for name in dict.fromkeys(names)]
