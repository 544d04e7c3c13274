"""Whether the rows of a report still say what its doctors signed."""

import re
from typing import Final

from pyhanko.pdf_utils.misc import PdfError

from reading_worklist.reports.document import content_digest
from reading_worklist.reports.queries import stored_document
from reading_worklist.reports.tables import ReportSubmission, ReportVersion
from reading_worklist.signing.pdf_objects import keywords

_DIGEST: Final = re.compile(r"\bsha256:([0-9a-f]{64})\b")


def signed_digest(pdf: bytes) -> str | None:
    """Return the digest of the content that a file says it shows; None of one from before."""
    try:
        found = _DIGEST.search(keywords(pdf))
    except (PdfError, ValueError):
        return None
    return found.group(1) if found else None


def says_what_was_signed(pdf: bytes, version: ReportVersion, submission: ReportSubmission) -> bool:
    """Tell whether a version's record is the one under its signatures.

    The digest in the file covers every printed fact. The columns that repeat some of them must
    repeat them. A file without a digest was signed before files had one: its columns alone count.
    """
    digest = signed_digest(pdf)
    if digest is not None and digest != content_digest(submission.content, submission.language):
        return False
    document = stored_document(submission)
    return (
        document.findings,
        document.impression,
        document.advice,
        document.comparison,
        document.verification_code,
        document.status.value,
        dict(document.codes),
    ) == (
        submission.findings,
        submission.impression,
        submission.advice,
        submission.comparison,
        submission.verification_code,
        version.status,
        dict(submission.codes),
    )
