"""Keeping what HL7 senders sent, byte for byte, with what they were answered."""

import hashlib
from uuid import uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session

from storage.hl7.senders import KnownSender
from storage.hl7.tables import Hl7Message


def digest(content: bytes) -> str:
    """Return the SHA-256 by which a repeated message is known."""
    return hashlib.sha256(content).hexdigest()


def answer_given(
    session: Session, sender: KnownSender, control_id: str, content: bytes
) -> bytes | None:
    """Return what this very message was answered before; None for a new one.

    A control id that comes again with other content is another message: systems in the field
    start to count anew.
    """
    return session.scalar(
        select(Hl7Message.acknowledgement).where(
            Hl7Message.sender_id == sender.id,
            Hl7Message.control_id == control_id,
            Hl7Message.sha256 == digest(content),
        )
    )


def keep(
    session: Session,
    sender: KnownSender,
    *,
    control_id: str,
    message_type: str,
    content: bytes,
    acknowledgement_code: str,
    acknowledgement: bytes,
) -> None:
    """Keep a message and its answer in the caller's transaction."""
    session.add(
        Hl7Message(
            id=uuid4(),
            sender_id=sender.id,
            site_id=sender.site_id,
            control_id=control_id,
            message_type=message_type,
            content=content,
            sha256=digest(content),
            acknowledgement_code=acknowledgement_code,
            acknowledgement=acknowledgement,
        )
    )
    session.flush()
