"""The object store: immutable bytes under keys, on a filesystem or on S3.

`open_object_store` is how the rest of the house gets one; what it promises
stands in `storage.objects.contract`.
"""

from urllib.parse import urlsplit

from storage.objects.contract import (
    InvalidObjectKey,
    InvalidObjectStoreUrl,
    ObjectConflict,
    ObjectKey,
    ObjectNotFound,
    ObjectStore,
    ObjectStoreError,
    ObjectStoreUnavailable,
    SourceTruncated,
    StoredObject,
)
from storage.objects.filesystem import FilesystemObjectStore

__all__ = [
    "FilesystemObjectStore",
    "InvalidObjectKey",
    "InvalidObjectStoreUrl",
    "ObjectConflict",
    "ObjectKey",
    "ObjectNotFound",
    "ObjectStore",
    "ObjectStoreError",
    "ObjectStoreUnavailable",
    "SourceTruncated",
    "StoredObject",
    "open_object_store",
]


def open_object_store(url: str) -> ObjectStore:
    """Return the store at `url`, made when it does not exist yet.

    file:///absolute/path
    s3://KEY:SECRET@host:port/bucket?secure=0|1&region=us-east-1&ca=/path/of.pem

    Key and secret are percent-encoded where they hold reserved characters;
    `secure` (TLS) is 1 unless given; `ca` names who may vouch for the store.

    Raises:
        InvalidObjectStoreUrl: the address cannot be used; the error does not
            repeat the secret.
        ObjectStoreUnavailable: the folder of a `file://` address cannot be used. A store on S3 is
            reached at its first use; `check` tells whether it can be.
    """
    scheme = urlsplit(url).scheme
    if scheme == "file":
        return FilesystemObjectStore.from_url(url)
    if scheme == "s3":
        from storage.objects.s3 import S3ObjectStore  # noqa: PLC0415 -- its SDK, where it is used

        return S3ObjectStore.from_url(url)
    raise InvalidObjectStoreUrl(
        "address of the object store has an unknown kind",
        expected="file:///absolute/path or s3://KEY:SECRET@host:port/bucket",
        found=repr(scheme[:20]),
        remedy="Correct RDC_OBJECT_STORE_URL.",
    )
