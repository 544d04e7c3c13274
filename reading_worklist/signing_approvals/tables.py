"""Table of who was approved to make a signing key."""

from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import ForeignKey, Index, func, text
from sqlalchemy.orm import Mapped, mapped_column

from storage.database import Base


class SigningApproval(Base):
    """That an administrator knows who a person is, and lets him make one signing key.

    organisation_id: for which the person signs; its name goes into the certificate.
    credential_id: the key that was made of it. withdrawn_at: no key may be made of it any more.
    A person has at most one that is neither used nor withdrawn.
    """

    __tablename__ = "signing_approval"
    __table_args__ = (
        Index(
            "uq_signing_approval_open",
            "person_id",
            unique=True,
            postgresql_where=text("used_at IS NULL AND withdrawn_at IS NULL"),
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"), index=True)
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisation.id"))
    approved_by_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    approved_at: Mapped[datetime] = mapped_column(server_default=func.now())
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    withdrawn_at: Mapped[datetime | None]
    credential_id: Mapped[UUID | None] = mapped_column(ForeignKey("signing_credential.id"))
