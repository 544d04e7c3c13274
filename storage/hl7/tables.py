"""Tables of HL7 v2 senders and of what they sent."""

from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import ARRAY, ForeignKey, LargeBinary, String, UniqueConstraint, func
from sqlalchemy.orm import Mapped, mapped_column

from storage.database import Base


class Hl7Sender(Base):
    """A system of a site that may send orders.

    application, facility: MSH-3.1 and MSH-4.1 as it writes them; an empty facility is any.
    addresses: networks in CIDR notation it may call from; empty means any address.
    certificate_sha256: fingerprint, hexadecimal, of the TLS certificate it must call with; None
        when it need not.
    """

    __tablename__ = "hl7_sender"
    __table_args__ = (UniqueConstraint("application", "facility"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    site_id: Mapped[UUID] = mapped_column(ForeignKey("organisation.id"), index=True)
    application: Mapped[str]
    facility: Mapped[str]
    addresses: Mapped[list[str]] = mapped_column(ARRAY(String), default=list)
    certificate_sha256: Mapped[str | None]
    active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class Hl7Message(Base):
    """A message as it came and the answer it got; rows are only added.

    content: the bytes between the frame's delimiters. acknowledgement: the answer's bytes.
    """

    __tablename__ = "hl7_message"
    __table_args__ = (UniqueConstraint("sender_id", "control_id", "sha256"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    sender_id: Mapped[UUID] = mapped_column(ForeignKey("hl7_sender.id"))
    site_id: Mapped[UUID] = mapped_column(ForeignKey("organisation.id"))
    control_id: Mapped[str]
    message_type: Mapped[str]
    content: Mapped[bytes] = mapped_column(LargeBinary)
    sha256: Mapped[str]
    acknowledgement_code: Mapped[str]
    acknowledgement: Mapped[bytes] = mapped_column(LargeBinary)
    received_at: Mapped[datetime] = mapped_column(server_default=func.now())
