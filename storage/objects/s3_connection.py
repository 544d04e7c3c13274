"""How an S3 store is reached: its address, the SDK's client, and errors in our own words."""

import contextlib
import re
import socket
from collections.abc import Generator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs, unquote, urlsplit

import urllib3
from minio import Minio
from minio.error import MinioException, S3Error, ServerError
from urllib3.exceptions import HTTPError

from storage.objects.contract import (
    InvalidObjectStoreUrl,
    ObjectKey,
    ObjectStoreUnavailable,
    not_found,
)

if TYPE_CHECKING:
    from urllib3 import BaseHTTPResponse

_CONNECT_SECONDS: Final = 5
_READ_SECONDS: Final = 60
_CONNECTIONS: Final = 32
_RETRIES: Final = 3
# A store that has said nothing for a minute says nothing in the next ones either, and a person may
# be waiting.
_RETRIES_IN_SILENCE: Final = 1
_BACKOFF_SECONDS: Final = 0.2
# A machine that lost its power or its cable closes nothing: with these, who waits for its answer or
# sends to it learns of it after 19 s. In the words of tcp(7); elsewhere, what is known there.
LIVENESS: Final = {
    "TCP_KEEPIDLE": 10,
    "TCP_KEEPINTVL": 3,
    "TCP_KEEPCNT": 3,
    "TCP_USER_TIMEOUT": 19_000,
}
_BUSY: Final = (500, 502, 503, 504)
_REMEDY: Final = (
    "See that the S3 store runs and can be reached from this machine; the call can be repeated."
)
_REMEDIES: Final = {
    "AccessDenied": "Check key and secret in RDC_OBJECT_STORE_URL and their rights in the bucket.",
    "InvalidAccessKeyId": "Check the key in RDC_OBJECT_STORE_URL.",
    "SignatureDoesNotMatch": "Check the secret in RDC_OBJECT_STORE_URL and both machines' clocks.",
    "RequestTimeTooSkewed": "Set the clocks of both machines; S3 signatures carry the time.",
    "NoSuchBucket": "The bucket has gone; restore it, or restart the service to make an empty one.",
}
# As AWS has it; other stores take no less.
_BUCKET: Final = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_SWITCHES: Final = {"0": False, "1": True}
_OPTIONS: Final = frozenset({"secure", "region", "conditional_writes", "ca"})


@dataclass(frozen=True, slots=True)
class S3Config:
    """Where an S3 store is and how to speak with it.

    endpoint: host and port.
    secure: TLS, verified against `authorities`.
    conditional_writes: whether the store honours `If-None-Match` on writes;
        None finds it out at start.
    authorities: a file of PEM certificates; None: those known to Python.
    """

    endpoint: str
    bucket: str
    access_key: str
    secret_key: str = field(repr=False)
    secure: bool = True
    region: str = "us-east-1"
    conditional_writes: bool | None = None
    authorities: str | None = None


def parse_s3_url(url: str) -> S3Config:
    """Return what an address says.

    s3://KEY:SECRET@host:port/bucket?secure=0|1&region=us-east-1&conditional_writes=0|1&ca=/x.pem

    Raises:
        InvalidObjectStoreUrl: a part is missing or unknown; the error does not
            repeat the secret.
    """
    parts = urlsplit(url)
    options = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    try:
        host, port, bucket = parts.hostname or "", parts.port, parts.path.strip("/")
        secure = _SWITCHES[options.get("secure", "1")]
        conditional = options.get("conditional_writes")
        conditional_writes = None if conditional is None else _SWITCHES[conditional]
    except (ValueError, KeyError):
        # Not chained: the original message may hold a piece of the secret.
        raise _invalid_url() from None
    complete = parts.scheme == "s3" and parts.username and parts.password and host and bucket
    if not complete or not _BUCKET.fullmatch(bucket) or options.keys() - _OPTIONS:
        raise _invalid_url()
    name = f"[{host}]" if ":" in host else host
    return S3Config(
        endpoint=f"{name}:{port}" if port else name,
        bucket=bucket,
        access_key=unquote(parts.username or ""),
        secret_key=unquote(parts.password or ""),
        secure=secure,
        region=options.get("region", "us-east-1"),
        conditional_writes=conditional_writes,
        authorities=options.get("ca"),
    )


