"""pyHanko's signer for a key that somebody else keeps: each value it gives back is checked.

A token that was exchanged, or a service that answers for another key, gives a value that no
certificate of ours explains. The report would be signed and worth nothing; so it is not signed.
"""

import asyncio
from collections.abc import Callable
from typing import Any, Final, cast

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from pyhanko.sign.signers import Signer as CmsSigner
from pyhanko_certvalidator.registry import SimpleCertificateStore
from typing_extensions import override

from reading_worklist.signing.errors import KeyUnavailable
from reading_worklist.signing.pdf_objects import asn1_of

_HASHES: Final[dict[str, hashes.HashAlgorithm]] = {
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
}
# Two integers of the curve's size in DER: their own heads, and the head of the pair.
_DER_HEADS: Final = 9

Sign = Callable[[bytes, str], bytes]
"""Signs data with a digest of that name; returns the value as X.509 writes it."""


class OutsideSigner(CmsSigner):
    """Has `sign` do the signing, in a thread, and believes nothing of it."""

    def __init__(self, chain: tuple[x509.Certificate, ...], sign: Sign) -> None:
        person, *issuers = (asn1_of(one) for one in chain)
        super().__init__(
            signing_cert=person,
            cert_registry=cast("Any", SimpleCertificateStore).from_certs(issuers),
            embed_roots=True,
        )
        self._certificate = chain[0]
        self._sign = sign

    @override
    async def async_sign_raw(
        self,
        data: bytes,
        digest_algorithm: str,
        dry_run: bool = False,
    ) -> bytes:
        """Return the signature value; with `dry_run` as many bytes as it may have."""
        if dry_run:
            return bytes(_longest(self._certificate))
        value = await asyncio.to_thread(self._sign, data, digest_algorithm)
        if not matches(self._certificate, value, data, digest_algorithm):
            raise KeyUnavailable(
                "what signed is not the key of the certificate on record",
                expected=f"the key of certificate {self._certificate.serial_number:X}",
                remedy="Insert your own token, or ask the administrator which key is yours.",
            )
        return value


def matches(certificate: x509.Certificate, value: bytes, data: bytes, digest: str) -> bool:
    """Tell whether a value is the signature of this certificate's key over the data."""
    key, algorithm = certificate.public_key(), _HASHES[digest.lower()]
    try:
        if isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(value, data, ec.ECDSA(algorithm))
        elif isinstance(key, rsa.RSAPublicKey):
            key.verify(value, data, padding.PKCS1v15(), algorithm)
        else:
            return False
    except InvalidSignature:
        return False
    return True


def _longest(certificate: x509.Certificate) -> int:
    key = certificate.public_key()
    if isinstance(key, ec.EllipticCurvePublicKey):
        return 2 * ((key.key_size + 7) // 8) + _DER_HEADS
    return (key.key_size + 7) // 8 if isinstance(key, rsa.RSAPublicKey) else 0
