"""Files in gzip, packed once for all processes of a machine and all their starts.

Packing what one page of the viewer needs takes a second of a processor; each web process did it
again after each start, while its first reader waited.
"""

import gzip
import hashlib
import logging
import os
import tempfile
import zlib
from pathlib import Path
from typing import Final

_LEVEL: Final = 6
# CRC-32 and length of what was packed (RFC 1952 §2.3.1).
_TRAILER: Final = 8

_log = logging.getLogger(__name__)


class PackedFiles:
    """Packs files and keeps the result in a directory, named after what was packed."""

    def __init__(self, directory: Path | None) -> None:
        """Keep nothing without a `directory`; one that cannot be written costs time only."""
        self._directory = directory

    def pack(self, data: bytes) -> bytes:
        """Return `data` in gzip, the same each time."""
        if self._directory is None:
            return gzip.compress(data, _LEVEL, mtime=0)
        path = self._directory / f"{hashlib.sha256(data).hexdigest()}-{_LEVEL}.gz"
        trailer = zlib.crc32(data).to_bytes(4, "little") + (len(data) & 0xFFFFFFFF).to_bytes(
            4, "little"
        )
        try:
            kept = path.read_bytes()
            # What a crash left half written does not end so.
            if kept[-_TRAILER:] == trailer:
                return kept
        except OSError:
            pass
        packed = gzip.compress(data, _LEVEL, mtime=0)
        _keep(path, packed)
        return packed


def _keep(path: Path, packed: bytes) -> None:
    """Write a file that is whole or not there, whoever else writes it."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
            file.write(packed)
            file.flush()
            os.fsync(file.fileno())
        Path(file.name).replace(path)
    except OSError as error:
        _log.warning("packed files are not kept: %s in %s", error.strerror, path.parent)
