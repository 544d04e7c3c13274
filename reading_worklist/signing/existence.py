"""Proof that a report existed at a time: its time stamps, each judged when the next was made.

The last one must still be good today; one that is good proves that what stands before it in the
file, older time stamps among it, existed then (ETSI EN 319 102-1 §5.6.2, past validation).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, cast

from cryptography import x509
from pyhanko.sign.diff_analysis import ModificationLevel
from pyhanko.sign.validation import validate_pdf_timestamp
from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature
from pyhanko.sign.validation.status import DocumentTimestampStatus, SignatureCoverageLevel
from pyhanko_certvalidator import ValidationContext

from reading_worklist.signing.container import carries_only, is_canonical
from reading_worklist.signing.pdf_objects import asn1_of, end_of, signer_certificate
from reading_worklist.signing.trust import trust_problem
from reading_worklist.signing.verdicts import Reason

# How far the clock of whoever stamped may be ahead of the verifier's.
CLOCK_ALLOWANCE: Final = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class TimeStamp:
    """One time stamp of a document.

    reason: why it proves nothing, NONE when it does.
    end: how much of the file it covers, in bytes.
    ends_at: when its certificate ends.
    covers_file: nothing was added after it.
    """

    at: datetime
    reason: Reason
    end: int
    covers_file: bool
    ends_at: datetime


def time_stamps(
    pdf: bytes,
    found: Sequence[EmbeddedPdfSignature],
    anchors: Sequence[x509.Certificate],
    moment: datetime,
    known: Sequence[x509.Certificate] = (),
) -> tuple[TimeStamp, ...]:
    """Judge the document's time stamps, given and returned in the order of the file.

    moment: the time for which the question is asked. known: certificates that may travel with a
        stamp beside the anchors: they stand where a stamp covers them.
    """
    judged: list[TimeStamp] = []
    for embedded in reversed(found):
        one = _judge(pdf, embedded, anchors, moment, known)
        judged.append(one)
        if one.reason is Reason.NONE:
            moment = one.at
    return tuple(reversed(judged))


def proven_at(end: int, stamps: Sequence[TimeStamp]) -> datetime | None:
    """Return since when the first `end` bytes are proven to exist, None when nothing proves it."""
    return min(
        (one.at for one in stamps if one.reason is Reason.NONE and one.end > end), default=None
    )


def _judge(
    pdf: bytes,
    embedded: EmbeddedPdfSignature,
    anchors: Sequence[x509.Certificate],
    moment: datetime,
    known: Sequence[x509.Certificate],
) -> TimeStamp:
    certificate = signer_certificate(embedded)
    start, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    # An expired one is judged as of its last day, so that whatever else is wrong is still found.
    context = ValidationContext(
        trust_roots=[asn1_of(anchor) for anchor in anchors],
        allow_fetching=False,
        moment=min(max(moment, start), end),
    )
    status: DocumentTimestampStatus = validate_pdf_timestamp(embedded, context)
    at: datetime = cast("Any", status).timestamp
    problem = trust_problem(status)
    checks = (
        (Reason.CONTENT_CHANGED, not status.intact),
        (Reason.SIGNATURE_BROKEN, not status.valid),
        (Reason.CHANGED_AFTERWARDS, not _only_stamped_again(status)),
        (Reason.UNREADABLE, not is_canonical(pdf, embedded)),
        (Reason.TIME_IMPOSSIBLE, not start <= at <= min(end, moment + CLOCK_ALLOWANCE)),
        (problem, problem is not Reason.NONE),
        (Reason.UNREADABLE, not carries_only(embedded, [*anchors, *known])),
        (Reason.EXPIRED, not start <= moment <= end),
    )
    return TimeStamp(
        at=at,
        reason=next((reason for reason, fails in checks if fails), Reason.NONE),
        end=end_of(embedded),
        covers_file=status.coverage is SignatureCoverageLevel.ENTIRE_FILE,
        ends_at=end,
    )


def _only_stamped_again(status: DocumentTimestampStatus) -> bool:
    """Tell whether nothing but evidence and further time stamps was added after this one."""
    if status.coverage is SignatureCoverageLevel.ENTIRE_FILE:
        return True
    level = status.modification_level
    return (
        status.coverage is SignatureCoverageLevel.ENTIRE_REVISION
        and level is not None
        and level.value <= ModificationLevel.LTA_UPDATES.value
    )
