"""Tables of people's keys, of revoked certificates, and of the time stamps over reports."""

from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from storage.database import Base


class SigningCredential(Base):
    """A person's certificate, and where its private key is: sealed in the row, or elsewhere.

    A person has at most one that is not revoked; older ones stay, so that what they signed can be
    explained.

    serial: the certificate's serial number, upper-case hexadecimal.
    certificate_chain_pem: the person's certificate, then its issuers.
    provider: the kind of place, see `providers.port.ProviderKind`.
    sealed_key: nonce (12 bytes) and AES-256-GCM ciphertext of the PKCS#8 key.
    key_derivation: algorithm, cost and salt that turn the PIN into the AES key (PHC string format).
    key_place: of a key that is kept elsewhere, where; no secret.
    failed_attempts: wrong PINs since the last right one; locked_until: no attempt counts before.
    The database refuses an attempt while the key is locked, and a fifth wrong PIN without a lock.
    """

    __tablename__ = "signing_credential"
    __table_args__ = (
        CheckConstraint("not_before < not_after", name="validity"),
        CheckConstraint("failed_attempts >= 0", name="failed_attempts"),
        CheckConstraint("provider IN ('sealed', 'token', 'service')", name="provider"),
        CheckConstraint(
            "CASE provider WHEN 'sealed' THEN sealed_key IS NOT NULL AND key_derivation IS NOT NULL"
            " AND key_place IS NULL ELSE sealed_key IS NULL AND key_derivation IS NULL"
            " AND key_place IS NOT NULL END",
            name="key_somewhere",
        ),
        Index(
            "uq_signing_credential_live",
            "person_id",
            unique=True,
            postgresql_where=text("revoked_at IS NULL"),
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"), index=True)
    serial: Mapped[str] = mapped_column(unique=True)
    certificate_chain_pem: Mapped[str]
    provider: Mapped[str] = mapped_column(default="sealed", server_default="sealed")
    sealed_key: Mapped[bytes | None]
    key_derivation: Mapped[str | None]
    key_place: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    not_before: Mapped[datetime]
    not_after: Mapped[datetime]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    revoked_at: Mapped[datetime | None]
    revocation_reason: Mapped[str | None]
    failed_attempts: Mapped[int] = mapped_column(default=0, server_default="0")
    locked_until: Mapped[datetime | None]


class RevocationList(Base):
    """A list of revoked certificates that the authority signed (RFC 5280 §5); rows are only added.

    number: the CRL number, growing. der: the list.
    """

    __tablename__ = "revocation_list"

    number: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    der: Mapped[bytes]
    this_update: Mapped[datetime]
    next_update: Mapped[datetime]


class ReportTimeStamp(Base):
    """A time stamp over a finished report; the newest of a report is what proves it today.

    original_sha256: of the file as the report was issued. pdf_sha256: of the file with this stamp,
        the same for the stamp made at issue.
    pdf_object_key: where the file with a later stamp is; None for the one that was issued.
    stamped_by: the name of who stamped, "centre" or an outside authority's.
    ends_at: when the stamp proves nothing any more unless another one covers it.
    shortfall: why the authority that should have stamped did not; empty when it did.
    """

    __tablename__ = "report_time_stamp"
    __table_args__ = (
        CheckConstraint(
            "(number = 1) = (pdf_object_key IS NULL)"
            " AND (number = 1) = (pdf_sha256 = original_sha256)",
            name="first_is_the_original",
        ),
        Index("ix_report_time_stamp_ends_at", "ends_at"),
        Index(
            "ix_report_time_stamp_shortfall",
            "created_at",
            postgresql_where=text("shortfall <> ''"),
        ),
    )

    original_sha256: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    pdf_sha256: Mapped[str] = mapped_column(unique=True)
    pdf_object_key: Mapped[str | None]
    stamped_by: Mapped[str]
    stamped_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    shortfall: Mapped[str] = mapped_column(default="", server_default="")
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
