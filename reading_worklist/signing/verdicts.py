"""What a verification says: three values (ETSI EN 319 102-1, clause 5.1.3), with reasons."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from reading_worklist.signing.fields import SignatureRole


class Verdict(StrEnum):
    """VALID: proven good. INVALID: proven bad. INDETERMINATE: neither can be proven."""

    VALID = "valid"
    INVALID = "invalid"
    INDETERMINATE = "indeterminate"


class Reason(StrEnum):
    """Why a verdict is not simply VALID; the value is for programs, `explanation` for people."""

    NONE = "none"
    UNREADABLE = "unreadable"
    CONTENT_CHANGED = "content_changed"
    SIGNATURE_BROKEN = "signature_broken"
    SIGNATURE_MISSING = "signature_missing"
    SIGNATURE_UNEXPECTED = "signature_unexpected"
    CHANGED_AFTERWARDS = "changed_afterwards"
    SAME_PERSON = "same_person"
    WRONG_PERSON = "wrong_person"
    RECORD_CHANGED = "record_changed"
    TIME_IMPOSSIBLE = "time_impossible"
    REVOKED = "revoked"
    EXPIRED = "expired"
    UNTRUSTED = "untrusted"
    WRONG_PURPOSE = "wrong_purpose"
    ALGORITHM = "algorithm"

    @property
    def verdict(self) -> Verdict:
        """The verdict that this reason alone leads to."""
        if self is Reason.NONE:
            return Verdict.VALID
        return Verdict.INDETERMINATE if self in _UNPROVEN else Verdict.INVALID

    @property
    def explanation(self) -> str:
        """One English sentence for a person."""
        return _EXPLANATIONS[self]

    @property
    def explanation_zh(self) -> str:
        """The same in Chinese."""
        return _CHINESE[self]


_UNPROVEN = frozenset(
    {Reason.REVOKED, Reason.EXPIRED, Reason.UNTRUSTED, Reason.WRONG_PURPOSE, Reason.ALGORITHM}
)

_EXPLANATIONS = {
    Reason.NONE: "The signature is intact and its certificate is trusted.",
    Reason.UNREADABLE: "The file or the signature cannot be read: it is damaged or altered.",
    Reason.CONTENT_CHANGED: "The signed content was altered after signing.",
    Reason.SIGNATURE_BROKEN: "The signature value does not match the signer's certificate.",
    Reason.SIGNATURE_MISSING: "A required signature is missing.",
    Reason.SIGNATURE_UNEXPECTED: "The file bears a signature that no report has.",
    Reason.CHANGED_AFTERWARDS: "Something else than the next signature was added after signing.",
    Reason.SAME_PERSON: "Writer and reviewer are the same person.",
    Reason.WRONG_PERSON: "The signer is not the person on record for this report.",
    Reason.RECORD_CHANGED: "The record of the report is not what was signed.",
    Reason.TIME_IMPOSSIBLE: "The claimed time of signing lies outside the certificate's validity"
    " or in the future.",
    Reason.REVOKED: "The certificate was revoked, and no time stamp proves that the signature is"
    " older.",
    Reason.EXPIRED: "The certificate has expired, and no time stamp proves that the signature is"
    " older.",
    Reason.UNTRUSTED: "The certificate does not come from a trusted authority.",
    Reason.WRONG_PURPOSE: "The certificate is not meant for signing documents.",
    Reason.ALGORITHM: "The signature uses an algorithm that is no longer considered safe.",
}


_CHINESE = {
    Reason.NONE: "签名完好，证书可信。",
    Reason.UNREADABLE: "文件或签名无法读取，可能已损坏或被更改。",
    Reason.CONTENT_CHANGED: "签名后内容被更改。",
    Reason.SIGNATURE_BROKEN: "签名值与签名人的证书不符。",
    Reason.SIGNATURE_MISSING: "缺少必需的签名。",
    Reason.SIGNATURE_UNEXPECTED: "文件带有报告不应有的签名。",
    Reason.CHANGED_AFTERWARDS: "签名后添加了其他内容。",
    Reason.SAME_PERSON: "书写与审核为同一人。",
    Reason.WRONG_PERSON: "签名人与登记的医师不符。",
    Reason.RECORD_CHANGED: "系统中的报告记录与签名的内容不符。",
    Reason.TIME_IMPOSSIBLE: "所称签名时间不可能成立。",
    Reason.REVOKED: "证书已吊销，且没有时间戳证明签名更早。",
    Reason.EXPIRED: "证书已过期，且没有时间戳证明签名更早。",
    Reason.UNTRUSTED: "证书不是由受信任的机构颁发。",
    Reason.WRONG_PURPOSE: "证书不用于签署文件。",
    Reason.ALGORITHM: "签名算法已不再安全。",
}


@dataclass(frozen=True, slots=True)
class SignatureVerdict:
    """One signature of a document.

    role: None for a signature in a field that no report has.
    signer_name, person_id, organisation: from the certificate; None where it names none.
    signed_at: the time the signer claims; no one else vouches for it without a time stamp.
    proven_at: since when a time stamp proves the signature to exist; None without one.
    covers_file: nothing was added to the file after this signature.
    """

    role: SignatureRole | None
    field_name: str
    verdict: Verdict
    reason: Reason
    signer_name: str | None
    person_id: UUID | None
    organisation: str | None
    certificate_serial: str | None
    certificate_not_after: datetime | None
    signed_at: datetime | None
    proven_at: datetime | None
    covers_file: bool


@dataclass(frozen=True, slots=True)
class VerificationReport:
    """A document's signatures, in the order in which they were made, and what they amount to.

    verdict: INVALID if anything is, else INDETERMINATE if anything is, else VALID.
    reason: of the verdict; the first found where several apply.
    sha256: of the verified file.
    """

    verdict: Verdict
    reason: Reason
    signatures: tuple[SignatureVerdict, ...]
    sha256: str
    verified_at: datetime

    def signature(self, role: SignatureRole) -> SignatureVerdict | None:
        """Return the signature made in `role`, or None."""
        return next((found for found in self.signatures if found.role is role), None)
