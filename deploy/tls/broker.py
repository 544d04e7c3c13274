"""TLS towards the broker, verified unless its address says otherwise.

Left alone, kombu encrypts and believes whoever answers, and takes the parameters of an address for
Redis only.
"""

import ssl
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

_PREFIX: Final = "ssl_"
_VERIFICATION: Final[Mapping[str, ssl.VerifyMode]] = {
    "none": ssl.CERT_NONE,
    "optional": ssl.CERT_OPTIONAL,
    "required": ssl.CERT_REQUIRED,
}


def broker_tls(url: str) -> tuple[str, dict[str, Any] | None]:
    """Return a broker's address without its TLS parameters, and them as Celery's broker_use_ssl.

    rediss:// and amqps:// take ssl_cert_reqs (none, optional, required: the default), ssl_ca_certs,
    ssl_certfile and ssl_keyfile. None for an address that is not encrypted.

    >>> broker_tls("amqps://mq.county/?ssl_ca_certs=/ca.pem")[0]
    'amqps://mq.county/'
    """
    parts = urlsplit(url)
    if parts.scheme not in {"rediss", "amqps"}:
        return url, None
    given = parse_qsl(parts.query)
    plain = urlunsplit(
        parts._replace(query=urlencode([one for one in given if not one[0].startswith(_PREFIX)]))
    )
    files = {
        name.removeprefix(_PREFIX): value
        for name, value in given
        if name in {"ssl_ca_certs", "ssl_certfile", "ssl_keyfile"}
    }
    verification = _VERIFICATION.get(dict(given).get("ssl_cert_reqs", ""), ssl.CERT_REQUIRED)
    if parts.scheme == "rediss":
        found: dict[str, Any] = {f"{_PREFIX}{name}": value for name, value in files.items()}
        verified = verification is not ssl.CERT_NONE
        return plain, {**found, "ssl_cert_reqs": verification, "ssl_check_hostname": verified}
    found = {**files, "cert_reqs": verification}
    if verification is not ssl.CERT_NONE:
        # The name is verified only where it is given.
        found["server_hostname"] = parts.hostname
    found["tls_minimum_version"] = ssl.TLSVersion.TLSv1_2
    return plain, found
