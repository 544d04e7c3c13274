"""The signature container itself: the only bytes of a file that its last signature cannot cover.

Between the two signed ranges stands the CMS object in hexadecimal with padding.
Some of its bits could be altered without harm to the signature: the case of a
digit, the padding, certificates that nobody needs. A report has exactly one
spelling of its container, so that such a change is found too.
"""

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature

from reading_worklist.signing.pdf_objects import (
    announces_its_digest,
    container_bytes,
    further_certificates,
    has_unsigned_attributes,
)


def is_canonical(pdf: bytes, embedded: EmbeddedPdfSignature) -> bool:
    """Tell whether the container is upper-case hexadecimal of DER, padded with zeros.

    Its list of digest algorithms (RFC 5652 §5.1), which no signature covers and no verifier needs,
    must be the signer's, and it has no attributes that its signature leaves out.
    """
    place, der = container_bytes(embedded)
    hole = pdf[place]
    padding = "00" * (len(hole) // 2 - 1 - len(der))
    if not announces_its_digest(embedded) or has_unsigned_attributes(embedded):
        return False
    return hole == f"<{der.hex().upper()}{padding}>".encode("ascii")


def carries_only(embedded: EmbeddedPdfSignature, proven: list[x509.Certificate]) -> bool:
    """Tell whether every certificate beside the signer's is one of those already proven."""
    known = {one.public_bytes(serialization.Encoding.DER) for one in proven}
    return further_certificates(embedded) <= known
