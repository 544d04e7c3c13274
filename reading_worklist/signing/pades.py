"""The two signatures of a report: PAdES-B-B (ETSI EN 319 142-1) by writer and reviewer.

Each is an approval signature added by an incremental update, so the bytes that
the writer signed stay in the file as they are and the reviewer's signature
covers them together with the writer's. Neither certifies the document: a
certification could forbid the second signature.

These functions run pyHanko's own event loop: call them from a worker thread,
not from a coroutine, and outside of a database transaction.
"""

from datetime import datetime
from io import BytesIO
from typing import Any, Final, cast

from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.misc import PdfError
from pyhanko.pdf_utils.writer import BasePdfFileWriter
from pyhanko.sign.fields import SigSeedSubFilter
from pyhanko.sign.signers import PdfSignatureMetadata, PdfSigner
from pyhanko.sign.signers.constants import ESIC_EXTENSION_1
from pyhanko.sign.signers.pdf_signer import PdfSigningSession
from pyhanko.stamp import StaticStampStyle

from reading_worklist.signing.appearance import SignatureAppearance, draw
from reading_worklist.signing.errors import CredentialExpired, DocumentRefused, SamePerson
from reading_worklist.signing.fields import SignatureRole
from reading_worklist.signing.pdf_objects import SignatureField, room_for, signature_fields
from reading_worklist.signing.unlocking import Signer
from reading_worklist.signing.verdicts import Verdict
from reading_worklist.signing.verification import verify
from reading_worklist.typesetting.labels import labels
from reading_worklist.typesetting.typesetter import Typesetter
from storage import metering

# The digest of both curves in use, and what PDF readers of the last fifteen years verify.
DIGEST: Final = "sha256"


def sign_as_writer(
    pdf: bytes,
    signer: Signer,
    *,
    appearance: SignatureAppearance,
    typesetter: Typesetter,
    signed_at: datetime,
    alone: bool = False,
) -> bytes:
    """Return `pdf` with the writer's signature, the first, in the field reserved for it.

    signed_at: the aware time claimed as time of signing.
    alone: whether no second signature follows, for which the report has no field then.

    Raises:
        DocumentRefused: the document is no report, or somebody has signed it already.
        CredentialExpired: the certificate is not valid at `signed_at`.
    """
    fields = _fields(pdf, (SignatureRole.WRITER,) if alone else tuple(SignatureRole))
    if any(field.signed for field in fields.values()):
        raise DocumentRefused(
            "the report is signed already",
            expected="no signature before the writer's",
            remedy="Reload the workitem; a new submission needs a newly rendered document.",
        )
    role = SignatureRole.WRITER
    return _sign(
        pdf,
        signer,
        role=role,
        field=fields[role],
        look=appearance,
        typesetter=typesetter,
        signed_at=signed_at,
        words="sole" if alone else role.value,
    )


def sign_as_reviewer(
    pdf: bytes,
    signer: Signer,
    *,
    appearance: SignatureAppearance,
    typesetter: Typesetter,
    signed_at: datetime,
) -> bytes:
    """Return `pdf` with the reviewer's signature, the second, added to exactly these bytes.

    signed_at: the aware time claimed as time of signing.

    Raises:
        DocumentRefused: the writer's signature is missing, broken, or not the last thing that
            happened to the document; or a reviewer has signed already.
        SamePerson: the writer's certificate belongs to the same person.
        CredentialExpired: the certificate is not valid at `signed_at`.
    """
    fields = _fields(pdf)
    if not fields[SignatureRole.WRITER].signed or fields[SignatureRole.REVIEWER].signed:
        raise DocumentRefused(
            "the report is not waiting for its second signature",
            expected="the writer's signature and no other",
            remedy="Reload the workitem.",
        )
    # Whether the writer's certificate is trusted is the verifier's question; here the signature
    # must only be intact.
    writer = verify(pdf, signer.issuers, required=(SignatureRole.WRITER,), at=signed_at)
    if writer.verdict is Verdict.INVALID:
        raise DocumentRefused(
            "the document is not as its writer signed it",
            found=writer.reason.explanation,
            remedy="Return the report to its writer, and tell the administrator.",
        )
    if writer.signatures[0].person_id == signer.person_id:
        raise SamePerson(
            "a report is not reviewed by its writer",
            expected="two people",
            remedy="Let another reviewer finalise it.",
        )
    role = SignatureRole.REVIEWER
    return _sign(
        pdf,
        signer,
        role=role,
        field=fields[role],
        look=appearance,
        typesetter=typesetter,
        signed_at=signed_at,
        words=role.value,
    )


