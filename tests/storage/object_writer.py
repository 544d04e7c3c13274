"""A program that stores objects until it is killed, and says on stdout which ones are stored.

The content of each follows from its key, so that others can tell whether it is whole.
"""

import hashlib
import io
import itertools
import sys
from pathlib import Path

from storage.objects import ObjectKey, open_object_store

SIZES = (0, 10, 70_000, 3_000_000)


def content_of(key: str) -> bytes:
    """The bytes that belong under `key`, whose last part begins with their number."""
    size = int(key.rsplit("/", 1)[1].partition("-")[0])
    return (hashlib.sha256(key.encode()).digest() * (size // 32 + 1))[:size]


def main(url: str, run: str, scratch: Path) -> None:
    store = open_object_store(url)
    for number in itertools.count():
        key = ObjectKey(f"killed/{run}/{number % 7}/{SIZES[number % len(SIZES)]}-{number}")
        content = content_of(key)
        if number % 3 == 0:
            path = scratch / f"{run}-{number}"
            path.write_bytes(content)
            store.put_file(key, path)
            path.unlink()
        elif number % 3 == 1:
            store.put(key, io.BytesIO(content))
        else:
            store.put(key, content, size=len(content))
        sys.stdout.write(f"{key}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]))
