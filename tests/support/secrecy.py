"""Looks for what is of patients where nothing of a patient may stand: logs, traces, metrics."""

import json
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import quote


def leaked(secrets: Iterable[str], texts: dict[str, bytes]) -> dict[str, str]:
    """Return which of `texts`, by name, has which of `secrets`, as text or in an encoding of it."""
    return {
        f"{secret} as {form!r}": name
        for secret in secrets
        for form in _forms(secret)
        for name, text in texts.items()
        if form in text
    }


def logs_of(*folders: Path) -> dict[str, bytes]:
    """Everything below folders, by name; what was begun and is empty is left out."""
    files = [file for folder in folders for file in folder.rglob("*") if file.is_file()]
    texts = {file.name: file.read_bytes() for file in files}
    return {name: text for name, text in texts.items() if text}


def _forms(secret: str) -> set[bytes]:
    escaped = json.dumps(secret)[1:-1]
    return {
        secret.encode(),
        secret.encode("gb18030"),
        repr(secret.encode()).encode()[2:-1],
        repr(secret.encode("gb18030")).encode()[2:-1],
        quote(secret).encode(),
        escaped.encode(),
    }
