"""Table of the keys that people sign with."""

from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import CheckConstraint, ForeignKey, Index, func, text
from sqlalchemy.orm import Mapped, mapped_column

from storage.database import Base


class SigningCredential(Base):
    """A person's certificate, and the private key sealed under the person's signing PIN.

    A person has at most one that is not revoked; older ones stay, so that what they signed can be
    explained.

    serial: the certificate's serial number, upper-case hexadecimal.
    certificate_chain_pem: the person's certificate, then its issuers.
    sealed_key: nonce (12 bytes) and AES-256-GCM ciphertext of the PKCS#8 key.
    key_derivation: algorithm, cost and salt that turn the PIN into the AES key (PHC string format).
    failed_attempts: wrong PINs since the last right one; locked_until: no attempt counts before.
    """

    __tablename__ = "signing_credential"
    __table_args__ = (
        CheckConstraint("not_before < not_after", name="validity"),
        CheckConstraint("failed_attempts >= 0", name="failed_attempts"),
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
    sealed_key: Mapped[bytes]
    key_derivation: Mapped[str]
    not_before: Mapped[datetime]
    not_after: Mapped[datetime]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    revoked_at: Mapped[datetime | None]
    revocation_reason: Mapped[str | None]
    failed_attempts: Mapped[int] = mapped_column(default=0, server_default="0")
    locked_until: Mapped[datetime | None]
