"""The authority's list of revoked certificates: made when something was revoked, and every day."""

from datetime import datetime, timedelta
from typing import Final

from cryptography import x509
from sqlalchemy import select
from sqlalchemy.orm import Session

from reading_worklist.signing.authority import Authority, issued_by
from reading_worklist.signing.tables import RevocationList, SigningCredential

RENEWED_AFTER: Final = timedelta(days=1)
GOOD_FOR: Final = timedelta(days=7)
"""A verifier may rely on a list for so long; a week without us makes no certificate doubtful."""


def newest(session: Session) -> RevocationList | None:
    """Return the list that holds, None before the first was made."""
    return session.scalar(select(RevocationList).order_by(RevocationList.number.desc()).limit(1))


def publish(session: Session, authority: Authority, *, now: datetime) -> RevocationList | None:
    """Make a new list when it is due, in the caller's transaction; return it, or None.

    Due is the first, one with a certificate that was revoked since the last, and one every day.
    """
    revoked = _revoked(session, authority.certificate)
    last = newest(session)
    if last is not None:
        listed = {f"{one.serial_number:X}" for one in x509.load_der_x509_crl(last.der)}
        if listed >= set(revoked) and now < last.this_update + RENEWED_AFTER:
            return None
    # Seconds of the clock: a database that was brought back from a backup does not repeat one.
    number = max(int(now.timestamp()), last.number + 1 if last else 0)
    row = RevocationList(
        number=number,
        der=authority.revocation_list(
            revoked, number=number, this_update=now, next_update=now + GOOD_FOR
        ),
        this_update=now,
        next_update=now + GOOD_FOR,
    )
    session.add(row)
    session.flush()
    return row


def _revoked(session: Session, issuer: x509.Certificate) -> dict[str, datetime]:
    rows = session.execute(
        select(
            SigningCredential.serial,
            SigningCredential.revoked_at,
            SigningCredential.certificate_chain_pem,
        ).where(SigningCredential.revoked_at.is_not(None))
    )
    return {
        serial: at
        for serial, at, chain in rows
        if at is not None
        and issued_by(x509.load_pem_x509_certificate(chain.encode("ascii")), issuer)
    }
