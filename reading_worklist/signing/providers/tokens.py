"""Keys on tokens behind PKCS#11: a smart card, a USB key, an HSM (OASIS PKCS#11 v2.40).

Every person has a token (slot) of his own, whose user PIN is his signing PIN. A library keeps the
sign-in to a token for the whole process: while somebody is signed in, any PIN would do. So a token
is used by one thread at a time, from sign-in to sign-out, and other processes are the library's own
matter (each signs in for itself).
"""

import asyncio
import threading
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, cast

import pkcs11
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from pkcs11 import exceptions
from pkcs11.util.ec import encode_ec_public_key
from pkcs11.util.rsa import encode_rsa_public_key
from pyhanko.config.pkcs11 import TokenCriteria
from pyhanko.sign import signers
from pyhanko.sign.pkcs11 import PKCS11Signer, open_pkcs11_session

from reading_worklist.signing.errors import KeyUnavailable
from reading_worklist.signing.pdf_objects import asn1_of
from reading_worklist.signing.providers.outside import OutsideSigner
from reading_worklist.signing.providers.port import PinRefused, StoredKey

_WRONG: Final = (
    exceptions.PinIncorrect,
    exceptions.PinInvalid,
    exceptions.PinLenRange,
)
_BLOCKED: Final = (exceptions.PinLocked, exceptions.PinExpired)
_NOT_READ: Final = "the key on the token cannot be used"


class Tokens:
    """Opens keys on tokens.

    A stored key's place names the `module` (as set up), the `token` by its label, and the `key` by
    its CKA_ID in hexadecimal.
    """

    def __init__(self, modules: Mapping[str, Path]) -> None:
        """Use these PKCS#11 libraries, by the names that places call them; loaded when needed."""
        self._modules = dict(modules)
        self._locks: dict[tuple[str, str], threading.Lock] = {}
        self._guard = threading.Lock()

    def open(self, key: StoredKey, pin: str) -> signers.Signer:
        """Try the PIN on the token; see `KeyProvider`."""
        with self._session(key.place, pin):
            pass

        def sign(data: bytes, digest: str) -> bytes:
            with self._session(key.place, pin) as session:
                return _signed(session, key, data, digest)

        return OutsideSigner(key.chain, sign)

    def public_key(
        self, place: Mapping[str, str], pin: str
    ) -> ec.EllipticCurvePublicKey | rsa.RSAPublicKey:
        """Return the public half of a key, to have a certificate made for it.

        Raises:
            PinRefused, KeyUnavailable: as `open` does.
        """
        with self._session(place, pin) as session:
            found = cast("Any", session).get_key(
                object_class=pkcs11.ObjectClass.PUBLIC_KEY, id=bytes.fromhex(place["key"])
            )
            encode = (
                encode_ec_public_key
                if found.key_type is pkcs11.KeyType.EC
                else encode_rsa_public_key
            )
            der = cast("bytes", cast("Any", encode)(found))
        key = (
            serialization.load_der_public_key(der)
            if found.key_type is pkcs11.KeyType.EC
            else _rsa(der)
        )
        if not isinstance(key, ec.EllipticCurvePublicKey | rsa.RSAPublicKey):
            raise KeyUnavailable(_NOT_READ, expected="an elliptic or RSA key")
        return key

    @contextmanager
    def _session(self, place: Mapping[str, str], pin: str) -> Generator[pkcs11.Session]:
        """Sign in to the token, alone in this process, and out again."""
        module, token = place.get("module", ""), place.get("token", "")
        library = self._modules.get(module)
        if library is None:
            raise KeyUnavailable(
                "the PKCS#11 library of the signing key is not set up",
                expected="one of " + (", ".join(sorted(self._modules)) or "none"),
                found=module,
                remedy="Ask the administrator to set RDC_TOKEN_MODULES.",
            )
        with self._guard:
            lock = self._locks.setdefault((module, token), threading.Lock())
        with lock:
            session = _signed_in(library, token, pin)
            try:
                yield session
            except exceptions.PKCS11Error as error:
                raise _unusable(error) from error
            finally:
                session.close()


def _signed_in(library: Path, token: str, pin: str) -> pkcs11.Session:
    try:
        return open_pkcs11_session(
            str(library), token_criteria=TokenCriteria(label=token), user_pin=pin
        )
    except _WRONG:
        raise PinRefused from None
    except _BLOCKED as error:
        raise KeyUnavailable(
            "the token has locked itself after too many wrong PINs",
            found=type(error).__name__,
            remedy="Ask the administrator to unblock the token with its PUK.",
        ) from error
    except (exceptions.PKCS11Error, RuntimeError) as error:
        raise _unusable(error) from error


def _signed(session: pkcs11.Session, key: StoredKey, data: bytes, digest: str) -> bytes:
    # Raw: many tokens, SoftHSM among them, sign digests only.
    engine = PKCS11Signer(
        session,
        signing_cert=asn1_of(key.chain[0]),
        key_id=bytes.fromhex(key.place["key"]),
        use_raw_mechanism=True,
    )
    return asyncio.run(cast("Any", engine).async_sign_raw(data, digest))


def _unusable(error: Exception) -> KeyUnavailable:
    return KeyUnavailable(
        _NOT_READ,
        found=type(error).__name__,
        remedy="Check that the token is there and is yours, then try again.",
    )


def _rsa(pkcs1: bytes) -> Any:  # noqa: ANN401 - narrowed by the caller
    from asn1crypto import keys  # noqa: PLC0415 - RSA tokens alone

    wrapped = cast("Any", keys).PublicKeyInfo.wrap(
        cast("Any", keys).RSAPublicKey.load(pkcs1), "rsa"
    )
    return serialization.load_der_public_key(wrapped.dump())
