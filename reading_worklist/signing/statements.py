"""A signature over words that are no document: CMS, detached from what it covers (RFC 5652).

As with documents: call these from a worker thread, outside of a database transaction.
"""

import asyncio
from collections.abc import Sequence
from io import BytesIO
from typing import Any, cast

from asn1crypto import cms
from cryptography import x509
from pyhanko.sign import validation
from pyhanko.sign.general import SigningError
from pyhanko_certvalidator import ValidationContext

from reading_worklist.signing.pades import DIGEST
from reading_worklist.signing.pdf_objects import asn1_of
from reading_worklist.signing.unlocking import Signer


def sign_statement(signer: Signer, content: bytes) -> bytes:
    """Return the detached signature of `content`, DER."""
    engine = cast("Any", signer.cms)
    signed = asyncio.run(engine.async_sign_general_data(content, DIGEST, detached=True))
    return cast("bytes", signed.dump())


def statement_holds(content: bytes, signature: bytes, trust_anchors: Sequence[str]) -> bool:
    """Tell whether the signature covers exactly this content and is by somebody we vouch for.

    trust_anchors: PEM certificates of the authorities whose signatures count.
    """
    roots = [
        asn1_of(x509.load_pem_x509_certificate(anchor.encode("ascii"))) for anchor in trust_anchors
    ]
    try:
        status = asyncio.run(
            cast("Any", validation).async_validate_detached_cms(
                BytesIO(content),
                cast("Any", cms.ContentInfo).load(signature)["content"],
                signer_validation_context=ValidationContext(
                    trust_roots=roots, allow_fetching=False
                ),
            )
        )
    except (ValueError, SigningError):
        return False
    return bool(status.intact and status.valid and status.trusted)