def _fields(
    pdf: bytes, roles: tuple[SignatureRole, ...] = tuple(SignatureRole)
) -> dict[SignatureRole, SignatureField]:
    """Return the field of each role.

    Raises:
        DocumentRefused: the document cannot be read or lacks a field.
    """
    try:
        by_name = {field.name: field for field in signature_fields(pdf)}
        return {role: by_name[role.value] for role in roles}
    except (PdfError, KeyError, ValueError) as error:
        raise DocumentRefused(
            "the document is no report that can be signed",
            expected="a PDF with a signature field for " + " and ".join(roles),
            found=type(error).__name__,
            remedy="Render the report again.",
        ) from error


def _sign(
    pdf: bytes,
    signer: Signer,
    *,
    role: SignatureRole,
    field: SignatureField,
    look: SignatureAppearance,
    typesetter: Typesetter,
    signed_at: datetime,
    words: str,
) -> bytes:
    if not signer.not_before <= signed_at <= signer.not_after:
        raise CredentialExpired(
            "the certificate of the signing key is not valid at the time of signing",
            expected=f"a time from {signer.not_before:%Y-%m-%d %H:%M} to"
            f" {signer.not_after:%Y-%m-%d %H:%M} UTC",
            found=f"{signed_at:%Y-%m-%d %H:%M}",
            remedy="Have a new signing key issued.",
        )
    size = (field.width, field.height)
    stamp = draw(typesetter, signer, words, look, signed_at=signed_at, size=size)
    metadata = PdfSignatureMetadata(
        field_name=role.value,
        md_algorithm=DIGEST,
        subfilter=SigSeedSubFilter.PADES,
        name=signer.display_name,
        location=signer.organisation,
        reason=labels(look.language)["signature"][f"reason_{words}"],
    )
    output = BytesIO()
    engine = cast("Any", _TimedSigner(metadata, signer, stamp, signed_at))
    engine.sign_pdf(
        IncrementalPdfFileWriter(BytesIO(pdf)),
        existing_fields_only=True,
        bytes_reserved=room_for(signer.cms),
        output=output,
    )
    metering.count("rdc_signatures_total", "signed")
    return output.getvalue()


class _TimedSigner(PdfSigner):
    """pyHanko's signer with the time of signing given instead of read from the machine's clock."""

    def __init__(
        self,
        metadata: PdfSignatureMetadata,
        signer: Signer,
        stamp: StaticStampStyle,
        signed_at: datetime,
    ) -> None:
        super().__init__(metadata, signer.cms, stamp_style=stamp)
        self._signed_at = signed_at

    def register_extensions(self, pdf_out: BasePdfFileWriter, *, md_algorithm: str) -> None:
        """Declare PAdES as an extension of PDF 1.7, and nothing that would make it PDF 2.0.

        pyHanko raises the version for elliptic curves (ISO/TS 32002); PDF/A-2 is PDF 1.7.
        """
        del md_algorithm
        pdf_out.register_extension(ESIC_EXTENSION_1)

    def init_signing_session(
        self,
        pdf_out: BasePdfFileWriter,
        existing_fields_only: bool = False,  # noqa: FBT001, FBT002 - pyHanko's
    ) -> PdfSigningSession:
        session = super().init_signing_session(pdf_out, existing_fields_only)
        session.system_time = self._signed_at
        return session
