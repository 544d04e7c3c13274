"""What this room takes from pyHanko and asn1crypto, typed where it enters.

Both libraries leave many of their types open; everything else here works with
`cryptography` certificates, bytes and numbers.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from typing import Any, Final, cast

from asn1crypto import cms, keys
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.fields import enumerate_sig_fields
from pyhanko.sign.signers import Signer as CmsSigner
from pyhanko.sign.signers import SimpleSigner
from pyhanko.sign.validation.dss import DocumentSecurityStore
from pyhanko.sign.validation.errors import ValidationInfoReadingError
from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature
from pyhanko_certvalidator.registry import SimpleCertificateStore

# Attributes, names, algorithms, and a signature value of RSA-4096; a time stamp's content too.
_BESIDE_CERTIFICATES: Final = 2048


@dataclass(frozen=True, slots=True)
class SignatureField:
    """A signature field of a document; width and height in points."""

    name: str
    signed: bool
    width: float
    height: float


def page_count(pdf: bytes) -> int:
    """Return how many pages a document has."""
    pages = cast("Any", PdfFileReader(BytesIO(pdf)).root["/Pages"])
    return int(pages["/Count"])


def signature_fields(pdf: bytes) -> list[SignatureField]:
    """Return the signature fields of a document.

    Raises:
        PdfError, ValueError, KeyError: the document cannot be read.
    """
    reader = PdfFileReader(BytesIO(pdf))
    found: list[SignatureField] = []
    for name, value, reference in cast("Iterator[Any]", enumerate_sig_fields(reader)):
        left, bottom, right, top = (float(number) for number in reference.get_object()["/Rect"])
        found.append(
            SignatureField(
                name=str(name),
                signed=value is not None,
                width=abs(right - left),
                height=abs(top - bottom),
            )
        )
    return found


def written(writer: IncrementalPdfFileWriter) -> bytes:
    """Return the document with the writer's changes appended."""
    output = BytesIO()
    cast("Any", writer).write(output)
    return output.getvalue()


def asn1_of(certificate: x509.Certificate) -> asn1_x509.Certificate:
    """Return a certificate as pyHanko takes it."""
    der = certificate.public_bytes(serialization.Encoding.DER)
    return cast("Any", asn1_x509.Certificate).load(der)


def signer_certificate(embedded: EmbeddedPdfSignature) -> x509.Certificate:
    """Return the certificate that a signature names as its signer's."""
    return x509.load_der_x509_certificate(cast("Any", embedded.signer_cert).dump())


def end_of(embedded: EmbeddedPdfSignature) -> int:
    """Return where the part of the file that a signature covers ends, in bytes."""
    _, _, start, length = (int(number) for number in cast("Any", embedded).byte_range)
    return start + length


def keywords(pdf: bytes) -> str:
    """Return the keywords of a document's information dictionary, empty without any."""
    trailer = cast("Any", PdfFileReader(BytesIO(pdf)).trailer_view)
    try:
        return str(trailer["/Info"]["/Keywords"])
    except KeyError:
        return ""


def generated_at(embedded: EmbeddedPdfSignature) -> datetime:
    """Return the time that a document's time stamp names."""
    content = cast("Any", embedded).signed_data["encap_content_info"]["content"]
    return content.parsed["gen_time"].native


def certificate_answers(reader: PdfFileReader) -> list[bytes]:
    """Return the OCSP responses that a document holds for its verifiers, DER; empty without any."""
    try:
        kept = cast("Any", DocumentSecurityStore).read_dss(reader)
    except ValidationInfoReadingError:
        return []
    return [bytes(one.get_object().data) for one in kept.ocsps]


def known_certificates(reader: PdfFileReader) -> list[x509.Certificate]:
    """Return the certificates that a document holds for its verifiers; empty without any."""
    try:
        kept = cast("Any", DocumentSecurityStore).read_dss(reader)
    except ValidationInfoReadingError:
        return []
    return [
        x509.load_der_x509_certificate(bytes(one.get_object().data)) for one in kept.certs.values()
    ]


def further_certificates(embedded: EmbeddedPdfSignature) -> set[bytes]:
    """Return the certificates that travel with a signature beside its signer's, as DER."""
    return {cast("Any", certificate).dump() for certificate in embedded.other_embedded_certs}


def container_bytes(embedded: EmbeddedPdfSignature) -> tuple[slice, bytes]:
    """Return where a signature's container stands in the file, and its CMS object unpadded."""
    _, first_length, second_start, _ = (int(number) for number in cast("Any", embedded).byte_range)
    message = cast("Any", cms.ContentInfo).load(bytes(cast("Any", embedded).pkcs7_content))
    return slice(first_length, second_start), message.dump()


def announces_its_digest(embedded: EmbeddedPdfSignature) -> bool:
    """Tell whether a container names as digest algorithm the one its signer used, and no other."""
    signed_data, signer = cast("Any", embedded).signed_data, cast("Any", embedded).signer_info
    announced = [algorithm.dump() for algorithm in signed_data["digest_algorithms"]]
    return announced == [signer["digest_algorithm"].dump()]


def has_unsigned_attributes(embedded: EmbeddedPdfSignature) -> bool:
    """Tell whether a container carries attributes that its signature does not cover."""
    return len(cast("Any", embedded).signer_info["unsigned_attrs"]) > 0


def room_for(signer: CmsSigner) -> int:
    """Return how many hexadecimal digits a signature's container may take.

    pyHanko would sign once more to find that out, which is a third of a signature's cost.
    """
    engine = cast("Any", signer)
    certificates = {one.dump() for one in (engine.signing_cert, *engine.cert_registry)}
    return 2 * (sum(len(one) for one in certificates) + _BESIDE_CERTIFICATES)


def software_signer(chain: list[x509.Certificate], private_key_pkcs8: bytes) -> SimpleSigner:
    """Return pyHanko's signer for a key in memory.

    chain: the signer's certificate and those who vouch for it. All of them travel with the
    signature, so that a reader who trusts the authority needs nothing else.
    """
    person, *issuers = (asn1_of(certificate) for certificate in chain)
    store = cast("Any", SimpleCertificateStore).from_certs(issuers)
    key = cast("Any", keys.PrivateKeyInfo).load(private_key_pkcs8)
    return SimpleSigner(signing_cert=person, signing_key=key, cert_registry=store, embed_roots=True)
