"""Making a bucket ready: that it exists, whether it honours conditions, and that it cleans up."""

import io
import logging
import secrets
from typing import Final

from minio.commonconfig import ENABLED, Filter
from minio.error import S3Error
from minio.lifecycleconfig import AbortIncompleteMultipartUpload, LifecycleConfig, Rule

from storage.objects.s3_connection import S3Connection

PROBE_PREFIX: Final = ".rdc-probe-"
"""Begins with a dot, so that it is no key of ours and never listed."""

_RULE_ID: Final = "rdc-abort-incomplete-uploads"
_ABORT_AFTER_DAYS: Final = 2

_log = logging.getLogger(__name__)


def prepare_bucket(connection: S3Connection) -> bool:
    """Make the bucket when there is none; return whether its store honours `If-None-Match`.

    A bucket without lifecycle rules gets one that removes the parts of uploads that were never
    completed; rules that are there stay as they are, and a store that has none is left alone.

    Raises:
        ObjectStoreUnavailable: the store cannot be reached or refuses.
    """
    with connection.mapped("object store cannot be opened"):
        if not connection.client.bucket_exists(connection.bucket):
            _make(connection)
        _clean_up(connection)
        known = connection.config.conditional_writes
        return _honours_conditions(connection) if known is None else known


def _make(connection: S3Connection) -> None:
    try:
        connection.client.make_bucket(connection.bucket)
    except S3Error as error:
        # Another process of ours was faster.
        if error.code not in {"BucketAlreadyOwnedByYou", "BucketAlreadyExists"}:
            raise


def _clean_up(connection: S3Connection) -> None:
    rule = Rule(
        ENABLED,
        rule_filter=Filter(prefix=""),
        rule_id=_RULE_ID,
        abort_incomplete_multipart_upload=AbortIncompleteMultipartUpload(
            days_after_initiation=_ABORT_AFTER_DAYS
        ),
    )
    try:
        if connection.client.get_bucket_lifecycle(connection.bucket) is None:
            connection.client.set_bucket_lifecycle(connection.bucket, LifecycleConfig([rule]))
    except S3Error as error:
        _log.warning(
            "the bucket has no rule that removes unfinished uploads; give it one",
            extra={"bucket": connection.bucket, "why": error.code},
        )


def _honours_conditions(connection: S3Connection) -> bool:
    """Write one object twice on condition that it is new, and see whether the store refuses."""
    name = PROBE_PREFIX + secrets.token_hex(8)
    writer = connection.create_only_client()
    writer.put_object(connection.bucket, name, io.BytesIO(b"1"), 1)
    try:
        writer.put_object(connection.bucket, name, io.BytesIO(b"2"), 1)
    except S3Error as error:
        if error.code != "PreconditionFailed":
            raise
        return True
    finally:
        connection.client.remove_object(connection.bucket, name)
    return False
