"""What a report gets with its last signature: the evidence for those who ask years later."""

from datetime import datetime

from reading_worklist.reports.time_stamps import first_row
from reading_worklist.services import Services
from reading_worklist.signing.credentials import revocations
from reading_worklist.signing.verification import signer_serials


def concluded(services: Services, pdf: bytes, at: datetime) -> bytes:
    """Return the report with the state of its signers' certificates and a time stamp over it.

    Who stamped it is on record before the report is issued, with the reason where it is not who
    should have.

    at: when the last signature was made, aware. Call it outside of a transaction.
    """
    long_term = services.config.long_term
    if long_term is None:
        return pdf
    serials = signer_serials(pdf)
    with services.database.transaction() as session:
        revoked = revocations(session, serials)
    stamped = long_term.stamp(pdf, at=at, revocations=revoked)
    with services.database.transaction() as session:
        session.add(first_row(stamped))
    return stamped.pdf
