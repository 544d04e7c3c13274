"""Why an encrypted connection to a server of ours did not come about, in plain words.

Libraries say it in OpenSSL's words, libpq's, or inside three of their own errors, next to addresses
with passwords. Only what is recognised is told, in sentences that hold nothing of the error.
"""

import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, cast
from urllib.parse import parse_qs, urlsplit

# OpenSSL's X509_V_ERR_…: not yet valid, expired, other host name, other address.
_NOT_NOW: Final = frozenset({9, 10})
_OTHER_NAME: Final = frozenset({62, 64})
_DEEPEST: Final = 12


@dataclass(frozen=True, slots=True)
class TlsRefusal:
    """What stood in the way, and what a person does about it."""

    what: str
    remedy: str


UNTRUSTED: Final = TlsRefusal(
    "its certificate is of an authority that is not believed here",
    "Name the PEM file of the authority that issued it in RDC_CA_BUNDLE; ours is tls/ca.pem in the"
    " data directory. If it should be ours, somebody else may be answering: find out who.",
)
OTHER_NAME: Final = TlsRefusal(
    "its certificate is for other names than the one in its address",
    "Issue one for that name, `rdc tls issue NAME --host HOST`, or call it by a name that it has.",
)
NOT_NOW: Final = TlsRefusal(
    "its certificate is over, or not valid yet",
    "Renew it (`rdc tls renew`) and start the server again; look at the clocks of both machines.",
)
NO_TLS: Final = TlsRefusal(
    "it does not speak TLS there, and its address asks for it",
    "Turn TLS on at the server, or name the port where it is; do not take TLS out of the address.",
)
NO_FILE: Final = TlsRefusal(
    "the file of authorities that its address or RDC_CA_BUNDLE names is not there",
    "Copy the authority's certificate to this machine, where the setting says.",
)

# Of libpq and of socket libraries; OpenSSL 3 has the last of each.
_WORDS: Final = (
    ("does not match host name", OTHER_NAME),
    ("hostname mismatch", OTHER_NAME),
    ("ip address mismatch", OTHER_NAME),
    ("certificate has expired", NOT_NOW),
    ("certificate is not yet valid", NOT_NOW),
    ("root certificate file", NO_FILE),
    ("invalid ca_certs", NO_FILE),
    ("could not find a suitable tls ca certificate bundle", NO_FILE),
    ("certificate verify failed", UNTRUSTED),
    ("certificate_verify_failed", UNTRUSTED),
    ("server does not support ssl", NO_TLS),
    ("wrong version number", NO_TLS),
    ("wrong_version_number", NO_TLS),
    ("record layer failure", NO_TLS),
    ("handshake operation timed out", NO_TLS),
)


def speaks_tls(url: str) -> bool:
    """Tell whether an address of a server of ours asks for an encrypted connection.

    >>> speaks_tls("amqps://mq.county//"), speaks_tls("s3://k:s@store:8333/rdc?secure=0")
    (True, False)
    """
    parts = urlsplit(url)
    query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    if parts.scheme == "s3":
        return query.get("secure", "1") != "0"
    return parts.scheme in {"rediss", "amqps"} or "sslmode" in query


def refusal_of(error: BaseException, url: str) -> TlsRefusal | None:
    """Return what an error says about TLS, it or one that it was made from; None if nothing.

    url: the server's address.
    """
    if not speaks_tls(url):
        return None
    for one in _behind(error):
        if isinstance(one, ssl.SSLCertVerificationError):
            if one.verify_code in _OTHER_NAME:
                return OTHER_NAME
            return NOT_NOW if one.verify_code in _NOT_NOW else UNTRUSTED
    # The innermost first: those around it repeat its words, cut or with their own.
    for one in reversed(list(_behind(error))):
        if isinstance(one, FileNotFoundError):
            return NO_FILE
        said = str(one).lower()
        for words, refusal in _WORDS:
            if words in said:
                return refusal
    return None


def _behind(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and those that it was made from, by whatever name it keeps them."""
    seen: list[BaseException] = []
    waiting = [error]
    while waiting and len(seen) < _DEEPEST:
        one = waiting.pop(0)
        if any(one is other for other in seen):
            continue
        seen.append(one)
        yield one
        kept = (one.__cause__, one.__context__, *(getattr(one, name, None) for name in _KEPT))
        inner = (*kept, *cast("tuple[object, ...]", one.args))
        waiting += [other for other in inner if isinstance(other, BaseException)]


# SQLAlchemy's and urllib3's.
_KEPT: Final = ("orig", "reason")
