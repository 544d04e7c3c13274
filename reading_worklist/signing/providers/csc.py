"""Keys with a signing service over HTTP: the API of the Cloud Signature Consortium, version 1.

Three of its calls are used, each a POST of JSON below the service's address:

- ``credentials/info``: the certificate chain of a credential, and whether its key is enabled;
- ``credentials/authorize``: the person's PIN against signature activation data (SAD);
- ``signatures/signHash``: the SAD and a digest against a signature value.

A wrong PIN is answered with status 400 and ``{"error": "invalid_pin"}``. The PIN goes to the
service once and is not kept; what signs is the SAD, for this request only. Mutual TLS, a bearer
token, or both say who we are.
"""

import base64
import binascii
import hashlib
import json
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final, cast

import httpx
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from pyhanko.sign import signers

from reading_worklist.signing.errors import KeyUnavailable
from reading_worklist.signing.providers.outside import OutsideSigner
from reading_worklist.signing.providers.port import PinRefused, StoredKey

# A preliminary report is signed together with the final one: one PIN, two documents.
_SIGNATURES: Final = 2
_ANSWER_MAX: Final = 256 << 10
_DIGESTS: Final = {
    "sha256": "2.16.840.1.101.3.4.2.1",
    "sha384": "2.16.840.1.101.3.4.2.2",
    "sha512": "2.16.840.1.101.3.4.2.3",
}
_ECDSA: Final = {
    "sha256": "1.2.840.10045.4.3.2",
    "sha384": "1.2.840.10045.4.3.3",
    "sha512": "1.2.840.10045.4.3.4",
}
_RSA: Final = "1.2.840.113549.1.1.1"


@dataclass(frozen=True, slots=True)
class SigningService:
    """How one service is reached.

    url: below which the calls are, such as https://host/csc/v1.
    trust: PEM of who may issue the service's TLS certificate; None: those of the system.
    certificate, key: PEM files with which we show who we are (mutual TLS).
    token_file: holds a bearer token; read for every call, so that it may be exchanged.
    timeout: seconds for each step of a call: to connect, to send, to receive.
    """

    url: str
    trust: Path | None = None
    certificate: Path | None = None
    key: Path | None = None
    token_file: Path | None = None
    timeout: float = 10.0


class SigningServices:
    """Opens keys with services. A stored key's place names the `service` and the `credential`."""

    def __init__(self, services: Mapping[str, SigningService]) -> None:
        """Use these services, by the names that places call them."""
        self._services = dict(services)

    def open(self, key: StoredKey, pin: str) -> signers.Signer:
        """Have the service authorise the person; see `KeyProvider`."""
        service = self._service(key.place)
        credential = key.place.get("credential", "")
        answer = _asked(
            service,
            "credentials/authorize",
            {"credentialID": credential, "numSignatures": _SIGNATURES, "PIN": pin},
        )
        activation = answer.get("SAD")
        if not isinstance(activation, str):
            raise _away("it gave no SAD")

        def sign(data: bytes, digest: str) -> bytes:
            signed = _asked(
                service,
                "signatures/signHash",
                {
                    "credentialID": credential,
                    "SAD": activation,
                    "hash": [
                        base64.b64encode(hashlib.new(digest.lower(), data).digest()).decode("ascii")
                    ],
                    "hashAlgo": _DIGESTS[digest.lower()],
                    "signAlgo": _algorithm(key.chain[0], digest.lower()),
                },
            )
            return _decoded(signed.get("signatures"))[0]

        return OutsideSigner(key.chain, sign)

    def chain(self, place: Mapping[str, str]) -> tuple[x509.Certificate, ...]:
        """Return the certificate chain of a credential, the person's first.

        Raises:
            KeyUnavailable: the service does not answer, or the credential cannot sign.
        """
        answer = _asked(
            self._service(place),
            "credentials/info",
            {"credentialID": place.get("credential", ""), "certificates": "chain"},
        )
        key, cert = answer.get("key"), answer.get("cert")
        enabled = isinstance(key, dict) and cast("Any", key).get("status") == "enabled"
        if not enabled or not isinstance(cert, dict):
            raise _away("the credential is not enabled")
        encoded = _decoded(cast("Any", cert).get("certificates"))
        try:
            return tuple(x509.load_der_x509_certificate(one) for one in encoded)
        except ValueError as error:
            raise _away("its certificates cannot be read") from error

    def _service(self, place: Mapping[str, str]) -> SigningService:
        found = self._services.get(place.get("service", ""))
        if found is None:
            raise KeyUnavailable(
                "the service that keeps the signing key is not set up",
                expected="one of " + (", ".join(sorted(self._services)) or "none"),
                found=place.get("service", ""),
                remedy="Ask the administrator to set RDC_SIGNING_SERVICES.",
            )
        return found


def _algorithm(certificate: x509.Certificate, digest: str) -> str:
    elliptic = isinstance(certificate.public_key(), ec.EllipticCurvePublicKey)
    return _ECDSA[digest] if elliptic else _RSA


def _asked(service: SigningService, call: str, body: Mapping[str, object]) -> Mapping[str, object]:
    """Make one call.

    Raises:
        PinRefused: the service says that the PIN is wrong.
        KeyUnavailable: anything else than the wanted answer.
    """
    try:
        headers = _headers(service)
        with (
            httpx.Client(timeout=service.timeout, verify=_tls(service), trust_env=False) as client,
            client.stream(
                "POST", f"{service.url.rstrip('/')}/{call}", json=dict(body), headers=headers
            ) as response,
        ):
            received = bytearray()
            for chunk in response.iter_bytes():
                received += chunk
                if len(received) > _ANSWER_MAX:
                    raise _away("its answer is too long")
        status = response.status_code
        answer = cast("object", json.loads(received))
    except (httpx.HTTPError, httpx.InvalidURL, ssl.SSLError, OSError) as error:
        raise _away(type(error).__name__) from error
    except ValueError as error:
        raise _away("its answer is no JSON") from error
    if not isinstance(answer, dict):
        raise _away("its answer is no JSON object")
    found = cast("dict[str, object]", answer)
    if status == HTTPStatus.BAD_REQUEST and found.get("error") == "invalid_pin":
        raise PinRefused
    if status != HTTPStatus.OK:
        said = found.get("error")
        raise _away(f"status {status}{f', {said}' if isinstance(said, str) else ''}")
    return found


def _headers(service: SigningService) -> dict[str, str]:
    if service.token_file is None:
        return {}
    return {"Authorization": f"Bearer {service.token_file.read_text(encoding='ascii').strip()}"}


def _tls(service: SigningService) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=service.trust and str(service.trust))
    if service.certificate is not None:
        context.load_cert_chain(service.certificate, service.key)
    return context


def _decoded(values: object) -> list[bytes]:
    items = cast("Sequence[object]", values) if isinstance(values, list) else ()
    try:
        found = [base64.b64decode(one, validate=True) for one in items if isinstance(one, str)]
    except (binascii.Error, ValueError) as error:
        raise _away("its answer is not base64") from error
    if not found:
        raise _away("its answer is empty")
    return found


def _away(why: str) -> KeyUnavailable:
    return KeyUnavailable(
        "the service that keeps the signing key does not sign",
        found=why,
        remedy="Try again in a moment; if it stays, tell your system administrator.",
    )