class S3Connection:
    """One bucket of one store, and the SDK's client for it; safe to share between threads."""

    def __init__(self, config: S3Config) -> None:
        self.config = config
        self.bucket = config.bucket
        self.client = self._client(urllib3.PoolManager)

    def create_only_client(self) -> Minio:
        """Return a client whose writes fail with `PreconditionFailed` where an object exists."""
        return self._client(_CreateOnlyPool)

    @contextlib.contextmanager
    def mapped(
        self, what: str, key: ObjectKey | None = None, *, passing: str = ""
    ) -> Generator[None]:
        """Turn the SDK's errors into ours.

        what: begins the error's sentence.
        key: with it, `NoSuchKey` becomes `ObjectNotFound`.
        passing: an S3 error code that goes through for the caller to judge.
        """
        try:
            yield
        except S3Error as error:
            if error.code == passing:
                raise
            if key is not None and error.code == "NoSuchKey":
                raise not_found(key) from error
            raise self._unavailable(
                what, f"S3 error {error.code}", _REMEDIES.get(error.code or "", _REMEDY)
            ) from error
        except ServerError as error:
            raise self._unavailable(what, f"HTTP status {error.status_code}", _REMEDY) from error
        except (MinioException, HTTPError) as error:
            raise self._unavailable(what, type(error).__name__, _REMEDY) from error

    def _unavailable(self, what: str, found: str, remedy: str) -> ObjectStoreUnavailable:
        return ObjectStoreUnavailable(
            what,
            expected=f"an S3 answer from {self.config.endpoint}, bucket {self.bucket}",
            found=found,
            remedy=remedy,
        )

    def _client(self, pool: type[urllib3.PoolManager]) -> Minio:
        return Minio(
            self.config.endpoint,
            access_key=self.config.access_key,
            secret_key=self.config.secret_key,
            secure=self.config.secure,
            region=self.config.region,
            http_client=pool(
                maxsize=_CONNECTIONS,
                # None: what the system believes.
                ca_certs=self.config.authorities,
                timeout=urllib3.Timeout(connect=_CONNECT_SECONDS, read=_READ_SECONDS),
                socket_options=_socket_options(),
                retries=urllib3.Retry(
                    total=_RETRIES,
                    read=_RETRIES_IN_SILENCE,
                    backoff_factor=_BACKOFF_SECONDS,
                    status_forcelist=_BUSY,
                    # The last answer is returned, so that the SDK finds the S3 error code in it.
                    raise_on_status=False,
                ),
            ),
        )


def _socket_options() -> list[tuple[int, int, int]]:
    return [
        (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),
        (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
        *(
            (socket.IPPROTO_TCP, int(getattr(socket, name)), value)
            for name, value in LIVENESS.items()
            if hasattr(socket, name)
        ),
    ]


class _CreateOnlyPool(urllib3.PoolManager):
    """Connections over which no object is ever overwritten.

    The SDK has no argument for `If-None-Match`, and the header needs no
    signature, so it is added on the way out: to the request that makes an
    object visible, not to the parts that lead up to it.
    """

    def urlopen(self, method: str, url: str, *args: Any, **kw: Any) -> "BaseHTTPResponse":  # noqa: ANN401  # as urllib3 has it
        """Send a request as `urllib3.PoolManager` does, writes of objects only when new."""
        query = parse_qs(urlsplit(url).query, keep_blank_values=True)
        completes = method == "POST" and "uploadId" in query
        if completes or (method == "PUT" and "partNumber" not in query):
            kw["headers"] = urllib3.HTTPHeaderDict(kw["headers"])
            kw["headers"]["If-None-Match"] = "*"
        return super().urlopen(method, url, *args, **kw)


def _invalid_url() -> InvalidObjectStoreUrl:
    return InvalidObjectStoreUrl(
        "address of the S3 object store cannot be used",
        expected="s3://KEY:SECRET@host:port/bucket?secure=0|1, key and secret percent-encoded",
        found="something else, not shown because it holds a secret",
        remedy="Correct RDC_OBJECT_STORE_URL.",
    )
