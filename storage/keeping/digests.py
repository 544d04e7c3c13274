"""The digest by which an object is known."""

import hashlib

from storage.dicom_header import read_file_meta
from storage.objects import ObjectKey, ObjectStore


def digest_of(objects: ObjectStore, key: ObjectKey, offset: int | None) -> tuple[str, int]:
    """Return the SHA-256 of an object from `offset` on, and of how many bytes.

    offset: None for what stands behind the file meta information (PS3.10 §7.1).

    Raises:
        ObjectNotFound: there is no such object.
        DatasetError: it has no file meta information to look behind.
    """
    if offset is None:
        with objects.open(key) as file:
            offset = read_file_meta(file).dataset_offset
    digest = hashlib.sha256()
    length = 0
    for piece in objects.stream(key, offset):
        digest.update(piece)
        length += len(piece)
    return digest.hexdigest(), length
