"""Making the bytes of a Part 10 file durable as an instance's object, before it is filed.

Its object begins as one that came over DIMSE does, with our record of the reception.
"""

import hashlib
import io
from datetime import timedelta
from typing import Any, BinaryIO, Final, cast

from typing_extensions import override

from storage import receptions
from storage.clock import utc_now
from storage.dicom_header import InstanceHeader, read_file_meta
from storage.index.received import ReceivedInstance, instance_key
from storage.objects import ObjectConflict, ObjectStore
from storage.receptions import Origin, Reception

_CHUNK: Final = 1 << 20


def put_instance(
    objects: ObjectStore,
    origin: Origin,
    header: InstanceHeader,
    file: BinaryIO,
    *,
    quiet: timedelta,
) -> ReceivedInstance:
    """Make the dataset durable under a head of ours, or find that it is there already.

    header: of the Part 10 file `file`. quiet: see `ReceivedInstance`.

    Raises:
        ObjectStoreUnavailable: the object store does not answer.
    """
    begin = header.dataset_offset
    digest, size = _digest(file, begin)
    now = utc_now()
    reception = Reception(origin, header.transfer_syntax_uid, now, size, digest, None)
    head = _head(header, reception)
    key = instance_key(origin.site_id, header.study_instance_uid, digest)
    file.seek(begin)
    source = cast("BinaryIO", io.BufferedReader(_Headed(head, file), _CHUNK))
    offset = len(head)
    try:
        objects.put(key, source, size=offset + size, content_type="application/dicom")
    except ObjectConflict:
        # The same dataset is there under another head: that one is as good.
        with objects.open(key) as kept:
            offset = read_file_meta(kept).dataset_offset
    pixels = header.pixel_data_offset
    return ReceivedInstance(
        header=header,
        site_id=origin.site_id,
        device_id=origin.device_id,
        transfer_syntax_uid=header.transfer_syntax_uid,
        object_key=key,
        object_size=offset + size,
        dataset_sha256=digest,
        dataset_offset=offset,
        pixel_data_offset=None if pixels is None else pixels - begin + offset,
        received_at=now,
        quiet=quiet,
    )


def _head(header: InstanceHeader, reception: Reception) -> bytes:
    made = receptions.head(
        reception.origin,
        header.sop_class_uid,
        header.sop_instance_uid,
        reception.transfer_syntax_uid,
    )
    return made.encoded[: made.record_at] + receptions.record(reception)


class _Headed(io.RawIOBase):
    """A file from where it stands, behind a head of other bytes."""

    def __init__(self, head: bytes, file: BinaryIO) -> None:
        super().__init__()
        self._head = head
        self._file = file

    @override
    def readable(self) -> bool:
        return True

    @override
    def readinto(self, buffer: Any, /) -> int:
        piece = self._head[: len(buffer)] or self._file.read(len(buffer))
        self._head = self._head[len(buffer) :]
        buffer[: len(piece)] = piece
        return len(piece)


def _digest(file: BinaryIO, offset: int) -> tuple[str, int]:
    """Return the SHA-256 of what follows `offset`, and its size."""
    file.seek(offset)
    digest = hashlib.sha256()
    size = 0
    while chunk := file.read(_CHUNK):
        digest.update(chunk)
        size += len(chunk)
    return digest.hexdigest(), size
